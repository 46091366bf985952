"""Points against edges in plain compiled code; the whole geometry of the core.

An edge is a row (x1, y1, x2, y2) in metres. A shape is a run of edges `edges[lo:hi]`: all rings of
a polygon in any order, or the pieces of a line. Nothing here knows what a shape means.
"""

import math

import numpy as np
import numpy.typing as npt

from geofences.jit import compiled

Edges = npt.NDArray[np.float64]

BOUNDARY_M = 1e-6
"""A boundary is a micrometre thick and counts as inside (design section 4), so that rounding
in the projection cannot push a place that lies on it out."""


@compiled
def square_to_edge(x1: float, y1: float, x2: float, y2: float, x: float, y: float) -> float:
    """Square of the distance from (x, y) to one edge, m²."""
    dx, dy = x2 - x1, y2 - y1
    length2 = dx * dx + dy * dy
    if length2 > 0.0:
        along = ((x - x1) * dx + (y - y1) * dy) / length2
        along = min(1.0, max(0.0, along))
        x1 += along * dx
        y1 += along * dy
    return (x - x1) * (x - x1) + (y - y1) * (y - y1)


@compiled
def distance_to_edges(edges: Edges, lo: int, hi: int, x: float, y: float) -> float:
    """Distance from (x, y) to the nearest of edges[lo:hi], m; infinite where there are none."""
    best = math.inf
    for i in range(lo, hi):
        square = square_to_edge(edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3], x, y)
        best = min(best, square)
    return math.sqrt(best)


@compiled
def near_edges(edges: Edges, lo: int, hi: int, x: float, y: float, reach_m: float) -> bool:
    """Whether one of edges[lo:hi] is at most `reach_m` away; stops at the first that is."""
    reach2 = reach_m * reach_m
    for i in range(lo, hi):
        if square_to_edge(edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3], x, y) <= reach2:
            return True
    return False


@compiled
def inside_edges(edges: Edges, lo: int, hi: int, x: float, y: float) -> bool:
    """Even-odd rule over a ray to the east; a place on an edge is inside.

    Right for any edges[lo:hi] that hold at least all edges of the shape that the ray meets.
    """
    inside = False
    for i in range(lo, hi):
        y1, y2 = edges[i, 1], edges[i, 3]
        low, high = min(y1, y2), max(y1, y2)
        if y < low - BOUNDARY_M or y > high + BOUNDARY_M:
            continue
        x1, x2 = edges[i, 0], edges[i, 2]
        if x > max(x1, x2) + BOUNDARY_M:
            continue
        if (
            x >= min(x1, x2) - BOUNDARY_M
            and square_to_edge(x1, y1, x2, y2, x, y) <= BOUNDARY_M * BOUNDARY_M
        ):
            return True
        if low <= y < high and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside


@compiled
def distance_to_area(edges: Edges, lo: int, hi: int, x: float, y: float) -> float:
    """Distance from (x, y) to the polygon edges[lo:hi], m; 0 inside."""
    if inside_edges(edges, lo, hi, x, y):
        return 0.0
    return distance_to_edges(edges, lo, hi, x, y)
