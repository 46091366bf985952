"""A scalar Python reading of the engine's hot steps, position by position: what the core is held
against.

It is written as one would write it first, with shapely for the geometry and a dict for each truck,
and does what most of the work at a fix is made of: the quality gate, the district, the sites in
reach, whether the truck is loaded, and which condition rules are true, with their runs. It leaves
out what is rarer or dearer: inferred loads, dumps and trips, stops, what falls due, evidence and
words. So the engine does more than it is compared with. It is no second engine to test the first
one by; `tests/reference` has that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import shapely
from pyproj import Transformer
from shapely import STRtree
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import transform

from geofences.city import City
from streams.position import Position

SITE_MARGIN_M = 50.0
BORDER_M = 100.0
MOVING_KMH = 5.0
MAX_SPEED_KMH = 150.0
MAX_GAP_MS = 600_000
MIN_SATELLITES = 4
TOLERANCE = 1.05
OFFSET = timedelta(hours=8)
"""Shanghai's."""
DWELL = {
    "off-route": (3, 60),
    "no-permit": (3, 60),
    "out-of-hours": (3, 60),
    "cross-district-transit": (3, 60),
    "no-go-zone": (2, 0),
    "speeding": (3, 20),
    "uncovered-load": (3, 30),
    "lifted-moving": (2, 0),
    "overload": (3, 60),
}
"""Fixes and seconds that a condition must last before its violation opens (design section 6)."""


@dataclass(slots=True)
class _Run:
    first_ms: int
    fixes: int = 0
    is_open: bool = False


@dataclass(slots=True)
class _Truck:
    last_ms: int | None = None
    at: Point | None = None
    loaded: bool | None = None
    readings: int = 0
    runs: dict[str, _Run] = field(default_factory=dict)


class ScalarReading:
    """Reads positions one by one; `opened` counts the violations that opened."""

    def __init__(self, city: City) -> None:
        self._city = city
        west, south, east, north = shapely.total_bounds([d.shape for d in city.districts])
        self._project = Transformer.from_crs(
            "EPSG:4326",
            f"+proj=tmerc +datum=WGS84 +lon_0={(west + east) / 2} +lat_0={(south + north) / 2}",
            always_xy=True,
        ).transform
        self._districts = {d.code: self._metres(d.shape) for d in city.districts}
        self._sites = [self._site(site) for site in city.sites]
        self._site_tree = STRtree([shape.buffer(SITE_MARGIN_M) for shape in self._sites])
        self._zone_tree = STRtree([self._metres(zone.shape) for zone in city.zones])
        self._routes = {r.route_id: (self._metres(r.shape), r.corridor_m) for r in city.routes}
        for shape in [*self._districts.values(), *self._site_tree.geometries]:
            shapely.prepare(shape)
        self._max_load_kg = {truck.truck_id: truck.max_load_kg for truck in city.trucks}
        self._permits: dict[str, list[int]] = {}
        for number, permit in enumerate(city.permits):
            for truck_id in permit.truck_ids:
                self._permits.setdefault(truck_id, []).append(number)
        self._trucks: dict[str, _Truck] = {}
        self.opened = 0

    def read(self, positions: Sequence[Position]) -> None:
        for position in positions:
            self._take(position)
