"""What the engine's own functions answer about a place and a truck, question by question.

`streams.explain.narrator` calls `survey` for the fix it narrates and for the place of a dump.
Nothing is worked out here: each answer is what a function of `geofences.lookup` or `streams.rules`,
the same that decides in the pass, says of the same record.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from geofences.index import NONE, CityIndex
from geofences.jit import compiled
from geofences.lookup import (
    OF_ANY_KIND,
    OF_TIPPING,
    district_distance,
    district_named,
    district_of,
    holds,
    in_date,
    in_reach,
    locate,
    nearest_of_all_sites,
    on_route,
    route_distance,
    scratch,
    site_distance,
    site_named,
    within_district,
)
from streams.rules import find_limits, is_active, weigh_permits
from streams.runs import next_due_ms
from streams.versions import Version

PERMIT_ANSWER = np.dtype([("number", "i4"), ("is_active", "?"), ("holds", "?")])
SITE_ANSWER = np.dtype(
    [("number", "i4"), ("in_reach", "?"), ("in_date", "?"), ("is_open", "?"), ("distance_m", "f8")]
)
ROUTE_ANSWER = np.dtype([("number", "i4"), ("in_corridor", "?"), ("distance_m", "f8")])
DISTRICT_ANSWER = np.dtype(
    [
        ("number", "i4"),
        ("near_for_transit", "?"),  # at most the border_m of cross-district-transit away
        ("near_for_dumping", "?"),
        ("distance_m", "f8"),
    ]
)
FACTS = np.dtype(
    [
        ("next_due_ms", "i8"),
        ("nearest_site", "i4"),
        ("nearest_tipping", "i4"),
        ("nearest_site_m", "f8"),
        ("nearest_tipping_m", "f8"),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class Survey:
    """All answers about one place at one time; numbers are indices into the version's tuples."""

    version: Version
    """That is in force at that time."""
    now: Any
    """The `NOW` record, with zones, limit, district and permits filled in."""
    facts: Any
    permits: list[Any]
    """Of the truck, in the order of their ids."""
    sites: list[Any]
    """Near the place, of the permits and of the trip."""
    routes: list[Any]
    """Of the permits in date."""
    districts: list[Any]
    """That the permits in date allow, and the trip's origin."""

    @property
    def active(self) -> list[int]:
        """The permits in date."""
        return [int(permit.number) for permit in self.permits if permit.is_active]


def survey(version: Version, truck: Any, now: Any) -> Survey:
    """Ask everything about the place in `now` for `truck`; both are copied, neither is changed.

    `truck`, `now`: records of `streams.state`, `now` with the truck's number in the register.
    """
    city = version.index
    trucks, nows = _copy(truck), _copy(now)
    listed = city.trucks[now.register]
    permits = _room(PERMIT_ANSWER, _items(city, listed.permits, listed.n_permits))
    _ask_permits(city, nows, permits)
    active = [city.permits[answer.number] for answer in permits if answer.is_active]
    sites = _room(SITE_ANSWER, sorted(_sites(city, truck, now.place, active)))
    routes = _room(
        ROUTE_ANSWER, sorted({i for p in active for i in _items(city, p.routes, p.n_routes)})
    )
    allowed = {i for p in active for i in _items(city, p.districts, p.n_districts)}
    origin = district_named(city, truck.trip_origin)
    districts = _room(DISTRICT_ANSWER, sorted({*allowed, origin} - {NONE}))
    facts = scratch(FACTS)
    _ask(city, version.prepared.limits, trucks, nows, facts, sites, routes, districts)
    answers = list(permits), list(sites), list(routes), list(districts)
    return Survey(version, nows[0], facts[0], *answers)


def elsewhere(
    version: Version, now: Any, truck_id: str, time_ms: int, lon: float, lat: float
) -> Any:
    """A copy of the record `now` whose place is another, at another time, at which `version` is in
    force."""
    nows = _copy(now)
    nows[0].register = version.prepared.compiled.register_number(truck_id)
    _move(version.index, nows, time_ms, lon, lat)
    return nows[0]


def _copy(record: Any) -> Any:
    copied = scratch(record.dtype)
    copied[0] = record
    return copied


def _room(dtype: np.dtype[Any], numbers: list[int]) -> Any:
    answers = np.zeros(len(numbers), dtype).view(np.recarray)
    answers["number"] = numbers
    return answers


def _items(city: CityIndex, start: int, count: int) -> list[int]:
    return [int(number) for number in city.items[start : start + count]]


def _sites(city: CityIndex, truck: Any, place: Any, permits: list[Any]) -> set[int]:
    sites = {site_named(city, truck.trip_source), site_named(city, truck.stay_site)}
    if place.cell != NONE:
        cell = city.cells[place.cell]
        sites.update(_items(city, cell.sites, cell.n_sites))
    for permit in permits:
        sites.update(_items(city, permit.sites, permit.n_sites))
    return sites - {NONE}


@compiled
def _ask_permits(city: CityIndex, nows: Any, permits: Any) -> None:
    place = nows[0].place
    for i in range(len(permits)):
        permit = city.permits[permits[i].number]
        permits[i].is_active = is_active(city, permit, place)
        validity = city.validities[permit.validity]
        permits[i].holds = holds(validity, city.windows, place.day, place.minute)


@compiled
def _ask(
    city: CityIndex,
    thresholds: Any,
    trucks: Any,
    nows: Any,
    facts: Any,
    sites: Any,
    routes: Any,
    districts: Any,
) -> None:
    limits, truck, now, fact = thresholds[0], trucks[0], nows[0], facts[0]
    place = now.place
    weigh_permits(city, now)
    find_limits(city, now)
    district_of(city, place)
    fact.next_due_ms = next_due_ms(limits, truck)
    fact.nearest_site, fact.nearest_site_m = nearest_of_all_sites(city, place, OF_ANY_KIND)
    fact.nearest_tipping, fact.nearest_tipping_m = nearest_of_all_sites(city, place, OF_TIPPING)
    for i in range(len(sites)):
        site = city.sites[sites[i].number]
        validity = city.validities[site.validity]
        sites[i].in_reach = in_reach(city, sites[i].number, place)
        sites[i].in_date = in_date(validity, city.windows, place.day, place.minute)
        sites[i].is_open = holds(validity, city.windows, place.day, place.minute)
        sites[i].distance_m = site_distance(city, site, place.x, place.y)
    for i in range(len(routes)):
        routes[i].in_corridor = on_route(city, routes[i].number, place)
        routes[i].distance_m = route_distance(city, routes[i].number, place)
    for i in range(len(districts)):
        number = districts[i].number
        districts[i].near_for_transit = within_district(
            city, number, place, limits.transit_border_m
        )
        districts[i].near_for_dumping = within_district(
            city, number, place, limits.dumping_border_m
        )
        districts[i].distance_m = district_distance(city, number, place)


@compiled
def _move(city: CityIndex, nows: Any, time_ms: int, lon: float, lat: float) -> None:
    locate(city, nows[0].place, time_ms, lon, lat)
