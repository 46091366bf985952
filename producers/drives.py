"""How a simulated truck moves: fixes along a way, and at a stand.

Used by `producers.trips`. Places are metres in the city's plane. Knows nothing of rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point

from producers.terrain import Floats, Terrain

STEP_S = 10.0
SLOWEST_KMH, FASTEST_KMH = 16.0, 52.0
SLOW_MARGIN_M = 150.0
"""Before and after a zone with a speed limit a truck is slow already, and still."""
UNDER_LIMIT = 0.85
"""Share of a speed limit that drivers keep to."""

NO, YES = False, True


@dataclass(frozen=True)
class Way:
    """A line to drive along, and how fast."""

    line: LineString
    slow: tuple[tuple[float, float, float], ...]
    """Stretches with a limit of their own: from, to (metres along), km/h."""
    top_kmh: float

    @classmethod
    def along(cls, line: LineString, terrain: Terrain, top_kmh: float = FASTEST_KMH) -> Self:
        """Slow where zones say so, and never above the city's limit."""
        slow = []
        for shape, limit_kmh in terrain.slow:
            inside = shapely.get_coordinates(line.intersection(shape))
            if len(inside):
                ends = shapely.line_locate_point(line, shapely.points(inside))
                margin_m = SLOW_MARGIN_M
                slow.append((ends.min() - margin_m, ends.max() + margin_m, limit_kmh * UNDER_LIMIT))
        if terrain.city.speed_limit_kmh is not None:
            top_kmh = min(top_kmh, terrain.city.speed_limit_kmh * UNDER_LIMIT)
        return cls(line, tuple(slow), top_kmh)

    def shortest_s(self) -> float:
        """How long it takes at least."""
        return float(self.line.length) / self.top_kmh * 3.6

    def limit_kmh(self, from_m: float, to_m: float) -> float:
        """The lowest limit on a stretch."""
        limits = [kmh for start, end, kmh in self.slow if from_m <= end and to_m >= start]
        return min([self.top_kmh, *limits])


@dataclass(frozen=True)
class Fixes:
    """Where a truck is at some moments, and what is true of it then."""

    time_ms: NDArray[np.int64]
    east_m: Floats
    north_m: Floats
    speed_kmh: Floats
    loaded: NDArray[np.bool_]
    lifted: NDArray[np.bool_]
    covered: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.time_ms)

    @classmethod
    def joined(cls, parts: Sequence["Fixes"]) -> "Fixes":
        """One after another."""
        return cls(
            *(np.concatenate(columns) for columns in zip(*map(_columns, parts), strict=True))
        )

    def since(self, time_ms: int) -> "Fixes":
        """Without what lies before that moment."""
        later = self.time_ms >= time_ms
        return Fixes(*(column[later] for column in _columns(self)))

    def after(self, count: int) -> "Fixes":
        """Without the first `count`."""
        return Fixes(*(column[count:] for column in _columns(self)))

    @property
    def end_ms(self) -> int:
        return int(self.time_ms[-1])

    @property
    def end(self) -> Point:
        return Point(self.east_m[-1], self.north_m[-1])


def _columns(fixes: Fixes) -> tuple[NDArray[Any], ...]:
    return (
        *(fixes.time_ms, fixes.east_m, fixes.north_m, fixes.speed_kmh),
        *(fixes.loaded, fixes.lifted, fixes.covered),
    )


def drive(way: Way, start_ms: int, *, loaded: bool, chance: np.random.Generator) -> Fixes:
    """From one end to the other: a fix every ten seconds or so, and one at the end."""
    total_m = float(way.line.length)
    most = int(total_m / (SLOWEST_KMH / 3.6 * STEP_S)) + 3
    steps_s = STEP_S + chance.uniform(-1, 1, most).round(1)
    wishes_kmh = chance.uniform(0.7, 0.95) * way.top_kmh + chance.normal(0, 3, most)
    times_ms, places_m, speeds_kmh = [], [], []
    time_ms, place_m = float(start_ms), 0.0
    for step_s, wish_kmh in zip(steps_s.tolist(), wishes_kmh.tolist(), strict=True):
        ahead_m = wish_kmh / 3.6 * step_s
        limit_kmh = way.limit_kmh(place_m, place_m + ahead_m) if way.slow else way.top_kmh
        kmh = max(SLOWEST_KMH, min(wish_kmh, limit_kmh))
        step_m = min(kmh / 3.6 * step_s, total_m - place_m)
        time_ms += step_s * 1000
        place_m += step_m
        times_ms.append(round(time_ms))
        places_m.append(place_m)
        speeds_kmh.append(step_m / step_s * 3.6)
        if place_m >= total_m:
            break
    corners = shapely.get_coordinates(way.line)
    along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    count = len(times_ms)
    return Fixes(
        np.array(times_ms, np.int64),
        np.interp(places_m, along_m, corners[:, 0]),
        np.interp(places_m, along_m, corners[:, 1]),
        np.array(speeds_kmh),
        *(np.full(count, value) for value in (loaded, NO, YES)),
    )


def stand(
    place: Point, start_ms: int, lasting_s: float, *, loaded: bool, every_s: float = STEP_S
) -> Fixes:
    """At one place, up to and with the end."""
    count = max(1, round(lasting_s / every_s))
    steps = np.arange(1, count + 1)
    return Fixes(
        start_ms + np.round(steps * (lasting_s / count * 1000)).astype(np.int64),
        np.full(count, place.x),
        np.full(count, place.y),
        np.zeros(count),
        *(np.full(count, value) for value in (loaded, NO, YES)),
    )


def load(place: Point, start_ms: int, lasting_s: float) -> Fixes:
    """A stand at which the truck is loaded and then covered, near the end."""
    fixes = stand(place, start_ms, lasting_s, loaded=NO)
    loaded = fixes.time_ms > fixes.end_ms - 60_000
    return replace(fixes, loaded=loaded, covered=fixes.time_ms > fixes.end_ms - 30_000)


def tip(place: Point, start_ms: int, lasting_s: float) -> Fixes:
    """A stand at which the truck is opened, lifted, emptied, and let down again."""
    fixes = stand(place, start_ms, lasting_s, loaded=YES)
    since_s = (fixes.time_ms - start_ms) / 1000
    lifted = (since_s > 25) & (since_s <= min(lasting_s - 30, 85))
    return replace(fixes, loaded=since_s <= 45, lifted=lifted, covered=since_s <= 15)
