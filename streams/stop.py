"""Stops (design section 5): called once for each fix, after the load and before the rules."""

from typing import Any

import numpy as np

from geofences.index import NONE
from geofences.jit import compiled
from streams.state import NO_TIME


@compiled
def follow_stop(limits: Any, truck: Any, now: Any) -> None:
    """A stop is a run of slow fixes near its first (design section 5). A silence has ended it
    before this fix, where it was too long."""
    slow = now.speed_kmh <= limits.stop_speed_kmh
    place = now.place
    if truck.stop_ms != NO_TIME:
        away_m = np.hypot(place.x - truck.stop_x, place.y - truck.stop_y)
        if not slow or away_m > limits.stop_radius_m:
            truck.stop_ms = NO_TIME
    if slow and truck.stop_ms == NO_TIME:
        truck.stop_ms = place.time_ms
        truck.stop_lon = place.lon
        truck.stop_lat = place.lat
        truck.stop_x = place.x
        truck.stop_y = place.y
        truck.stop_outside = place.site == NONE
        truck.stop_told = False
