"""The ceilings of a worker: plain Faust agents that do next to nothing.

`python -m benchmarks.bench.agents decode KAFKA GROUP FROM TO` reads `gps.positions` with Faust as
it comes, decodes each record's array and forgets it; `noop` does not even decode. What they count
is positions, between the FROMth and the TOth; the figures are one line of JSON on standard output.
They know nothing of what a worker does.
"""

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

import faust
import msgspec

from streams.position import Position
from streams.topics import POSITIONS

RECORDS = 400
"""Read at once, and waiting for the agent: with a worker's arrays, some 100 MB."""

SESSION_S = 10.0
"""The embedded broker lets a group wait for half of it before its first member may begin."""


@dataclass(slots=True)
class Count:
    """Positions, and the moments at which there were `first` and `last` of them."""

    first: int
    last: int
    positions: int = 0
    begun_s: float = 0.0
    begun_processor_s: float = 0.0
    begun_at: int = 0

    def add(self, positions: int) -> bool:
        """Whether these were the last."""
        self.positions += positions
        if self.begun_at == 0 and self.positions >= self.first:
            self.begun_at = self.positions
            self.begun_s, self.begun_processor_s = time.monotonic(), time.process_time()
        return self.positions >= self.last

    def figures(self) -> dict[str, float]:
        return {
            "positions": self.positions - self.begun_at,
            "seconds": time.monotonic() - self.begun_s,
            "processor_s": time.process_time() - self.begun_processor_s,
        }


def run(kind: str, kafka: str, group: str, count: Count, folder: str) -> None:
    """Read until the last, print, end the process."""
    app = faust.App(
        group,
        broker=f"kafka://{kafka}",
        datadir=folder,
        autodiscover=False,
        env={},
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        stream_buffer_maxsize=RECORDS,
        broker_max_poll_records=RECORDS,
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=SESSION_S / 3,
        consumer_auto_offset_reset="earliest",
    )
    raw = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw",
           "value_serializer": "raw"}  # fmt: skip
    decoder = msgspec.json.Decoder(list[Position])

    async def decode(stream: Any) -> None:
        async for value in stream:
            if count.add(len(decoder.decode(value))):
                _end(count)

    async def noop(stream: Any) -> None:
        async for _ in stream:
            if count.add(1):
                _end(count)

    app.agent(app.topic(POSITIONS, **raw), name=kind)({"decode": decode, "noop": noop}[kind])
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = faust.Worker(
        app, loop=loop, quiet=True, override_logging=False, redirect_stdouts=False
    )
    worker.spinner = None
    worker.execute_from_commandline()


def _end(count: Count) -> None:
    """Print the figures and end here and now: there is nothing to leave in order."""
    sys.stdout.write(msgspec.json.encode(count.figures()).decode() + "\n")
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    kind, kafka, group, first, last = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        run(kind, kafka, group, Count(int(first), int(last)), folder)


if __name__ == "__main__":
    main()
