"""The newest fix of each truck that waits to be shown, the one that has waited longest first.

Filled from the columns of a batch by compiled code, since each fix passes through here; emptied by
`streams.live`. Room is bounded and made once. It must not know where fixes are shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from geofences.jit import compiled, records
from streams.detect import Engine, Judged

WAITING: Final = np.dtype(
    [
        ("engine", "i4"),
        ("truck", "i4"),
        ("time_ms", "i8"),
        ("lon", "f8"),
        ("lat", "f8"),
        ("speed_kmh", "f8"),
        ("heading_deg", "f8"),
    ],
    align=True,
)
"""A fix: `truck` is the truck's row in its engine; NaN = not told."""
NOWHERE: Final = -1

_FIRST, _COUNT, _DROPPED = range(3)


@dataclass(slots=True)
class _Seats:
    """Where the trucks of an engine wait."""

    engine: Engine
    number: int
    places: npt.NDArray[np.int32]
    """In the queue, by row, or `NOWHERE`."""
    waiting: int = 0


class Waiting:
    """A queue of fixes, no two of the same truck."""

    def __init__(self, most: int) -> None:
        """`most`: trucks that may wait."""
        self._queue = records(np.zeros(most, WAITING))
        self._figures = np.zeros(3, np.int64)
        self._seats: dict[Engine, _Seats] = {}
        """Of engines with a truck that waits."""
        self._next = 0

    def note(self, engine: Engine, judged: Judged) -> int:
        """Keep the fixes that `engine` has just taken; how many found no room."""
        seats = self._seats.get(engine)
        if seats is None:
            seats = self._seats[engine] = _Seats(engine, self._next, np.zeros(0, np.int32))
            self._next += 1
        if len(seats.places) < len(engine.trucks):
            places = np.full(2 * len(engine.trucks), NOWHERE, np.int32)
            places[: len(seats.places)] = seats.places
            seats.places = places
        figures = self._figures
        before, figures[_DROPPED] = int(figures[_COUNT]), 0
        keep(self._queue, figures, seats.number, seats.places, judged.rows, judged.codes)
        seats.waiting += int(figures[_COUNT]) - before
        self._forget_the_empty()
        return int(figures[_DROPPED])

    def take(self, most: int) -> Iterator[tuple[Engine, Any]]:
        """Up to `most` of those that have waited longest, which wait no more, by engine."""
        figures = self._figures
        count = min(most, int(figures[_COUNT]))
        taken = self._queue[(figures[_FIRST] + np.arange(count)) % len(self._queue)]
        figures[_FIRST] = (figures[_FIRST] + count) % len(self._queue)
        figures[_COUNT] -= count
        for seats in list(self._seats.values()):
            own = taken[taken["engine"] == seats.number]
            seats.places[own["truck"]] = NOWHERE
            seats.waiting -= len(own)
            if len(own):
                yield seats.engine, own
        self._forget_the_empty()

    def _forget_the_empty(self) -> None:
        """An engine that is given up must not be kept."""
        for seats in [one for one in self._seats.values() if not one.waiting]:
            del self._seats[seats.engine]


@compiled
def keep(queue: Any, figures: Any, number: int, places: Any, rows: Any, codes: Any) -> None:
    """Put each fix of `rows`, those whose code is 0, into `queue`: where its truck waits already,
    else behind the last, else it is dropped."""
    for i in range(len(rows)):
        row = rows[i]
        if row.truck < 0 or codes[i] != 0:
            continue
        place = places[row.truck]
        if place == NOWHERE:
            if figures[_COUNT] == len(queue):
                figures[_DROPPED] += 1
                continue
            place = (figures[_FIRST] + figures[_COUNT]) % len(queue)
            figures[_COUNT] += 1
            places[row.truck] = place
        fix = queue[place]
        fix.engine = number
        fix.truck = row.truck
        fix.time_ms = row.time_ms
        fix.lon = row.lon
        fix.lat = row.lat
        fix.speed_kmh = row.speed_kmh
        fix.heading_deg = row.heading_deg
