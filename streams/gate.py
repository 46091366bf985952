"""The quality gate: whether a position is a fix (design section 3, tests 3 to 10).

`judge` is asked for each position in arrival order and changes nothing but the truck's row of
impossible jumps. What has no truck is found before: `malformed` by `streams.batch`, and by
`streams.trucks` `wrong_partition` and, so that no truck is remembered for its sake, what `fault`
finds in a truck's first positions.
"""

import math
from typing import Any, Final

import numpy as np

from geofences.jit import compiled
from geofences.projection import to_metres
from streams.state import NO_TIME, RECENT

REASONS: Final = (
    "",
    "malformed",
    "wrong_partition",
    "bad_coordinates",
    "not_located",
    "few_satellites",
    "future_time",
    "duplicate",
    "late",
    "impossible_jump",
    "too_many_trucks",
)
"""Reject reasons by their code; 0 = a fix. The last is none of the design's: a worker's bound on
what it remembers (`streams.trucks.TruckTable`)."""
(
    FIX_ACCEPTED,
    MALFORMED,
    WRONG_PARTITION,
    BAD_COORDINATES,
    NOT_LOCATED,
    FEW_SATELLITES,
    FUTURE_TIME,
    DUPLICATE,
    LATE,
    IMPOSSIBLE_JUMP,
    TOO_MANY_TRUCKS,
) = range(len(REASONS))

MIN_SATELLITES: Final = 4
FUTURE_MS: Final = 300_000
JUMP_ROW: Final = 3
"""Positions in a row that agree with each other prove that the truck really is there."""


@compiled
def judge(plane: Any, version: int, limits: Any, truck: Any, now: Any, position: Any) -> int:
    """The code of the reason that `position` (a row of the batch) is rejected for, or 0.

    `plane` and `limits` are those of `version`, in force at the position's time. Fills the time,
    degrees, metres and step of `now`.
    """
    alone = fault(position)
    if alone != FIX_ACCEPTED:
        return alone
    time_ms, lon, lat = position.time_ms, position.lon, position.lat
    place = now.place
    place.time_ms, place.lon, place.lat = time_ms, lon, lat
    now.jumped = False
    now.step_m = 0.0
    now.step_mm = 0
    if truck.last_ms != NO_TIME:
        if time_ms == truck.last_ms:
            return DUPLICATE
        if time_ms < truck.last_ms:
            return LATE
        if truck.jump_row > 0 and time_ms == truck.jump_ms:
            return DUPLICATE
    place.x, place.y = to_metres(plane, lon, lat)
    if truck.last_ms == NO_TIME:
        return FIX_ACCEPTED
    from_x, from_y = _last_place(plane, version, truck)
    now.step_m = math.hypot(place.x - from_x, place.y - from_y)
    now.step_mm = np.int64(math.floor(now.step_m * 1000 + 0.5))
    if kmh(now.step_m, time_ms - truck.last_ms) > limits.max_speed_kmh:
        if not _completes_row(plane, limits, truck, place):
            return IMPOSSIBLE_JUMP
        now.jumped = True
    truck.jump_row = 0
    return FIX_ACCEPTED


@compiled
def fault(position: Any) -> int:
    """The code of what is wrong with `position` (a row of the batch) whatever its truck, or 0."""
    lon, lat = position.lon, position.lat
    if not (abs(lon) <= 180.0 and abs(lat) <= 90.0) or (lon == 0.0 and lat == 0.0):
        return BAD_COORDINATES
    if not position.located:
        return NOT_LOCATED
    if position.satellites < MIN_SATELLITES:
        return FEW_SATELLITES
    if position.time_ms - FUTURE_MS > position.received_ms:
        return FUTURE_TIME
    return FIX_ACCEPTED


@compiled
def _last_place(plane: Any, version: int, truck: Any) -> tuple[float, float]:
    """The truck's last fix, in metres on the plane of `version`; nothing is kept of it, for the
    position under judgement may yet be rejected."""
    if truck.version == version:
        return truck.x, truck.y
    last = truck.recent[(truck.fixes - 1) % RECENT]
    x, y = to_metres(plane, last.lon, last.lat)
    return x, y


@compiled
def kmh(distance_m: float, duration_ms: int) -> float:
    """The speed that covers a distance in a time greater than 0."""
    return distance_m / duration_ms * 3600.0


@compiled
def _completes_row(plane: Any, limits: Any, truck: Any, place: Any) -> bool:
    """Take a position that fails the jump test into the truck's row; whether it completes it."""
    agrees = False
    if truck.jump_row > 0 and place.time_ms > truck.jump_ms:
        x, y = to_metres(plane, truck.jump_lon, truck.jump_lat)
        step_m = math.hypot(place.x - x, place.y - y)
        agrees = kmh(step_m, place.time_ms - truck.jump_ms) <= limits.max_speed_kmh
    truck.jump_row = truck.jump_row + 1 if agrees else 1
    truck.jump_ms, truck.jump_lon, truck.jump_lat = place.time_ms, place.lon, place.lat
    return bool(truck.jump_row == JUMP_ROW)
