"""Whether a truck is loaded, and its trips (design section 5): sensor, then stay, then lift.

Called once for each fix, after what was due and before the stop. `then` is the place and time at
which a change is dated, which may be some fixes ago; load and dump events are judged there.
"""

from typing import Any

from geofences.index import CONSTRUCTION, NONE, PARKING, CityIndex
from geofences.jit import compiled
from geofences.lookup import (
    district_of,
    in_reach,
    locate,
    name_of_district,
    name_of_site,
    nearer,
    site_named,
)
from streams.events import Out
from streams.force import InForce
from streams.rules import judge_dump, judge_load
from streams.state import (
    BY_INFERENCE,
    BY_LIFT,
    BY_SENSOR,
    BY_UNKNOWN,
    EMPTY,
    LOADED,
    NO_TIME,
    UNKNOWN,
)


@compiled
def follow_load(force: InForce, all_limits: Any, truck: Any, now: Any, then: Any, out: Out) -> None:
    """Take the fix `now` into account for loaded and trip."""
    if now.lifted != UNKNOWN:
        truck.reported_lifted = True
        if not now.lifted:
            truck.lift_armed = True
    _read_sensor(force, all_limits, truck, now, then, out)
    if not truck.reported_loaded:
        _read_stay(force, all_limits, truck, now, then, out)
    _read_lift(force, all_limits, truck, now, then, out)


@compiled
def _begin_change(truck: Any, now: Any) -> None:
    """A change of the load, if it comes to one, is dated and placed at this fix."""
    truck.change_ms = now.place.time_ms
    truck.change_lon = now.place.lon
    truck.change_lat = now.place.lat
    truck.change_mm = truck.odometer_mm


@compiled
def _read_sensor(
    force: InForce, all_limits: Any, truck: Any, now: Any, then: Any, out: Out
) -> None:
    """`load_confirm` consecutive readings that agree on another value make it the current one."""
    reading = now.loaded
    if reading != UNKNOWN and not truck.reported_loaded:
        truck.reported_loaded = True
        truck.stay_site = NONE
        truck.change_readings = 0
    ignored = reading == UNKNOWN or now.lifted == 1
    if truck.readings_stale and (
        (reading == EMPTY and not ignored) or now.place.construction != NONE
    ):
        truck.readings_stale = False
    if ignored or (truck.readings_stale and reading == LOADED):
        return
    if reading == truck.loaded:
        truck.change_readings = 0
        return
    if truck.change_readings == 0 or truck.change_to != reading:
        truck.change_to = reading
        truck.change_readings = 0
        _begin_change(truck, now)
    truck.change_readings += 1
    if truck.change_readings >= all_limits[force.version].load_confirm:
        truck.change_readings = 0
        if reading == LOADED:
            _become_loaded(force, truck, now, then, out, BY_SENSOR)
        else:
            _become_empty(force, all_limits, truck, now, then, out, BY_SENSOR)


@compiled
def _read_stay(force: InForce, all_limits: Any, truck: Any, now: Any, then: Any, out: Out) -> None:
    """A stay long enough at a site of the right kind tells what a truck without sensor does not.

    A silence has ended the stay before this fix, where it was too long. A version that takes the
    site away, or makes a parking of it, ends it too.
    """
    city, limits, place = force.city, all_limits[force.version], now.place
    site = site_named(city, truck.stay_site)
    if site == NONE or city.sites[site].kind == PARKING or not in_reach(city, site, place):
        truck.stay_site = site = NONE
    if site == NONE:
        if place.site == NONE:
            return
        tipping = nearer(city, place, place.disposal, place.transfer)
        site = nearer(city, place, place.construction, tipping)
        if site == NONE:
            return
        truck.stay_site = name_of_site(city, site)
        truck.stay_settled = False
        _begin_change(truck, now)
    if truck.stay_settled:
        return
    lasted_ms = place.time_ms - truck.change_ms
    if city.sites[site].kind == CONSTRUCTION:
        if lasted_ms >= limits.load_dwell_ms:
            truck.stay_settled = True
            if truck.loaded == LOADED:
                _end_trip(city, truck, now, then, out, BY_UNKNOWN)
            _become_loaded(force, truck, now, then, out, BY_INFERENCE)
    elif lasted_ms >= limits.dump_dwell_ms:
        truck.stay_settled = True
        if truck.loaded != EMPTY:
            _become_empty(force, all_limits, truck, now, then, out, BY_INFERENCE)


@compiled
def _read_lift(force: InForce, all_limits: Any, truck: Any, now: Any, then: Any, out: Out) -> None:
    """A loaded truck that stands with its body lifted dumps, but for where it was loaded."""
    limits = all_limits[force.version]
    if (
        truck.loaded != LOADED
        or now.lifted != 1
        or not now.speed_kmh <= limits.stop_speed_kmh
        or not truck.lift_armed
    ):
        return
    source = site_named(force.city, truck.trip_source)
    if source != NONE and in_reach(force.city, source, now.place):
        return
    # A stay that is under way keeps its own beginning.
    stay_ms, stay_mm = truck.change_ms, truck.change_mm
    stay_lon, stay_lat = truck.change_lon, truck.change_lat
    _begin_change(truck, now)
    truck.change_readings = 0
    _become_empty(force, all_limits, truck, now, then, out, BY_LIFT)
    truck.change_ms, truck.change_mm = stay_ms, stay_mm
    truck.change_lon, truck.change_lat = stay_lon, stay_lat
    truck.readings_stale = True


@compiled
def _is_dated_before(force: InForce, truck: Any) -> bool:
    """Whether the change is dated in the time of the version before, by which it is then judged."""
    return bool(truck.change_ms < force.from_ms)


@compiled
def _become_loaded(force: InForce, truck: Any, now: Any, then: Any, out: Out, basis: int) -> None:
    """A trip begins at the place and time of the change."""
    before = truck.loaded
    city = force.before if _is_dated_before(force, truck) else force.city
    locate(city, then.place, truck.change_ms, truck.change_lon, truck.change_lat)
    truck.loaded = LOADED
    truck.trip_ms = truck.change_ms
    truck.trip_lon = truck.change_lon
    truck.trip_lat = truck.change_lat
    truck.trip_mm = truck.change_mm
    truck.trip_basis = basis
    truck.trip_source = name_of_site(city, then.place.construction)
    truck.trip_origin = name_of_district(city, district_of(city, then.place))
    truck.overdue = False
    if before == UNKNOWN and truck.trip_source == NONE:
        truck.trip_origin = NONE
    if before == EMPTY and basis == BY_SENSOR:
        judge_load(truck, now, then, out)


@compiled
def _become_empty(
    force: InForce, all_limits: Any, truck: Any, now: Any, then: Any, out: Out, basis: int
) -> None:
    """A dump event, if the truck was loaded, at the place and time of the change."""
    if truck.loaded == LOADED:
        city, version, then.register = force.city, force.version, truck.register
        if _is_dated_before(force, truck):
            city, version = force.before, force.before_version
            then.register = force.before_register[now.truck]
        limits = all_limits[version]
        locate(city, then.place, truck.change_ms, truck.change_lon, truck.change_lat)
        judge_dump(city, limits, truck, now, then, out, basis)
        _end_trip(city, truck, now, then, out, basis)
        truck.lift_armed = now.lifted == 0
    truck.loaded = EMPTY


@compiled
def _end_trip(city: CityIndex, truck: Any, now: Any, then: Any, out: Out, basis: int) -> None:
    """Write the trip's record; where it dumped is known unless it ended as `unknown`."""
    trip = out.trips[out.used[1]]
    out.used[1] += 1
    trip.truck = now.truck
    trip.source = truck.trip_source
    trip.origin = truck.trip_origin
    trip.load_basis = truck.trip_basis
    trip.dump_basis = basis
    trip.started_ms = truck.trip_ms
    trip.ended_ms = truck.change_ms
    trip.distance_mm = truck.change_mm - truck.trip_mm
    trip.start_lon = truck.trip_lon
    trip.start_lat = truck.trip_lat
    trip.end_lon = truck.change_lon
    trip.end_lat = truck.change_lat
    trip.dump_site = NONE
    trip.dump_district = NONE
    if basis != BY_UNKNOWN:
        site = nearer(city, then.place, then.place.disposal, then.place.transfer)
        trip.dump_site = name_of_site(city, site)
        trip.dump_district = name_of_district(city, district_of(city, then.place))
    truck.trip_ms = NO_TIME
    truck.trip_source = NONE
    truck.trip_origin = NONE
