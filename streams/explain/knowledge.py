"""What the engine knew at a fix, as the values and words of an explanation.

Called by `streams.explain.narrator`. It reads the truck's record and the survey; nothing is decided
here.
"""

import math
from typing import Any

from geofences.index import CONSTRUCTION, NONE
from geofences.lookup import site_named
from streams.catalogue import CATALOGUE, CONDITIONS
from streams.explain.clauses import permitted, sensed
from streams.explain.explanation import Known, Load, Named, Near, PermitSaid, Run, Verdict
from streams.explain.reasons import Disagreement, weigh
from streams.explain.situation import Change, Situation, kmh, metres, seconds
from streams.state import BASES, EMPTY, LOADED, NO_TIME, UNKNOWN


def known(s: Situation, given_kmh: float | None, empty_by: str) -> Known:
    """All that was known at a fix.

    `given_kmh`: the speed that the position gave; `empty_by`: how an empty truck is known to be.
    """
    speed_kmh = None if math.isnan(s.now.speed_kmh) else float(s.now.speed_kmh)
    place, facts = s.now.place, s.around.facts
    return Known(
        speed_kmh=speed_kmh,
        speed_words=_speed_words(s, speed_kmh, given_kmh),
        load=_load(s, empty_by),
        trip=_trip(s),
        district=_district(s, int(place.district)),
        sites_in_reach=[_site(s, site) for site in s.around.sites if site.in_reach],
        nearest_site=_nearest_site(s, int(facts.nearest_site), float(facts.nearest_site_m)),
        permits=[_permit(s, permit) for permit in s.around.permits],
        routes=sorted((_route(s, route) for route in s.around.routes), key=_distance),
        districts_allowed=_districts_allowed(s),
        no_go_zone=_zone(s, int(s.now.no_go_zone)),
        limit_kmh=None if math.isnan(s.now.limit_kmh) else float(s.now.limit_kmh),
        limit_words=_limit_words(s),
        stop=_stop(s),
        stay=_stay(s),
        happened=_happened(s),
        due=_due(s),
        rules=[_verdict(s, number) for number in range(len(CATALOGUE))],
    )


def _distance(near: Near) -> float:
    return near.distance_m


def _speed_words(s: Situation, speed_kmh: float | None, given_kmh: float | None) -> str:
    if given_kmh is not None:
        return f"{kmh(given_kmh)}, given"
    if speed_kmh is None:
        return "not known: none given, and none implied by a fix shortly before"
    return f"{kmh(speed_kmh)}, implied by the fix before"


def _load(s: Situation, empty_by: str) -> Load:
    truck, now = s.after.truck, s.now
    words = {
        UNKNOWN: "not known",
        EMPTY: f"empty, known by {empty_by}",
        LOADED: f"loaded, known by {BASES[truck.trip_basis]}",
    }[int(truck.loaded)]
    if truck.change_readings > 0 and truck.reported_loaded:
        becoming = "loaded" if truck.change_to == LOADED else "empty"
        need = int(s.limits.load_confirm)
        words += f"; becoming {becoming}: {truck.change_readings} of {need} readings (load_confirm)"
    if truck.readings_stale:
        words += "; readings of loaded are passed over since the dump by lift"
    load_kg = "not told" if math.isnan(now.load_kg) else f"{now.load_kg:g}"
    return Load(
        loaded=None if truck.loaded == UNKNOWN else bool(truck.loaded == LOADED),
        words=words,
        sensors=f"loaded {sensed(now.loaded)}, lifted {sensed(now.lifted)}, "
        f"covered {sensed(now.covered)}, load_kg {load_kg}",
    )


def _trip(s: Situation) -> str | None:
    truck = s.after.truck
    if truck.trip_ms == NO_TIME:
        return None
    distance_m = (int(truck.odometer_mm) - int(truck.trip_mm)) / 1000
    return (
        f"since {s.words.clock(int(truck.trip_ms), s.time_ms)}, {metres(distance_m)} so far, "
        f"source {s.words.site_named(int(truck.trip_source))}, "
        f"district of origin {s.words.district_named(int(truck.trip_origin))}"
    )


def _district(s: Situation, number: int) -> Named | None:
    if number == NONE:
        return None
    district = s.city.compiled.city.districts[number]
    return Named(district.code, district.name)


def _zone(s: Situation, number: int) -> Named | None:
    if number == NONE:
        return None
    zone = s.city.compiled.city.zones[number]
    return Named(zone.zone_id, zone.name)


def _site(s: Situation, answer: Any) -> Near:
    site = s.city.compiled.city.sites[answer.number]
    margin_m = s.city.thresholds.state["site_margin_m"]
    distance_m = float(answer.distance_m)
    return Near(site.site_id, site.name, distance_m, bool(answer.in_reach), margin_m)


def _nearest_site(s: Situation, number: int, distance_m: float) -> Near | None:
    if number == NONE:
        return None
    site = s.city.compiled.city.sites[number]
    margin_m = s.city.thresholds.state["site_margin_m"]
    in_reach = any(answer.number == number and answer.in_reach for answer in s.around.sites)
    return Near(site.site_id, site.name, distance_m, in_reach, margin_m)


def _permit(s: Situation, answer: Any) -> PermitSaid:
    row = s.city.compiled.index.permits[answer.number]
    limits = {
        "routes": row.n_routes,
        "districts": row.n_districts,
        "disposal sites": row.n_disposals,
    }
    return PermitSaid(
        permit_id=s.city.compiled.city.permits[answer.number].permit_id,
        in_date=bool(answer.is_active),
        hours_hold=bool(answer.holds),
        limits=[name for name, count in limits.items() if count],
    )


def _route(s: Situation, answer: Any) -> Near:
    route = s.city.compiled.city.routes[answer.number]
    distance_m = float(answer.distance_m)
    return Near(route.route_id, route.name, distance_m, bool(answer.in_corridor), route.corridor_m)


def _districts_allowed(s: Situation) -> list[Near]:
    allowed = permitted(s.around, "districts")
    border_m = s.city.thresholds.rules["cross-district-transit"]["border_m"]
    near = []
    for answer in s.around.districts:
        if answer.number in allowed:
            district = s.city.compiled.city.districts[answer.number]
            distance_m = float(answer.distance_m)
            within = bool(answer.near_for_transit)
            near.append(Near(district.code, district.name, distance_m, within, border_m))
    return sorted(near, key=_distance)


def _limit_words(s: Situation) -> str:
    if math.isnan(s.now.limit_kmh):
        return "none"
    zone = int(s.now.limit_zone)
    whose = "of the city" if zone == NONE else f"of zone {s.words.zone(zone)}"
    return f"{s.now.limit_kmh:g} km/h {whose}"


def _stop(s: Situation) -> str | None:
    truck = s.after.truck
    if truck.stop_ms == NO_TIME:
        return None
    began_ms = int(truck.stop_ms)
    reach = "outside every site's reach" if truck.stop_outside else "in a site's reach"
    return (
        f"since {s.words.clock(began_ms, s.time_ms)}, {seconds(s.time_ms - began_ms)}, "
        f"begun {reach}"
    )


def _stay(s: Situation) -> str | None:
    """Only a truck without a load sensor has stays."""
    truck = s.after.truck
    if truck.stay_site == NONE:
        return None
    began_ms = int(truck.change_ms)
    site = site_named(s.around.version.index, truck.stay_site)
    loads = s.city.compiled.index.sites[site].kind == CONSTRUCTION
    name, means = ("load_dwell_s", "loaded") if loads else ("dump_dwell_s", "emptied")
    dwell_s = s.city.thresholds.state[name]
    settled = "it has told" if truck.stay_settled else f"{name} {dwell_s:g} means {means}"
    return (
        f"at {s.words.site(site)} since {s.words.clock(began_ms, s.time_ms)}, "
        f"{seconds(s.time_ms - began_ms)}; {settled}"
    )


def _happened(s: Situation) -> list[str]:
    told = []
    if s.was_forgotten:
        told.append("the silence was longer than forget_s: the truck is new")
    if s.now.jumped:
        told.append("positions that agree with each other prove the jump: the truck is here")
    for verb, change in (("loaded", s.loading), ("dumped", s.dump)):
        if change is not None:
            told.append(f"{verb} at {_placed(s, change)}, known by {change.basis}")
    return told


def _placed(s: Situation, change: Change) -> str:
    place = change.around.now.place
    site = "" if place.site == NONE else f", site {change.words.site(int(place.site))}"
    return (
        f"{s.words.clock(change.time_ms, s.time_ms)}, {place.lon:.6f} {place.lat:.6f}{site}, "
        f"district {change.words.district(int(place.district))}"
    )


def _due(s: Situation) -> list[str]:
    """Earliest first; the earliest is what the engine itself waits for."""
    truck, limits = s.after.truck, s.limits
    due: list[tuple[int, str]] = []
    if truck.n_runs > 0:
        # A silence of max_gap_s does not end them yet.
        due.append((int(truck.last_ms + limits.max_gap_ms) + 1, "runs end"))
    if truck.loaded == LOADED and truck.outside and not truck.lost:
        due.append((int(truck.last_ms + limits.offline_ms), "signal-lost"))
    if truck.loaded == LOADED and truck.trip_source != NONE and not truck.overdue:
        due.append((int(truck.trip_ms + limits.max_trip_ms), "undelivered"))
    due.sort()
    if due and due[0][0] != s.around.facts.next_due_ms:
        raise Disagreement(f"the engine waits for {s.around.facts.next_due_ms}, told is {due}")
    return [f"{what} at {s.words.clock(time_ms, s.time_ms)}" for time_ms, what in due]


def _verdict(s: Situation, number: int) -> Verdict:
    rule = CATALOGUE[number]
    return Verdict(
        rule=rule.id,
        title=rule.title,
        title_en=rule.title_en,
        true=s.is_true(number),
        why=weigh(s, number),
        run=_run(s, number) if number in s.after.runs else None,
        ended=_ended(s, number) if number < len(CONDITIONS) else None,
    )


def _run(s: Situation, number: int) -> Run:
    run, limits = s.after.runs[number], s.limits
    lasted_ms = s.time_ms - int(run.started_ms)
    severe_ms = int(limits.severe_ms[number])
    if not run.opened:
        need = f"{limits.min_fixes[number]} fixes and {seconds(int(limits.min_ms[number]))}"
        words = f"opens at {need}"
    elif run.escalated:
        words = "opened, escalated"
    elif CATALOGUE[number].severe is None:
        words = "opened"
    else:
        words = f"opened, escalates at {seconds(severe_ms)}"
    return Run(int(run.fixes), lasted_ms / 1000, bool(run.opened), bool(run.escalated), words)


def _ended(s: Situation, number: int) -> str | None:
    before, after = s.before.runs.get(number), s.after.runs.get(number)
    if before is None or (after is not None and after.started_ms == before.started_ms):
        return None
    lasted = seconds(int(s.before.truck.last_ms) - int(before.started_ms))
    how = "closed" if before.opened else "ended before it opened"
    return f"a run of {_count(int(before.fixes), 'fix', 'fixes')}, {lasted}, {how}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
