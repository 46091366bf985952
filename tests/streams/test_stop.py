"""Stops (design section 5) at the radius to the last bit; the rest is in the golden streams."""

import math

from one_district import one_district
from shapely import Point

from geofences.city import Site
from geofences.hours import ALWAYS
from geofences.projection import to_metres
from streams.detect import Engine, PreparedCity
from streams.position import Position

START_MS = 1_795_320_000_000
PIT = (121.1, 29.05)
FIELD_LON, FIRST_LAT, LAST_LAT = 121.1, 29.1, 29.1004


def rules_broken(stop_radius_m: float) -> list[str]:
    """Of a truck without sensors that loads at the pit and then creeps north in a field."""
    city = PreparedCity.of(
        one_district(
            sites=(Site("pit", "pit", "construction", Point(PIT), 100, None, ALWAYS),),
            state_overrides={"stop_radius_m": stop_radius_m},
        )
    )
    loading = [Position("浙B1", START_MS + s * 1000, *PIT, speed_kmh=0.0) for s in (0, 150, 300)]
    creeping = [
        Position("浙B1", START_MS + s * 1000, FIELD_LON, lat, speed_kmh=1.0)
        for s, lat in ((700, FIRST_LAT), (800, FIRST_LAT), (880, LAST_LAT))
    ]
    told = Engine.offline(city).process([*loading, *creeping])
    return [violation.rule for violation in told.violations]


def test_as_far_as_the_radius_is_the_same_stop() -> None:
    """Due north, where the way is the difference of two coordinates, without any rounding."""
    plane = PreparedCity.of(one_district()).compiled.index.plane[0]
    (x1, y1), (x2, y2) = (to_metres(plane, FIELD_LON, lat) for lat in (FIRST_LAT, LAST_LAT))
    assert x1 == x2
    assert rules_broken(y2 - y1) == ["suspected-dumping"]
    assert rules_broken(math.nextafter(y2 - y1, 0)) == []
