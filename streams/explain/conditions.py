"""The clauses of the condition rules, in the order in which `streams.rules` asks.

Called by `streams.explain.reasons`; a clause after one that fails is not asked.
"""

import math
from collections.abc import Iterator

from geofences.index import NONE
from streams.explain.clauses import (
    Clause,
    district_not_allowed,
    far_from_allowed,
    has_active,
    limit_words,
    moves,
    moves_loaded,
    over,
    permit_ids,
    permitted,
    sensed,
    site_words,
)
from streams.explain.situation import Situation, metres


def off_route(s: Situation) -> Iterator[Clause]:
    yield from moves_loaded(s)
    yield has_active(s.now)
    yield bool(s.now.limits_routes), limit_words(bool(s.now.limits_routes), "routes")
    routes = sorted(s.around.routes, key=lambda route: (not route.in_corridor, route.distance_m))
    first = routes[0]
    corridor_m = s.city.compiled.city.routes[first.number].corridor_m
    where = f"{metres(first.distance_m, corridor_m)} from route {s.words.route(first.number)}"
    if first.in_corridor:
        yield False, f"{where}, within its corridor {corridor_m:g} m"
    yield True, f"nearest is {where}, outside its corridor {corridor_m:g} m"
    sites = permitted(s.around, "sites")
    near = [site for site in s.around.sites if site.in_reach and site.number in sites]
    if near:
        yield False, "in the reach of permitted site " + site_words(s.around, near[0])
    yield True, "in the reach of no permitted site"


def no_permit(s: Situation) -> Iterator[Clause]:
    yield from moves_loaded(s)
    if s.around.active:
        yield False, "in date: permit " + permit_ids(s, s.around.active)
    elif s.around.permits:
        listed = [permit.number for permit in s.around.permits]
        yield True, f"listed by permit {permit_ids(s, listed)}, none of them in date"
    else:
        yield True, "no permit lists the truck"


def out_of_hours(s: Situation) -> Iterator[Clause]:
    yield from moves_loaded(s)
    yield has_active(s.now)
    holding = [p.number for p in s.around.permits if p.is_active and p.holds]
    at = s.words.moment(s.time_ms)[11:16]
    if holding:
        yield False, f"hours hold at {at}: permit {permit_ids(s, holding)}"
    yield s.now.holding_permits == 0, f"hours of none hold at {at}"


def cross_district_transit(s: Situation) -> Iterator[Clause]:
    yield from moves_loaded(s)
    yield has_active(s.now)
    yield bool(s.now.limits_districts), limit_words(bool(s.now.limits_districts), "districts")
    yield from district_not_allowed(s.around)
    border_m = s.city.thresholds.rules["cross-district-transit"]["border_m"]
    yield from far_from_allowed(s.around, border_m, "near_for_transit")


def no_go_zone(s: Situation) -> Iterator[Clause]:
    yield moves(s)
    zone = int(s.now.no_go_zone)
    if zone == NONE:
        yield False, "in no no-go zone that holds"
    else:
        yield True, f"in no-go zone {s.words.zone(zone)}, which holds"


def speeding(s: Situation) -> Iterator[Clause]:
    limit_kmh = float(s.now.limit_kmh)
    if math.isnan(limit_kmh):
        yield False, "no speed limit holds here"
    zone = int(s.now.limit_zone)
    whose = "of the city" if zone == NONE else f"of zone {s.words.zone(zone)}"
    yield over(float(s.now.speed_kmh), limit_kmh, f"the limit {limit_kmh:g} {whose}")


def uncovered_load(s: Situation) -> Iterator[Clause]:
    yield from moves_loaded(s)
    yield s.now.covered == 0, f"covered: {sensed(s.now.covered)}"


def lifted_moving(s: Situation) -> Iterator[Clause]:
    yield moves(s)
    yield s.now.lifted == 1, f"lifted: {sensed(s.now.lifted)}"


def overload(s: Situation) -> Iterator[Clause]:
    yield from moves_loaded(s)
    load_kg = float(s.now.load_kg)
    max_kg = float(s.city.compiled.index.trucks[s.after.truck.register].max_load_kg)
    if math.isnan(load_kg):
        yield False, "load_kg: not told"
    if math.isnan(max_kg):
        yield False, "the truck's max_load_kg is not known"
    tolerance = s.city.thresholds.rules["overload"]["tolerance"]
    allowed = f"max_load_kg {max_kg:g} × tolerance {tolerance:g}"
    over = load_kg > max_kg * s.limits.overload_tolerance
    yield bool(over), f"load {load_kg:g} kg, {'>' if over else 'not over'} {allowed}"
