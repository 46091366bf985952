"""The offences of the simulated fleet: a table with a row for each rule, and how each is drawn.

Used by `producers.trips`. A new kind of offence is a row and a function that draws its course;
`producers.conduct` must know its rule, for only a course that surely breaks the rule is driven.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import shapely
from shapely import Point
from shapely.ops import nearest_points

from producers.courses import (
    Course,
    Halt,
    Setting,
    by_road,
    field_beside,
    plain_course,
    spur,
    stop_over,
    there_and_back,
)
from producers.hauls import parking_near
from producers.sensors import Equipment
from producers.terms import RECEIVES
from producers.ways import SLOW_MARGIN_M

DEEP_M, SHALLOW_M = 700.0, 300.0
"""How far behind the border a truck passes, or tips."""
FARTHEST_M = 8_000.0
"""From the route."""
TIP_S, SUSPECT_S, LOAD_S = (120.0, 240.0), (260.0, 420.0), (300.0, 600.0)
SILENT_S = (720.0, 1_500.0)
UNDELIVERED_S = (14_700.0, 18_000.0)
FAST_M = (1_300.0, 2_600.0)

Draw = Callable[[Setting], Course | None]
Occasion = Literal["trip", "loading", "overtime"]


@dataclass(frozen=True)
class Offence:
    """`draw` gives a course for it, somewhere by chance, or None where there is no room."""

    rule: str
    draw: Draw
    fits: Callable[[Equipment], bool] = lambda _: True
    """Whether a truck equipped like that can be found out, and by this rule."""
    occasion: Occasion = "trip"
    """On a trip; instead of loading at a site; or after hours."""


def _tells(equipment: Equipment) -> bool:
    return equipment.sensors


def _off_route(setting: Setting) -> Course | None:
    """By other roads from one place of the route to another."""
    chance, line = setting.chance, setting.line
    from_m = chance.uniform(0.05, 0.6) * line.length
    to_m = from_m + chance.uniform(2_500, 7_000)
    if to_m > 0.95 * line.length:
        return None
    start, end = line.interpolate(from_m), line.interpolate(to_m)
    way = by_road(setting, start, end, shunned=line)
    return None if way is None else stop_over(setting, from_m, [way], None, [], to_m)


def _field_trip(setting: Setting, halt: Halt) -> Course | None:
    """Into a field, beside the route or on a back road."""
    if setting.chance.random() < 0.5:
        return _beside_the_route(setting, halt)
    place = _back_road(setting)
    return None if place is None else there_and_back(setting, place, halt)


def _beside_the_route(setting: Setting, halt: Halt) -> Course | None:
    line, chance = setting.line, setting.chance
    from_m = chance.uniform(0.15, 0.85) * line.length
    start = line.interpolate(from_m)
    depth_m = chance.uniform(220, 270)
    field = field_beside(setting, start, line.interpolate(from_m + 30), depth_m)
    way = spur(setting, start, field) if field is not None else None
    back = spur(setting, field, start) if field is not None else None
    return stop_over(setting, from_m, [way], halt, [back]) if way and back else None


def _back_road(setting: Setting) -> Point | None:
    """A field on some road near the route."""
    roads, chance = setting.terrain.roads.roads, setting.chance
    road = roads[int(chance.integers(len(roads)))].line
    at_m = chance.uniform(0.2, 0.8) * road.length
    start = road.interpolate(at_m)
    if start.distance(setting.line) > FARTHEST_M / 2:
        return None
    return field_beside(setting, start, road.interpolate(at_m + 10), chance.uniform(80, 200))


def _illegal_dumping(setting: Setting) -> Course | None:
    return _field_trip(setting, Halt("tip", setting.chance.uniform(*TIP_S)))


def _suspected_dumping(setting: Setting) -> Course | None:
    return _field_trip(setting, Halt("idle", setting.chance.uniform(*SUSPECT_S)))


def _wrong_site(setting: Setting) -> Course | None:
    """To a disposal or transfer site that no permit lists."""
    listed = setting.terms.disposal_ids
    near = [
        ground
        for site_id, ground in setting.terrain.sites.items()
        if ground.site.kind in RECEIVES
        and listed
        and site_id not in listed
        and ground.shape.distance(setting.line) <= FARTHEST_M
    ]
    if not near:
        return None
    ground = near[int(setting.chance.integers(len(near)))]
    halt = Halt("tip", setting.chance.uniform(*TIP_S), ground.site.site_id)
    return there_and_back(setting, shapely.centroid(ground.shape), halt)


def _cross_district_dumping(setting: Setting) -> Course | None:
    """Into a field behind the border."""
    border = _behind_the_border(setting, SHALLOW_M)
    if border is None:
        return None
    road = setting.terrain.roads.nearest(border)
    field = field_beside(setting, *road, setting.chance.uniform(80, 200))
    if field is None:
        return None
    return there_and_back(setting, field, Halt("tip", setting.chance.uniform(*TIP_S)))


def _cross_district_transit(setting: Setting) -> Course | None:
    """Through another district and back to the route."""
    border = _behind_the_border(setting, DEEP_M)
    if border is None:
        return None
    place, _ = setting.terrain.roads.nearest(border)
    return there_and_back(setting, place, None)


def _behind_the_border(setting: Setting, depth_m: float) -> Point | None:
    """A place so far inside the districts where the truck may not be, near the route."""
    foreign = setting.terms.foreign_area(setting.origin).buffer(-depth_m)
    start = setting.line.interpolate(setting.chance.uniform(0.1, 0.9), normalized=True)
    if foreign.is_empty or foreign.distance(start) > FARTHEST_M:
        return None
    return nearest_points(foreign, start)[0]


def _no_go_zone(setting: Setting) -> Course | None:
    """Through a zone that is closed."""
    zones = [
        shape
        for _, shape in setting.terrain.no_go_zones
        if shape.distance(setting.line) <= FARTHEST_M
    ]
    if not zones:
        return None
    zone = zones[int(setting.chance.integers(len(zones)))]
    return there_and_back(setting, shapely.point_on_surface(zone), None, lawful=False)


def _speeding(setting: Setting) -> Course | None:
    """Fast for a while: in a zone with a limit where the route has one, or anywhere."""
    chance, way, terrain = setting.chance, setting.haul.way, setting.terrain
    stretches = []
    for shape, limit_kmh in terrain.slow:
        inside = shapely.get_coordinates(way.line.intersection(shape))
        if len(inside):
            ends_m = shapely.line_locate_point(way.line, shapely.points(inside))
            stretches.append((ends_m.min() - SLOW_MARGIN_M, ends_m.max(), limit_kmh))
    if terrain.city.speed_limit_kmh is not None:
        from_m = chance.uniform(0.1, 0.7) * way.length_m
        stretches.append((from_m, from_m + chance.uniform(*FAST_M), terrain.city.speed_limit_kmh))
    if not stretches:
        return None
    from_m, to_m, limit_kmh = stretches[int(chance.integers(len(stretches)))]
    return Course((way.hastened(from_m, to_m, limit_kmh * chance.uniform(1.35, 1.6)),))


def _uncovered_load(setting: Setting) -> Course | None:
    return replace(plain_course(setting), is_covered=False)


def _overload(setting: Setting) -> Course | None:
    return replace(plain_course(setting), load=float(setting.chance.uniform(1.15, 1.5)))


def _lifted_moving(setting: Setting) -> Course | None:
    """Away from the tip before the body is down."""
    return replace(plain_course(setting), raised_s=float(setting.chance.uniform(45, 100)))


def _signal_lost(setting: Setting) -> Course | None:
    """A stand, with the terminal off from before to after."""
    halt = Halt("idle", setting.chance.uniform(*SILENT_S))
    from_m = setting.chance.uniform(0.25, 0.75) * setting.line.length
    return replace(stop_over(setting, from_m, [], halt, []), is_silent=True)


def _undelivered(setting: Setting) -> Course | None:
    """The load stays on the truck, which is parked for hours."""
    haul = setting.haul
    place = parking_near(haul.target, haul.end, setting.terrain, setting.journeys)
    if place is None:
        return None
    return there_and_back(setting, place, Halt("parked", setting.chance.uniform(*UNDELIVERED_S)))


def _unregistered_source(setting: Setting) -> Course | None:
    """Empty away from the site, to be loaded in a field."""
    course = _beside_the_route(setting, Halt("load", setting.chance.uniform(*LOAD_S)))
    return course and replace(course, starts_loaded=False)


OFFENCES = (
    Offence("off-route", _off_route),
    Offence("out-of-hours", plain_course, occasion="overtime"),
    Offence("cross-district-transit", _cross_district_transit),
    Offence("no-go-zone", _no_go_zone),
    Offence("speeding", _speeding),
    Offence("uncovered-load", _uncovered_load, _tells),
    Offence("lifted-moving", _lifted_moving, lambda equipment: equipment.lift),
    Offence("overload", _overload, lambda equipment: equipment.scales),
    Offence("unregistered-source", _unregistered_source, _tells, "loading"),
    Offence("illegal-dumping", _illegal_dumping, _tells),
    Offence("suspected-dumping", _suspected_dumping, lambda equipment: not equipment.sensors),
    Offence("wrong-site", _wrong_site, _tells),
    # The offence lies in the hour alone.
    Offence("site-closed", plain_course, _tells),
    Offence("cross-district-dumping", _cross_district_dumping, _tells),
    Offence("signal-lost", _signal_lost),
    Offence("undelivered", _undelivered),
)
"""All but `no-permit`, which is the truck's own (`producers.fleet`)."""


def possible(
    occasions: Collection[Occasion], equipment: Equipment, chance: np.random.Generator
) -> list[Offence]:
    """The offences that such a truck may commit then, in an order by chance."""
    some = [one for one in OFFENCES if one.occasion in occasions and one.fits(equipment)]
    return [some[number] for number in chance.permutation(len(some))]
