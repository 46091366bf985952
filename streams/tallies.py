"""What became of the positions of a micro-batch, counted in one compiled pass over its columns.

`streams.worker` asks; `streams.metrics` adds it up. Pure: what time it is, it is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from geofences.jit import compiled
from streams.gate import FIX_ACCEPTED, REASONS
from streams.passage import TICK
from streams.position import MAX_TIME_MS, MIN_TIME_MS
from streams.sources import SOURCES

AHEAD_MS: Final = 2_000
"""A fix that is received so long before its time has a wrong clock behind it, not a coarse one."""

Counts = npt.NDArray[np.int64]


@dataclass(slots=True)
class Tallies:
    """Counts; of several batches, one after the other."""

    outcomes: Counts
    """By number of the source and code of the outcome."""
    received: Counts
    """Fixes by bucket: from their time until they were received."""
    judged: Counts
    """From then until the verdict."""
    sums: Counts
    """ticks, fixes, ahead; milliseconds of received, and of judged."""
    bounds_ms: Counts
    """Upper bounds of the buckets but for the last."""

    @classmethod
    def by(cls, bounds_s: Sequence[float]) -> "Tallies":
        """None yet, for buckets with these upper bounds."""
        return cls(
            np.zeros((len(SOURCES), len(REASONS)), np.int64),
            np.zeros(len(bounds_s) + 1, np.int64),
            np.zeros(len(bounds_s) + 1, np.int64),
            np.zeros(5, np.int64),
            (np.array(bounds_s) * 1000).round().astype(np.int64),
        )

    @property
    def ticks(self) -> int:
        return int(self.sums[0])

    @property
    def fixes(self) -> int:
        """Those whose times are known, of which the stages tell. A time of receipt in no year that
        a fix may be of is none: the sums of all others would be lost in it."""
        return int(self.sums[1])

    @property
    def ahead(self) -> int:
        return int(self.sums[2])

    @property
    def received_s(self) -> float:
        return float(self.sums[3]) / 1000

    @property
    def judged_s(self) -> float:
        return float(self.sums[4]) / 1000

    def add(self, batch: Any, reasons: npt.NDArray[np.uint8], now_ms: int) -> None:
        """`reasons`: the code of each row of `batch` (`streams.passage.POSITION`)."""
        _add(
            batch, reasons, now_ms, self.bounds_ms,
            self.outcomes, self.received, self.judged, self.sums,
        )  # fmt: skip


@compiled
def _add(
    batch: Any,
    reasons: Any,
    now_ms: int,
    bounds_ms: Any,
    outcomes: Any,
    received: Any,
    judged: Any,
    sums: Any,
) -> None:
    for i in range(len(batch)):
        position = batch[i]
        if position.truck == TICK:
            sums[0] += 1
            continue
        outcomes[position.source, reasons[i]] += 1
        received_ms = position.received_ms
        if reasons[i] != FIX_ACCEPTED or not MIN_TIME_MS <= received_ms <= MAX_TIME_MS:
            continue
        sums[1] += 1
        first_ms = received_ms - position.time_ms
        if -first_ms >= AHEAD_MS:
            sums[2] += 1
        first_ms = max(first_ms, 0)
        second_ms = max(now_ms - received_ms, 0)
        received[_bucket(bounds_ms, first_ms)] += 1
        judged[_bucket(bounds_ms, second_ms)] += 1
        sums[3] += first_ms
        sums[4] += second_ms


@compiled
def _bucket(bounds_ms: Any, value_ms: int) -> int:
    """Without a branch: where times vary, guessing which comes next costs more than asking all."""
    bucket = 0
    for i in range(len(bounds_ms)):
        bucket += value_ms > bounds_ms[i]
    return bucket
