"""The one pass over positions: every step that a position goes through, in order.

`take` is the list of the steps; `pass_over` drives it over a batch, in arrival order, and `sweep`
over trucks for which the watermark has reached something due. Compiled; knows no Python objects.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from geofences.index import NONE
from geofences.jit import compiled, prefetch
from geofences.lookup import look_around
from streams.events import Out, has_room
from streams.force import InForce
from streams.gate import FIX_ACCEPTED, judge, kmh
from streams.load import follow_load
from streams.rules import conditions, suspected_dumping
from streams.runs import (
    Pool,
    close_runs,
    fall_due,
    follow_runs,
    has_free_runs,
    next_due_ms,
    regain_signal,
)
from streams.state import NEVER, NO_TIME, arrive, forget, move_to_version
from streams.stop import follow_stop

POSITION = np.dtype(
    [
        ("truck", "i4"),  # row of the truck, or `TICK`
        ("satellites", "i2"),
        ("located", "?"),
        ("loaded", "i1"),
        ("lifted", "i1"),
        ("covered", "i1"),
        ("reason", "u1"),  # code of a reject reason found before, 0 = none
        ("source", "u1"),  # number in `streams.sources.SOURCES`
        ("time_ms", "i8"),
        ("received_ms", "i8"),
        ("lon", "f8"),
        ("lat", "f8"),
        ("speed_kmh", "f8"),
        ("load_kg", "f8"),
        ("heading_deg", "f8"),  # for maps; nothing is judged by it
    ],
    align=True,
)
"""One row of a batch; its fields are the batch's columns."""

AHEAD: Final = 12
"""How many positions ahead a truck's record is fetched: waiting for memory is most of the work."""

TICK: Final = -1
SKIPPED: Final = -2
"""`truck` of a row that was rejected before."""

CLOCK = np.dtype(
    [("highest_ms", "i8"), ("watermark_ms", "i8"), ("next_due_ms", "i8"), ("runs", "?")]
)
"""Of a partition: highest fix time, the watermark (`NO_TIME` = not known), a moment before which
nothing falls due, and whether the watermark moves: offline it stands still (design section 5)."""


class Trucks(NamedTuple):
    """The state of a partition's trucks, a row each."""

    rows: Any
    due_ms: npt.NDArray[np.int64]
    changed: npt.NDArray[np.bool_]
    """Which may have changed since the state was last written."""


@compiled
def take(
    force: InForce,
    all_limits: Any,
    clock: Any,
    pool: Pool,
    truck: Any,
    now: Any,
    then: Any,
    position: Any,
    out: Out,
) -> int:
    """Take one position through all steps; the code of its reject reason, or 0 for a fix."""
    city, limits = force.city, all_limits[force.version]
    reason = judge(city.plane[0], force.version, limits, truck, now, position)
    if reason != FIX_ACCEPTED:
        return reason
    now.truck = position.truck
    place = now.place
    look_around(city, place)
    _read_values(limits, truck, now, position)

    if truck.last_ms != NO_TIME:
        by_ms = max(place.time_ms, clock.watermark_ms)
        fall_due(pool, all_limits[truck.version], truck, now, by_ms, out)
        regain_signal(truck, now, out)
        if place.time_ms - truck.last_ms > limits.forget_ms:
            # A version may forget sooner than the one before it let a run last.
            close_runs(pool, truck, now, place.time_ms, out)
            forget(truck)

    if truck.version != force.version:
        move_to_version(truck, force.version, force.register[position.truck], city.plane[0])
    arrive(truck, now)
    clock.highest_ms = max(clock.highest_ms, place.time_ms)
    _move_watermark(clock, limits, place.time_ms)

    follow_load(force, all_limits, truck, now, then, out)
    follow_stop(limits, truck, now)

    truths = conditions(city, limits, truck, now)
    follow_runs(pool, limits, truck, now, truths, out)
    suspected_dumping(limits, truck, now, out)
    return FIX_ACCEPTED


@compiled
def _move_watermark(clock: Any, limits: Any, seen_ms: int) -> None:
    """It stays behind the highest fix or tick time; it never falls back, whatever delay a version
    brings."""
    if clock.runs:
        clock.watermark_ms = max(clock.watermark_ms, seen_ms - limits.watermark_delay_ms)


@compiled
def _is_judged_by(force: InForce, truck: Any) -> bool:
    """Whether `force` has the version of all that the truck's next fix may bring about: of the
    fix, and of a change of the load in the making."""
    if truck.change_ms >= force.from_ms:
        return True
    if truck.change_readings == 0 and truck.stay_site == NONE:
        return True
    return bool(force.before_from_ms <= truck.change_ms < force.before_until_ms)


@compiled
def _read_values(limits: Any, truck: Any, now: Any, position: Any) -> None:
    """Sensor values of the fix, and its speed: given, or implied (design section 5)."""
    now.loaded = position.loaded
    now.lifted = position.lifted
    now.covered = position.covered
    now.load_kg = position.load_kg
    now.speed_kmh = position.speed_kmh
    if np.isnan(position.speed_kmh) and truck.last_ms != NO_TIME and not now.jumped:
        gap_ms = now.place.time_ms - truck.last_ms
        if gap_ms <= limits.max_gap_ms:
            now.speed_kmh = kmh(now.step_m, gap_ms)


@compiled
def pass_over(
    force: InForce,
    all_limits: Any,
    clocks: Any,
    pool: Pool,
    trucks: Trucks,
    scratch: Any,
    positions: Any,
    reasons: npt.NDArray[np.uint8],
    start: int,
    out: Out,
) -> int:
    """Take positions[start:] in order; `reasons` gets each one's reject code.

    Stops before a position that might not find room, or whose truck has a change of the load in the
    making that `force` has not the version of, and returns its number.
    """
    clock = clocks[0]
    now, then = scratch[0], scratch[1]
    last = len(positions) - 1
    for i in range(start, len(positions)):
        position = positions[i]
        ahead = positions[min(i + AHEAD, last)].truck
        if ahead >= 0:
            prefetch(trucks.rows, ahead)
        if position.truck < 0:
            if position.truck == TICK:
                _move_watermark(clock, all_limits[force.version], position.time_ms)
            continue
        if not (has_room(out) and has_free_runs(pool)):
            return i
        truck = trucks.rows[position.truck]
        trucks.changed[position.truck] = True
        if not _is_judged_by(force, truck):
            return i
        reasons[i] = take(force, all_limits, clock, pool, truck, now, then, position, out)
        if reasons[i] == FIX_ACCEPTED:
            due_ms = next_due_ms(all_limits[force.version], truck)
            trucks.due_ms[position.truck] = due_ms
            clock.next_due_ms = min(clock.next_due_ms, due_ms)
    return len(positions)


@compiled
def sweep(
    all_limits: Any,
    clocks: Any,
    pool: Pool,
    trucks: Trucks,
    scratch: Any,
    by_ms: int,
    start: int,
    out: Out,
) -> int:
    """Let occur what is due by `by_ms` for trucks[start:]; returns like `pass_over`."""
    clock, now = clocks[0], scratch[0]
    if start == 0:
        clock.next_due_ms = NEVER
    for row in range(start, len(trucks.due_ms)):
        if trucks.due_ms[row] <= by_ms:
            if not has_room(out):
                return row
            truck = trucks.rows[row]
            trucks.changed[row] = True
            now.truck = row
            limits = all_limits[truck.version]
            fall_due(pool, limits, truck, now, by_ms, out)
            trucks.due_ms[row] = next_due_ms(limits, truck)
        clock.next_due_ms = min(clock.next_due_ms, trucks.due_ms[row])
    return len(trucks.due_ms)
