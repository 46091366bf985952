"""The roads of a city as a graph, in metres, and the quickest ways on it.

Used by `producers.terrain`. A few thousand roads at most, so that plain Dijkstra finds a way in
milliseconds. Knows nothing of permits; that no-go zones are closed it is told.
"""

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

from producers.road_map import RoadKind

Floats = NDArray[np.float64]
Spot = tuple[int, int]
"""A point in decimetres: two roads that share it meet there."""

TOP_KMH: dict[RoadKind, float] = {"arterial": 54.0, "collector": 46.0, "local": 32.0}
TRACK_KMH = 24.0
"""Off the roads."""
SIGNALS: dict[RoadKind, float] = {"arterial": 0.35, "collector": 0.3, "local": 0.15}
"""How often a truck must stop at a junction that it reaches on such a road."""
SHUNNED = 5.0
ON_ROAD_M, SAME_M, AHEAD_M = 1.0, 0.05, 10.0


@dataclass(frozen=True)
class Road:
    """Between two junctions, without one in between."""

    start: Spot
    end: Spot
    line: LineString
    kind: RoadKind
    is_closed: bool
    """Leads through where nobody may drive."""

    @property
    def takes_s(self) -> float:
        return float(self.line.length) / TOP_KMH[self.kind] * 3.6


@dataclass(frozen=True)
class _Access:
    """Where a place meets the roads."""

    road: int
    at_m: float
    place: Point


class RoadNetwork:
    """`lines` in metres; roads that come near `closed` are closed to those who keep the rules."""

    def __init__(
        self, lines: Sequence[tuple[RoadKind, LineString]], closed: BaseGeometry, margin_m: float
    ) -> None:
        self.roads = [
            Road(
                *(_spot(piece.coords[0]), _spot(piece.coords[-1])),
                *(piece, kind),
                is_closed=not closed.is_empty and piece.distance(closed) <= margin_m,
            )
            for kind, piece in _split(lines)
        ]
        self._tree = shapely.STRtree([road.line for road in self.roads])
        self._leaving: dict[Spot, list[tuple[int, Spot]]] = defaultdict(list)
        self._kinds: dict[tuple[Spot, Spot], RoadKind] = {}
        for number, road in enumerate(self.roads):
            self._leaving[road.start].append((number, road.end))
            self._leaving[road.end].append((number, road.start))
            spots = [_spot(place) for place in road.line.coords]
            for one, other in pairwise(spots):
                self._kinds[one, other] = self._kinds[other, one] = road.kind

    def path(
        self,
        start: Point,
        end: Point,
        *,
        shunned: LineString | None = None,
        lawful: bool = True,
    ) -> LineString | None:
        """The quickest way, with straight tracks to and from the roads; None where there is none.

        Roads along the line `shunned` count as five times as long; a `lawful` way keeps off closed
        roads.
        """
        first, last = self._access(start), self._access(end)
        if first is None or last is None:
            return None
        shun = self._along(shunned) if shunned is not None else frozenset()
        pieces = self._search(first, last, shun, lawful)
        if pieces is None:
            return None
        places = np.concatenate(
            [[[start.x, start.y]], *(piece.coords for piece in pieces), [[end.x, end.y]]]
        )
        moves = np.hypot(*np.diff(places, axis=0, prepend=-1.0 + places[:1]).T) > SAME_M
        return LineString(places[moves]) if moves.sum() > 1 else None

    def nearest(self, place: Point) -> tuple[Point, Point]:
        """The nearest place on a road, and one a little farther along it; where there are no roads
        the place itself, and one east of it."""
        access = self._access(place)
        if access is None:
            return place, Point(place.x + AHEAD_M, place.y)
        line = self.roads[access.road].line
        ahead_m = AHEAD_M if access.at_m + AHEAD_M <= line.length else -AHEAD_M
        return access.place, line.interpolate(max(0.0, access.at_m + ahead_m))

    def speeds_kmh(self, corners: Floats) -> list[float]:
        """The top speed on each segment of a line: that of its road. A segment that is a piece of
        a road's, at the end of a line, is like the one beside it; tracks are slow."""
        spots = [_spot(place) for place in corners.tolist()]
        kinds = [self._kinds.get(pair) for pair in pairwise(spots)]
        speeds = [TOP_KMH[kind] if kind else None for kind in kinds]
        for number, known in enumerate(speeds):
            if known is None:
                middle = Point(corners[number : number + 2].mean(axis=0))
                access = self._access(middle)
                if access is not None and access.place.distance(middle) <= ON_ROAD_M:
                    speeds[number] = TOP_KMH[self.roads[access.road].kind]
        return [TRACK_KMH if speed is None else speed for speed in speeds]

    def stops(self, corners: Floats) -> list[float]:
        """How often a truck stops at each corner of a line: 0 where there is no junction."""
        spots = [_spot(place) for place in corners.tolist()]
        chances = [0.0] * len(spots)
        for number in range(1, len(spots) - 1):
            kind = self._kinds.get((spots[number - 1], spots[number]))
            if kind is not None and len(self._leaving.get(spots[number], ())) > 2:
                chances[number] = SIGNALS[kind]
        return chances

    def _access(self, place: Point) -> _Access | None:
        if not self.roads:
            return None
        road = int(self._tree.nearest(place))
        at_m = float(self.roads[road].line.project(place))
        return _Access(road, at_m, self.roads[road].line.interpolate(at_m))

    def _along(self, line: LineString) -> frozenset[int]:
        near = self._tree.query(line, predicate="dwithin", distance=ON_ROAD_M)
        middles = shapely.line_interpolate_point(
            [self.roads[one].line for one in near], 0.5, normalized=True
        )
        return frozenset(near[shapely.distance(line, middles) <= ON_ROAD_M].tolist())

    def _search(
        self, first: _Access, last: _Access, shunned: frozenset[int], lawful: bool
    ) -> list[LineString] | None:
        """Dijkstra from the one to the other."""
        if first.road == last.road:
            return [_cut(self.roads[first.road].line, first.at_m, last.at_m)]
        from_road, to_road = self.roads[first.road], self.roads[last.road]
        best = _to_the_ends(from_road, first, _weight(first.road, shunned))
        before: dict[Spot, int] = {}
        queue = [(cost_s, spot) for spot, cost_s in best.items()]
        heapq.heapify(queue)
        rest_s = _to_the_ends(to_road, last, _weight(last.road, shunned))
        found_s, found = math.inf, None
        while queue:
            cost_s, spot = heapq.heappop(queue)
            if cost_s >= found_s:
                break
            if cost_s > best[spot]:
                continue
            if spot in rest_s and cost_s + rest_s[spot] < found_s:
                found_s, found = cost_s + rest_s[spot], spot
            for number, following in self._leaving[spot]:
                road = self.roads[number]
                if lawful and road.is_closed:
                    continue
                further_s = cost_s + road.takes_s * _weight(number, shunned)
                if further_s < best.get(following, math.inf):
                    best[following], before[following] = further_s, number
                    heapq.heappush(queue, (further_s, following))
        return None if found is None else self._pieces(first, last, before, found)

    def _pieces(
        self, first: _Access, last: _Access, before: dict[Spot, int], found: Spot
    ) -> list[LineString]:
        """From the junction `found` back to where it began."""
        to_line = self.roads[last.road].line
        ends_m = 0.0 if found == self.roads[last.road].start else to_line.length
        pieces = [_cut(to_line, ends_m, last.at_m)]
        spot = found
        while spot in before:
            road = self.roads[before[spot]]
            pieces.append(road.line if road.end == spot else road.line.reverse())
            spot = road.start if road.end == spot else road.end
        from_line = self.roads[first.road].line
        begins_m = 0.0 if spot == self.roads[first.road].start else from_line.length
        pieces.append(_cut(from_line, first.at_m, begins_m))
        return pieces[::-1]


def _weight(road: int, shunned: frozenset[int]) -> float:
    return SHUNNED if road in shunned else 1.0


def _to_the_ends(road: Road, access: _Access, weight: float) -> dict[Spot, float]:
    """Seconds from a place on a road to its ends."""
    share = access.at_m / road.line.length
    costs_s = {road.start: road.takes_s * share * weight}
    to_end_s = road.takes_s * (1 - share) * weight
    costs_s[road.end] = min(to_end_s, costs_s.get(road.end, math.inf))
    return costs_s


def _spot(place: Sequence[float]) -> Spot:
    return round(place[0] * 10), round(place[1] * 10)


def _cut(line: LineString, from_m: float, to_m: float) -> LineString:
    """A stretch, also against the line's direction; of one point twice where it is empty."""
    piece = substring(line, from_m, to_m)
    return LineString([piece, piece]) if isinstance(piece, Point) else piece


def _split(lines: Sequence[tuple[RoadKind, LineString]]) -> list[tuple[RoadKind, LineString]]:
    """Cut where a line's point is another's too."""
    uses = Counter(spot for _, line in lines for spot in {_spot(place) for place in line.coords})
    pieces = []
    for kind, line in lines:
        places = list(line.coords)
        begin = 0
        for number in range(1, len(places)):
            if number == len(places) - 1 or uses[_spot(places[number])] > 1:
                pieces.append((kind, LineString(places[begin : number + 1])))
                begin = number
    return pieces
