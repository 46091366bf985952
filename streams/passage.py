"""The one pass over positions: every step that a position goes through, in order.

`take` is the list of the steps; `pass_over` drives it over a batch, in arrival order, and `sweep`
over trucks for which the watermark has reached something due. Compiled; knows no Python objects.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from geofences.index import CityIndex
from geofences.jit import compiled, prefetch
from geofences.lookup import look_around
from streams.events import Out, has_room
from streams.gate import FIX_ACCEPTED, judge, kmh
from streams.load import follow_load
from streams.rules import conditions, suspected_dumping
from streams.runs import (
    Pool,
    fall_due,
    follow_runs,
    has_free_runs,
    next_due_ms,
    regain_signal,
)
from streams.state import NEVER, NO_TIME, arrive, forget
from streams.stop import follow_stop

POSITION = np.dtype(
    [
        ("truck", "i4"),  # row of the truck, or `TICK`
        ("satellites", "i2"),
        ("located", "?"),
        ("loaded", "i1"),
        ("lifted", "i1"),
        ("covered", "i1"),
        ("time_ms", "i8"),
        ("received_ms", "i8"),
        ("lon", "f8"),
        ("lat", "f8"),
        ("speed_kmh", "f8"),
        ("load_kg", "f8"),
    ],
    align=True,
)
"""One row of a batch; its fields are the batch's columns."""

AHEAD: Final = 12
"""How many positions ahead a truck's record is fetched: waiting for memory is most of the work."""

TICK: Final = -1
SKIPPED: Final = -2
"""`truck` of a row that was rejected before."""

CLOCK = np.dtype([("highest_ms", "i8"), ("delay_ms", "i8"), ("next_due_ms", "i8")])
"""Of a partition: highest fix or tick time, what the watermark stays behind by (offline it is
`STANDS_STILL`), and a moment before which nothing falls due."""
STANDS_STILL: Final = -1


class Trucks(NamedTuple):
    """The state of a partition's trucks, a row each."""

    rows: Any
    due_ms: npt.NDArray[np.int64]


@compiled
def watermark_ms(clock: Any) -> int:
    """Highest fix or tick time less the delay; offline it stands still (design section 5)."""
    if clock.delay_ms == STANDS_STILL or clock.highest_ms == NO_TIME:
        return NO_TIME
    return int(clock.highest_ms - clock.delay_ms)


@compiled
def take(
    city: CityIndex,
    limits: Any,
    clock: Any,
    pool: Pool,
    truck: Any,
    now: Any,
    then: Any,
    position: Any,
    out: Out,
) -> int:
    """Take one position through all steps; the code of its reject reason, or 0 for a fix."""
    reason = judge(city.plane[0], limits, truck, now, position)
    if reason != FIX_ACCEPTED:
        return reason
    now.truck = position.truck
    place = now.place
    look_around(city, place)
    _read_values(limits, truck, now, position)

    fall_due(pool, limits, truck, now, max(place.time_ms, watermark_ms(clock)), out)
    regain_signal(truck, now, out)
    if truck.last_ms != NO_TIME and place.time_ms - truck.last_ms > limits.forget_ms:
        forget(truck)

    arrive(truck, now)
    clock.highest_ms = max(clock.highest_ms, place.time_ms)

    follow_load(city, limits, truck, now, then, out)
    follow_stop(limits, truck, now)

    truths = conditions(city, limits, truck, now)
    follow_runs(pool, limits, truck, now, truths, out)
    suspected_dumping(limits, truck, now, out)
    return FIX_ACCEPTED


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
            step_m = np.hypot(now.place.x - truck.x, now.place.y - truck.y)
            now.speed_kmh = kmh(step_m, gap_ms)


@compiled
def pass_over(
    city: CityIndex,
    thresholds: Any,
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

    Stops before a position that might not find room, and returns its number.
    """
    clock, limits = clocks[0], thresholds[0]
    now, then = scratch[0], scratch[1]
    last = len(positions) - 1
    for i in range(start, len(positions)):
        position = positions[i]
        ahead = positions[min(i + AHEAD, last)].truck
        if ahead >= 0:
            prefetch(trucks.rows, ahead)
        if position.truck < 0:
            if position.truck == TICK and clock.delay_ms != STANDS_STILL:
                clock.highest_ms = max(clock.highest_ms, position.time_ms)
            continue
        if not (has_room(out) and has_free_runs(pool)):
            return i
        truck = trucks.rows[position.truck]
        reasons[i] = take(city, limits, clock, pool, truck, now, then, position, out)
        if reasons[i] == FIX_ACCEPTED:
            due_ms = next_due_ms(limits, truck)
            trucks.due_ms[position.truck] = due_ms
            clock.next_due_ms = min(clock.next_due_ms, due_ms)
    return len(positions)


@compiled
def sweep(
    thresholds: Any,
    clocks: Any,
    pool: Pool,
    trucks: Trucks,
    scratch: Any,
    by_ms: int,
    start: int,
    out: Out,
) -> int:
    """Let occur what is due by `by_ms` for trucks[start:]; returns like `pass_over`."""
    clock, limits, now = clocks[0], thresholds[0], scratch[0]
    if start == 0:
        clock.next_due_ms = NEVER
    for row in range(start, len(trucks.due_ms)):
        if trucks.due_ms[row] <= by_ms:
            if not has_room(out):
                return row
            truck = trucks.rows[row]
            now.truck = row
            fall_due(pool, limits, truck, now, by_ms, out)
            trucks.due_ms[row] = next_due_ms(limits, truck)
        clock.next_due_ms = min(clock.next_due_ms, trucks.due_ms[row])
    return len(trucks.due_ms)


@compiled
def reckon_due(thresholds: Any, clocks: Any, trucks: Trucks) -> None:
    """When something falls due for each truck, anew: for trucks that come from other thresholds."""
    clock, limits = clocks[0], thresholds[0]
    clock.next_due_ms = NEVER
    for row in range(len(trucks.due_ms)):
        trucks.due_ms[row] = next_due_ms(limits, trucks.rows[row])
        clock.next_due_ms = min(clock.next_due_ms, trucks.due_ms[row])
