"""Places where two answers are equally near, or that lie on the limit of what is asked, to the last
bit: there the compiled city must choose as the design says, and always the same."""

import math
from datetime import date
from typing import Any

import pytest
from one_district import one_district
from shapely import Point, box

from geofences.city import City, Site, SiteKind, Zone
from geofences.hours import ALWAYS, Validity
from geofences.index import NONE, CityIndex, compile_city
from geofences.lookup import (
    NOT_ASKED,
    OF_ANY_KIND,
    OF_TIPPING,
    PLACE,
    district_of,
    find_zones,
    in_reach,
    locate,
    look_around,
    nearer,
    nearest_of_all_sites,
    scratch,
    within_district,
)

MARGIN_M = 50.0
NOON_MS = 1_795_233_600_000
MIDDLE = (121.1, 29.1)
KINDS: tuple[SiteKind, ...] = ("construction", "disposal", "transfer")
OVER = Validity(None, date(2020, 1, 1), ())


def site(
    site_id: str, kind: SiteKind, at: tuple[float, float] = MIDDLE, validity: Validity = ALWAYS
) -> Site:
    return Site(site_id, site_id, kind, Point(at), 100, None, validity)


def index_of(city: City) -> CityIndex:
    return compile_city(city, site_margin_m=MARGIN_M, border_m=100).index


def place_at(index: CityIndex, lon: float, lat: float) -> Any:
    place = scratch(PLACE)[0]
    locate(index, place, NOON_MS, lon, lat)
    return place


def place_beside(index: CityIndex, number: int, metres: float) -> Any:
    """`metres` east of the middle of a site."""
    place = scratch(PLACE)[0]
    place.time_ms = NOON_MS
    place.x, place.y = index.sites[number].x + metres, index.sites[number].y
    assert math.hypot(place.x - index.sites[number].x, 0.0) == metres, "without rounding"
    look_around(index, place)
    return place


def test_of_sites_equally_near_the_lowest_id() -> None:
    """Of all, and of each kind: here two of each, one upon the other, the place in none of them."""
    sites = tuple(site(f"{n} {kind}", kind) for n in (0, 1) for kind in KINDS)
    index = index_of(one_district(sites=sites))
    place = place_at(index, MIDDLE[0] + 0.0012, MIDDLE[1])
    assert (place.construction, place.disposal, place.transfer, place.site) == (0, 1, 2, 0)
    assert nearest_of_all_sites(index, place, OF_ANY_KIND)[0] == 0
    assert nearest_of_all_sites(index, place, OF_TIPPING)[0] == 1


def test_nearer_of_two() -> None:
    sites = (site("a", "disposal"), site("b", "transfer"), site("c", "disposal", (121.12, 29.1)))
    index = index_of(one_district(sites=sites))
    place = place_at(index, MIDDLE[0] + 0.0012, MIDDLE[1])
    assert [nearer(index, place, *two) for two in ((0, 1), (1, 0))] == [0, 0], "equally near"
    assert [nearer(index, place, *two) for two in ((1, 2), (2, 1))] == [1, 1]
    assert [nearer(index, place, *two) for two in ((NONE, 1), (2, NONE))] == [1, 2]
    assert nearer(index, place, NONE, NONE) == NONE


def test_a_reach_is_inclusive() -> None:
    index = index_of(one_district(sites=(site("a", "disposal"),)))
    rim, beyond = (place_beside(index, 0, metres) for metres in (150.0, math.nextafter(150, 151)))
    assert in_reach(index, 0, rim)
    assert (rim.site, rim.disposal) == (0, 0)
    assert not in_reach(index, 0, beyond)
    assert (beyond.site, beyond.disposal) == (NONE, NONE)


@pytest.mark.parametrize(("kinds", "nearest"), [(OF_ANY_KIND, 0), (OF_TIPPING, 1)])
def test_the_nearest_of_all_sites_is_in_date_and_of_the_kind_asked_for(
    kinds: int, nearest: int
) -> None:
    sites = (
        site("a", "parking"),
        site("b", "construction", (121.11, 29.1)),
        site("c", "transfer", (121.1, 29.1), OVER),
        site("d", "disposal", (121.13, 29.1)),
        site("e", "transfer", (121.12, 29.1)),
    )
    index = index_of(one_district(sites=sites))
    for lon, expected in ((121.1, (0, 4)), (121.108, (1, 4)), (121.119, (4, 4)), (121.14, (3, 3))):
        number, _ = nearest_of_all_sites(index, place_at(index, lon, 29.1), kinds)
        assert number == expected[nearest], lon


def test_a_city_without_sites_has_no_nearest() -> None:
    index = index_of(one_district())
    assert nearest_of_all_sites(index, place_at(index, *MIDDLE), OF_ANY_KIND) == (NONE, math.inf)


def test_a_site_of_an_area_is_asked_for_like_any() -> None:
    """It has no radius, as the row has that stands in a city without sites."""
    area = Site("a", "a", "disposal", box(121.1, 29.1, 121.11, 29.11), 0, None, ALWAYS)
    index = index_of(one_district(sites=(area,)))
    assert nearest_of_all_sites(index, place_at(index, 121.105, 29.105), OF_TIPPING) == (0, 0.0)


def test_of_zones_alike_the_lowest_id() -> None:
    whole = box(121.05, 29.05, 121.15, 29.15)
    zones = (
        Zone("a", "", "no_go", whole, None, ALWAYS),
        Zone("b", "", "no_go", whole, None, ALWAYS),
        Zone("c", "", "speed_limit", whole, 30, ALWAYS),
        Zone("d", "", "speed_limit", whole, 30, ALWAYS),
    )
    index = index_of(one_district(zones=zones))
    assert find_zones(index, place_at(index, *MIDDLE)) == (0, 2, 30.0)


def test_the_cells_at_the_edge_of_the_grid_and_what_lies_beside_them() -> None:
    """All four sides; a place beside the grid is in no cell, district or zone."""
    index = index_of(one_district())
    grid, place = index.grid[0], scratch(PLACE)[0]
    width_m, height_m = grid.columns * grid.cell_m, grid.rows * grid.cell_m
    middle = (grid.west_m + width_m / 2, grid.south_m + height_m / 2)
    inside_m = 0.25 * grid.cell_m
    sides = {
        (grid.west_m, middle[1]): (-1, 0),
        (grid.west_m + width_m, middle[1]): (1, 0),
        (middle[0], grid.south_m): (0, -1),
        (middle[0], grid.south_m + height_m): (0, 1),
    }
    for (x, y), (east, north) in sides.items():
        place.x, place.y = x - east * inside_m, y - north * inside_m
        look_around(index, place)
        column = (place.x - grid.west_m) // grid.cell_m
        row = (place.y - grid.south_m) // grid.cell_m
        assert place.cell == row * grid.columns + column
        place.x, place.y = x + east * inside_m, y + north * inside_m
        look_around(index, place)
        assert (place.cell, place.site, place.district) == (NONE, NONE, NOT_ASKED)
        assert district_of(index, place) == NONE
        assert not within_district(index, 0, place, 100.0)
        assert find_zones(index, place)[:2] == (NONE, NONE)
