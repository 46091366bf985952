"""The courses that offending trucks take: away from the permitted route, and what they do there.

Used by `producers.trips`. It only draws the course; what it breaks is for `producers.conduct` to
say.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points, substring

from producers.conduct import RECEIVES, Terms
from producers.drives import Way
from producers.hauls import Haul, is_clear
from producers.terrain import Terrain

BY_ROAD_KMH, BY_TRACK_KMH = 42.0, 24.0
FIELD_FROM_SITES_M = 150.0
DEEP_M, SHALLOW_M = 700.0, 350.0
"""How far behind the border a truck passes, or tips."""
FARTHEST_M = 7_000.0
WOBBLE_EVERY_M, WOBBLE_M = 250.0, 12.0

Kind = Literal[
    "off-route",
    "illegal-dumping",
    "suspected-dumping",
    "wrong-site",
    "site-closed",
    "cross-district-dumping",
    "cross-district-transit",
]
WITH_SENSORS: tuple[Kind, ...] = (
    "off-route",
    "illegal-dumping",
    "wrong-site",
    "site-closed",
    "cross-district-dumping",
    "cross-district-transit",
)
WITHOUT_SENSORS: tuple[Kind, ...] = ("off-route", "suspected-dumping", "cross-district-transit")


@dataclass(frozen=True)
class Halt:
    """A stand on the course; `tips`: the load is tipped."""

    tips: bool


@dataclass(frozen=True)
class Course:
    """From source to target: ways and halts in order, and whether the load is still there."""

    parts: tuple[Way | Halt, ...]
    arrives_loaded: bool = True


@dataclass(frozen=True)
class Setting:
    """What a course is drawn into. `origin`: the district of the source, where it is known."""

    terrain: Terrain
    terms: Terms
    haul: Haul
    origin: str | None
    chance: np.random.Generator


def plain_course(haul: Haul) -> Course:
    """Along the route."""
    return Course((haul.way,))


def draw(kind: Kind, setting: Setting) -> Course | None:
    """A course for an offence of this kind, somewhere by chance; None where there is no room."""
    return _DRAW[kind](setting)


def _off_route(setting: Setting) -> Course | None:
    """A bow beside the route."""
    line, chance = setting.haul.way.line, setting.chance
    from_m = chance.uniform(0.1, 0.6) * line.length
    to_m = from_m + chance.uniform(1_800, 3_000)
    if to_m > 0.92 * line.length:
        return None
    start, end = line.interpolate(from_m), line.interpolate(to_m)
    aside = _aside(start, end, chance.uniform(600, 1_000) * chance.choice([-1, 1]))
    middle = ((start.x + end.x) / 2 + aside[0], (start.y + end.y) / 2 + aside[1])
    bow = LineString(
        [
            (
                (1 - t) ** 2 * start.x + 2 * t * (1 - t) * middle[0] + t**2 * end.x,
                (1 - t) ** 2 * start.y + 2 * t * (1 - t) * middle[1] + t**2 * end.y,
            )
            for t in np.linspace(0, 1, 14)
        ]
    )
    return _course(setting, from_m, to_m, [bow], None)


def _beside_the_route(setting: Setting, *, tips: bool) -> Course | None:
    """Into a field a few hundred metres off."""
    line, chance = setting.haul.way.line, setting.chance
    from_m = chance.uniform(0.15, 0.85) * line.length
    start = line.interpolate(from_m)
    aside = _aside(start, line.interpolate(from_m + 30), chance.choice([-1, 1]))
    depth_m = chance.uniform(220, 270)
    field = Point(start.x + aside[0] * depth_m, start.y + aside[1] * depth_m)
    if not _is_field(field, setting.terrain):
        return None
    return _course(setting, from_m, from_m, [LineString([start, field])], Halt(tips), BY_TRACK_KMH)


def _wrong_site(setting: Setting) -> Course | None:
    """To a disposal or transfer site that no permit lists."""
    listed = setting.terms.disposal_ids
    line = setting.haul.way.line
    others = [
        ground
        for site_id, ground in setting.terrain.sites.items()
        if ground.site.kind in RECEIVES and listed and site_id not in listed
    ]
    near = [ground for ground in others if ground.shape.distance(line) <= FARTHEST_M]
    if not near:
        return None
    ground = near[setting.chance.integers(len(near))]
    return _there_and_back(setting, shapely.centroid(ground.shape), Halt(True))


def _cross_district_dumping(setting: Setting) -> Course | None:
    """Into a field behind the border."""
    field = _behind_the_border(setting, SHALLOW_M)
    if field is None or not _is_field(field, setting.terrain):
        return None
    return _there_and_back(setting, field, Halt(True))


def _cross_district_transit(setting: Setting) -> Course | None:
    """Through another district and back to the route."""
    place = _behind_the_border(setting, DEEP_M)
    return None if place is None else _there_and_back(setting, place, None)


_DRAW: dict[Kind, Callable[[Setting], Course | None]] = {
    "off-route": _off_route,
    "illegal-dumping": lambda setting: _beside_the_route(setting, tips=True),
    "suspected-dumping": lambda setting: _beside_the_route(setting, tips=False),
    "wrong-site": _wrong_site,
    # The offence lies in the hour alone.
    "site-closed": lambda setting: plain_course(setting.haul),
    "cross-district-dumping": _cross_district_dumping,
    "cross-district-transit": _cross_district_transit,
}


def _behind_the_border(setting: Setting, depth_m: float) -> Point | None:
    """A place so far inside the districts where the truck may not be, near the route."""
    foreign: BaseGeometry = setting.terms.foreign_area(setting.origin).buffer(-depth_m)
    line, chance = setting.haul.way.line, setting.chance
    start = line.interpolate(chance.uniform(0.1, 0.9) * line.length)
    if foreign.is_empty or foreign.distance(start) > FARTHEST_M:
        return None
    return nearest_points(foreign, start)[0]


def _there_and_back(setting: Setting, place: Point, halt: Halt | None) -> Course | None:
    line = setting.haul.way.line
    from_m = min(max(line.project(place), 0.05 * line.length), 0.95 * line.length)
    out = _wobbly(line.interpolate(from_m), place, setting.chance)
    return _course(setting, from_m, from_m, [out, out.reverse()], halt)


def _course(
    setting: Setting,
    from_m: float,
    to_m: float,
    lines: list[LineString],
    halt: Halt | None,
    top_kmh: float = BY_ROAD_KMH,
) -> Course | None:
    """Along the route to `from_m`, then the `lines` with a halt after the first, then on from
    `to_m`. A single line with a halt is driven back as well."""
    terrain, route = setting.terrain, setting.haul.way.line
    if not all(is_clear(line, terrain) for line in lines):
        return None
    if halt is not None and len(lines) == 1:
        lines = [lines[0], lines[0].reverse()]
    aside: list[Way | Halt] = [Way.along(line, terrain, top_kmh) for line in lines]
    if halt is not None:
        aside.insert(1, halt)
    return Course(
        (_stretch(route, 0, from_m, terrain), *aside, _stretch(route, to_m, route.length, terrain)),
        arrives_loaded=halt is None or not halt.tips,
    )


def _stretch(route: LineString, from_m: float, to_m: float, terrain: Terrain) -> Way:
    return Way.along(LineString(substring(route, from_m, to_m).coords), terrain)


def _is_field(place: Point, terrain: Terrain) -> bool:
    return all(
        ground.shape.distance(place) > FIELD_FROM_SITES_M for ground in terrain.sites.values()
    )


def _wobbly(start: Point, end: Point, chance: np.random.Generator) -> LineString:
    """A line as crooked as country roads."""
    pieces = max(2, int(start.distance(end) / WOBBLE_EVERY_M))
    along = np.linspace(0, 1, pieces + 1)
    stray_m = np.concatenate([[0.0], chance.normal(0, WOBBLE_M, pieces - 1), [0.0]])
    east, north = _aside(start, end, 1.0)
    return LineString(
        np.column_stack(
            [
                start.x + along * (end.x - start.x) + stray_m * east,
                start.y + along * (end.y - start.y) + stray_m * north,
            ]
        )
    )


def _aside(start: Point, end: Point, distance_m: float) -> tuple[float, float]:
    """So far to the left of the line from `start` to `end`."""
    length_m = math.hypot(end.x - start.x, end.y - start.y) or 1.0
    return (
        -(end.y - start.y) / length_m * distance_m,
        (end.x - start.x) / length_m * distance_m,
    )
