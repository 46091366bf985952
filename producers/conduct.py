"""What a simulated trip breaks, by the rules of design section 6 read plainly.

Used by `producers.trips` to label offences and to see that other trips break nothing. It looks at
where the truck truly is, without the receiver's errors, and shares no code with the engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point
from shapely.geometry.base import BaseGeometry

from geofences.city import Permit
from producers.drives import Fixes
from producers.terrain import Floats, Terrain

BORDER_M = 100.0
MOVING_KMH = 5.0
RUN_FIXES = 3
SURE_S, TOO_SHORT_S = 75.0, 40.0
"""A run is found when it lasts 60 s; by how the fixes fall, one a little longer may not be."""
RECEIVES = ("disposal", "transfer")


@dataclass(frozen=True)
class Breach:
    """A rule broken from one moment to another, beginning at a place."""

    rule: str
    from_ms: int
    to_ms: int
    place: Point
    sure: bool
    """False where it may be too short to be found."""


class Terms:
    """What a truck's active permits together allow (design section 5)."""

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

    def off_route(self, places: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Where it is farther from every route than its corridor, and in reach of no own site."""
        away = np.full(len(places), bool(self._routes))
        for line, corridor_m in self._routes:
            away &= shapely.distance(line, places) > corridor_m
        return away & ~shapely.intersects(self._sites, places)

    def abroad(self, places: NDArray[np.object_], further: str | None = None) -> NDArray[np.bool_]:
        """Where it is farther than the border's width from every district that is allowed, and
        from the one `further`."""
        if self.permits and self._allowed_area is None:
            return np.zeros(len(places), bool)
        away = np.ones(len(places), bool)
        if self._allowed_area is not None:
            away &= shapely.distance(self._allowed_area, places) > BORDER_M
        if further is not None:
            away &= shapely.distance(self._terrain.area(frozenset({further})), places) > BORDER_M
        return away

    def foreign_area(self, further: str | None) -> BaseGeometry:
        """The districts that are neither allowed nor `further`."""
        if self.permits and not self.allowed:
            return Point()
        codes = {code for code, _ in self._terrain.districts}
        return self._terrain.area(frozenset(codes - self.allowed - {further}))

    def breaches_driving(self, fixes: Fixes) -> list[Breach]:
        """What is broken at the fixes at which the truck is known to be loaded."""
        moving = fixes.loaded & (fixes.speed_kmh > MOVING_KMH)
        places = _points(fixes.east_m, fixes.north_m)
        if not self.permits:
            return _runs("no-permit", moving, fixes)
        return [
            *_runs("off-route", moving & self.off_route(places), fixes),
            *_runs("cross-district-transit", moving & self.abroad(places), fixes),
        ]

    def breaches_tipping(
        self, place: Point, from_ms: int, to_ms: int, origin: str | None
    ) -> list[Breach]:
        """What a tip breaks; `origin` is the district that the trip is known to come from."""
        local = self._terrain.local(from_ms)
        rules = []
        receiving = self._receiving(place, local)
        if not receiving:
            rules.append("illegal-dumping")
        elif self.permits:
            listed = [one for one in receiving if not self.disposal_ids or one in self.disposal_ids]
            if not listed:
                rules.append("wrong-site")
            elif not any(self._terrain.sites[one].site.validity.holds(local) for one in listed):
                rules.append("site-closed")
        if origin is not None and self._terrain.district_of(place, local) is not None:
            spot = np.array([place], dtype=object)
            if self.abroad(spot, origin)[0]:
                rules.append("cross-district-dumping")
        return [Breach(rule, from_ms, to_ms, place, True) for rule in rules]

    def _receiving(self, place: Point, local: datetime) -> list[str]:
        """The nearest disposal and the nearest transfer site in whose reach it lies."""
        nearest: dict[str, str] = {}
        for ground in self._terrain.in_reach(place, local):
            nearest.setdefault(ground.site.kind, ground.site.site_id)
        return [nearest[kind] for kind in RECEIVES if kind in nearest]


def _pooled(lists: Sequence[tuple[str, ...]]) -> frozenset[str]:
    """All together; nothing, which sets no limit, when one of them is empty."""
    return frozenset().union(*lists) if all(lists) else frozenset()


def _points(east_m: Floats, north_m: Floats) -> NDArray[np.object_]:
    return np.asarray(shapely.points(east_m, north_m), dtype=object)


def _runs(rule: str, broken: NDArray[np.bool_], fixes: Fixes) -> list[Breach]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], broken, [False]])))
    breaches = []
    for first, end in edges.reshape(-1, 2).tolist():
        from_ms, to_ms = int(fixes.time_ms[first]), int(fixes.time_ms[end - 1])
        if end - first >= RUN_FIXES and to_ms - from_ms >= TOO_SHORT_S * 1000:
            place = Point(fixes.east_m[first], fixes.north_m[first])
            sure = to_ms - from_ms >= SURE_S * 1000
            breaches.append(Breach(rule, from_ms, to_ms, place, sure))
    return breaches
