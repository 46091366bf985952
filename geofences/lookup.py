"""Questions about a place, answered from the compiled city (design sections 4 and 5).

The core calls `locate` once for a fix and then asks what it needs of that `PLACE`. Each function
says what it answers in the words of the design; tests hold the answers against shapely's.
Nothing here knows of trucks' states or of rules.
"""

import math
from typing import Any

import numpy as np

from geofences.geometry import (
    distance_to_area,
    distance_to_edges,
    inside_edges,
    near_edges,
)
from geofences.index import (
    BORDER,
    CONSTRUCTION,
    DISPOSAL,
    NO_GO,
    NONE,
    PARKING,
    TRANSFER,
    CityIndex,
)
from geofences.jit import compiled
from geofences.projection import to_metres

DAY_MS = 86_400_000
MINUTE_MS = 60_000
NOT_ASKED = -9

OF_CONSTRUCTION = 1 << CONSTRUCTION
OF_TIPPING = 1 << DISPOSAL | 1 << TRANSFER
OF_ANY_KIND = OF_CONSTRUCTION | OF_TIPPING | 1 << PARKING
"""Kinds of sites, a bit each."""

PLACE = np.dtype(
    [
        ("time_ms", "i8"),
        ("lon", "f8"),
        ("lat", "f8"),
        ("x", "f8"),
        ("y", "f8"),
        ("day", "i4"),
        ("minute", "i4"),
        ("cell", "i4"),
        ("district", "i4"),
        ("site", "i4"),
        ("construction", "i4"),
        ("disposal", "i4"),
        ("transfer", "i4"),
    ],
    align=True,
)
"""A place at a time: metres, local date and minute, grid cell, and the nearest site in whose reach
it lies, of any kind and of three (-1 = none). `district` is looked up when first asked for."""


def scratch(dtype: np.dtype[Any]) -> Any:
    """Room for one record of `dtype`, as the core takes it."""
    return np.zeros(1, dtype).view(np.recarray)


@compiled
def local_clock(offsets: Any, time_ms: int) -> tuple[int, int]:
    """Days since 1970-01-01 and minute of the day on the city's clock."""
    last = len(offsets) - 1
    while last > 0 and offsets[last].from_ms > time_ms:
        last -= 1
    local_ms = time_ms + offsets[last].offset_ms
    day = local_ms // DAY_MS
    return day, (local_ms - day * DAY_MS) // MINUTE_MS


@compiled
def holds(validity: Any, windows: Any, day: int, minute: int) -> bool:
    """One of its windows contains the time, and the date on which that window started is valid."""
    if validity.lo == validity.hi:
        return bool(validity.first <= day <= validity.last)
    for i in range(validity.lo, validity.hi):
        start, end = windows[i, 0], windows[i, 1]
        if start <= minute < end and validity.first <= day <= validity.last:
            return True
        if minute + 1440 < end and validity.first <= day - 1 <= validity.last:
            return True
    return False


@compiled
def in_date(validity: Any, windows: Any, day: int, minute: int) -> bool:
    """The local date lies in its validity, or it holds."""
    if validity.first <= day <= validity.last:
        return True
    return holds(validity, windows, day, minute)


@compiled
def site_distance(city: CityIndex, site: Any, x: float, y: float) -> float:
    """Distance to a site's shape, m; 0 inside."""
    if site.lo == site.hi:
        return float(max(0.0, math.hypot(x - site.x, y - site.y) - site.radius_m))
    return float(distance_to_area(city.edges, site.lo, site.hi, x, y))


@compiled
def in_reach(city: CityIndex, number: int, place: Any) -> bool:
    """Whether `place` lies in the reach of a site: in date, and at most the margin away."""
    site = city.sites[number]
    if not in_date(city.validities[site.validity], city.windows, place.day, place.minute):
        return False
    return bool(site_distance(city, site, place.x, place.y) <= city.grid[0].site_margin_m)


@compiled
def _find_sites(city: CityIndex, place: Any) -> None:
    """The nearest site in whose reach `place` lies, of any kind and of each kind that matters."""
    place.site = place.construction = place.disposal = place.transfer = NONE
    cell = city.cells[place.cell]
    nearest = nearest_construction = nearest_disposal = nearest_transfer = math.inf
    margin_m = city.grid[0].site_margin_m
    for i in range(cell.sites, cell.sites + cell.n_sites):
        number = city.items[i]
        site = city.sites[number]
        distance = site_distance(city, site, place.x, place.y)
        if distance > margin_m:
            continue
        if not in_date(city.validities[site.validity], city.windows, place.day, place.minute):
            continue
        # Sites come in the order of their ids, so a strict comparison lets the lower id win.
        if distance < nearest:
            nearest = distance
            place.site = number
        if site.kind == CONSTRUCTION and distance < nearest_construction:
            nearest_construction = distance
            place.construction = number
        elif site.kind == DISPOSAL and distance < nearest_disposal:
            nearest_disposal = distance
            place.disposal = number
        elif site.kind == TRANSFER and distance < nearest_transfer:
            nearest_transfer = distance
            place.transfer = number


@compiled
def locate(city: CityIndex, place: Any, time_ms: int, lon: float, lat: float) -> None:
    """Fill `place` (a `PLACE` record) for a time and WGS-84 degrees."""
    place.time_ms = time_ms
    place.lon = lon
    place.lat = lat
    place.x, place.y = to_metres(city.plane[0], lon, lat)
    look_around(city, place)


@compiled
def look_around(city: CityIndex, place: Any) -> None:
    """Fill the rest of `place` from its time and metres."""
    place.day, place.minute = local_clock(city.offsets, place.time_ms)
    grid = city.grid[0]
    column = math.floor((place.x - grid.west_m) / grid.cell_m)
    row = math.floor((place.y - grid.south_m) / grid.cell_m)
    place.district = NOT_ASKED
    if 0 <= column < grid.columns and 0 <= row < grid.rows:
        place.cell = int(row) * grid.columns + int(column)
        if city.cells[place.cell].n_sites > 0:
            _find_sites(city, place)
        else:
            place.site = place.construction = place.disposal = place.transfer = NONE
    else:
        # The grid covers all that is known of the city, with every reach and corridor.
        place.cell = NONE
        place.site = place.construction = place.disposal = place.transfer = NONE


@compiled
def name_of_site(city: CityIndex, number: int) -> int:
    """The name of a site (or none, -1), which stands for it in every version."""
    return NONE if number == NONE else int(city.site_names[number])


@compiled
def site_named(city: CityIndex, name: int) -> int:
    """The site of a name (or none, -1) in this version, -1 where it has none."""
    return int(city.sites_named[name]) if 0 <= name < len(city.sites_named) else NONE


@compiled
def name_of_district(city: CityIndex, number: int) -> int:
    """The name of a district (or none, -1), which stands for it in every version."""
    return NONE if number == NONE else int(city.district_names[number])


@compiled
def district_named(city: CityIndex, name: int) -> int:
    """The district of a name (or none, -1) in this version, -1 where it has none."""
    return int(city.districts_named[name]) if 0 <= name < len(city.districts_named) else NONE


@compiled
def nearer(city: CityIndex, place: Any, first: int, second: int) -> int:
    """Of two sites (or none) the one nearer to `place`; the lower id where they are equal."""
    if first == NONE or second == NONE:
        return max(first, second)
    to_first = site_distance(city, city.sites[first], place.x, place.y)
    to_second = site_distance(city, city.sites[second], place.x, place.y)
    if to_first < to_second or (to_first == to_second and first < second):
        return first
    return second


@compiled
def _inside_district(city: CityIndex, number: int, place: Any) -> bool:
    """Whether the polygon of a district holds `place`, which lies on the grid."""
    grid = city.grid[0]
    strip = number * grid.rows + place.cell // grid.columns
    return inside_edges(city.edges, city.strips[strip], city.strips[strip + 1], place.x, place.y)


@compiled
def district_of(city: CityIndex, place: Any) -> int:
    """The district of `place`: the one stated by the nearest site in whose reach it lies, else the
    one whose polygon holds it (the lowest code where several do), else -1."""
    if place.district == NOT_ASKED:
        place.district = _find_district(city, place)
    return int(place.district)


@compiled
def _find_district(city: CityIndex, place: Any) -> int:
    if place.cell == NONE:
        return NONE
    if place.site != NONE and city.sites[place.site].district != NONE:
        return int(city.sites[place.site].district)
    cell = city.cells[place.cell]
    if cell.district != BORDER:
        return int(cell.district)
    for i in range(cell.candidates, cell.candidates + cell.n_candidates):
        if _inside_district(city, city.items[i], place):
            return int(city.items[i])
    return NONE


@compiled
def within_district(city: CityIndex, number: int, place: Any, reach_m: float) -> bool:
    """Whether `place` is at most `reach_m` (up to the `border_m` that the city was compiled for)
    from the polygon of a district."""
    if place.cell == NONE:
        return False
    cell = city.cells[place.cell]
    near = cell.district == number
    for i in range(cell.near_borders, cell.near_borders + cell.n_near_borders):
        near = near or city.items[i] == number
    for i in range(cell.candidates, cell.candidates + cell.n_candidates):
        near = near or city.items[i] == number
    if not near:
        return False
    if _inside_district(city, number, place):
        return True
    grid = city.grid[0]
    first = max(0, math.floor((place.y - reach_m - grid.south_m) / grid.cell_m))
    last = min(grid.rows - 1, math.floor((place.y + reach_m - grid.south_m) / grid.cell_m))
    strip = number * grid.rows
    lo, hi = city.strips[strip + first], city.strips[strip + last + 1]
    return near_edges(city.edges, lo, hi, place.x, place.y, reach_m)


@compiled
def district_distance(city: CityIndex, number: int, place: Any) -> float:
    """Distance to the polygon of a district, m; 0 inside. Goes over all its edges: for evidence."""
    if place.cell != NONE and _inside_district(city, number, place):
        return 0.0
    rows = city.grid[0].rows
    lo, hi = city.strips[number * rows], city.strips[(number + 1) * rows]
    return distance_to_edges(city.edges, lo, hi, place.x, place.y)


@compiled
def on_route(city: CityIndex, number: int, place: Any) -> bool:
    """Whether `place` lies in the corridor of a route: at most `corridor_m` from its line."""
    if place.cell == NONE:
        return False
    cell = city.cells[place.cell]
    end = cell.routes + cell.n_routes
    low, high = cell.routes, end
    while low < high:
        middle = (low + high) // 2
        if city.stretches[middle].route < number:
            low = middle + 1
        else:
            high = middle
    while low < end and city.stretches[low].route == number:
        near = city.stretches[low]
        corridor_m = city.routes[number].corridor_m
        if near_edges(city.edges, near.lo, near.hi, place.x, place.y, corridor_m):
            return True
        low += 1
    return False


@compiled
def route_distance(city: CityIndex, number: int, place: Any) -> float:
    """Distance to the line of a route, m. Goes over all its edges: for evidence."""
    route = city.routes[number]
    return distance_to_edges(city.edges, route.lo, route.hi, place.x, place.y)


@compiled
def find_zones(city: CityIndex, place: Any) -> tuple[int, int, float]:
    """The no-go zone that holds here (lowest id), the speed-limit zone that decides, and the limit
    in km/h: the lowest of the zones that hold here, else the city's (NaN = no limit)."""
    no_go, limiting, limit = NONE, NONE, math.inf
    if place.cell != NONE:
        cell = city.cells[place.cell]
        for i in range(cell.zones, cell.zones + cell.n_zones):
            zone = city.zones[city.items[i]]
            is_no_go = zone.kind == NO_GO
            if (no_go != NONE) if is_no_go else zone.limit_kmh >= limit:
                continue
            if not holds(city.validities[zone.validity], city.windows, place.day, place.minute):
                continue
            if inside_edges(city.edges, zone.lo, zone.hi, place.x, place.y):
                if is_no_go:
                    no_go = city.items[i]
                else:
                    limiting = city.items[i]
                    limit = zone.limit_kmh
    if limiting == NONE:
        limit = city.grid[0].speed_limit_kmh
    return no_go, limiting, limit


@compiled
def nearest_no_go_zone(city: CityIndex, place: Any) -> tuple[int, float]:
    """The nearest no-go zone in date, however far and whatever its hours, and its distance, m.
    Goes over all zones: for evidence."""
    best, nearest = NONE, math.inf
    for number in range(len(city.zones)):
        zone = city.zones[number]
        if zone.kind != NO_GO:
            continue
        if not in_date(city.validities[zone.validity], city.windows, place.day, place.minute):
            continue
        # The empty row that stands in a city without zones has no edges and is infinitely far.
        distance = distance_to_area(city.edges, zone.lo, zone.hi, place.x, place.y)
        if distance < nearest:
            best, nearest = number, distance
    return best, nearest


@compiled
def nearest_of_all_sites(city: CityIndex, place: Any, kinds: int) -> tuple[int, float]:
    """The nearest site in date of `kinds` (bit k for kind k), however far, and its distance, m.
    Goes over all sites: for evidence."""
    best, nearest = NONE, math.inf
    for number in range(len(city.sites)):
        site = city.sites[number]
        if not kinds >> site.kind & 1:
            continue
        if site.lo == site.hi and site.radius_m == 0.0:
            continue  # the empty row that stands in a city without sites
        if not in_date(city.validities[site.validity], city.windows, place.day, place.minute):
            continue
        distance = site_distance(city, site, place.x, place.y)
        if distance < nearest:
            best, nearest = number, distance
    return best, nearest
