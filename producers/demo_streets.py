"""The made-up city's roads as the simulated fleet drives them: the grid's roads by rank, side
streets through the blocks, ways to the sites; tunnels, and quarters of high houses.

Used by `producers.demo_city` alone. Places are metres east and north of the city's middle.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from shapely import LineString, MultiPolygon, Polygon

from producers.demo_places import APART_M, DemoSite, round_polygon
from producers.demo_roads import COLUMNS, ROWS, Node, Place, Roads, bent
from producers.road_map import RoadKind

ARTERIAL_EVERY = 4
STREETS_LEFT_OUT = 0.1
TUNNELS = 4
BUILT_UP: tuple[tuple[Node, float], ...] = (((5, 4), 2_900.0), ((2, 6), 1_700.0), ((9, 2), 1_900.0))
"""Round which crossing, and how far in metres."""

Line = list[Place]
Edge = tuple[Node, Node]


class Streets:
    """`routes`: the permitted ones; tunnels lie on roads that many of them take."""

    def __init__(
        self,
        roads: Roads,
        sites: Sequence[DemoSite],
        routes: Iterable[Line],
        chance: random.Random,
    ) -> None:
        self.built_up = [
            round_polygon(
                roads.nodes[node], [radius_m * chance.uniform(0.75, 1.0) for _ in range(12)]
            )
            for node, radius_m in BUILT_UP
        ]
        bored = _bored(roads, routes, self.built_up)
        self.tunnels = [roads.edges[edge][1:4] for edge in bored]
        self.lines: list[tuple[RoadKind, Line]] = [
            (_rank(edge), line) for edge, line in sorted(roads.edges.items()) if edge[0] < edge[1]
        ]
        self.lines += [("local", line) for line in _side_streets(roads, sites, bored, chance)]
        self.lines += [("local", [roads.nodes[site.node], site.place]) for site in sites]


def _rank(edge: Edge) -> RoadKind:
    """Every fourth line of the grid is an arterial road."""
    (column, row), (_, other_row) = edge
    along = row if row == other_row else column
    return "arterial" if along % ARTERIAL_EVERY == 0 else "collector"


def _bored(roads: Roads, routes: Iterable[Line], houses: Sequence[Polygon]) -> list[Edge]:
    """The most used roads, outside the quarters of high houses, no two from one crossing."""
    ends = {(line[1], line[2]): edge for edge, line in roads.edges.items()}
    uses = Counter(
        min(ends[pair], ends[pair][::-1]) for line in routes for pair in pairwise(line)
        if pair in ends
    )  # fmt: skip
    chosen: list[Edge] = []
    for edge, _ in sorted(uses.items(), key=lambda item: (-item[1], item[0])):
        apart = all(not set(edge) & set(other) for other in chosen)
        line = LineString(roads.edges[edge])
        if apart and not any(line.intersects(shape) for shape in houses):
            chosen.append(edge)
        if len(chosen) == TUNNELS:
            break
    return chosen


def _side_streets(
    roads: Roads, sites: Sequence[DemoSite], bored: Sequence[Edge], chance: random.Random
) -> list[Line]:
    """From the middle of each block to the roads round it, away from the sites."""
    grounds = MultiPolygon([site.shape for site in sites])
    joints = _joints(roads.edges, bored, chance)
    streets = []
    for column in range(COLUMNS - 1):
        for row in range(ROWS - 1):
            corners = [(column + c, row + r) for c, r in ((0, 0), (1, 0), (1, 1), (0, 1))]
            places = [roads.nodes[corner] for corner in corners]
            middle = (
                sum(place[0] for place in places) / 4 + chance.uniform(-150, 150),
                sum(place[1] for place in places) / 4 + chance.uniform(-150, 150),
            )
            for edge in pairwise([*corners, corners[0]]):
                left_out = chance.random() < STREETS_LEFT_OUT
                joint = joints.get(min(edge, edge[::-1]))
                if joint is None or left_out:
                    continue
                line = bent(joint, middle, 4, 0.05, chance)
                if LineString(line).distance(grounds) > 50 + APART_M:
                    streets.append(line)
    return streets


def _joints(
    edges: Mapping[Edge, Line], bored: Sequence[Edge], chance: random.Random
) -> dict[Edge, Place]:
    """Where side streets meet each road but those with a tunnel."""
    return {
        edge: line[chance.choice((2, 3))]
        for edge, line in sorted(edges.items())
        if edge[0] < edge[1] and edge not in bored
    }
