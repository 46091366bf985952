"""Where simulated trucks go: hauls from a construction site along a permitted route to a disposal
site, found in the permits of a city.

Used by `producers.fleet`. A haul that would break a rule however well it is driven is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import LineString, Point
from shapely.ops import linemerge

from geofences.city import Permit
from producers.terms import Terms
from producers.terrain import Ground, Terrain
from producers.ways import Journeys, Way

CHECK_EVERY_M = 25.0
PARKING_WITHIN_M = 8_000.0


@dataclass(frozen=True)
class Haul:
    """A way that a permit allows, between two sites that it lists."""

    permit: Permit
    source: Ground
    target: Ground
    way: Way
    back: Way

    @property
    def start(self) -> Point:
        return self.way.start

    @property
    def end(self) -> Point:
        return self.way.end


def find_hauls(terrain: Terrain, permits: Sequence[Permit], terms: Terms) -> list[Haul]:
    """The hauls under `permits`, which together set the `terms`."""
    routes = {route.route_id: route for route in terrain.city.routes}
    hauls = []
    for permit in permits:
        for route_id in permit.route_ids:
            line = terrain.in_metres(routes[route_id].shape)
            line = line if isinstance(line, LineString) else linemerge(line)
            if isinstance(line, LineString):
                hauls += [
                    Haul(permit, source, target, *_both_ways(oriented, terrain))
                    for source, target, oriented in _joined(terrain, permit, line)
                    if _is_lawful(oriented, terrain, terms)
                ]
    return hauls


def _joined(
    terrain: Terrain, permit: Permit, line: LineString
) -> Iterator[tuple[Ground, Ground, LineString]]:
    """The sites of the permit that the line joins, with the line from source to target."""
    first, last = Point(line.coords[0]), Point(line.coords[-1])
    for source in (terrain.sites[site_id] for site_id in permit.source_site_ids):
        for target in (terrain.sites[site_id] for site_id in permit.disposal_site_ids):
            if source.site.kind == "construction" and target.site.kind in ("disposal", "transfer"):
                if source.reach.intersects(first) and target.reach.intersects(last):
                    yield source, target, line
                elif source.reach.intersects(last) and target.reach.intersects(first):
                    yield source, target, line.reverse()


def _is_lawful(line: LineString, terrain: Terrain, terms: Terms) -> bool:
    along_m = np.arange(0.0, line.length, CHECK_EVERY_M)
    places: Any = shapely.line_interpolate_point(line, along_m)
    broken = terms.off_route(places) | terms.abroad(places)
    return not broken.any() and terrain.is_clear(line)


def _both_ways(line: LineString, terrain: Terrain) -> tuple[Way, Way]:
    return Way.along(line, terrain), Way.along(line.reverse(), terrain)


def parking_near(
    target: Ground, start: Point, terrain: Terrain, journeys: Journeys
) -> Point | None:
    """The nearest parking site that can be reached from `start`, a place in `target`."""
    near = sorted(
        (ground.shape.distance(target.shape), site_id)
        for site_id, ground in terrain.sites.items()
        if ground.site.kind == "parking"
    )
    for distance_m, site_id in near:
        place: Point = shapely.centroid(terrain.sites[site_id].shape)
        if distance_m <= PARKING_WITHIN_M and journeys.way(start, place) is not None:
            return place
    return None
