"""What a violation says of the case: where, what was measured, against what (design section 7).

Called by `reference.report`. Plain: all distances by shapely, in the plane of the version in force
at the time of the place. It decides nothing; whether the rule was broken has been decided.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from geofences.city import Site
from geofences.hours import Validity
from reference.geometry import Place
from reference.model import Fix
from reference.permits import Pool
from reference.rules import (
    CONDITIONS,
    LOADED_CONDITIONS,
    Rules,
    limit_at,
    no_go_zones_at,
    permitted_receiving_sites,
)
from streams.catalogue import CATALOGUE, ENDED, REACHED

ROWS = {row.id: row for row in CATALOGUE}
"""Of these only titles and templates are read."""
RECEIVING = ("disposal", "transfer")
TOLD_WITH_NEAREST_SITE = {
    "unregistered-source": ("construction",),
    "illegal-dumping": RECEIVING,
    "suspected-dumping": ("construction", *RECEIVING, "parking"),
    "cross-district-dumping": ("construction", *RECEIVING, "parking"),
    "signal-lost": ("construction", *RECEIVING, "parking"),
}
"""Rules that are about being near no site, or about a dump: of what kinds of site. Where none's
reach holds the place, the nearest in date is told."""


@dataclass(frozen=True)
class Case:
    """A violation in one of its phases."""

    rule: str
    phase: str
    truck_id: str
    at: Place
    rules: Rules
    """Of the version in force at the time of `at`."""
    rules_when_known: Rules
    pool: Pool
    """The permits active then."""
    origin_district: str | None
    started_ms: int
    until_ms: int
    """Its end, else the moment at which it was detected."""
    fix: Fix | None
    """At which a run opened or escalated."""
    fixes: int | None
    """In the run."""

    @property
    def is_condition(self) -> bool:
        return self.rule in CONDITIONS or self.rule in LOADED_CONDITIONS


def evidence(case: Case) -> dict[str, Any]:
    """The fields of section 7 that tell of it in numbers and words."""
    row = ROWS[case.rule]
    measured, threshold = _measured(case), _threshold(case)
    message, message_en = _messages(case, measured, threshold)
    return {
        "title": row.title,
        "title_en": row.title_en,
        "message": message,
        "message_en": message_en,
        "place": _place(case),
        "measured": measured,
        "threshold": threshold,
    }


# --- what is concerned ---


def _concerned_site(case: Case) -> tuple[Site, float] | None:
    """The site that the place is in or that the rule is about, and how far it is."""
    here = case.at
    holding: Iterable[Site] = here.sites
    if case.rule in ("illegal-dumping", "wrong-site"):
        holding = [site for site in here.sites if site.kind in RECEIVING]
    elif case.rule == "site-closed":
        holding = permitted_receiving_sites(here, case.pool)
    elif case.rule == "unregistered-source":
        holding = [site for site in here.sites if site.kind == "construction"]
    nearest = next(iter(holding), None)
    if nearest is not None:
        return nearest, here.city_map.distance_to_site_m(here.point, nearest)
    kinds = TOLD_WITH_NEAREST_SITE.get(case.rule, ())
    return here.city_map.nearest_site_in_date(here.point, here.time_ms, kinds)


def _concerned_route(case: Case) -> tuple[str, float] | None:
    """The nearest of the routes that the active permits allow."""
    found = [
        (case.at.city_map.distance_to_route_m(case.at.point, route_id), route_id)
        for route_id in case.pool.all_route_ids
    ]
    if not found:
        return None
    distance_m, route_id = min(found)
    return route_id, distance_m


def _place(case: Case) -> dict[str, Any]:
    here, place = case.at, dict[str, Any]()
    if case.rule == "off-route" and (route := _concerned_route(case)):
        return {"route_id": route[0], "distance_m": _metres(route[1])}
    if case.rule == "no-go-zone":
        holding = no_go_zones_at(here)
        if not holding:
            zone = here.city_map.nearest_no_go_zone_in_date(here.point, here.time_ms)
            return {} if zone is None else {"zone_id": zone[0], "distance_m": _metres(zone[1])}
        place["zone_id"] = holding[0].zone_id
    if case.rule == "speeding" and (decides := limit_at(case.rules, here)[1]):
        place["zone_id"] = decides.zone_id
    if site := _concerned_site(case):
        place |= {"site_id": site[0].site_id, "distance_m": _metres(site[1])}
    return place


# --- what was measured, against what ---


Values = dict[str, float | str]


def _measured(case: Case) -> Values:
    """A run that is over is told by its length alone."""
    duration: Values = {"duration_s": _plain((case.until_ms - case.started_ms) / 1000)}
    if case.is_condition:
        assert case.fixes is not None
        duration["fixes"] = case.fixes
    return duration if case.phase == "closed" else duration | _quantity(case)


def _quantity(case: Case) -> Values:
    """What the rule compares with a threshold, but for durations."""
    local_time = f"{_local(case):%H:%M}"
    match case.rule:
        case "off-route":
            route = _concerned_route(case)
            assert route is not None
            return {"distance_m": _metres(route[1])}
        case "out-of-hours":
            return {"local_time": local_time}
        case "cross-district-transit" | "cross-district-dumping":
            return {"distance_m": _metres(_nearest_district(case)[1])}
        case "site-closed":
            site = _concerned_site(case)
            assert site is not None
            return {"distance_m": _metres(site[1]), "local_time": local_time}
        case "unregistered-source" | "illegal-dumping" | "wrong-site":
            site = _concerned_site(case)
            return {} if site is None else {"distance_m": _metres(site[1])}
        case "no-go-zone" | "speeding" | "lifted-moving":
            assert case.fix is not None
            assert case.fix.speed_kmh is not None
            return {"speed_kmh": _plain(round(case.fix.speed_kmh, 1))}
        case "overload":
            assert case.fix is not None
            assert case.fix.position.load_kg is not None
            return {"load_kg": _plain(case.fix.position.load_kg)}
    return {}


def _nearest_district(case: Case) -> tuple[str, float]:
    """Of those where it may be; two are equally near when a millimetre apart, then it is the lower
    code."""
    codes = set(case.pool.all_district_codes)
    if case.rule == "cross-district-dumping":
        assert case.origin_district is not None
        codes.add(case.origin_district)
    far_m = {code: case.at.city_map.distance_to_district_m(case.at.point, code) for code in codes}
    least_m = min(far_m.values())
    return min(code for code in codes if far_m[code] < least_m + 0.001), least_m


def _local(case: Case) -> datetime:
    return case.at.city_map.local(case.at.time_ms)


def _hours(case: Case, validity: Validity) -> str:
    """On the first day with its date, where the night before is not covered."""
    windows = [
        f"{_clock(window.start_min)}-{_clock((window.end_min - 1) % 1440 + 1)}"
        for window in validity.windows
    ]
    text, today = ";".join(windows), _local(case).date()
    over_midnight = any(window.end_min > 1440 for window in validity.windows)
    return f"{today:%Y-%m-%d} {text}" if over_midnight and validity.first == today else text


def _clock(minute: int) -> str:
    return "{:02d}:{:02d}".format(*divmod(minute, 60))


def _threshold(case: Case) -> Values:
    """The rule's own thresholds, and those of the city or its register that it goes by."""
    threshold: Values = {name: _plain(value) for name, value in case.rules.rules[case.rule].items()}
    match case.rule:
        case "off-route":
            if route := _concerned_route(case):
                threshold["corridor_m"] = _plain(case.rules.routes[route[0]])
        case "speeding":
            if case.phase != "closed":
                limit_kmh = limit_at(case.rules, case.at)[0]
                assert limit_kmh is not None
                threshold["limit_kmh"] = _plain(limit_kmh)
        case "overload":
            max_load_kg = case.rules.max_load_kg.get(case.truck_id)
            if max_load_kg is not None:
                threshold["max_load_kg"] = _plain(max_load_kg)
        case "suspected-dumping":
            threshold["dump_dwell_s"] = _plain(case.rules_when_known.state["dump_dwell_s"])
        case "out-of-hours":
            if case.phase != "closed":
                hours = [_hours(case, validity) for validity in case.pool.validities]
                threshold["hours"] = ";".join(sorted(set(hours), key=hours.index))
        case "unregistered-source" | "illegal-dumping" | "wrong-site" | "site-closed":
            threshold |= _threshold_at_site(case)
    return threshold


def _threshold_at_site(case: Case) -> Values:
    threshold: Values = {"site_margin_m": _plain(case.rules.state["site_margin_m"])}
    if case.rule == "wrong-site":
        threshold["disposal_site_ids"] = ";".join(sorted(case.pool.disposal_site_ids or ()))
    if case.rule == "site-closed" and (site := _concerned_site(case)):
        threshold["hours"] = _hours(case, site[0].validity)
    return threshold


# --- in words ---


def _messages(case: Case, measured: Values, threshold: Values) -> tuple[str, str]:
    row = ROWS[case.rule]
    chinese, english = row.message, row.message_en
    if case.phase == "closed":
        chinese, english = ENDED
    elif case.phase == "escalated":
        chinese, english = chinese + REACHED[0], english + REACHED[1]
    elif row.message_nowhere and "distance_m" not in measured:
        chinese, english = row.message_nowhere, row.message_nowhere_en
    values = {**threshold, **measured}
    return (
        chinese.format(
            title=row.title,
            **{name: _in_words(name, value, english=False) for name, value in values.items()},
            **(_names(case, english=False) if case.phase != "closed" else {}),
        ),
        english.format(
            title=row.title_en,
            severe=row.severe,
            **{name: _in_words(name, value, english=True) for name, value in values.items()},
            **(_names(case, english=True) if case.phase != "closed" else {}),
        ),
    )


def _in_words(name: str, value: float | str, *, english: bool) -> str:
    """As it is, up to a million; seconds as such below an hour."""
    if isinstance(value, str):
        return value
    text = f"{value}" if abs(value) < 1_000_000 else f"{value:g}"
    if not name.endswith("_s"):
        return text
    minutes, left_ms = divmod(round(value * 1000), 60_000)
    if minutes < 60:
        return f"{text} s" if english else f"{text} 秒"
    hours, minutes = divmod(minutes, 60)
    seconds = _plain(left_ms / 1000)
    if english:
        return f"{hours} h {minutes} min" + (f" {seconds} s" if seconds else "")
    told = [f"{hours} 小时", f"{minutes} 分", f"{seconds} 秒"]
    return " ".join(told if seconds else told[:2] if minutes else told[:1])


def _names(case: Case, *, english: bool) -> dict[str, str]:
    """What the sentence names: ids, each with its name."""
    city_map, names = case.at.city_map, dict[str, str]()
    if site := _concerned_site(case):
        names["site"] = _named(site[0].site_id, site[0].name)
    match case.rule:
        case "off-route":
            if route := _concerned_route(case):
                names["route"] = _named(route[0], city_map.names[route[0]])
        case "no-go-zone":
            zone = no_go_zones_at(case.at)[0]
            names["zone"] = _named(zone.zone_id, zone.name)
        case "speeding":
            names["limit_of"] = "city-wide" if english else "全市"
            if decides := limit_at(case.rules, case.at)[1]:
                zone_name = _named(decides.zone_id, decides.name)
                names["limit_of"] = f"zone {zone_name}" if english else f"限速区 {zone_name} "
        case "cross-district-transit" | "cross-district-dumping":
            names["here"] = "no district" if english else "不在任何区内"
            around = {"here": case.at.district, "origin": case.origin_district}
            around["nearest"] = _nearest_district(case)[0]
            for name, code in around.items():
                if code is not None:
                    names[name] = _named(code, city_map.names.get(code, ""))
        case "wrong-site":
            listed = sorted(case.pool.disposal_site_ids or ())
            shown = [_named(site_id, city_map.sites[site_id].name) for site_id in listed[:3]]
            names["permitted"] = (", " if english else "、").join(shown)
            if len(listed) > 3:
                more = f" and {len(listed) - 3} more" if english else f"等 {len(listed)} 处"
                names["permitted"] += more
    return names


def _named(one_id: str, name: str) -> str:
    return f"{one_id} {name}" if name and name != one_id else one_id


def _metres(distance_m: float) -> float:
    return _plain(round(distance_m, 1))


def _plain(value: float) -> float:
    """Whole numbers as such: 50, not 50.0."""
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else value
