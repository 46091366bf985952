"""The compiled city against shapely, pyproj and zoneinfo: every question that the core asks of a
place, at random places and at adversarial ones.

The answers it is held against are those of `reference.geometry`, which knows nothing of the grid.
"""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.cities import METRE_DEG, random_city, random_frame, random_place
from reference.geometry import CityMap
from reference.geometry import Place as ReferencePlace
from shapely import MultiPolygon, Point, Polygon, box

from geofences.city import City, District, Route, Site, Zone
from geofences.grid import CELL_M
from geofences.hours import ALWAYS, Validity, parse_hours
from geofences.index import NONE, CompiledCity, compile_city, utc_offsets
from geofences.lookup import (
    OF_ANY_KIND,
    PLACE,
    district_distance,
    district_of,
    find_zones,
    holds,
    in_date,
    in_reach,
    local_clock,
    locate,
    nearest_of_all_sites,
    on_route,
    route_distance,
    scratch,
    within_district,
)
from geofences.projection import Projection

MARGIN_M, BORDER_M = 50.0, 100.0
TOLERANCE_M = 1e-6
"""So near to a limit either answer is right."""
NOON_MS = 1_795_233_600_000
DAY_MS = 86_400_000
KINDS = ("construction", "disposal", "transfer")


class Answers:
    """Both views of a city, and one place in them."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.compiled: CompiledCity = compile_city(city, site_margin_m=MARGIN_M, border_m=BORDER_M)
        self.map = CityMap(city, MARGIN_M)
        self._record = scratch(PLACE)[0]

    def check(self, time_ms: int, lon: float, lat: float) -> None:
        index, place = self.compiled.index, self._record
        where = f"at {lon!r}, {lat!r}, {time_ms}"
        locate(index, place, time_ms, lon, lat)
        expected = self.map.place(time_ms, lon, lat)
        away_m = math.hypot(place.x - expected.point.x, place.y - expected.point.y)
        assert away_m < (TOLERANCE_M if abs(lat) < 89 else 1.0), where
        self._check_sites(place, expected, where)
        code = district_of(index, place)
        ours = None if code == NONE else self.city.districts[code].code
        assert ours == expected.district, where
        self._check_districts(place, expected, where)
        self._check_routes(place, expected, where)
        self._check_zones(place, expected, where)

    def _check_sites(self, place: Any, expected: ReferencePlace, where: str) -> None:
        def site_id(number: int) -> str | None:
            return None if number == NONE else self.city.sites[number].site_id

        def nearest(*kinds: str) -> str | None:
            site = expected.nearest(*kinds)
            return None if site is None else site.site_id

        assert site_id(place.site) == nearest(*KINDS, "parking"), where
        for kind in KINDS:
            assert site_id(getattr(place, kind)) == nearest(kind), where
        for number, site in enumerate(self.city.sites):
            reached = in_reach(self.compiled.index, number, place)
            assert reached == expected.in_reach_of(site), where
        everywhere = CityMap.reach_at(_endless(self.map), expected.point, expected.time_ms)
        number, distance_m = nearest_of_all_sites(self.compiled.index, place, OF_ANY_KIND)
        assert site_id(number) == (everywhere[0].site_id if everywhere else None), where
        assert (distance_m == math.inf) == (not everywhere), where

    def _check_districts(self, place: Any, expected: ReferencePlace, where: str) -> None:
        index = self.compiled.index
        for number, district in enumerate(self.city.districts):
            distance_m = self.map.distance_to_district_m(expected.point, district.code)
            ours_m = district_distance(index, number, place)
            assert ours_m == pytest.approx(distance_m, abs=TOLERANCE_M, rel=1e-7), where
            for reach_m in (0.0, 1.0, BORDER_M):
                if abs(distance_m - reach_m) > TOLERANCE_M or distance_m == 0:
                    within = within_district(index, number, place, reach_m)
                    assert within == (distance_m <= reach_m), (where, district.code, reach_m)

    def _check_routes(self, place: Any, expected: ReferencePlace, where: str) -> None:
        index = self.compiled.index
        for number, route in enumerate(self.city.routes):
            distance_m = self.map.distance_to_route_m(expected.point, route.route_id)
            ours_m = route_distance(index, number, place)
            assert ours_m == pytest.approx(distance_m, abs=2 * TOLERANCE_M, rel=1e-7), where
            if abs(distance_m - route.corridor_m) > TOLERANCE_M:
                on = on_route(index, number, place)
                assert on == (distance_m < route.corridor_m), (where, route.route_id)

    def _check_zones(self, place: Any, expected: ReferencePlace, where: str) -> None:
        no_go, limiting, limit_kmh = find_zones(self.compiled.index, place)
        zones = {zone.zone_id: zone for zone in expected.zones}
        forbidden = sorted(i for i, zone in zones.items() if zone.kind == "no_go")
        limits = [zone.limit_kmh for zone in zones.values() if zone.limit_kmh is not None]
        assert (None if no_go == NONE else self.city.zones[no_go].zone_id) == (
            forbidden[0] if forbidden else None
        ), where
        lowest = min(limits, default=self.city.speed_limit_kmh)
        assert (None if math.isnan(limit_kmh) else limit_kmh) == lowest, where
        if limiting != NONE:
            assert zones[self.city.zones[limiting].zone_id].limit_kmh == lowest, where


def _endless(city_map: CityMap) -> CityMap:
    """The same map, where every site reaches to the ends of the earth."""
    endless = CityMap.__new__(CityMap)
    endless.__dict__.update(city_map.__dict__)
    endless.site_margin_m = math.inf
    return endless


def adversarial(answers: Answers) -> Iterator[tuple[float, float]]:
    """Corners and middles of edges, the borders of cells, and the rims of reaches and corridors,
    a millimetre to each side."""
    city, record = answers.city, answers.compiled.index.grid[0]
    shapes = [item.shape for item in (*city.districts, *city.sites, *city.routes, *city.zones)]
    for shape in shapes:
        corners = shapely.get_coordinates(shape)
        yield from corners.tolist()
        yield from ((corners[:-1] + corners[1:]) / 2).tolist()
    projection = Projection(answers.compiled.index.plane)
    to_degrees = projection.transformer()
    rng = Random(1)
    for _ in range(30):
        x = record.west_m + rng.randrange(record.columns + 1) * record.cell_m
        y = record.south_m + rng.randrange(record.rows + 1) * record.cell_m
        yield to_degrees.transform(x, y, direction="INVERSE")
        yield to_degrees.transform(x + 1e-9, y - 1e-9, direction="INVERSE")
    margins = [site.radius_m + MARGIN_M for site in city.sites]
    margins += [route.corridor_m for route in city.routes]
    for item, margin_m in zip((*city.sites, *city.routes), margins, strict=True):
        metres = shapely.transform(item.shape, projection.project)
        for beside_m in (-0.001, 0.001):
            rim = shapely.buffer(metres, margin_m + beside_m, quad_segs=64).boundary
            for _ in range(12):
                at = rim.interpolate(rng.random(), normalized=True)
                yield to_degrees.transform(at.x, at.y, direction="INVERSE")


def moments(rng: Random, start_ms: int) -> int:
    return start_ms + rng.randrange(-DAY_MS, 2 * DAY_MS)


@pytest.mark.parametrize("seed", range(12))
def test_random_cities_at_random_and_adversarial_places(seed: int) -> None:
    rng = Random(seed)
    frame = random_frame(rng)
    answers = Answers(random_city(rng, frame, ["浙B1"]))
    for _ in range(40):
        answers.check(moments(rng, frame.start_ms), *random_place(rng, frame))
    places = list(adversarial(answers))
    for lon, lat in rng.sample(places, min(100, len(places))):
        answers.check(moments(rng, frame.start_ms), lon, lat)


def city_of(*districts: District, **parts: Any) -> City:
    return City(
        name="by hand",
        admin_code="330200",
        timezone="Asia/Shanghai",
        version="0" * 64,
        speed_limit_kmh=None,
        state_overrides={},
        rule_overrides={},
        districts=districts,
        **parts,
    )


WHOLE = District("330201", "all", box(121.0, 29.0, 121.2, 29.2))


def test_holes_islands_and_overlaps() -> None:
    """An island in the hole of another district; where two overlap, the lower code."""
    hole = box(121.05, 29.05, 121.15, 29.15)
    island = box(121.09, 29.09, 121.11, 29.11)
    outer = MultiPolygon([*[Polygon(WHOLE.shape.exterior, [hole.exterior])], island])
    answers = Answers(
        city_of(
            District("330209", "outer", outer),
            District("330210", "lower as a string than 4", box(121.0, 29.0, 121.02, 29.2)),
            District("4", "over all of it", box(121.0, 29.0, 121.08, 29.2)),
        )
    )
    for lon in np.linspace(120.99, 121.21, 45):
        for lat in (29.0, 29.05, 29.08, 29.1, 29.15, 29.2):
            answers.check(NOON_MS, float(lon), lat)


def test_the_rim_of_a_large_circle_is_in_no_cell_forgotten() -> None:
    centre, radius_m = (121.1, 29.1), 3_000.0
    site = Site("tip", "tip", "disposal", Point(centre), radius_m, None, ALWAYS)
    answers = Answers(city_of(WHOLE, sites=(site,)))
    to_degrees = Projection(answers.compiled.index.plane).transformer()
    x, y = to_degrees.transform(*centre)
    place = scratch(PLACE)[0]
    for angle in np.linspace(0, 2 * math.pi, 6_000, endpoint=False):
        for beside_m, expected in ((-0.001, 0), (0.001, NONE)):
            away_m = radius_m + MARGIN_M + beside_m
            there = x + away_m * math.cos(angle), y + away_m * math.sin(angle)
            locate(
                answers.compiled.index,
                place,
                NOON_MS,
                *to_degrees.transform(*there, direction="INVERSE"),
            )
            assert place.disposal == expected, (angle, beside_m)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(121.9, 29.1), (121.1, 40.0), (-58.9, -29.1), (0.001, 0.0), (180.0, 90.0), (-180.0, -90.0),
     (121.1, -90.0), (31.1, 10.0)],
)  # fmt: skip
def test_far_outside_there_is_nothing(lon: float, lat: float) -> None:
    site = Site("tip", "tip", "disposal", Point(121.0, 29.0), 100, "330201", ALWAYS)
    zone = Zone("z", "z", "no_go", box(121.0, 29.0, 121.01, 29.01), None, ALWAYS)
    line = shapely.LineString([(121.0, 29.0), (121.2, 29.2)])
    routes = (Route("r", "r", line, 50),)
    answers = Answers(city_of(WHOLE, sites=(site,), zones=(zone,), routes=routes))
    answers.check(NOON_MS, lon, lat)


def test_a_site_states_its_district_for_all_its_reach() -> None:
    """Even where its reach lies in another district, or in none; of two, the nearest speaks."""
    west, east = box(121.0, 29.0, 121.1, 29.2), box(121.1, 29.0, 121.2, 29.2)
    sites = (
        Site("a", "a", "parking", Point(121.1, 29.1), 200, "330201", ALWAYS),
        Site("b", "b", "disposal", Point(121.103, 29.1), 10, None, ALWAYS),
        Site("c", "c", "disposal", box(121.199, 29.1, 121.2, 29.101), 0, "330201", ALWAYS),
        Site("d", "d", "transfer", Point(121.05, 29.05), 50, "330202",
             Validity(date(2026, 11, 22), date(2026, 11, 22), parse_hours("22:00-03:00"))),
    )  # fmt: skip
    answers = Answers(
        city_of(District("330201", "west", west), District("330202", "east", east), sites=sites)
    )
    for hour in range(-20, 40):
        answers.check(NOON_MS + hour * 3_600_000, 121.05, 29.0505)
    for lon in (*np.linspace(121.097, 121.105, 40), *np.linspace(121.1985, 121.201, 20)):
        answers.check(NOON_MS, float(lon), 29.1)


def test_a_city_far_from_one_of_its_sites_and_with_a_kilometre_wide_margin() -> None:
    far = Site("far", "far", "disposal", Point(121.5, 29.4), 100, None, ALWAYS)
    city = city_of(WHOLE, sites=(far,))
    compiled = compile_city(city, site_margin_m=1_500, border_m=5_000)
    city_map, place = CityMap(city, 1_500), scratch(PLACE)[0]
    rng = Random(3)
    for _ in range(400):
        lon, lat = 121.5 + rng.uniform(-0.02, 0.02), 29.4 + rng.uniform(-0.02, 0.02)
        locate(compiled.index, place, NOON_MS, lon, lat)
        expected = city_map.place(NOON_MS, lon, lat).nearest("disposal")
        assert (place.disposal == 0) == (expected is not None)
    for _ in range(400):
        lon, lat = rng.uniform(120.92, 121.28), rng.uniform(28.92, 29.28)
        locate(compiled.index, place, NOON_MS, lon, lat)
        away_m = city_map.distance_to_district_m(city_map.place(0, lon, lat).point, "330201")
        for reach_m in (10.0, CELL_M, 5_000.0):
            assert within_district(compiled.index, 0, place, reach_m) == (away_m <= reach_m)


ZONES = (
    "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe",
    "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia", "UTC",
)  # fmt: skip
OFFSETS = {name: utc_offsets(name) for name in ZONES}
EPOCH = date(1970, 1, 1)


def assert_clock(name: str, time_ms: int) -> None:
    day, minute = local_clock(OFFSETS[name], time_ms)
    local = datetime.fromtimestamp(time_ms // 1000, ZoneInfo(name))
    assert (EPOCH + timedelta(days=int(day)), minute) == (
        local.date(),
        60 * local.hour + local.minute,
    )


@settings(derandomize=True, max_examples=1_000, deadline=None)
@given(name=st.sampled_from(ZONES), time_ms=st.integers(946_684_800_000, 4_102_444_800_000))
def test_the_local_clock_is_that_of_zoneinfo(name: str, time_ms: int) -> None:
    assert_clock(name, time_ms)


@pytest.mark.parametrize("name", ZONES)
def test_the_local_clock_changes_to_the_millisecond(name: str) -> None:
    for offset in OFFSETS[name]:
        if offset.from_ms < 946_684_800_000:
            continue  # before the first time that a position may have
        for beside_ms in (-60_000, -1, 0, 1, 60_000):
            assert_clock(name, int(offset.from_ms) + beside_ms)


HOURS = (
    "", "21:00-06:00", "00:00-24:00", "00:00-00:01", "23:59-00:01", "06:00-11:30;13:00-24:00",
    "22:00-02:00;01:00-05:00", "05:00-04:59", "02:00-03:00",
)  # fmt: skip
DATES = (None, date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26))
VALIDITIES = [
    Validity(first, last, parse_hours(hours))
    for first in DATES
    for last in DATES
    for hours in HOURS
]


@pytest.mark.parametrize("name", ["Asia/Shanghai", "Europe/Berlin"])
def test_validities_over_days_with_a_clock_change(name: str) -> None:
    """Berlin puts its clocks back on 2026-10-25."""
    zone = ZoneInfo(name)
    sites = tuple(
        Site(f"{i:03}", "", "disposal", Point(121.1, 29.1), 50, None, validity)
        for i, validity in enumerate(VALIDITIES)
    )
    index = compile_city(city_of(WHOLE, sites=sites), site_margin_m=50, border_m=0).index
    begin_ms = round(datetime(2026, 10, 23, 12, tzinfo=UTC).timestamp()) * 1000
    rng = Random(5)
    for site, validity in zip(index.sites, VALIDITIES, strict=True):
        row = index.validities[site.validity]
        for _ in range(40):
            quarter = rng.randrange(4 * 24 * 4) * 15
            time_ms = begin_ms + quarter * 60_000 + rng.choice((0, -1, 60_000, -60_001))
            clock = local_clock(OFFSETS[name], time_ms)
            local = datetime.fromtimestamp(time_ms // 1000, zone).replace(tzinfo=None)
            assert holds(row, index.windows, *clock) == validity.holds(local)
            assert in_date(row, index.windows, *clock) == validity.in_date(local)


def test_a_metre_is_a_metre() -> None:
    """The generator's measure, on which the nearness of its places rests."""
    answers = Answers(city_of(WHOLE))
    here = answers.map.place(NOON_MS, 121.1, 29.1)
    assert here.distance_m(answers.map.place(NOON_MS, 121.1, 29.1 + METRE_DEG)) == pytest.approx(
        1, abs=0.01
    )
