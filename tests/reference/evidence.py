"""What a violation says of the case: where, what was measured, against what (design section 7).

Called by `reference.report`. Plain: all distances by shapely, in the plane of the version in force
at the time of the place. It decides nothing; whether the rule was broken has been decided.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from geofences.city import Site
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
from streams.catalogue import CATALOGUE

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


def _measured(case: Case) -> dict[str, float]:
    """A run that is over is told by its length alone."""
    duration = {"duration_s": _plain((case.until_ms - case.started_ms) / 1000)}
    if case.is_condition:
        assert case.fixes is not None
        duration["fixes"] = case.fixes
    return duration if case.phase == "closed" else duration | _quantity(case)


def _quantity(case: Case) -> dict[str, float]:
    """What the rule compares with a threshold, but for durations."""
    match case.rule:
        case "off-route":
            route = _concerned_route(case)
            assert route is not None
            return {"distance_m": _metres(route[1])}
        case "cross-district-transit":
            return {"distance_m": _metres(_to_nearest_district_m(case, set()))}
        case "cross-district-dumping":
            assert case.origin_district is not None
            return {"distance_m": _metres(_to_nearest_district_m(case, {case.origin_district}))}
        case "unregistered-source" | "illegal-dumping" | "wrong-site" | "site-closed":
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


def _to_nearest_district_m(case: Case, also: set[str]) -> float:
    codes = also | case.pool.all_district_codes
    return min(case.at.city_map.distance_to_district_m(case.at.point, code) for code in codes)


def _threshold(case: Case) -> dict[str, float]:
    """The rule's own thresholds, and those of the city or its register that it goes by."""
    threshold = {name: _plain(value) for name, value in case.rules.rules[case.rule].items()}
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
        case "unregistered-source" | "illegal-dumping" | "wrong-site" | "site-closed":
            threshold["site_margin_m"] = _plain(case.rules.state["site_margin_m"])
    return threshold


# --- in words ---


def _messages(
    case: Case, measured: dict[str, float], threshold: dict[str, float]
) -> tuple[str, str]:
    row = ROWS[case.rule]
    if case.phase == "closed":
        lasted = measured["duration_s"]
        return f"{row.title}结束，共 {lasted} 秒", f"{row.title_en}: ended, {lasted} s in all"
    if "distance_m" in row.message and "distance_m" not in measured:
        return (
            f"{row.title}：全市没有在有效期内的此类场所",
            f"{row.title_en}: the city has no such site in date",
        )
    numbers = {**threshold, **measured}
    return row.message.format(**numbers), row.message_en.format(**numbers)


def _metres(distance_m: float) -> float:
    return _plain(round(distance_m, 1))


def _plain(value: float) -> float:
    """Whole numbers as such: 50, not 50.0."""
    return int(value) if float(value).is_integer() else value
