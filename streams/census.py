"""The fleet as a worker sees it at a moment: trucks seen, moving, loaded, silent, trips under way.

`streams.watch` takes it every few seconds, in pieces between micro-batches, so that no row changes
while it is looked at and detection never waits for long. The clock is the partition's own, its
highest time, as for the watermark: a fleet that is replayed moves too. Pure.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from streams.state import LOADED, NO_TIME, RECENT

SEEN_MS: Final = 24 * 3_600_000
SILENT_MS: Final = 600_000
MOVING_KMH: Final = 5.0
PIECE: Final = 10_000
"""Rows that are counted in one go: some milliseconds."""


@dataclass(frozen=True, slots=True)
class Census:
    """Counts of trucks; those not seen for a day are in none."""

    seen: int = 0
    moving: int = 0
    loaded: int = 0
    silent: int = 0
    trips: int = 0

    def __add__(self, other: "Census") -> "Census":
        return Census(
            self.seen + other.seen,
            self.moving + other.moving,
            self.loaded + other.loaded,
            self.silent + other.silent,
            self.trips + other.trips,
        )


def count(rows: Any, highest_ms: int) -> Census:
    """Of `rows` (`streams.state.TRUCK`), by the highest time of their partition."""
    last_ms = rows["last_ms"]
    here = np.flatnonzero((last_ms != NO_TIME) & (last_ms >= highest_ms - SEEN_MS))
    if not len(here):
        return Census()
    silent = last_ms[here] < highest_ms - SILENT_MS
    latest = (rows["fixes"][here] - 1) % RECENT
    speeds_kmh = rows["recent"]["speed_kmh"][here, latest]
    return Census(
        seen=len(here),
        moving=int(np.count_nonzero(~silent & (speeds_kmh > MOVING_KMH))),
        loaded=int(np.count_nonzero(rows["loaded"][here] == LOADED)),
        silent=int(np.count_nonzero(silent)),
        trips=int(np.count_nonzero(rows["trip_ms"][here] != NO_TIME)),
    )
