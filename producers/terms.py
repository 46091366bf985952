"""What a truck's permits together allow (design section 5), by the rules read plainly.

Used by `producers.conduct` to label offences, by `producers.hauls` to find ways that keep to a
permit, and by `producers.offences` to leave them. Shares no code with the engine.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point
from shapely.geometry.base import BaseGeometry

from geofences.city import Permit
from producers.fixes import Mask
from producers.terrain import Terrain

BORDER_M = 100.0
MINUTE_MS = 60_000
RECEIVES = ("disposal", "transfer")


class Terms:
    """Of a truck's active permits; none = no permit."""

    def __init__(self, terrain: Terrain, permits: Sequence[Permit]) -> None:
        self.permits = tuple(permits)
        self._terrain = terrain
        city = terrain.city
        route_ids = _pooled([permit.route_ids for permit in permits])
        self._routes = [
            (terrain.in_metres(route.shape), route.corridor_m)
            for route in city.routes
            if route.route_id in route_ids
        ]
        self.disposal_ids = _pooled([permit.disposal_site_ids for permit in permits])
        self.allowed = _pooled([self._districts(permit) for permit in permits])
        self._allowed_area = terrain.area(self.allowed) if self.allowed else None
        self._sites = shapely.union_all(
            [
                terrain.sites[site_id].reach
                for permit in permits
                for site_id in (*permit.source_site_ids, *permit.disposal_site_ids)
            ]
        )
        for shape in (self._sites, self._allowed_area, *(line for line, _ in self._routes)):
            if shape is not None:
                shapely.prepare(shape)

    def _districts(self, permit: Permit) -> tuple[str, ...]:
        if permit.districts:
            return permit.districts
        found = set()
        for site_id in (*permit.source_site_ids, *permit.disposal_site_ids):
            ground = self._terrain.sites[site_id]
            middle = shapely.centroid(ground.shape)
            found |= {
                ground.site.district
                or min(
                    (code for code, area in self._terrain.districts if area.intersects(middle)),
                    default="",
                )
            }
        for route in self._terrain.city.routes:
            if route.route_id in permit.route_ids:
                line = self._terrain.in_metres(route.shape)
                found |= {code for code, area in self._terrain.districts if area.intersects(line)}
        return tuple(sorted(found - {""}))

    def off_route(self, places: NDArray[np.object_]) -> Mask:
        """Where it is farther from every route than its corridor, and in reach of no own site."""
        away = np.full(len(places), bool(self._routes))
        for line, corridor_m in self._routes:
            away &= ~shapely.dwithin(line, places, corridor_m)
        away &= ~shapely.intersects(self._sites, places)
        return away

    def abroad(self, places: NDArray[np.object_], further: str | None = None) -> Mask:
        """Where it is farther than the border's width from every district that is allowed, and
        from the one `further`."""
        if self.permits and self._allowed_area is None:
            return np.zeros(len(places), bool)
        away = np.ones(len(places), bool)
        if self._allowed_area is not None:
            away &= ~shapely.dwithin(self._allowed_area, places, BORDER_M)
        if further is not None:
            away &= shapely.distance(self._terrain.area(frozenset({further})), places) > BORDER_M
        return away

    def foreign_area(self, further: str | None) -> BaseGeometry:
        """The districts that are neither allowed nor `further`."""
        if self.permits and not self.allowed:
            return Point()
        codes = {code for code, _ in self._terrain.districts}
        return self._terrain.area(frozenset(codes - self.allowed - {further}))

    def out_of_hours(self, time_ms: NDArray[np.int64]) -> Mask:
        """When no permit's hours hold."""
        if not all(permit.validity.windows for permit in self.permits):
            return np.zeros(len(time_ms), bool)
        minutes, which = np.unique(time_ms // MINUTE_MS, return_inverse=True)
        closed = []
        for minute in minutes.tolist():
            local = self._terrain.local(minute * MINUTE_MS)
            closed.append(not any(permit.validity.holds(local) for permit in self.permits))
        return np.array(closed)[which]

    def receiving(self, place: Point, local: datetime) -> list[str]:
        """The nearest disposal and the nearest transfer site in whose reach it lies."""
        nearest: dict[str, str] = {}
        for ground in self._terrain.in_reach(place, local):
            nearest.setdefault(ground.site.kind, ground.site.site_id)
        return [nearest[kind] for kind in RECEIVES if kind in nearest]


def _pooled(lists: Sequence[tuple[str, ...]]) -> frozenset[str]:
    """All together; nothing, which sets no limit, when one of them is empty."""
    return frozenset().union(*lists) if all(lists) else frozenset()
