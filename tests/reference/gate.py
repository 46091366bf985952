"""The quality gate (design section 3): why a position is no fix.

Called by the engine for each position before anything else looks at it. It knows a truck's last
fix and its row of failed jumps, nothing of loads, places or rules.
"""

import math

from reference.geometry import Place
from reference.model import TruckState
from streams.position import MAX_TIME_MS, MIN_TIME_MS, Position

FUTURE_MS = 5 * 60_000
MIN_SATELLITES = 4
JUMP_ROW = 3
"""So many agreeing positions in a row: the truck really is there."""


def fault(position: Position, record_ms: int | None) -> str | None:
    """What is wrong with the position by itself."""
    lon, lat = position.lon, position.lat
    if not MIN_TIME_MS <= position.time_ms <= MAX_TIME_MS:
        return "malformed"
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return "bad_coordinates"
    if abs(lon) > 180 or abs(lat) > 90 or (lon == 0 and lat == 0):
        return "bad_coordinates"
    if not position.located:
        return "not_located"
    if position.satellites is not None and position.satellites < MIN_SATELLITES:
        return "few_satellites"
    received_ms = record_ms if position.received_ms is None else position.received_ms
    if received_ms is not None and position.time_ms > received_ms + FUTURE_MS:
        return "future_time"
    return None


def fault_in_sequence(truck: TruckState, place: Place, max_speed_kmh: float) -> str | None:
    """What is wrong with it after the truck's last fix; keeps the row of failed jumps."""
    if truck.last is not None:
        if place.time_ms == truck.last.time_ms:
            return "duplicate"
        if place.time_ms < truck.last.time_ms:
            return "late"
        if truck.jump_row and place.time_ms == truck.jump_row[-1].time_ms:
            return "duplicate"
        if implied_speed_kmh(truck.last.place, place) > max_speed_kmh:
            if not _agrees_with_row(truck, place, max_speed_kmh):
                truck.jump_row = []
            truck.jump_row.append(place)
            if len(truck.jump_row) < JUMP_ROW:
                return "impossible_jump"
    return None


def implied_speed_kmh(before: Place, after: Place) -> float:
    """Over the straight line; `after` is the later one."""
    return before.distance_m(after) / ((after.time_ms - before.time_ms) / 1000) * 3.6


def _agrees_with_row(truck: TruckState, place: Place, max_speed_kmh: float) -> bool:
    if not truck.jump_row:
        return False
    before = truck.jump_row[-1]
    return place.time_ms > before.time_ms and implied_speed_kmh(before, place) <= max_speed_kmh
