"""What a worker tells of itself that no micro-batch brings about: lag, age of checkpoints, the
fleet, the version of the city in force.

`streams.app` runs it beside the worker, on the worker's event loop: nothing is looked at while an
engine is at work, and whatever takes long is done in pieces. It changes nothing.
"""

import asyncio
import time
from typing import Final

from streams.census import PIECE, Census, count
from streams.intake import Intake
from streams.loaded import Loaded
from streams.metrics import Metrics
from streams.published import Published
from streams.state import NEVER

LOOK_S: Final = 2.0
SHARE: Final = 0.002
"""Of the worker's time that may go into counting trucks: a million of them every forty seconds."""


class Watch:
    """Looks at the loaded partitions of one worker."""

    def __init__(self, intake: Intake, published: Published, metrics: Metrics) -> None:
        self._intake = intake
        self._published = published
        self._metrics = metrics
        self._count_at_s = 0.0

    async def run(self) -> None:
        """For ever."""
        while True:
            self._published.tell(time.time_ns() // 1_000_000)
            for tp, loaded in self._intake.loaded.items():
                self._tell(tp.partition, loaded, self._intake.end_offset(tp))
            if time.monotonic() >= self._count_at_s:
                await self._count()
            await asyncio.sleep(LOOK_S)

    def _tell(self, partition: int, loaded: Loaded, end: int | None) -> None:
        if end is not None:
            behind = max(0, end - loaded.next_offset)
            known = behind and loaded.newest_ms != NEVER
            age_s = max(0.0, time.time() - loaded.newest_ms / 1000) if known else 0.0
            self._metrics.note_lag(partition, behind, age_s)
        if loaded.keeper is not None:
            is_saved = loaded.next_offset == loaded.saved_offset
            age_s = 0.0 if is_saved else time.monotonic() - loaded.saved_at_s
            self._metrics.checkpoint_age_seconds.labels(partition).set(age_s)

    async def _count(self) -> None:
        census, cost_s = Census(), 0.0
        for tp, loaded in list(self._intake.loaded.items()):
            start = 0
            while self._intake.loaded.get(tp) is loaded:
                began_s = time.perf_counter()
                highest_ms = loaded.engine.highest_ms
                rows = loaded.engine.rows(start, start + PIECE)
                if not len(rows) or highest_ms is None:
                    break
                census += count(rows, highest_ms)
                cost_s += time.perf_counter() - began_s
                start += PIECE
                await asyncio.sleep(0)
        self._metrics.census_seconds.observe(cost_s)
        if self._intake.loaded:
            self._metrics.note_census(census)
        self._count_at_s = time.monotonic() + cost_s / SHARE
