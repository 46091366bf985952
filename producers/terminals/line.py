"""The connection of one terminal to the gateway: made, lost, made again.

Used by `producers.terminals.fleet_sink`, on its event loop. What is said over it is the business of
`producers.terminals.terminal`; this knows sockets and the clock.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from producers.terminals.radio import Radio
from producers.terminals.tally import Tally
from producers.terminals.terminal import Terminal
from streams.position import Position

CONNECT_S = 10.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 15.0
"""Before the second attempt, and between attempts when many have failed; each is shortened by
chance, by up to a half, so that a fleet does not come back in step."""
LOGIN_S = 20.0
"""A connection on which the platform has not let the terminal in by then is given up."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Line(asyncio.Protocol):
    """A terminal and the network between it and the gateway."""

    def __init__(
        self, terminal: Terminal, radio: Radio, address: Address, tally: Tally, chance: Random
    ) -> None:
        self.terminal = terminal
        self.problem: str | None = None
        """Why the last attempt to connect failed; None = it did not."""
        self._radio, self._address, self._tally, self._chance = radio, address, tally, chance
        self._transport: asyncio.Transport | None = None
        self._may_write = False
        self._in_reach = asyncio.Event()
        self._lost = asyncio.Event()
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._since_s = 0.0

    async def live(self) -> None:
        """Connect whenever the network is there and the connection is not; until cancelled."""
        wait_s = FIRST_WAIT_S
        try:
            while True:
                await self._in_reach.wait()
                if await self._connect():
                    await self._lost.wait()
                    if self.terminal.was_let_in:
                        wait_s = FIRST_WAIT_S
                await asyncio.sleep(wait_s * self._chance.uniform(0.5, 1))
                wait_s = min(LONGEST_WAIT_S, wait_s * 2)
        finally:
            self._close()

    def report(self, position: Position) -> None:
        """The truck is there now; the network may be or not."""
        reaches = self._radio.reaches(position.time_ms)
        if not reaches:
            self._in_reach.clear()
            self._cut()
        self.terminal.report(position)
        if reaches:
            self.come_into_reach()

    def come_into_reach(self) -> None:
        """Connect, or send what waits where there is a connection."""
        self._in_reach.set()
        if self._can_write():
            self._write(self.terminal.outgoing(self._clock()))

    def look_after(self) -> None:
        """Heartbeats, and what was not answered; to be called several times a second."""
        if not self._can_write():
            return
        now_s = self._clock()
        self._write(self.terminal.due(now_s))
        waits_long = not self.terminal.was_let_in and now_s - self._since_s > LOGIN_S
        if self.terminal.has_given_up or waits_long:
            self._cut()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_connection's
        self._transport = transport
        self._may_write = True
        self._since_s = self._clock()
        self._tally.connections += 1
        self._write(self.terminal.connected(self._since_s))

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._write(self.terminal.receive(data, self._clock()))
            if self.terminal.has_given_up:
                self._cut()

    def pause_writing(self) -> None:
        self._may_write = False

    def resume_writing(self) -> None:
        self._may_write = True
        if self._can_write():
            self._write(self.terminal.outgoing(self._clock()))

    def connection_lost(self, _error: Exception | None) -> None:
        if self._transport is not None:
            self._transport = None
            self._may_write = False
            self.terminal.disconnected()
            self._lost.set()

    async def _connect(self) -> bool:
        self._lost.clear()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                await loop.create_connection(
                    lambda: self, self._address.host, self._address.port, ssl=self._address.tls
                )
        except OSError as error:  # TimeoutError and ssl.SSLError are ones too.
            self.problem = str(error) or f"no answer within {CONNECT_S:g} s"
            self._tally.failed_connections += 1
            return False
        self.problem = None
        return True

    def _can_write(self) -> bool:
        """A connection that broke while this was written to is told of in the loop's next turn."""
        transport = self._transport
        return self._may_write and transport is not None and not transport.is_closing()

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None:
            self._transport.write(data)

    def _cut(self) -> None:
        """Nothing more goes out; `connection_lost` follows in the loop's next turn."""
        self._may_write = False
        if self._transport is not None:
            self._transport.abort()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
