"""The rules of design section 6: what is true at a fix, and what a dump breaks.

Called by the engine at each fix and each dump event. Pure: they read what is known and say yes or
no; when a violation opens and closes is the engine's business.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from geofences.city import City, Site, Zone
from reference.geometry import CityMap, Place
from reference.model import RULE_THRESHOLDS, STATE_THRESHOLDS, Fix
from reference.permits import Pool


def ms(seconds: float) -> int:
    return round(1000 * seconds)


@dataclass(frozen=True)
class Rules:
    """The city's map and thresholds, as the rules read them."""

    city_map: CityMap
    state: Mapping[str, float]
    rules: Mapping[str, Mapping[str, float]]
    speed_limit_kmh: float | None
    routes: Mapping[str, float]
    """Corridor in metres, by route id."""
    max_load_kg: Mapping[str, float | None]
    companies: Mapping[str, str | None]

    @classmethod
    def of(cls, city: City) -> "Rules":
        state = {**STATE_THRESHOLDS, **city.state_overrides}
        return cls(
            city_map=CityMap(city, state["site_margin_m"]),
            state=state,
            rules={
                rule: {**defaults, **city.rule_overrides.get(rule, {})}
                for rule, defaults in RULE_THRESHOLDS.items()
            },
            speed_limit_kmh=city.speed_limit_kmh,
            routes={route.route_id: route.corridor_m for route in city.routes},
            max_load_kg={truck.truck_id: truck.max_load_kg for truck in city.trucks},
            companies={truck.truck_id: truck.company for truck in city.trucks},
        )

    def is_longer(self, start: Fix, end: Fix, threshold: str) -> bool:
        return end.time_ms - start.time_ms > ms(self.state[threshold])

    def has_lasted(self, start: Fix, end: Fix, threshold: str) -> bool:
        return end.time_ms - start.time_ms >= ms(self.state[threshold])

    def is_moving(self, fix: Fix) -> bool:
        return fix.speed_kmh is not None and fix.speed_kmh > self.state["stop_speed_kmh"]

    def is_slow(self, fix: Fix) -> bool:
        return fix.speed_kmh is not None and fix.speed_kmh <= self.state["stop_speed_kmh"]

    def is_beyond(self, place: Place, district_codes: frozenset[str], border_m: float) -> bool:
        """Farther than `border_m` from each of the districts."""
        return all(
            self.city_map.distance_to_district_m(place.point, code) > border_m
            for code in district_codes
        )


def _off_route(rules: Rules, fix: Fix, pool: Pool) -> bool:
    if pool.is_empty or pool.route_ids is None:
        return False
    if any(fix.place.in_reach_of(rules.city_map.sites[site_id]) for site_id in pool.site_ids):
        return False
    return all(
        rules.city_map.distance_to_route_m(fix.place.point, route_id) > rules.routes[route_id]
        for route_id in pool.route_ids
    )


def _no_permit(rules: Rules, fix: Fix, pool: Pool) -> bool:
    return pool.is_empty


def _out_of_hours(rules: Rules, fix: Fix, pool: Pool) -> bool:
    return not pool.is_empty and not pool.any_holds


def _cross_district_transit(rules: Rules, fix: Fix, pool: Pool) -> bool:
    if pool.is_empty or pool.district_codes is None:
        return False
    if fix.place.district in pool.district_codes:
        return False
    border_m = rules.rules["cross-district-transit"]["border_m"]
    return rules.is_beyond(fix.place, pool.district_codes, border_m)


def _uncovered_load(rules: Rules, fix: Fix, pool: Pool) -> bool:
    return fix.position.covered is False


def _overload(rules: Rules, fix: Fix, pool: Pool) -> bool:
    max_load_kg = rules.max_load_kg.get(fix.position.truck_id)
    if fix.position.load_kg is None or max_load_kg is None:
        return False
    return fix.position.load_kg > max_load_kg * rules.rules["overload"]["tolerance"]


def _no_go_zone(rules: Rules, fix: Fix) -> bool:
    return rules.is_moving(fix) and bool(no_go_zones_at(fix.place))


def no_go_zones_at(place: Place) -> list[Zone]:
    """Those that hold there and then, the lowest id first."""
    found = [zone for zone in place.zones if zone.kind == "no_go"]
    return sorted(found, key=lambda zone: zone.zone_id)


def limit_at(rules: Rules, place: Place) -> tuple[float | None, Zone | None]:
    """The speed limit, and the zone that sets it; the lowest id of several that do."""
    found = [
        (zone.limit_kmh, zone.zone_id, zone) for zone in place.zones if zone.limit_kmh is not None
    ]
    if not found:
        return rules.speed_limit_kmh, None
    limit_kmh, _, zone = min(found)
    return limit_kmh, zone


def _speeding(rules: Rules, fix: Fix) -> bool:
    limit_kmh, _ = limit_at(rules, fix.place)
    return fix.speed_kmh is not None and limit_kmh is not None and fix.speed_kmh > limit_kmh


def _lifted_moving(rules: Rules, fix: Fix) -> bool:
    return fix.position.lifted is True and rules.is_moving(fix)


LOADED_CONDITIONS: Mapping[str, Callable[[Rules, Fix, Pool], bool]] = {
    "off-route": _off_route,
    "no-permit": _no_permit,
    "out-of-hours": _out_of_hours,
    "cross-district-transit": _cross_district_transit,
    "uncovered-load": _uncovered_load,
    "overload": _overload,
}
"""Those marked with a dagger: they need a loaded, moving truck."""
CONDITIONS: Mapping[str, Callable[[Rules, Fix], bool]] = {
    "no-go-zone": _no_go_zone,
    "speeding": _speeding,
    "lifted-moving": _lifted_moving,
}


def true_at(rules: Rules, fix: Fix, loaded: bool | None, pool: Pool) -> set[str]:
    """The condition rules that are true at the fix."""
    found = {rule for rule, holds in CONDITIONS.items() if holds(rules, fix)}
    if loaded is True and rules.is_moving(fix):
        found |= {rule for rule, holds in LOADED_CONDITIONS.items() if holds(rules, fix, pool)}
    return found


@dataclass(frozen=True)
class Dump:
    """A dump event at its dated time and place."""

    place: Place
    basis: str
    source: Site | None
    """Of the trip it ended."""
    origin_district: str | None


def receiving_sites(place: Place) -> list[Site]:
    """The nearest disposal and the nearest transfer site in whose reach it lies, nearest first."""
    nearest = (place.nearest("disposal"), place.nearest("transfer"))
    return [site for site in place.sites if site in nearest]


def permitted_receiving_sites(place: Place, pool: Pool) -> list[Site]:
    """Of those the ones that the permits list or do not limit."""
    allowed = pool.disposal_site_ids
    return [s for s in receiving_sites(place) if allowed is None or s.site_id in allowed]


def broken_by(rules: Rules, dump: Dump, pool: Pool) -> Iterator[str]:
    """The event rules that a dump breaks."""
    receiving = receiving_sites(dump.place)
    listed = permitted_receiving_sites(dump.place, pool)
    if dump.basis != "inferred" and not receiving and not dump.place.in_reach_of(dump.source):
        yield "illegal-dumping"
    if receiving and not pool.is_empty and not listed:
        yield "wrong-site"
    local = rules.city_map.local(dump.place.time_ms)
    if listed and not pool.is_empty and not any(s.validity.holds(local) for s in listed):
        yield "site-closed"
    if _crosses_district(rules, dump, pool):
        yield "cross-district-dumping"


def _crosses_district(rules: Rules, dump: Dump, pool: Pool) -> bool:
    origin, district = dump.origin_district, dump.place.district
    if origin is None or district is None or pool.district_codes is None:
        return False
    if not rules.city_map.has_district(origin):
        return False  # Gone from the map: nobody can say how far it is.
    allowed = pool.district_codes | {origin}
    border_m = rules.rules["cross-district-dumping"]["border_m"]
    return district not in allowed and rules.is_beyond(dump.place, allowed, border_m)
