"""A city of one district and nothing else, for tests in which the map does not matter."""

from typing import Any

from shapely import Polygon, box

from geofences.city import City, District


def one_district(shape: Polygon = box(121.0, 29.0, 121.2, 29.2), **fields: Any) -> City:  # noqa: B008
    """District 330201 of that shape; `fields` are the city's own, where they matter."""
    given = {
        "name": "one district",
        "admin_code": "330200",
        "timezone": "Asia/Shanghai",
        "version": "0" * 64,
        "speed_limit_kmh": None,
        "state_overrides": {},
        "rule_overrides": {},
        "districts": (District("330201", "all", shape),),
    }
    return City(**(given | fields))
