"""A city in metres, for the simulated fleet: where districts, sites and zones are.

Used by the simulator's parts. It answers with shapely and pyproj, the plain way, and shares no code
with the compiled index: what the simulator labels is another reading of the design than the
engine's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry

from geofences.city import City, Site
from producers.road_map import RoadMap, roads_of_routes
from producers.road_network import RoadNetwork

NO_GO_MARGIN_M = 60.0
TUNNEL_WIDTH_M = 30.0
SITE_MARGIN_M = 50.0
CIRCLE_SEGMENTS = 32

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """A site in metres."""

    site: Site
    shape: BaseGeometry
    reach: BaseGeometry
    """Every place at most the city's `site_margin_m` from the shape."""


class Terrain:
    """The city in a plane of metres round its middle (design section 4)."""

    def __init__(self, city: City, road_map: RoadMap | None = None) -> None:
        """`road_map`: None = the permitted routes are all the roads there are."""
        self.city = city
        self._road_map = road_map
        self._zone = ZoneInfo(city.timezone)
        west, south, east, north = shapely.total_bounds([d.shape for d in city.districts])
        local = f"+proj=tmerc +datum=WGS84 +lon_0={(west + east) / 2} +lat_0={(south + north) / 2}"
        self._transformer = Transformer.from_crs("EPSG:4326", local, always_xy=True)
        margin_m = city.state_overrides.get("site_margin_m", SITE_MARGIN_M)
        self.districts = [(d.code, self.in_metres(d.shape)) for d in city.districts]
        self.sites = {site.site_id: self._ground(site, margin_m) for site in city.sites}
        zones = [(zone, self.in_metres(zone.shape)) for zone in city.zones]
        self.no_go = shapely.union_all([shape for zone, shape in zones if zone.kind == "no_go"])
        self.no_go_zones = [(zone, shape) for zone, shape in zones if zone.kind == "no_go"]
        self.slow = [(shape, zone.limit_kmh) for zone, shape in zones if zone.limit_kmh is not None]
        self.limits = [(zone, shape) for zone, shape in zones if zone.limit_kmh is not None]
        self.reaches = shapely.union_all([ground.reach for ground in self.sites.values()])
        for _, shape in zones:
            shapely.prepare(shape)
        shapely.prepare(self.reaches)
        for _, shape in self.districts:
            shapely.prepare(shape)

    def _ground(self, site: Site, margin_m: float) -> Ground:
        shape = self.in_metres(site.shape)
        if isinstance(shape, Point):
            shape = shape.buffer(site.radius_m, quad_segs=CIRCLE_SEGMENTS)
        reach = shape.buffer(margin_m, quad_segs=CIRCLE_SEGMENTS)
        shapely.prepare(reach)
        return Ground(site, shape, reach)

    @cached_property
    def roads(self) -> RoadNetwork:
        given = self._road_map or roads_of_routes(self.city)
        lines = [(kind, self.in_metres(line)) for kind, line in given.roads]
        return RoadNetwork(lines, self.no_go, NO_GO_MARGIN_M)

    @cached_property
    def built_up(self) -> BaseGeometry:
        """Where houses hide the sky."""
        return self._prepared(self._road_map.built_up if self._road_map else ())

    @cached_property
    def tunnels(self) -> BaseGeometry:
        lines = self._road_map.tunnels if self._road_map else ()
        return self._prepared(lines, TUNNEL_WIDTH_M / 2)

    def _prepared(self, shapes: Sequence[BaseGeometry], wider_m: float = 0.0) -> BaseGeometry:
        """All of them, in metres, as one."""
        union = shapely.union_all([self.in_metres(shape) for shape in shapes]).buffer(wider_m)
        shapely.prepare(union)
        return union

    def in_metres(self, shape: BaseGeometry) -> Any:
        """A shape in degrees as one in metres."""
        return shapely.transform(
            shape, lambda places: np.column_stack(self._transformer.transform(*places.T))
        )

    def in_degrees(self, east_m: Floats, north_m: Floats) -> tuple[Floats, Floats]:
        """Longitudes and latitudes."""
        lon, lat = self._transformer.transform(east_m, north_m, direction="INVERSE")
        return lon, lat

    def local(self, time_ms: float) -> datetime:
        """Wall-clock time in the city."""
        return datetime.fromtimestamp(time_ms / 1000, self._zone).replace(tzinfo=None)

    def epoch_ms(self, local: datetime) -> int:
        """The moment of a wall-clock time in the city."""
        return round(local.replace(tzinfo=self._zone).timestamp() * 1000)

    def in_reach(self, place: Point, local: datetime) -> list[Ground]:
        """The sites, in date, in whose reach `place` lies; the nearest first."""
        found = [
            (ground.shape.distance(place), ground.site.site_id, ground)
            for ground in self.sites.values()
            if ground.reach.intersects(place) and ground.site.validity.in_date(local)
        ]
        return [ground for _, _, ground in sorted(found, key=lambda item: item[:2])]

    def district_of(self, place: Point, local: datetime) -> str | None:
        """What the nearest site in reach states, else the polygon that holds the place."""
        for ground in self.in_reach(place, local):
            if ground.site.district is not None:
                return ground.site.district
        codes = [code for code, shape in self.districts if shape.intersects(place)]
        return min(codes, default=None)

    def is_clear(self, line: LineString) -> bool:
        """Whether the line keeps out of the no-go zones."""
        return self.no_go.is_empty or line.distance(self.no_go) > NO_GO_MARGIN_M

    def area(self, codes: frozenset[str]) -> BaseGeometry:
        """The districts with these codes as one shape."""
        return shapely.union_all([shape for code, shape in self.districts if code in codes])
