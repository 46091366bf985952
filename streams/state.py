"""What is remembered of a truck between fixes (design section 5), as flat records.

`TRUCK` is one row of an array that the compiled core reads and writes; `RUN` is a run of a
condition rule under way, kept in a pool because few trucks have one. Times are Unix milliseconds,
odometers millimetres, so that nothing accumulated depends on rounding. `NO_TIME` stands for none.
"""

from typing import Any, Final

import numpy as np

from geofences.index import NONE
from geofences.jit import compiled
from geofences.lookup import PLACE
from geofences.projection import to_metres
from streams.catalogue import CONDITIONS

NO_TIME: Final = np.iinfo(np.int64).min
NEVER: Final = np.iinfo(np.int64).max
RECENT: Final = 8
"""Fixes of a truck that are remembered, for the track of an event (design section 7)."""
TRACK: Final = 32
"""Fixes of a run that are kept at the most, besides its latest (design section 7)."""

UNKNOWN, EMPTY, LOADED = -1, 0, 1
"""What is known of the load; a null sensor reading is `UNKNOWN` too."""

FIX = np.dtype([("time_ms", "i8"), ("lon", "f8"), ("lat", "f8"), ("speed_kmh", "f8")])

TRUCK = np.dtype(
    [
        ("last_ms", "i8"),  # the last accepted fix
        ("x", "f8"),
        ("y", "f8"),
        ("odometer_mm", "i8"),  # straight lines between fixes, from the first on
        ("jump_ms", "i8"),  # the last position that failed the jump test
        ("jump_lon", "f8"),
        ("jump_lat", "f8"),
        ("change_ms", "i8"),  # first fix of a change of the load in the making
        ("change_lon", "f8"),
        ("change_lat", "f8"),
        ("change_mm", "i8"),
        ("stop_ms", "i8"),  # first fix of the stop
        ("stop_lon", "f8"),
        ("stop_lat", "f8"),
        ("stop_x", "f8"),
        ("stop_y", "f8"),
        ("trip_ms", "i8"),  # where the trip began
        ("trip_lon", "f8"),
        ("trip_lat", "f8"),
        ("trip_mm", "i8"),
        ("trip_source", "i4"),  # names of sites and of a district
        ("trip_origin", "i4"),
        ("stay_site", "i4"),
        ("register", "i4"),  # its number in the register of the version
        ("version", "i4"),  # in force at the last fix, whose plane x, y, stop_x and stop_y are in
        ("fixes", "i8"),
        ("change_readings", "i4"),  # consecutive readings that agree on the change
        ("runs", "i4", len(CONDITIONS)),  # number in the pool, -1 = none
        ("n_runs", "i1"),
        ("jump_row", "i1"),  # positions in a row that failed the jump test
        ("loaded", "i1"),
        ("change_to", "i1"),
        ("trip_basis", "i1"),
        ("reported_loaded", "?"),
        ("reported_lifted", "?"),
        ("readings_stale", "?"),  # after a dump by lift, readings of true are
        ("lift_armed", "?"),  # lifted was false since the last dump became known
        ("stay_settled", "?"),  # the stay has established what it can
        ("stop_told", "?"),  # the stop has been reported as suspected dumping
        ("stop_outside", "?"),  # the stop's first fix is outside every site's reach
        ("outside", "?"),  # the last fix is outside every site's reach
        ("lost", "?"),  # a signal-lost is open
        ("overdue", "?"),  # the trip has been reported as undelivered
        ("recent", FIX, RECENT),  # ring of the last fixes; the next goes to fixes % RECENT
    ],
    align=True,
)

RUN = np.dtype(
    [
        ("fixes", "i4"),
        ("started_ms", "i8"),
        ("kept", "i4"),
        ("stride", "i4"),
        ("opened", "?"),
        ("escalated", "?"),
        ("track", FIX, TRACK),
    ],
    align=True,
)

BASES: Final = ("unknown", "sensor", "inferred", "lift")
BY_UNKNOWN, BY_SENSOR, BY_INFERENCE, BY_LIFT = range(len(BASES))

NOW = np.dtype(
    [
        ("place", PLACE),
        ("speed_kmh", "f8"),  # given, or implied; NaN = unknown
        ("load_kg", "f8"),
        ("step_m", "f8"),  # straight line from the previous fix
        ("step_mm", "i8"),
        ("previous_ms", "i8"),  # the fix before
        ("truck", "i4"),
        ("register", "i4"),
        ("no_go_zone", "i4"),
        ("limit_zone", "i4"),
        ("limit_kmh", "f8"),
        ("loaded", "i1"),
        ("lifted", "i1"),
        ("covered", "i1"),
        ("jumped", "?"),
        ("active_permits", "i4"),
        ("holding_permits", "i4"),
        ("limits_routes", "?"),
        ("limits_districts", "?"),
        ("limits_disposals", "?"),
    ],
    align=True,
)
"""All that is known at the fix under judgement: its values, its place, and what the active permits
say. Filled from top to bottom as the fix goes through the steps."""


@compiled
def forget(truck: Any) -> None:
    """Make `truck` (a `TRUCK` record) new: nothing known, no last fix. Its runs must be closed."""
    truck.last_ms = NO_TIME
    truck.odometer_mm = 0
    truck.jump_row = 0
    truck.change_readings = 0
    truck.stop_ms = NO_TIME
    truck.trip_ms = NO_TIME
    truck.trip_source = NONE
    truck.trip_origin = NONE
    truck.stay_site = NONE
    truck.version = NONE
    truck.fixes = 0
    truck.n_runs = 0
    for rule in range(len(truck.runs)):
        truck.runs[rule] = NONE
    truck.loaded = UNKNOWN
    truck.reported_loaded = False
    truck.reported_lifted = False
    truck.readings_stale = False
    truck.lift_armed = True
    truck.lost = False
    truck.overdue = False


def blank_truck() -> Any:
    """A new truck, as a record."""
    truck = np.zeros(1, TRUCK).view(np.recarray)
    forget(truck[0])
    return truck[0]


@compiled
def move_to_version(truck: Any, version: int, register: int, plane: Any) -> None:
    """Make `version` that of the truck, with its number in that version's register, and its stop a
    place on that version's plane. Its last fix is about to be another."""
    truck.version = version
    truck.register = register
    if truck.stop_ms != NO_TIME:
        truck.stop_x, truck.stop_y = to_metres(plane, truck.stop_lon, truck.stop_lat)


@compiled
def arrive(truck: Any, now: Any) -> None:
    """Make the fix under judgement the truck's last one; what it follows stays in `now`."""
    place = now.place
    now.previous_ms = truck.last_ms
    now.register = truck.register
    if truck.last_ms != NO_TIME:
        truck.odometer_mm += now.step_mm
    fix = truck.recent[truck.fixes % RECENT]
    fix.time_ms = place.time_ms
    fix.lon = place.lon
    fix.lat = place.lat
    fix.speed_kmh = now.speed_kmh
    truck.fixes += 1
    truck.last_ms = place.time_ms
    truck.x = place.x
    truck.y = place.y
    truck.outside = place.site == NONE
