"""From rows of events to violations and trips with their evidence (design section 7).

`streams.evidence` has looked up what is concerned; this puts it into words and decides nothing.
"""

import math
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from geofences.city import City, Permit
from geofences.hours import Validity
from geofences.index import NONE, CityIndex
from geofences.lookup import scratch
from streams import words
from streams.catalogue import (
    CATALOGUE,
    CLOSED,
    CONDITIONS,
    ENDED,
    ESCALATED,
    PHASES,
    REACHED,
    Rule,
)
from streams.evidence import DETAIL, describe, permits_at_start
from streams.names import NamedIds
from streams.output import TrackPoint, Trip, Violation, trip_id, violation_id
from streams.rules import (
    CROSS_DISTRICT_DUMPING,
    CROSS_DISTRICT_TRANSIT,
    ILLEGAL_DUMPING,
    LIFTED_MOVING,
    NO_GO_ZONE,
    OFF_ROUTE,
    OUT_OF_HOURS,
    OVERLOAD,
    SITE_CLOSED,
    SPEEDING,
    SUSPECTED_DUMPING,
    UNREGISTERED_SOURCE,
    WRONG_SITE,
)
from streams.state import BASES, NO_TIME, NOW
from streams.thresholds import Thresholds
from streams.words import Words, plain

_AT_SITE: Final = (UNREGISTERED_SOURCE, ILLEGAL_DUMPING, WRONG_SITE, SITE_CLOSED)
"""They measure how far the site is."""
_MOVING: Final = (NO_GO_ZONE, SPEEDING, LIFTED_MOVING)
_BY_THE_CLOCK: Final = (OUT_OF_HOURS, SITE_CLOSED)
"""They compare the local time with hours."""

Values = dict[str, float | str]


class Reporter:
    """Words for what happened in the time of one version of a city."""

    def __init__(
        self, city: City, index: CityIndex, thresholds: Thresholds, names: NamedIds
    ) -> None:
        """`index`: of `city`, by the numbers of `names`."""
        self._index = index
        self._thresholds = thresholds
        self._version = city.version
        self._names = names
        self._districts = city.districts
        self._district_names = {district.code: district.name for district in city.districts}
        self._sites = city.sites
        self._routes = city.routes
        self._zones = city.zones
        self._site_names = {site.site_id: site.name for site in city.sites}
        self._permits = city.permits
        self._companies = {truck.truck_id: truck.company for truck in city.trucks}
        self._max_load_kg = {truck.truck_id: truck.max_load_kg for truck in city.trucks}
        self._places = scratch(NOW)
        self._timezone = ZoneInfo(city.timezone)

    def violations(
        self, events: Any, track: list[Any], registers: npt.NDArray[np.int32], ids: Sequence[str]
    ) -> list[Violation]:
        """The violations that `events` are, in their order; `track` is what they point into."""
        count = len(events)
        listed = self._index.trucks.n_permits[registers[events.truck]]
        active = np.zeros(int(listed.sum()) + 1, np.int32)
        details = np.zeros(count, DETAIL).view(np.recarray)
        describe(self._index, registers, events, count, details, active, self._places)
        permits = [self._permits[number] for number in active] if self._permits else []
        names, detail_names = events.dtype.names, details.dtype.names
        first, n_permits = detail_names.index("permits"), detail_names.index("n_permits")
        return [
            self._violation(
                dict(zip(names, event, strict=True)),
                dict(zip(detail_names, detail, strict=True)),
                permits[detail[first] : detail[first] + detail[n_permits]],
                track,
                ids,
            )
            for event, detail in zip(events.tolist(), details.tolist(), strict=True)
        ]

    def trips(self, trips: Any, registers: npt.NDArray[np.int32], ids: Sequence[str]) -> list[Trip]:
        """`trips`, which began in the version's time, with the permits that were active then."""
        listed = self._index.trucks.n_permits[registers[trips.truck]]
        active = np.zeros(int(listed.sum()) + 1, np.int32)
        ends = np.zeros(len(trips), np.int32)
        permits_at_start(self._index, registers, trips, active, ends, self._places)
        permits = [self._permits[number].permit_id for number in active] if self._permits else []
        starts = [0, *ends.tolist()]
        names = trips.dtype.names
        return [
            self._trip(dict(zip(names, trip, strict=True)), permits[starts[i] : starts[i + 1]], ids)
            for i, trip in enumerate(trips.tolist())
        ]

    def _trip(self, trip: dict[str, Any], permit_ids: list[str], ids: Sequence[str]) -> Trip:
        truck_id = ids[trip["truck"]]
        return Trip(
            trip_id=trip_id(truck_id, trip["started_ms"]),
            truck_id=truck_id,
            permit_ids=permit_ids,
            source_site=self._names.site_id(trip["source"]),
            dump_site=self._names.site_id(trip["dump_site"]),
            origin_district=self._names.district_code(trip["origin"]),
            dump_district=self._names.district_code(trip["dump_district"]),
            started_ms=trip["started_ms"],
            ended_ms=trip["ended_ms"],
            distance_m=(trip["distance_mm"] + 500) // 1000,
            load_basis=BASES[trip["load_basis"]],
            dump_basis=BASES[trip["dump_basis"]],
            start_lon=trip["start_lon"],
            start_lat=trip["start_lat"],
            end_lon=trip["end_lon"],
            end_lat=trip["end_lat"],
        )

    def _violation(
        self,
        event: dict[str, Any],
        detail: dict[str, Any],
        permits: list[Permit],
        track: list[Any],
        ids: Sequence[str],
    ) -> Violation:
        rule = CATALOGUE[event["rule"]]
        truck_id = ids[event["truck"]]
        measured = self._measured(event, detail)
        threshold = self._threshold(rule, event, detail, truck_id, permits)
        names = {} if event["phase"] == CLOSED else self._named(event, detail, permits)
        message, message_en = _messages(rule, event["phase"], threshold | measured, names)
        return Violation(
            violation_id=violation_id(truck_id, rule.id, event["started_ms"]),
            phase=PHASES[event["phase"]],
            revision=0,
            rule=rule.id,
            severity=rule.severe if event["severe"] and rule.severe else rule.severity,
            title=rule.title,
            title_en=rule.title_en,
            message=message,
            message_en=message_en,
            truck_id=truck_id,
            company=self._companies.get(truck_id),
            permit_ids=[permit.permit_id for permit in permits],
            trip_id=None if event["trip_ms"] == NO_TIME else trip_id(truck_id, event["trip_ms"]),
            started_ms=event["started_ms"],
            detected_ms=event["detected_ms"],
            ended_ms=None if event["ended_ms"] == NO_TIME else event["ended_ms"],
            lon=event["lon"],
            lat=event["lat"],
            district=self._district(detail["district"]),
            origin_district=self._names.district_code(event["origin"]),
            place=self._place(event, detail),
            measured=measured,
            threshold=threshold,
            track=[
                _track_point(fix)
                for fix in track[event["track"] : event["track"] + event["n_track"]]
            ],
            city_version=self._version,
        )

    def _measured(self, event: dict[str, Any], detail: dict[str, Any]) -> Values:
        """What was measured, in the units of its names."""
        rule = event["rule"]
        until_ms = event["detected_ms"] if event["ended_ms"] == NO_TIME else event["ended_ms"]
        measured: Values = {}
        if event["phase"] != CLOSED:
            if rule == OFF_ROUTE:
                measured["distance_m"] = _metres(detail["route_m"])
            elif rule in (CROSS_DISTRICT_TRANSIT, CROSS_DISTRICT_DUMPING):
                measured["distance_m"] = _metres(detail["border_m"])
            elif rule in _AT_SITE and detail["site"] != NONE:
                measured["distance_m"] = _metres(detail["site_m"])
            elif rule in _MOVING:
                measured["speed_kmh"] = plain(round(event["speed_kmh"], 1))
            elif rule == OVERLOAD:
                measured["load_kg"] = plain(event["load_kg"])
            if rule in _BY_THE_CLOCK:
                measured["local_time"] = words.clock(self._clock(event)[1])
        measured["duration_s"] = _seconds(until_ms - event["started_ms"])
        if rule < len(CONDITIONS):
            measured["fixes"] = event["fixes"]
        return measured

    def _threshold(
        self,
        rule: Rule,
        event: dict[str, Any],
        detail: dict[str, Any],
        truck_id: str,
        permits: list[Permit],
    ) -> Values:
        """What it was measured against."""
        threshold: Values = {
            name: plain(value) for name, value in self._thresholds.rules[rule.id].items()
        }
        state = self._thresholds.state
        number = event["rule"]
        if number == OFF_ROUTE and detail["route"] != NONE:
            threshold["corridor_m"] = plain(self._routes[detail["route"]].corridor_m)
        elif number == SPEEDING and event["phase"] != CLOSED:
            threshold["limit_kmh"] = plain(event["limit_kmh"])
        elif number == OVERLOAD:
            # A run may end under a version that states none.
            max_load_kg = self._max_load_kg.get(truck_id)
            if max_load_kg is not None:
                threshold["max_load_kg"] = plain(max_load_kg)
        elif number == SUSPECTED_DUMPING:
            threshold["dump_dwell_s"] = _seconds(event["limit_ms"])
        elif number == OUT_OF_HOURS and event["phase"] != CLOSED:
            threshold["hours"] = self._hours(event, [permit.validity for permit in permits])
        elif number in _AT_SITE:
            threshold["site_margin_m"] = plain(state["site_margin_m"])
            if number == WRONG_SITE:
                threshold["disposal_site_ids"] = ";".join(_disposal_sites(permits))
            elif number == SITE_CLOSED:
                threshold["hours"] = self._hours(event, [self._sites[detail["site"]].validity])
        return threshold

    def _place(self, event: dict[str, Any], detail: dict[str, Any]) -> dict[str, str | float]:
        """The zone, route or site concerned, with its distance where it does not hold the place;
        a site too whose reach holds it."""
        place: dict[str, str | float] = {}
        if detail["zone"] != NONE:
            place["zone_id"] = self._zones[detail["zone"]].zone_id
            if not math.isnan(detail["zone_m"]):
                place["distance_m"] = _metres(detail["zone_m"])
                return place
        if detail["route"] != NONE:
            place["route_id"] = self._routes[detail["route"]].route_id
            place["distance_m"] = _metres(detail["route_m"])
        elif detail["site"] != NONE:
            place["site_id"] = self._sites[detail["site"]].site_id
            place["distance_m"] = _metres(detail["site_m"])
        return place

    def _named(
        self, event: dict[str, Any], detail: dict[str, Any], permits: list[Permit]
    ) -> dict[str, Words]:
        """What the sentences name, by the words for it in the catalogue (`NAMES`)."""
        rule = event["rule"]
        named: dict[str, Words] = {"limit_of": ("全市", "city-wide")}
        if detail["site"] != NONE:
            site = self._sites[detail["site"]]
            named["site"] = _both(words.named(site.site_id, site.name))
        if detail["route"] != NONE:
            route = self._routes[detail["route"]]
            named["route"] = _both(words.named(route.route_id, route.name))
        if detail["zone"] != NONE:
            zone = self._zones[detail["zone"]]
            name = words.named(zone.zone_id, zone.name)
            named["zone"] = _both(name)
            named["limit_of"] = f"限速区 {name} ", f"zone {name}"
        if rule in (CROSS_DISTRICT_TRANSIT, CROSS_DISTRICT_DUMPING):
            here = self._district(detail["district"])
            named["here"] = ("不在任何区内", "no district") if here is None else self._in(here)
            nearest = self._district(detail["border"])
            if nearest is not None:
                named["nearest"] = self._in(nearest)
            origin = self._names.district_code(event["origin"])
            if origin is not None:
                named["origin"] = self._in(origin)
        if rule == WRONG_SITE:
            named["permitted"] = words.several(
                [
                    words.named(site_id, self._site_names.get(site_id, ""))
                    for site_id in _disposal_sites(permits)
                ]
            )
        return named

    def _in(self, code: str) -> Words:
        return _both(words.named(code, self._district_names.get(code, "")))

    def _clock(self, event: dict[str, Any]) -> tuple[date, int]:
        """The local date, and the minute of the day."""
        clock = datetime.fromtimestamp(event["place_ms"] / 1000, self._timezone)
        return clock.date(), 60 * clock.hour + clock.minute

    def _hours(self, event: dict[str, Any], validities: list[Validity]) -> str:
        today, _ = self._clock(event)
        return words.joined(words.hours(validity, today) for validity in validities)

    def _district(self, number: int) -> str | None:
        return None if number == NONE else self._districts[number].code


def _messages(rule: Rule, phase: int, values: Values, named: dict[str, Words]) -> Words:
    """One sentence in Chinese and one in English."""
    sentences: Words = rule.message, rule.message_en
    if phase == CLOSED:
        sentences = ENDED
    elif phase == ESCALATED:
        sentences = rule.message + REACHED[0], rule.message_en + REACHED[1]
    elif rule.message_nowhere and "distance_m" not in values:
        sentences = rule.message_nowhere, rule.message_nowhere_en
    named = named | {"title": (rule.title, rule.title_en)}
    named["severe"] = _both(rule.severe or rule.severity)
    chinese, english = (
        sentence.format_map(_Fields(values, named, language))
        for language, sentence in enumerate(sentences)
    )
    return chinese, english


class _Fields(dict[str, str]):
    """What a sentence may name, put into the words of its language if it does."""

    def __init__(self, values: Values, named: dict[str, Words], language: int) -> None:
        super().__init__()
        self._values, self._named, self._language = values, named, language

    def __missing__(self, name: str) -> str:
        both = self._named.get(name) or _shown(name, self._values[name])
        return both[self._language]


def _shown(name: str, value: float | str) -> Words:
    """A number or text of `measured` or `threshold`; seconds with their unit."""
    if isinstance(value, str):
        return _both(value)
    return words.duration(value) if name.endswith("_s") else _both(words.number(value))


def _both(word: str) -> Words:
    return word, word


def _disposal_sites(permits: list[Permit]) -> list[str]:
    return sorted({site_id for permit in permits for site_id in permit.disposal_site_ids})


def _track_point(fix: tuple[int, float, float, float]) -> TrackPoint:
    time_ms, lon, lat, speed_kmh = fix
    return time_ms, lon, lat, None if math.isnan(speed_kmh) else round(speed_kmh, 2)


def _metres(distance_m: float) -> float:
    return plain(round(distance_m, 1))


def _seconds(duration_ms: int) -> float:
    return plain(duration_ms / 1000)
