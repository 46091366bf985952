"""The roads of the made-up city: a crooked grid with ways through it.

Used by `producers.demo_city` alone. Places are metres east and north of the city's middle.
"""

import heapq
import math
import random
from dataclasses import dataclass, field
from itertools import pairwise

Place = tuple[float, float]
Node = tuple[int, int]

COLUMNS, ROWS = 12, 9
SPACING_M = 2_900.0
LEFT_OUT = 0.16
"""Share of the grid's edges that are no road."""


@dataclass
class Roads:
    """Nodes and the crooked lines between them."""

    nodes: dict[Node, Place]
    edges: dict[tuple[Node, Node], list[Place]]
    """Each road in both directions."""
    neighbours: dict[Node, list[Node]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for start, end in sorted(self.edges):
            self.neighbours.setdefault(start, []).append(end)

    def lines(self) -> list[list[Place]]:
        return [line for (start, end), line in sorted(self.edges.items()) if start < end]

    def way(self, start: Node, end: Node) -> list[Place]:
        """The shortest way (Dijkstra) as one line; there is one between any two nodes."""
        best = {start: 0.0}
        before: dict[Node, Node] = {}
        queue = [(0.0, start)]
        while queue:
            length_m, node = heapq.heappop(queue)
            if node == end:
                break
            if length_m > best[node]:
                continue
            for following in self.neighbours[node]:
                further_m = length_m + length(self.edges[node, following])
                if further_m < best.get(following, math.inf):
                    best[following], before[following] = further_m, node
                    heapq.heappush(queue, (further_m, following))
        nodes = [end]
        while nodes[-1] != start:
            nodes.append(before[nodes[-1]])
        nodes.reverse()
        line = [self.nodes[start]]
        for one, other in pairwise(nodes):
            line += self.edges[one, other][1:]
        return line


def length(line: list[Place]) -> float:
    return sum(math.dist(one, other) for one, other in pairwise(line))


def make_roads(chance: random.Random) -> Roads:
    """A grid whose crossings are shifted, whose roads bend, and of which some are missing."""
    nodes = {
        (column, row): (
            (column - (COLUMNS - 1) / 2 + chance.uniform(-0.28, 0.28)) * SPACING_M,
            (row - (ROWS - 1) / 2 + chance.uniform(-0.28, 0.28)) * SPACING_M,
        )
        for column in range(COLUMNS)
        for row in range(ROWS)
    }
    edges: dict[tuple[Node, Node], list[Place]] = {}
    for column, row in nodes:
        for end in ((column + 1, row), (column, row + 1)):
            # Every other street, the crossings between them, and the western road are all there:
            # so every crossing can be reached.
            along = end[1] == row
            through = along == (row % 2 == 0) or column == 0
            if end in nodes and (through or chance.random() >= LEFT_OUT):
                line = bent(nodes[column, row], nodes[end], 5, 0.05, chance)
                edges[(column, row), end] = line
                edges[end, (column, row)] = line[::-1]
    return Roads(nodes, edges)


def bent(start: Place, end: Place, pieces: int, share: float, chance: random.Random) -> list[Place]:
    """A line from `start` to `end` that strays sideways by up to `share` of its length."""
    east, north = end[0] - start[0], end[1] - start[1]
    line = [start]
    for piece in range(1, pieces):
        along, aside = piece / pieces, chance.uniform(-share, share)
        line.append(
            (start[0] + along * east - aside * north, start[1] + along * north + aside * east)
        )
    return [*line, end]
