"""A city in metres, for the simulated fleet: where districts, sites and zones are.

Used by the simulator's parts. It answers with shapely and pyproj, the plain way, and shares no code
with the compiled index: what the simulator labels is another reading of the design than the
engine's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely import Point
from shapely.geometry.base import BaseGeometry

from geofences.city import City, Site

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

    def __init__(self, city: City) -> None:
        self.city = city
        self._zone = ZoneInfo(city.timezone)
        west, south, east, north = shapely.total_bounds([d.shape for d in city.districts])
        local = f"+proj=tmerc +datum=WGS84 +lon_0={(west + east) / 2} +lat_0={(south + north) / 2}"
        self._transformer = Transformer.from_crs("EPSG:4326", local, always_xy=True)
        margin_m = city.state_overrides.get("site_margin_m", SITE_MARGIN_M)
        self.districts = [(d.code, self.in_metres(d.shape)) for d in city.districts]
        self.sites = {site.site_id: self._ground(site, margin_m) for site in city.sites}
        zones = [(zone, self.in_metres(zone.shape)) for zone in city.zones]
        self.no_go = shapely.union_all([shape for zone, shape in zones if zone.kind == "no_go"])
        self.slow = [(shape, zone.limit_kmh) for zone, shape in zones if zone.limit_kmh is not None]
        for _, shape in self.districts:
            shapely.prepare(shape)

    def _ground(self, site: Site, margin_m: float) -> Ground:
        shape = self.in_metres(site.shape)
        if isinstance(shape, Point):
            shape = shape.buffer(site.radius_m, quad_segs=CIRCLE_SEGMENTS)
        reach = shape.buffer(margin_m, quad_segs=CIRCLE_SEGMENTS)
        shapely.prepare(reach)
        return Ground(site, shape, reach)

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

    def area(self, codes: frozenset[str]) -> BaseGeometry:
        """The districts with these codes as one shape."""
        return shapely.union_all([shape for code, shape in self.districts if code in codes])
