"""A way that a truck drives: its line, how fast it may go where, and where it may have to stop.

Used by the simulator's parts. Places are metres in the city's plane.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely import LineString, Point
from shapely.ops import substring

from producers.terrain import Floats, Terrain

SLOW_MARGIN_M = 150.0
"""Before and after a zone with a speed limit a truck is slow already, and still."""
SHORTEST_M = 1.0
UNDER_LIMIT = 0.85
"""Share of a speed limit that drivers keep to."""


@dataclass(frozen=True)
class Way:
    """`marks_m` (metres along, from 0 to the end) bound the stretches on which `kmh` is the most
    that a driver who keeps to the rules goes."""

    line: LineString
    marks_m: Floats
    kmh: Floats
    stops: tuple[tuple[float, float], ...]
    """Metres along, and how often one has to stop there."""

    @staticmethod
    def along(line: LineString, terrain: Terrain) -> "Way":
        """As fast as its roads, the zones and the city's limit let it."""
        corners = shapely.get_coordinates(line)
        along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
        kmh = np.array(terrain.roads.speeds_kmh(corners))
        if terrain.city.speed_limit_kmh is not None:
            kmh = np.minimum(kmh, terrain.city.speed_limit_kmh * UNDER_LIMIT)
        way = Way(
            line,
            along_m,
            kmh,
            tuple(
                (at_m, often)
                for at_m, often in zip(along_m.tolist(), terrain.roads.stops(corners), strict=True)
                if often
            ),
        )
        for shape, limit_kmh in terrain.slow:
            inside = shapely.get_coordinates(line.intersection(shape))
            if len(inside):
                ends_m = shapely.line_locate_point(line, shapely.points(inside))
                from_m, to_m = ends_m.min() - SLOW_MARGIN_M, ends_m.max() + SLOW_MARGIN_M
                way = way.limited(from_m, to_m, limit_kmh * UNDER_LIMIT)
        return way

    @property
    def length_m(self) -> float:
        return float(self.line.length)

    @property
    def start(self) -> Point:
        return Point(self.line.coords[0])

    @property
    def end(self) -> Point:
        return Point(self.line.coords[-1])

    def shortest_s(self) -> float:
        """How long it takes at least."""
        return float(np.sum(np.diff(self.marks_m) / self.kmh)) * 3.6

    def cut(self, from_m: float, to_m: float) -> "Way | None":
        """A stretch of it; None where that is nothing."""
        from_m, to_m = max(0.0, from_m), min(to_m, self.length_m)
        if to_m - from_m < SHORTEST_M:
            return None
        inside = (from_m < self.marks_m) & (self.marks_m < to_m)
        marks_m = np.concatenate([[from_m], self.marks_m[inside], [to_m]])
        which = np.searchsorted(self.marks_m, (marks_m[1:] + marks_m[:-1]) / 2) - 1
        return Way(
            LineString(substring(self.line, from_m, to_m).coords),
            marks_m - from_m,
            self.kmh[np.clip(which, 0, len(self.kmh) - 1)],
            tuple((at_m - from_m, often) for at_m, often in self.stops if from_m < at_m < to_m),
        )

    def limited(self, from_m: float, to_m: float, kmh: float) -> "Way":
        """The same, at most so fast between."""
        return self._with(from_m, to_m, lambda now_kmh: np.minimum(now_kmh, kmh))

    def hastened(self, from_m: float, to_m: float, kmh: float) -> "Way":
        """The same, so fast and without a stop between, whatever is allowed."""
        way = self._with(from_m, to_m, lambda now_kmh: np.full_like(now_kmh, kmh))
        stops = tuple(one for one in self.stops if not from_m - 100 <= one[0] <= to_m + 100)
        return replace(way, stops=stops)

    def _with(self, from_m: float, to_m: float, change: Callable[[Floats], Floats]) -> "Way":
        """With `change` made to the speeds between."""
        bounds_m = np.clip([from_m, to_m], 0.0, self.marks_m[-1])
        marks_m = np.union1d(self.marks_m, bounds_m)
        middles_m = (marks_m[1:] + marks_m[:-1]) / 2
        which = np.clip(np.searchsorted(self.marks_m, middles_m) - 1, 0, len(self.kmh) - 1)
        kmh = self.kmh[which]
        inside = (bounds_m[0] < middles_m) & (middles_m < bounds_m[1])
        kmh[inside] = change(kmh[inside])
        return replace(self, marks_m=marks_m, kmh=kmh)


class Journeys:
    """The quickest ways between places, found once."""

    def __init__(self, terrain: Terrain) -> None:
        self._terrain = terrain
        self._known: dict[tuple[Point, Point], Way | None] = {}

    def way(self, start: Point, end: Point) -> Way | None:
        """On roads where one may drive; None where there is no such way."""
        if (start, end) not in self._known:
            line = self._terrain.roads.path(start, end)
            clear = line is not None and self._terrain.is_clear(line)
            self._known[start, end] = Way.along(line, self._terrain) if line and clear else None
        return self._known[start, end]
