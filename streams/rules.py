"""The rules (design section 6): one function each, in the order of `streams.catalogue`.

Each condition says whether it is true at the fix `now`; `conditions` puts the answers into one
integer, a bit a rule. The event rules write their violation at once, judged at `then`, the dated
place and time. Runs of true conditions are `streams.runs`' matter.
"""

from typing import Any, Final

from geofences.city import SLOWEST_LIMIT_KMH
from geofences.index import NONE, CityIndex
from geofences.jit import compiled
from geofences.lookup import (
    district_named,
    district_of,
    find_zones,
    holds,
    in_date,
    in_reach,
    on_route,
    site_named,
    within_district,
)
from streams.catalogue import OCCURRED, number_of
from streams.events import Out, place_event, write_event
from streams.state import BY_INFERENCE, LOADED, NO_TIME

OFF_ROUTE: Final = number_of("off-route")
NO_PERMIT: Final = number_of("no-permit")
OUT_OF_HOURS: Final = number_of("out-of-hours")
CROSS_DISTRICT_TRANSIT: Final = number_of("cross-district-transit")
NO_GO_ZONE: Final = number_of("no-go-zone")
SPEEDING: Final = number_of("speeding")
UNCOVERED_LOAD: Final = number_of("uncovered-load")
LIFTED_MOVING: Final = number_of("lifted-moving")
OVERLOAD: Final = number_of("overload")
UNREGISTERED_SOURCE: Final = number_of("unregistered-source")
ILLEGAL_DUMPING: Final = number_of("illegal-dumping")
SUSPECTED_DUMPING: Final = number_of("suspected-dumping")
WRONG_SITE: Final = number_of("wrong-site")
SITE_CLOSED: Final = number_of("site-closed")
CROSS_DISTRICT_DUMPING: Final = number_of("cross-district-dumping")
SIGNAL_LOST: Final = number_of("signal-lost")
UNDELIVERED: Final = number_of("undelivered")


@compiled
def conditions(city: CityIndex, limits: Any, truck: Any, now: Any) -> int:
    """Which conditions are true at the fix `now`: bit r for rule r."""
    moves = now.speed_kmh > limits.stop_speed_kmh
    if not moves and not now.speed_kmh > SLOWEST_LIMIT_KMH:
        return 0
    truths = 0
    find_limits(city, now)
    truths |= speeding(now) << SPEEDING
    if not moves:
        return truths
    truths |= no_go_zone(now) << NO_GO_ZONE
    truths |= lifted_moving(now) << LIFTED_MOVING
    if truck.loaded == LOADED:
        weigh_permits(city, now)
        truths |= off_route(city, now) << OFF_ROUTE
        truths |= no_permit(now) << NO_PERMIT
        truths |= out_of_hours(now) << OUT_OF_HOURS
        truths |= cross_district_transit(city, limits, now) << CROSS_DISTRICT_TRANSIT
        truths |= uncovered_load(now) << UNCOVERED_LOAD
        truths |= overload(city, limits, now) << OVERLOAD
    return truths


@compiled
def find_limits(city: CityIndex, now: Any) -> None:
    """The zones that hold where the fix is, and the speed limit."""
    now.no_go_zone, now.limit_zone, now.limit_kmh = find_zones(city, now.place)


@compiled
def is_active(city: CityIndex, permit: Any, place: Any) -> bool:
    """Whether a permit is in date at the time of `place`."""
    return in_date(city.validities[permit.validity], city.windows, place.day, place.minute)


@compiled
def weigh_permits(city: CityIndex, now: Any) -> None:
    """What the truck's active permits say together at the time of `now` (design section 5)."""
    place = now.place
    now.active_permits = 0
    now.holding_permits = 0
    now.limits_routes = now.limits_districts = now.limits_disposals = True
    listed = city.trucks[now.register]
    for i in range(listed.permits, listed.permits + listed.n_permits):
        permit = city.permits[city.items[i]]
        if not is_active(city, permit, place):
            continue
        now.active_permits += 1
        if holds(city.validities[permit.validity], city.windows, place.day, place.minute):
            now.holding_permits += 1
        now.limits_routes = now.limits_routes and permit.n_routes > 0
        now.limits_districts = now.limits_districts and permit.n_districts > 0
        now.limits_disposals = now.limits_disposals and permit.n_disposals > 0


@compiled
def off_route(city: CityIndex, now: Any) -> bool:
    if now.active_permits == 0 or not now.limits_routes:
        return False
    listed = city.trucks[now.register]
    for i in range(listed.permits, listed.permits + listed.n_permits):
        permit = city.permits[city.items[i]]
        if not is_active(city, permit, now.place):
            continue
        for j in range(permit.routes, permit.routes + permit.n_routes):
            if on_route(city, city.items[j], now.place):
                return False
    if now.place.site == NONE:
        return True
    for i in range(listed.permits, listed.permits + listed.n_permits):
        permit = city.permits[city.items[i]]
        if not is_active(city, permit, now.place):
            continue
        for j in range(permit.sites, permit.sites + permit.n_sites):
            if in_reach(city, city.items[j], now.place):
                return False
    return True


@compiled
def no_permit(now: Any) -> bool:
    return bool(now.active_permits == 0)


@compiled
def out_of_hours(now: Any) -> bool:
    return bool(now.active_permits > 0 and now.holding_permits == 0)


@compiled
def allows_district(city: CityIndex, now: Any, district: int) -> bool:
    """Whether an active permit allows `district`."""
    listed = city.trucks[now.register]
    for i in range(listed.permits, listed.permits + listed.n_permits):
        permit = city.permits[city.items[i]]
        if not is_active(city, permit, now.place):
            continue
        for j in range(permit.districts, permit.districts + permit.n_districts):
            if city.items[j] == district:
                return True
    return False


@compiled
def near_allowed_district(city: CityIndex, now: Any, border_m: float) -> bool:
    """Whether `place` is at most `border_m` from a district that an active permit allows."""
    listed = city.trucks[now.register]
    for i in range(listed.permits, listed.permits + listed.n_permits):
        permit = city.permits[city.items[i]]
        if not is_active(city, permit, now.place):
            continue
        for j in range(permit.districts, permit.districts + permit.n_districts):
            if within_district(city, city.items[j], now.place, border_m):
                return True
    return False


@compiled
def cross_district_transit(city: CityIndex, limits: Any, now: Any) -> bool:
    if now.active_permits == 0 or not now.limits_districts:
        return False
    district = district_of(city, now.place)
    if district != NONE and allows_district(city, now, district):
        return False
    return not near_allowed_district(city, now, limits.transit_border_m)


@compiled
def no_go_zone(now: Any) -> bool:
    return bool(now.no_go_zone != NONE)


@compiled
def speeding(now: Any) -> bool:
    return bool(now.speed_kmh > now.limit_kmh)


@compiled
def uncovered_load(now: Any) -> bool:
    return bool(now.covered == 0)


@compiled
def lifted_moving(now: Any) -> bool:
    return bool(now.lifted == 1)


@compiled
def overload(city: CityIndex, limits: Any, now: Any) -> bool:
    return bool(now.load_kg > city.trucks[now.register].max_load_kg * limits.overload_tolerance)


@compiled
def judge_load(truck: Any, now: Any, then: Any, out: Out) -> None:
    """A load event by sensor: `unregistered-source`."""
    if truck.trip_source == NONE:
        _occur(out, truck, now, then, UNREGISTERED_SOURCE)


@compiled
def judge_dump(
    city: CityIndex, limits: Any, truck: Any, now: Any, then: Any, out: Out, basis: int
) -> None:
    """A dump event: all rules that it may break."""
    weigh_permits(city, then)
    if basis != BY_INFERENCE and illegal_dumping(city, truck, then):
        _occur(out, truck, now, then, ILLEGAL_DUMPING)
    if wrong_site(city, then):
        _occur(out, truck, now, then, WRONG_SITE)
    if site_closed(city, then):
        _occur(out, truck, now, then, SITE_CLOSED)
    if cross_district_dumping(city, limits, truck, then):
        _occur(out, truck, now, then, CROSS_DISTRICT_DUMPING)


@compiled
def _occur(out: Out, truck: Any, now: Any, then: Any, rule: int) -> None:
    number = write_event(out, truck, now, rule, OCCURRED, then.place.time_ms, now.place.time_ms)
    place_event(out, number, then.place)


@compiled
def illegal_dumping(city: CityIndex, truck: Any, then: Any) -> bool:
    place = then.place
    if place.disposal != NONE or place.transfer != NONE:
        return False
    source = site_named(city, truck.trip_source)
    return source == NONE or not in_reach(city, source, place)


@compiled
def lists_disposal(city: CityIndex, then: Any, site: int) -> bool:
    """Whether an active permit lists `site` (or none, -1) as a disposal site."""
    if site == NONE:
        return False
    listed = city.trucks[then.register]
    for i in range(listed.permits, listed.permits + listed.n_permits):
        permit = city.permits[city.items[i]]
        if not is_active(city, permit, then.place):
            continue
        for j in range(permit.disposals, permit.disposals + permit.n_disposals):
            if city.items[j] == site:
                return True
    return False


@compiled
def wrong_site(city: CityIndex, then: Any) -> bool:
    place = then.place
    if place.disposal == NONE and place.transfer == NONE:
        return False
    if then.active_permits == 0 or not then.limits_disposals:
        return False
    return not (
        lists_disposal(city, then, place.disposal) or lists_disposal(city, then, place.transfer)
    )


@compiled
def is_open(city: CityIndex, site: int, place: Any) -> bool:
    """Whether a site holds at the time of `place`."""
    validity = city.validities[city.sites[site].validity]
    return holds(validity, city.windows, place.day, place.minute)


@compiled
def site_closed(city: CityIndex, then: Any) -> bool:
    place = then.place
    if then.active_permits == 0:
        return False
    disposal = is_permitted_disposal(city, then, place.disposal)
    transfer = is_permitted_disposal(city, then, place.transfer)
    if not (disposal or transfer):
        return False
    return not (
        (disposal and is_open(city, place.disposal, place))
        or (transfer and is_open(city, place.transfer, place))
    )


@compiled
def is_permitted_disposal(city: CityIndex, then: Any, site: int) -> bool:
    """Whether the active permits list `site` (or none, -1), or do not limit disposal sites."""
    if site == NONE:
        return False
    return not then.limits_disposals or lists_disposal(city, then, site)


@compiled
def cross_district_dumping(city: CityIndex, limits: Any, truck: Any, then: Any) -> bool:
    place = then.place
    district = district_of(city, place)
    origin = district_named(city, truck.trip_origin)
    if district == NONE or origin == NONE or district == origin:
        return False
    if then.active_permits > 0 and not then.limits_districts:
        return False
    if allows_district(city, then, district):
        return False
    if within_district(city, origin, place, limits.dumping_border_m):
        return False
    return not near_allowed_district(city, then, limits.dumping_border_m)


@compiled
def suspected_dumping(limits: Any, truck: Any, now: Any, out: Out) -> None:
    """Once per stop, told at the fix where all of it is true."""
    if (
        truck.stop_ms == NO_TIME
        or truck.stop_told
        or not truck.stop_outside
        or truck.loaded != LOADED
        or truck.reported_loaded
        or truck.reported_lifted
        or now.place.time_ms - truck.stop_ms < limits.dump_dwell_ms
    ):
        return
    truck.stop_told = True
    number = write_event(
        out, truck, now, SUSPECTED_DUMPING, OCCURRED, truck.stop_ms, now.place.time_ms
    )
    event = out.events[number]
    event.limit_ms = limits.dump_dwell_ms
    event.place_ms = truck.stop_ms
    event.lon = truck.stop_lon
    event.lat = truck.stop_lat
