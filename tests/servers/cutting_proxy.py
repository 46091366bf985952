"""A TCP proxy that treats connections as mobile networks do: it cuts them in the middle of a frame,
in both directions, swallows what was on the way, and dawdles.

`python cutting_proxy.py LISTEN_PORT TARGET_PORT SEED CUT_AFTER_BYTES`, all on 127.0.0.1; port 0
takes a free one, which is the first line on standard output. On SIGTERM it writes a line of JSON
that says what it did. `CUT_AFTER_BYTES` (0 = never) is how much a connection carries upwards on
average before it is cut. The same seed gives the same budgets in the order in which connections
are made.
"""

import asyncio
import contextlib
import json
import signal
import sys
from collections import Counter
from random import Random
from typing import Final

HOST: Final = "127.0.0.1"
DOWN_SHARE: Final = 0.4
"""Answers are shorter than reports; a cut is to come from either side."""
SWALLOWED_S: Final = (0.2, 1.5)
DAWDLING: Final = 0.02
"""Share of the chunks after which a connection stands still."""
DAWDLING_S: Final = (0.02, 0.4)


class Half(asyncio.Protocol):
    """One of the two connections that make a way through."""

    def __init__(self, way: "Way", budget: float) -> None:
        self._way = way
        self._budget = budget
        self.other: Half | None = None
        self.transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self.swallows = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.swallows:
            self._way.counts["bytes swallowed"] += len(data)
            return
        if len(data) >= self._budget:
            self.pass_on(data[: int(self._budget)])
            self.swallows = True
            self._way.cut_soon()
            return
        self._budget -= len(data)
        self.pass_on(data)
        self._way.maybe_dawdle(self)

    def pass_on(self, data: bytes) -> None:
        if self.other is None or self.other.transport is None:
            self._early.append(data)
        else:
            self.other.transport.write(data)

    def catch_up(self) -> None:
        early, self._early = self._early, []
        for data in early:
            self.pass_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._way.ended()

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()


class Way:
    """A connection through the proxy: `down` is the terminal's, `up` the one to the target."""

    def __init__(self, rng: Random, cut_after: float, target: int, counts: Counter[str]) -> None:
        self.counts = counts
        self._rng = rng
        self._target = target
        up_budget = rng.expovariate(1 / cut_after) if cut_after else float("inf")
        down_budget = rng.expovariate(1 / (cut_after * DOWN_SHARE)) if cut_after else float("inf")
        self.down = Half(self, up_budget)
        self._up = Half(self, down_budget)
        self._over = False
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._connect())
        counts["connections"] += 1

    async def _connect(self) -> None:
        try:
            await self._loop.create_connection(lambda: self._up, HOST, self._target)
        except OSError:
            self.counts["target away"] += 1
            self.ended()
            return
        self._up.other, self.down.other = self.down, self._up
        self.down.catch_up()
        if self._over:
            self.ended()

    def cut_soon(self) -> None:
        """At once, or after what comes has been swallowed for a while."""
        self.counts["cuts"] += 1
        if self._rng.random() < 0.5:
            self.ended()
        else:
            self._loop.call_later(self._rng.uniform(*SWALLOWED_S), self.ended)

    def maybe_dawdle(self, half: Half) -> None:
        transport = half.transport
        if self._rng.random() < DAWDLING and transport is not None and transport.is_reading():
            self.counts["pauses"] += 1
            transport.pause_reading()
            self._loop.call_later(self._rng.uniform(*DAWDLING_S), transport.resume_reading)

    def ended(self) -> None:
        """Whatever has ended it: nothing more goes either way."""
        self._over = True
        for half in (self.down, self._up):
            if half.transport is not None:
                half.transport.abort()


async def main(listen: int, target: int, seed: int, cut_after: float) -> None:
    rng, counts = Random(seed), Counter[str]()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Way(rng, cut_after, target, counts).down, HOST, listen, backlog=2048
    )
    _say(server.sockets[0].getsockname()[1])
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    _say(json.dumps(counts))


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
