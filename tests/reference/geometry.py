"""Where a place lies, by shapely and pyproj alone: the map the reference engine judges by.

Called by the rest of `reference`. It is the plain reading of design section 4 that the compiled
index is compared with, so it must know nothing of `geofences.index` and its grid.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from pyproj import Transformer
from shapely import Point
from shapely.geometry.base import BaseGeometry

from geofences.city import City, Permit, Site, Zone

BOUNDARY_M = 1e-6
"""Boundaries count as inside; a place this near to one lies on it."""


class CityMap:
    """A city in metres, `+proj=tmerc +datum=WGS84` centred on its districts' bounding box."""

    def __init__(self, city: City, site_margin_m: float) -> None:
        bounds = shapely.union_all([d.shape.envelope for d in city.districts]).bounds
        lon_0, lat_0 = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
        self._transformer = Transformer.from_crs(
            "+proj=longlat +datum=WGS84",
            f"+proj=tmerc +lat_0={lat_0!r} +lon_0={lon_0!r} +datum=WGS84",
            always_xy=True,
        )
        self._timezone = ZoneInfo(city.timezone)
        self.version = city.version
        self.site_margin_m = site_margin_m
        self.sites = {site.site_id: site for site in city.sites}
        self.names = {district.code: district.name for district in city.districts} | {
            route.route_id: route.name for route in city.routes
        }
        self._districts = {d.code: self._in_metres(d.shape) for d in city.districts}
        self._routes = {r.route_id: self._in_metres(r.shape) for r in city.routes}
        self._sites = {s.site_id: self._in_metres(s.shape) for s in city.sites}
        self._zones = [(zone, self._in_metres(zone.shape)) for zone in city.zones]

    def place(self, time_ms: int, lon: float, lat: float) -> "Place":
        """ValueError near the two points on the equator, 90 degrees east and west of the city,
        that a transverse Mercator sends to infinity: PROJ gives no metres there."""
        x_m, y_m = self._to_metres(lon, lat)
        if not (math.isfinite(x_m) and math.isfinite(y_m)):
            raise ValueError(f"PROJ cannot project {lon}, {lat}; give places nearer to the city")
        return Place(self, time_ms, lon, lat, Point(x_m, y_m))

    def local(self, time_ms: int) -> datetime:
        return datetime.fromtimestamp(time_ms / 1000, self._timezone)

    def reach_at(self, point: Point, time_ms: int) -> list[Site]:
        """The sites in whose reach the point lies at that time, nearest first."""
        local = self.local(time_ms)
        found = [
            (distance_m, site.site_id)
            for site in self.sites.values()
            if (distance_m := self.distance_to_site_m(point, site)) <= self.site_margin_m
            and site.validity.in_date(local)
        ]
        return [self.sites[site_id] for _, site_id in sorted(found)]

    def reaches(self, site: Site, point: Point, time_ms: int) -> bool:
        near = self.distance_to_site_m(point, site) <= self.site_margin_m
        return near and site.validity.in_date(self.local(time_ms))

    def district_of_point(self, point: Point) -> str | None:
        """By polygons alone; the lowest code where they overlap."""
        holding = [code for code, shape in self._districts.items() if _holds(shape, point)]
        return min(holding, default=None)

    def zones_at(self, point: Point, time_ms: int) -> list[Zone]:
        """The zones that hold at that time and in which the point lies."""
        local = self.local(time_ms)
        return [z for z, s in self._zones if _holds(s, point) and z.validity.holds(local)]

    def nearest_site_in_date(
        self, point: Point, time_ms: int, kinds: Iterable[str]
    ) -> tuple[Site, float] | None:
        """However far; the lower id of two that are equally far."""
        local = self.local(time_ms)
        found = [
            (self.distance_to_site_m(point, site), site.site_id)
            for site in self.sites.values()
            if site.kind in kinds and site.validity.in_date(local)
        ]
        if not found:
            return None
        distance_m, site_id = min(found)
        return self.sites[site_id], distance_m

    def nearest_no_go_zone_in_date(self, point: Point, time_ms: int) -> tuple[str, float] | None:
        """However far, and whatever its hours; the lower id of two that are equally far."""
        local = self.local(time_ms)
        found = [
            (_distance_m(shape, point), zone.zone_id)
            for zone, shape in self._zones
            if zone.kind == "no_go" and zone.validity.in_date(local)
        ]
        if not found:
            return None
        distance_m, zone_id = min(found)
        return zone_id, distance_m

    def distance_to_route_m(self, point: Point, route_id: str) -> float:
        return _distance_m(self._routes[route_id], point)

    def has_district(self, code: str) -> bool:
        return code in self._districts

    def distance_to_site_m(self, point: Point, site: Site) -> float:
        return max(0.0, _distance_m(self._sites[site.site_id], point) - site.radius_m)

    def distance_to_district_m(self, point: Point, code: str) -> float:
        return _distance_m(self._districts[code], point)

    def districts_of_permit(self, permit: Permit) -> frozenset[str]:
        """The districts it allows; empty = no limit."""
        if permit.districts:
            return frozenset(permit.districts)
        return frozenset(self._districts_of_its_sites(permit)) | frozenset(
            code
            for route_id in permit.route_ids
            for code, shape in self._districts.items()
            if _holds(shape, self._routes[route_id])
        )

    def _districts_of_its_sites(self, permit: Permit) -> Iterable[str]:
        for site_id in permit.source_site_ids + permit.disposal_site_ids:
            code = self.sites[site_id].district
            if code is None:
                code = self.district_of_point(self._sites[site_id].centroid)
            if code is not None:
                yield code

    def _in_metres(self, shape: BaseGeometry) -> BaseGeometry:
        # The stubs of shapely know no function of two arguments.
        return shapely.transform(shape, self._to_metres, interleaved=False)  # type: ignore[arg-type]

    def _to_metres(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        x_m, y_m = self._transformer.transform(lon, lat)
        return x_m, y_m


@dataclass(frozen=True)
class Place:
    """A point at a moment, and what holds it then."""

    city_map: CityMap
    time_ms: int
    lon: float
    lat: float
    point: Point

    def distance_m(self, other: "Place") -> float:
        """To a later place, in the plane of that one's version."""
        if other.city_map is not self.city_map:
            return other.city_map.place(self.time_ms, self.lon, self.lat).distance_m(other)
        return math.hypot(self.point.x - other.point.x, self.point.y - other.point.y)

    @cached_property
    def sites(self) -> list[Site]:
        """Those in whose reach it lies, nearest first."""
        return self.city_map.reach_at(self.point, self.time_ms)

    @cached_property
    def zones(self) -> list[Zone]:
        return self.city_map.zones_at(self.point, self.time_ms)

    @cached_property
    def district(self) -> str | None:
        if self.sites and self.sites[0].district is not None:
            return self.sites[0].district
        return self.city_map.district_of_point(self.point)

    def nearest(self, *kinds: str) -> Site | None:
        return next((site for site in self.sites if site.kind in kinds), None)

    def same_site(self, site: Site | None) -> Site | None:
        """The site of that id in this place's version of the city."""
        return None if site is None else self.city_map.sites.get(site.site_id)

    def in_reach_of(self, site: Site | None) -> bool:
        here = self.same_site(site)
        return here is not None and self.city_map.reaches(here, self.point, self.time_ms)


def _holds(shape: BaseGeometry, other: BaseGeometry) -> bool:
    return bool(shape.intersects(other)) or shape.distance(other) <= BOUNDARY_M


def _distance_m(shape: BaseGeometry, point: Point) -> float:
    return 0.0 if _holds(shape, point) else float(shape.distance(point))
