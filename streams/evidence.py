"""What the evidence of a violation needs: the nearest sites, routes and zones with their distances,
and the permits in date, looked up for all events of a batch at once (design section 7).

Compiled; called by `streams.report`, which puts it into words. Nothing is decided here.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from geofences.index import NONE, CityIndex
from geofences.jit import compiled
from geofences.lookup import (
    OF_ANY_KIND,
    OF_CONSTRUCTION,
    OF_TIPPING,
    district_distance,
    district_named,
    district_of,
    find_zones,
    locate,
    nearer,
    nearest_no_go_zone,
    nearest_of_all_sites,
    route_distance,
    site_distance,
)
from streams.rules import (
    CROSS_DISTRICT_DUMPING,
    CROSS_DISTRICT_TRANSIT,
    ILLEGAL_DUMPING,
    NO_GO_ZONE,
    OFF_ROUTE,
    SIGNAL_LOST,
    SITE_CLOSED,
    SPEEDING,
    SUSPECTED_DUMPING,
    UNREGISTERED_SOURCE,
    WRONG_SITE,
    is_active,
)

MILLIMETRE: Final = 0.001

DETAIL = np.dtype(
    [
        ("district", "i4"),
        ("site", "i4"),
        ("route", "i4"),
        ("zone", "i4"),
        ("border", "i4"),
        ("permits", "i4"),
        ("n_permits", "i4"),
        ("site_m", "f8"),
        ("route_m", "f8"),
        ("zone_m", "f8"),
        ("border_m", "f8"),
    ],
    align=True,
)
"""What `describe` finds for an event: its district, the site, route and zone concerned with their
distances, and `border`, the nearest district where it may be, with its distance."""


@compiled
def describe(
    city: CityIndex,
    registers: npt.NDArray[np.int32],
    events: Any,
    count: int,
    details: Any,
    active: npt.NDArray[np.int32],
    places: Any,
) -> None:
    """Fill details[:count] for events[:count], all of times at which `city` is in force;
    `registers` has the number of each truck in its register, by row. `active` gets the numbers of
    the active permits and must have room for all that the trucks' lists hold."""
    place = places[0].place
    used = 0
    for i in range(count):
        event, detail = events[i], details[i]
        locate(city, place, event.place_ms, event.lon, event.lat)
        detail.district = district_of(city, place)
        detail.permits = used
        used = _active_permits(city, registers[event.truck], place, active, used)
        detail.n_permits = used - detail.permits
        detail.route = NONE
        detail.route_m = math.inf
        if event.rule == OFF_ROUTE:
            _nearest_route(city, place, detail, active)
        detail.border = NONE
        detail.border_m = math.inf
        if event.rule in (CROSS_DISTRICT_TRANSIT, CROSS_DISTRICT_DUMPING):
            _nearest_allowed(city, place, detail, active)
        origin = district_named(city, event.origin)
        if event.rule == CROSS_DISTRICT_DUMPING and origin != NONE:
            _if_nearer(city, origin, place, detail)
        _concerned_zone(city, place, event.rule, detail)
        _concerned_site(city, place, event.rule, detail, active)


@compiled
def permits_at_start(
    city: CityIndex,
    registers: npt.NDArray[np.int32],
    trips: Any,
    active: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    places: Any,
) -> None:
    """The numbers of the permits active when each trip began, one trip after another in `active`;
    those of trip i end at ends[i]."""
    place = places[0].place
    used = 0
    for i in range(len(trips)):
        trip = trips[i]
        locate(city, place, trip.started_ms, trip.start_lon, trip.start_lat)
        used = _active_permits(city, registers[trip.truck], place, active, used)
        ends[i] = used


@compiled
def _active_permits(
    city: CityIndex, register: int, place: Any, active: npt.NDArray[np.int32], used: int
) -> int:
    listed = city.trucks[register]
    for i in range(listed.permits, listed.permits + listed.n_permits):
        if is_active(city, city.permits[city.items[i]], place):
            active[used] = city.items[i]
            used += 1
    return used


@compiled
def _nearest_route(city: CityIndex, place: Any, detail: Any, active: npt.NDArray[np.int32]) -> None:
    for i in range(detail.permits, detail.permits + detail.n_permits):
        permit = city.permits[active[i]]
        for j in range(permit.routes, permit.routes + permit.n_routes):
            distance = route_distance(city, city.items[j], place)
            if distance < detail.route_m or (
                distance == detail.route_m and city.items[j] < detail.route
            ):
                detail.route = city.items[j]
                detail.route_m = distance


@compiled
def _nearest_allowed(
    city: CityIndex, place: Any, detail: Any, active: npt.NDArray[np.int32]
) -> None:
    for i in range(detail.permits, detail.permits + detail.n_permits):
        permit = city.permits[active[i]]
        for j in range(permit.districts, permit.districts + permit.n_districts):
            _if_nearer(city, city.items[j], place, detail)


@compiled
def _if_nearer(city: CityIndex, district: int, place: Any, detail: Any) -> None:
    """Make `district` the one of `border` if it is nearer; to the millimetre, for two that share a
    corner are equally near, and then it is the lower code."""
    distance = district_distance(city, district, place)
    is_nearer = distance < detail.border_m - MILLIMETRE
    if is_nearer or (distance < detail.border_m + MILLIMETRE and district < detail.border):
        detail.border = district
    detail.border_m = min(detail.border_m, distance)


@compiled
def _concerned_zone(city: CityIndex, place: Any, rule: int, detail: Any) -> None:
    """The zone that sets the speed limit, if one does; the no-go zone that holds, else the nearest
    in date with its distance."""
    detail.zone = NONE
    detail.zone_m = math.nan
    if rule != SPEEDING and rule != NO_GO_ZONE:
        return
    no_go, limiting, _ = find_zones(city, place)
    if rule == SPEEDING:
        detail.zone = limiting
    elif no_go != NONE:
        detail.zone = no_go
    else:
        detail.zone, detail.zone_m = nearest_no_go_zone(city, place)


@compiled
def _concerned_site(
    city: CityIndex, place: Any, rule: int, detail: Any, active: npt.NDArray[np.int32]
) -> None:
    """The site in whose reach the place lies, of the kinds that the rule asks about; for rules that
    are about being near none, the nearest in date of those kinds."""
    kinds = 0
    detail.site = place.site
    if rule == NO_GO_ZONE and (detail.zone == NONE or not math.isnan(detail.zone_m)):
        # No zone holds it any more: it is about the zone that it came out of, and no site.
        detail.site = NONE
    elif rule == UNREGISTERED_SOURCE:
        kinds = OF_CONSTRUCTION
        detail.site = place.construction
    elif rule == ILLEGAL_DUMPING or rule == WRONG_SITE:
        kinds = OF_TIPPING
        detail.site = nearer(city, place, place.disposal, place.transfer)
    elif rule == SITE_CLOSED:
        disposal = _if_permitted(city, detail, active, place.disposal)
        transfer = _if_permitted(city, detail, active, place.transfer)
        detail.site = nearer(city, place, disposal, transfer)
    elif rule == SUSPECTED_DUMPING or rule == CROSS_DISTRICT_DUMPING or rule == SIGNAL_LOST:
        kinds = OF_ANY_KIND
    if detail.site != NONE:
        detail.site_m = site_distance(city, city.sites[detail.site], place.x, place.y)
    elif kinds != 0:
        detail.site, detail.site_m = nearest_of_all_sites(city, place, kinds)
    else:
        detail.site_m = math.inf


@compiled
def _if_permitted(city: CityIndex, detail: Any, active: npt.NDArray[np.int32], site: int) -> int:
    """`site` (or none, -1) if the active permits list it or limit no disposal sites, else -1."""
    for i in range(detail.permits, detail.permits + detail.n_permits):
        permit = city.permits[active[i]]
        if permit.n_disposals == 0:
            return site
        for j in range(permit.disposals, permit.disposals + permit.n_disposals):
            if city.items[j] == site:
                return site
    return NONE
