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

import numpy as np
import shapely
from pyproj import Transformer
from shapely import STRtree
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from benchmarks.plane import Floats
from geofences.city import City, Site
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

    def _take(self, position: Position) -> None:
        truck = self._trucks.setdefault(position.truck_id, _Truck())
        if not _is_plausible(position) or not _is_later(position, truck):
            return
        at = Point(self._project(position.lon, position.lat))
        gap_ms = 0
        if truck.last_ms is not None and truck.at is not None:
            gap_ms = position.time_ms - truck.last_ms
            if at.distance(truck.at) / gap_ms * 3600 > MAX_SPEED_KMH:
                return
        truck.last_ms, truck.at = position.time_ms, at
        _read_load(position, truck)
        truths = self._conditions(position, at, truck)
        for rule, (fixes, seconds) in DWELL.items():
            self._follow(rule, fixes, seconds * 1000, rule in truths, gap_ms, position, truck)

    def _conditions(self, position: Position, at: Point, truck: _Truck) -> set[str]:
        """The rules that are true at a fix."""
        local = (datetime.fromtimestamp(position.time_ms / 1000, UTC) + OFFSET).replace(tzinfo=None)
        speed_kmh = position.speed_kmh or 0.0
        truths = self._in_zones(at, speed_kmh, local)
        if position.lifted and speed_kmh > MOVING_KMH:
            truths.add("lifted-moving")
        sites = {
            self._city.sites[number].site_id
            for number in self._site_tree.query(at, predicate="intersects").tolist()
            if self._city.sites[number].validity.in_date(local)
        }
        district = next((c for c, shape in self._districts.items() if shape.intersects(at)), None)
        if truck.loaded and speed_kmh > MOVING_KMH:
            truths |= self._while_loaded(position, at, local, sites, district)
        return truths

    def _in_zones(self, at: Point, speed_kmh: float, local: datetime) -> set[str]:
        truths = set()
        limits = [] if self._city.speed_limit_kmh is None else [self._city.speed_limit_kmh]
        zones = [
            self._city.zones[number]
            for number in self._zone_tree.query(at, predicate="intersects").tolist()
        ]
        holding = [zone for zone in zones if zone.validity.holds(local)]
        if speed_kmh > MOVING_KMH and any(zone.kind == "no_go" for zone in holding):
            truths.add("no-go-zone")
        here = [zone.limit_kmh for zone in holding if zone.limit_kmh is not None]
        if speed_kmh > min(here or limits, default=math.inf):
            truths.add("speeding")
        return truths

    def _while_loaded(
        self, position: Position, at: Point, local: datetime, sites: set[str], district: str | None
    ) -> set[str]:
        truths = set()
        if position.covered is False:
            truths.add("uncovered-load")
        most_kg = self._max_load_kg.get(position.truck_id)
        if most_kg is not None and (position.load_kg or 0.0) > most_kg * TOLERANCE:
            truths.add("overload")
        permits = [self._city.permits[n] for n in self._permits.get(position.truck_id, ())]
        active = [permit for permit in permits if permit.validity.in_date(local)]
        if not active:
            return truths | {"no-permit"}
        if not any(permit.validity.holds(local) for permit in active):
            truths.add("out-of-hours")
        permitted = {
            site for one in active for site in (*one.source_site_ids, *one.disposal_site_ids)
        }
        routes = [self._routes[name] for permit in active for name in permit.route_ids]
        at_ends = bool(sites & permitted)
        if routes and not at_ends and all(line.distance(at) > most_m for line, most_m in routes):
            truths.add("off-route")
        allowed = {code for permit in active for code in permit.districts}
        outside = bool(allowed) and district not in allowed
        if outside and all(self._districts[code].distance(at) > BORDER_M for code in allowed):
            truths.add("cross-district-transit")
        return truths

    def _follow(
        self,
        rule: str,
        fixes: int,
        least_ms: int,
        is_true: bool,
        gap_ms: int,
        position: Position,
        truck: _Truck,
    ) -> None:
        """Begin, continue or end the rule's run."""
        run = truck.runs.get(rule)
        if run is not None and (not is_true or gap_ms > MAX_GAP_MS):
            del truck.runs[rule]
            run = None
        if not is_true:
            return
        if run is None:
            run = truck.runs[rule] = _Run(position.time_ms)
        run.fixes += 1
        if not run.is_open and run.fixes >= fixes and position.time_ms - run.first_ms >= least_ms:
            run.is_open = True
            self.opened += 1

    def _metres(self, shape: BaseGeometry) -> BaseGeometry:
        def project(points: Floats) -> Floats:
            return np.column_stack(self._project(*points.T))

        return shapely.transform(shape, project)

    def _site(self, site: Site) -> BaseGeometry:
        shape = self._metres(site.shape)
        return shape.buffer(site.radius_m) if isinstance(site.shape, Point) else shape


def _is_plausible(position: Position) -> bool:
    if not (abs(position.lon) <= 180.0 and abs(position.lat) <= 90.0):
        return False
    if position.satellites is not None and position.satellites < MIN_SATELLITES:
        return False
    return position.located


def _is_later(position: Position, truck: _Truck) -> bool:
    return truck.last_ms is None or position.time_ms > truck.last_ms


def _read_load(position: Position, truck: _Truck) -> None:
    """Two readings in a row that agree change what is known."""
    if position.loaded is None or position.lifted or position.loaded == truck.loaded:
        truck.readings = 0 if position.loaded == truck.loaded else truck.readings
        return
    truck.readings += 1
    if truck.readings == 2:
        truck.loaded, truck.readings = position.loaded, 0
