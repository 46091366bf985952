"""The roads of the simulated city, and ways on them."""

import itertools
import json
import math
import random
from itertools import pairwise
from pathlib import Path

import pytest
import shapely
from shapely import LineString, Point, Polygon

from geofences.loader import load_city
from producers.demo_city import DEMO_CITY
from producers.road_map import RoadsError, read_roads, roads_of_routes
from producers.road_network import TOP_KMH, TRACK_KMH, RoadNetwork
from producers.terrain import Terrain
from producers.ways import Journeys, Way

NOWHERE = Polygon()


def network(*lines: list[tuple[float, float]], closed: Polygon = NOWHERE) -> RoadNetwork:
    return RoadNetwork([("collector", LineString(line)) for line in lines], closed, 10.0)


SQUARE = (
    [(0, 0), (1_000, 0)],
    [(1_000, 0), (1_000, 1_000)],
    [(0, 0), (0, 500), (0, 1_000)],
    [(0, 1_000), (1_000, 1_000)],
)


def test_permitted_routes_are_ways_on_the_roads() -> None:
    roads = read_roads(DEMO_CITY)
    assert roads is not None
    assert {kind for kind, _ in roads.roads} == {"arterial", "collector", "local"}
    assert len(roads.tunnels) > 2
    assert len(roads.built_up) > 2
    pieces = {
        frozenset(pair) for _, line in roads.roads for pair in pairwise(map(tuple, line.coords))
    }
    for route in load_city(DEMO_CITY).routes:
        for pair in pairwise(map(tuple, route.shape.coords)):
            assert frozenset(pair) in pieces, route.route_id
    for tunnel in roads.tunnels:
        assert all(frozenset(pair) in pieces for pair in pairwise(map(tuple, tunnel.coords)))


def test_no_side_street_leads_through_the_reach_of_a_site() -> None:
    city, roads = load_city(DEMO_CITY), read_roads(DEMO_CITY)
    terrain = Terrain(city, roads)
    places = [shapely.centroid(ground.shape) for ground in terrain.sites.values()]
    for road in terrain.roads.roads:
        ends_at_a_site = any(
            Point(end).distance(place) < 60 for end in (road.line.coords[0], road.line.coords[-1])
            for place in places
        )  # fmt: skip
        assert ends_at_a_site or not road.line.intersects(terrain.reaches)


def test_the_quickest_way_takes_tracks_to_and_from_the_roads() -> None:
    way = network(*SQUARE).path(Point(100, 30), Point(1_020, 500))
    assert way is not None
    assert list(way.coords) == [(100, 30), (100, 0), (1_000, 0), (1_000, 500), (1_020, 500)]


def test_a_shunned_road_is_taken_only_where_others_are_far() -> None:
    roads = network(*SQUARE)
    direct = LineString(SQUARE[0])
    way = roads.path(Point(0, 0), Point(1_000, 100), shunned=direct)
    assert way is not None
    assert way.length == pytest.approx(2_900)
    way = roads.path(Point(900, 0), Point(1_000, 100), shunned=direct)
    assert way is not None
    assert way.length == pytest.approx(200)


def test_a_closed_road_is_for_those_who_break_the_rules() -> None:
    roads = network(*SQUARE, closed=Polygon([(400, -50), (600, -50), (600, 50), (400, 50)]))
    lawful = roads.path(Point(0, 100), Point(1_000, 100))
    other = roads.path(Point(0, 100), Point(1_000, 100), lawful=False)
    assert lawful is not None
    assert other is not None
    assert (lawful.length, other.length) == (pytest.approx(2_800), pytest.approx(1_200))


def test_roads_that_do_not_meet_lead_nowhere() -> None:
    roads = network([(0, 0), (100, 0)], [(0, 50), (100, 50)], [(0, -50), (100, -50)])
    assert roads.path(Point(0, 0), Point(0, 50)) is None
    assert RoadNetwork([], NOWHERE, 10.0).path(Point(0, 0), Point(9, 9)) is None
    way = roads.path(Point(10, 0), Point(90, 0))
    assert way is not None
    assert list(way.coords) == [(10, 0), (90, 0)]


@pytest.mark.parametrize("seed", range(6))
def test_no_way_is_quicker(seed: int) -> None:
    """Against trying all of them."""
    chance = random.Random(seed)
    places = [(chance.uniform(0, 5_000), chance.uniform(0, 5_000)) for _ in range(7)]
    pairs = [pair for pair in itertools.combinations(range(7), 2) if chance.random() < 0.5]
    roads = network(*([places[one], places[other]] for one, other in pairs))
    linked = {frozenset(pair) for pair in pairs}
    for start, end in itertools.permutations({place for pair in pairs for place in pair}, 2):
        rest = [one for one in range(7) if one not in (start, end)]
        lengths = [
            sum(math.dist(places[one], places[other]) for one, other in pairwise(way))
            for count in range(6)
            for middle in itertools.permutations(rest, count)
            for way in [(start, *middle, end)]
            if all(frozenset(pair) in linked for pair in pairwise(way))
        ]
        way = roads.path(Point(places[start]), Point(places[end]))
        assert (way is None) == (not lengths)
        if way is not None:
            assert way.length == pytest.approx(min(lengths), abs=2)


def test_a_way_is_as_fast_as_its_roads_and_may_stop_at_junctions() -> None:
    city = load_city(DEMO_CITY)
    terrain = Terrain(city, read_roads(DEMO_CITY))
    for route in city.routes:
        line = terrain.in_metres(route.shape)
        way = Way.along(line, terrain)
        assert way.marks_m[-1] == pytest.approx(way.length_m)
        assert way.kmh.max() <= max(TOP_KMH.values())
        assert way.kmh[0] <= TOP_KMH["local"]
        assert way.stops
        half = way.cut(0, way.length_m / 2)
        rest = way.cut(way.length_m / 2, way.length_m)
        assert half is not None
        assert rest is not None
        assert half.shortest_s() + rest.shortest_s() == pytest.approx(way.shortest_s())
        assert len(half.stops) + len(rest.stops) == len(way.stops)
    track = terrain.roads.speeds_kmh(shapely.get_coordinates(LineString([(0, 0), (7, 7)])))
    assert track == [TRACK_KMH]


def test_journeys_keep_out_of_no_go_zones() -> None:
    terrain = Terrain(load_city(DEMO_CITY), read_roads(DEMO_CITY))
    assert any(road.is_closed for road in terrain.roads.roads)
    journeys = Journeys(terrain)
    places = [shapely.centroid(ground.shape) for ground in terrain.sites.values()]
    for start, end in itertools.permutations(places[:12], 2):
        way = journeys.way(start, end)
        assert way is not None
        assert not way.line.intersects(terrain.no_go)
        assert journeys.way(start, end) is way


def test_where_no_roads_are_stated_the_routes_are() -> None:
    city = load_city(DEMO_CITY)
    terrain = Terrain(city, roads_of_routes(city))
    for route in city.routes[:5]:
        line = terrain.in_metres(route.shape)
        way = terrain.roads.path(Point(line.coords[0]), Point(line.coords[-1]))
        assert way is not None
        assert way.length <= line.length + 1


def road(kind: object = "local", shape: str = "LineString", places: object = None) -> object:
    coordinates = [[120.0, 28.0], [120.1, 28.0]] if places is None else places
    return {"properties": {"kind": kind}, "geometry": {"type": shape, "coordinates": coordinates}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no GeoJSON of roads"),
        ("[]", "no GeoJSON of roads"),
        ({"features": []}, "holds no road"),
        ({"features": [road("motorway")]}, "kind 'motorway'; allowed is arterial"),
        ({"features": [road(["local"])]}, "allowed is"),
        ({"features": [road(), road("built_up")]}, "kind 'built_up' is a LineString"),
        ({"features": [road("local", "Point", [120.0, 28.0])]}, "is a Point, not a LineString"),
        ({"features": [road("local", "LineString", [[120.0, 28.0]])]}, "no GeoJSON of roads"),
        ({"features": [{"properties": {"kind": "local"}}]}, "KeyError"),
    ],
)
def test_a_file_of_roads_that_is_none_is_told(
    tmp_path: Path, content: object, message: str
) -> None:
    path = tmp_path / "roads.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(RoadsError, match=message) as caught:
        read_roads(tmp_path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_city_may_state_no_roads(tmp_path: Path) -> None:
    assert read_roads(tmp_path) is None
    (tmp_path / "roads.json").mkdir()
    with pytest.raises(RoadsError, match="cannot be read"):
        read_roads(tmp_path)
