"""Points against edges: the compiled geometry against shapely's."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, MultiPolygon, Polygon, box

from geofences.geometry import (
    BOUNDARY_M,
    distance_to_area,
    distance_to_edges,
    inside_edges,
    near_edges,
    square_to_edge,
)
from geofences.grid import edges_of

RING = box(0, 0, 100, 80)
HOLED = Polygon(RING.exterior.coords, [box(20, 20, 60, 60).exterior.coords])
ISLAND = MultiPolygon([HOLED, box(30, 30, 40, 40), box(300, 0, 310, 10)])
STAR = Polygon([(0, 0), (50, 20), (100, 0), (80, 50), (100, 100), (50, 80), (0, 100), (20, 50)])
COMB = Polygon([(0, 0), (90, 0), (90, 50), (70, 1), (60, 50), (50, 1), (40, 50), (20, 1), (0, 50)])
AREAS = {"box": RING, "hole": HOLED, "island in a hole": ISLAND, "star": STAR, "comb": COMB}
LINES = {
    "line": LineString([(0, 0), (100, 0), (100, 100), (0, 0)]),
    "pieces": MultiLineString([[(0, 0), (50, 50)], [(200, 0), (200, 90)]]),
    "to and fro": LineString([(0, 0), (100, 0), (50, 0), (50, 0), (70, 10)]),
}

coordinate = st.one_of(
    st.floats(-150, 450, allow_nan=False),
    st.integers(-10, 110).map(float),  # on the level of corners
)


def holds(shape: shapely.Geometry, x: float, y: float) -> bool:
    point = shapely.Point(x, y)
    return bool(shape.intersects(point)) or shape.distance(point) <= BOUNDARY_M


@pytest.mark.parametrize("shape", AREAS.values(), ids=AREAS)
@settings(derandomize=True, max_examples=200, deadline=None)
@given(x=coordinate, y=coordinate)
def test_inside_and_distance_of_an_area(shape: shapely.Geometry, x: float, y: float) -> None:
    edges = edges_of(shape)
    assert inside_edges(edges, 0, len(edges), x, y) == holds(shape, x, y)
    expected_m = 0.0 if holds(shape, x, y) else shape.distance(shapely.Point(x, y))
    assert distance_to_area(edges, 0, len(edges), x, y) == pytest.approx(expected_m, abs=1e-9)


@pytest.mark.parametrize("shape", AREAS.values(), ids=AREAS)
def test_level_with_a_corner(shape: shapely.Geometry) -> None:
    """A ray through a corner crosses there once, twice or not at all."""
    edges = edges_of(shape)
    for y in sorted(set(edges[:, 1])):
        for x in np.arange(-7.5, 330, 5):
            assert inside_edges(edges, 0, len(edges), x, y) == holds(shape, x, y)


@pytest.mark.parametrize("shape", AREAS.values(), ids=AREAS)
def test_corners_and_edges_are_inside(shape: shapely.Geometry) -> None:
    edges = edges_of(shape)
    for x1, y1, x2, y2 in edges:
        for along in (0.0, 1 / 3, 0.5, 1.0):
            x, y = x1 + along * (x2 - x1), y1 + along * (y2 - y1)
            assert inside_edges(edges, 0, len(edges), x, y)
            normal = np.array([y1 - y2, x2 - x1]) / math.hypot(x2 - x1, y2 - y1)
            for nudge_m in (-2e-6, -0.9e-6, 0.9e-6, 2e-6):
                beside = x + nudge_m * normal[0], y + nudge_m * normal[1]
                assert inside_edges(edges, 0, len(edges), *beside) == holds(shape, *beside)


@pytest.mark.parametrize(
    ("square", "x", "y"),
    [(box(0, 0, 10, 10), -BOUNDARY_M, 5.0), (box(0, 0, 10, 10), 5.0, -BOUNDARY_M),
     (box(-10, -10, 0, 0), BOUNDARY_M, -5.0), (box(-10, -10, 0, 0), -5.0, BOUNDARY_M)],
)  # fmt: skip
def test_a_boundary_is_a_micrometre_thick_to_the_last_bit(
    square: Polygon, x: float, y: float
) -> None:
    """On each side; beside an edge at 0, so that nothing is rounded."""
    edges = edges_of(square)
    assert inside_edges(edges, 0, len(edges), x, y)
    beyond = math.nextafter(BOUNDARY_M, 1) / BOUNDARY_M
    outside = (x * beyond, y) if abs(x) == BOUNDARY_M else (x, y * beyond)
    assert not inside_edges(edges, 0, len(edges), *outside)


@pytest.mark.parametrize("shape", AREAS.values(), ids=AREAS)
@settings(derandomize=True, max_examples=100, deadline=None)
@given(x=coordinate, y=coordinate, order=st.randoms(use_true_random=False))
def test_the_order_and_direction_of_edges_do_not_matter(
    shape: shapely.Geometry, x: float, y: float, order: object
) -> None:
    edges = edges_of(shape)
    shuffled = edges.tolist()
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    turned = np.array([[c, d, a, b] for a, b, c, d in shuffled])
    assert inside_edges(turned, 0, len(turned), x, y) == inside_edges(edges, 0, len(edges), x, y)


@pytest.mark.parametrize("shape", LINES.values(), ids=LINES)
@settings(derandomize=True, max_examples=200, deadline=None)
@given(x=coordinate, y=coordinate, reach_m=st.floats(0, 200))
def test_distance_to_a_line(shape: shapely.Geometry, x: float, y: float, reach_m: float) -> None:
    edges = edges_of(shape)
    expected_m = shape.distance(shapely.Point(x, y))
    distance_m = distance_to_edges(edges, 0, len(edges), x, y)
    assert distance_m == pytest.approx(expected_m, abs=1e-9)
    if abs(distance_m - reach_m) > 1e-9:
        assert near_edges(edges, 0, len(edges), x, y, reach_m) == (distance_m < reach_m)


def test_a_reach_is_inclusive() -> None:
    edges = np.array([[0.0, 0.0, 10.0, 0.0]])
    assert near_edges(edges, 0, 1, 5.0, 50.0, 50.0)
    assert not near_edges(edges, 0, 1, 5.0, np.nextafter(50.0, 51.0), 50.0)


def test_only_the_given_run_of_edges_counts() -> None:
    edges = np.array([[0.0, 0.0, 10.0, 0.0], [0.0, 100.0, 10.0, 100.0]])
    assert distance_to_edges(edges, 1, 2, 5.0, 0.0) == 100.0
    assert distance_to_edges(edges, 0, 0, 5.0, 0.0) == math.inf
    assert not near_edges(edges, 1, 2, 5.0, 0.0, 99.0)
    assert not inside_edges(edges, 0, 0, 5.0, 0.0)


def test_an_edge_of_no_length_is_a_point() -> None:
    assert square_to_edge(3.0, 4.0, 3.0, 4.0, 0.0, 0.0) == 25.0
