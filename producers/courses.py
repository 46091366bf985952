"""The course of one loaded trip: the ways and halts that a driver plans.

Used by `producers.offences`, which draws courses that offend, and by `producers.trips`, which has
them driven. It only draws; what a course breaks is for `producers.conduct` to say.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from shapely import LineString, Point

from producers.hauls import Haul
from producers.sensors import Equipment
from producers.terms import Terms
from producers.terrain import Terrain
from producers.ways import Journeys, Way

FIELD_FROM_SITES_M = 150.0
LONGEST_DETOUR_M = 12_000.0
IDLE_SHARE, IDLE_S = 0.05, (60.0, 400.0)
"""Of the trips of trucks that tell of their load: others would be suspected."""

HaltKind = Literal["idle", "parked", "tip", "load"]


@dataclass(frozen=True)
class Halt:
    """A stand on the course. `site_id`: of the site that serves the truck there."""

    kind: HaltKind
    lasts_s: float
    site_id: str | None = None


@dataclass(frozen=True)
class Course:
    """From source to target: ways and halts in order, and how the truck is handled."""

    parts: tuple[Way | Halt, ...]
    arrives_loaded: bool = True
    starts_loaded: bool = True
    load: float | None = None
    """Share of what the truck may carry; None = as usual."""
    is_covered: bool = True
    is_silent: bool = False
    """The terminal is off round its halt."""
    raised_s: float = 0.0
    """So long the truck drives on with its body lifted after the tip at the target."""


@dataclass(frozen=True)
class Setting:
    """What a course is drawn into. `origin`: the district of the source, where it is known."""

    terrain: Terrain
    terms: Terms
    journeys: Journeys
    haul: Haul
    equipment: Equipment
    origin: str | None
    chance: np.random.Generator

    @property
    def line(self) -> LineString:
        return self.haul.way.line


def plain_course(setting: Setting) -> Course:
    """Along the route, now and then with a short stand."""
    chance, way = setting.chance, setting.haul.way
    if setting.equipment.sensors and chance.random() < IDLE_SHARE:
        halt = Halt("idle", float(chance.uniform(*IDLE_S)))
        return stop_over(setting, float(chance.uniform(0.2, 0.8)) * way.length_m, [], halt, [])
    return Course((way,))


def stop_over(
    setting: Setting,
    from_m: float,
    out: Sequence[Way],
    halt: Halt | None,
    back: Sequence[Way],
    to_m: float | None = None,
) -> Course:
    """Along the route to `from_m`, then `out`, a halt and `back`, then on from `to_m`, which is
    `from_m` where it is not given."""
    route = setting.haul.way
    parts: list[Way | Halt | None] = [route.cut(0, from_m), *out, halt, *back]
    parts.append(route.cut(from_m if to_m is None else to_m, route.length_m))
    tips = halt is not None and halt.kind == "tip"
    return Course(tuple(part for part in parts if part is not None), arrives_loaded=not tips)


def there_and_back(
    setting: Setting, place: Point, halt: Halt | None, *, lawful: bool = True
) -> Course | None:
    """By road from the place of the route that is nearest; None where it is too far, or where one
    would turn in a tunnel."""
    line = setting.line
    if setting.terrain.tunnels.intersects(place):
        return None
    from_m = min(max(line.project(place), 0.05 * line.length), 0.95 * line.length)
    out = by_road(setting, line.interpolate(from_m), place, lawful=lawful)
    if out is None:
        return None
    back = Way.along(out.line.reverse(), setting.terrain)
    return stop_over(setting, from_m, [out], halt, [back])


def by_road(
    setting: Setting,
    start: Point,
    end: Point,
    *,
    lawful: bool = True,
    shunned: LineString | None = None,
) -> Way | None:
    """A way of a detour's length at most, and out of no-go zones where it is `lawful`."""
    line = setting.terrain.roads.path(start, end, shunned=shunned, lawful=lawful)
    if line is None or line.length > LONGEST_DETOUR_M:
        return None
    if lawful and not setting.terrain.is_clear(line):
        return None
    return Way.along(line, setting.terrain)


def field_beside(setting: Setting, start: Point, ahead: Point, depth_m: float) -> Point | None:
    """A field so far from the road that leads from `start` to `ahead`, on one of its sides."""
    aside_m = depth_m * setting.chance.choice([-1, 1])
    east, north = ahead.x - start.x, ahead.y - start.y
    length_m = math.hypot(east, north) or 1.0
    field = Point(start.x - north / length_m * aside_m, start.y + east / length_m * aside_m)
    away = all(
        ground.shape.distance(field) > FIELD_FROM_SITES_M
        for ground in setting.terrain.sites.values()
    )
    return field if away and not setting.terrain.tunnels.intersects(field) else None


def spur(setting: Setting, start: Point, field: Point) -> Way | None:
    """A track straight into a field."""
    line = LineString([start, field])
    return Way.along(line, setting.terrain) if setting.terrain.is_clear(line) else None
