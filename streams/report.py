"""From rows of events to violations and trips with their evidence (design section 7).

`streams.evidence` has looked up what is concerned; this puts it into words and decides nothing.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from geofences.city import City
from geofences.index import NONE, CityIndex
from geofences.lookup import scratch
from streams.catalogue import CATALOGUE, CLOSED, CONDITIONS, PHASES, Rule
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
    OVERLOAD,
    SITE_CLOSED,
    SPEEDING,
    SUSPECTED_DUMPING,
    UNREGISTERED_SOURCE,
    WRONG_SITE,
)
from streams.state import BASES, NO_TIME, NOW
from streams.thresholds import Thresholds

_AT_SITE: Final = (UNREGISTERED_SOURCE, ILLEGAL_DUMPING, WRONG_SITE, SITE_CLOSED)
"""They measure how far the site is."""
_MOVING: Final = (NO_GO_ZONE, SPEEDING, LIFTED_MOVING)


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
        self._districts = [district.code for district in city.districts]
        self._sites = city.sites
        self._routes = city.routes
        self._zones = city.zones
        self._permits = [permit.permit_id for permit in city.permits]
        self._companies = {truck.truck_id: truck.company for truck in city.trucks}
        self._max_load_kg = {truck.truck_id: truck.max_load_kg for truck in city.trucks}
        self._places = scratch(NOW)

    def violations(
        self, events: Any, track: list[Any], registers: npt.NDArray[np.int32], ids: list[str]
    ) -> list[Violation]:
        """The violations that `events` are, in their order; `track` is what they point into."""
        count = len(events)
        listed = self._index.trucks.n_permits[registers[events.truck]]
        active = np.zeros(int(listed.sum()) + 1, np.int32)
        details = np.zeros(count, DETAIL).view(np.recarray)
        describe(self._index, registers, events, count, details, active, self._places)
        permits = [self._permits[number] for number in active] if self._permits else []
        names, detail_names = events.dtype.names, details.dtype.names
        return [
            self._violation(
                dict(zip(names, event, strict=True)),
                dict(zip(detail_names, detail, strict=True)),
                permits,
                track,
                ids,
            )
            for event, detail in zip(events.tolist(), details.tolist(), strict=True)
        ]

    def trips(self, trips: Any, registers: npt.NDArray[np.int32], ids: list[str]) -> list[Trip]:
        """`trips`, which began in the version's time, with the permits that were active then."""
        listed = self._index.trucks.n_permits[registers[trips.truck]]
        active = np.zeros(int(listed.sum()) + 1, np.int32)
        ends = np.zeros(len(trips), np.int32)
        permits_at_start(self._index, registers, trips, active, ends, self._places)
        permits = [self._permits[number] for number in active] if self._permits else []
        starts = [0, *ends.tolist()]
        names = trips.dtype.names
        return [
            self._trip(dict(zip(names, trip, strict=True)), permits[starts[i] : starts[i + 1]], ids)
            for i, trip in enumerate(trips.tolist())
        ]

    def _trip(self, trip: dict[str, Any], permit_ids: list[str], ids: list[str]) -> Trip:
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
        permits: list[str],
        track: list[Any],
        ids: list[str],
    ) -> Violation:
        rule = CATALOGUE[event["rule"]]
        truck_id = ids[event["truck"]]
        measured = self._measured(event, detail)
        threshold = self._threshold(rule, event, detail, truck_id)
        place = self._place(event, detail)
        message, message_en = _messages(rule, event["phase"], measured, threshold)
        first = detail["permits"]
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
            permit_ids=permits[first : first + detail["n_permits"]],
            trip_id=None if event["trip_ms"] == NO_TIME else trip_id(truck_id, event["trip_ms"]),
            started_ms=event["started_ms"],
            detected_ms=event["detected_ms"],
            ended_ms=None if event["ended_ms"] == NO_TIME else event["ended_ms"],
            lon=event["lon"],
            lat=event["lat"],
            district=self._district(detail["district"]),
            origin_district=self._names.district_code(event["origin"]),
            place=place,
            measured=measured,
            threshold=threshold,
            track=[
                _track_point(fix)
                for fix in track[event["track"] : event["track"] + event["n_track"]]
            ],
            city_version=self._version,
        )

    def _measured(self, event: dict[str, Any], detail: dict[str, Any]) -> dict[str, float]:
        """What was measured, in the units of its names."""
        rule = event["rule"]
        until_ms = event["detected_ms"] if event["ended_ms"] == NO_TIME else event["ended_ms"]
        measured: dict[str, float] = {}
        if event["phase"] != CLOSED:
            if rule == OFF_ROUTE:
                measured["distance_m"] = _metres(detail["route_m"])
            elif rule in (CROSS_DISTRICT_TRANSIT, CROSS_DISTRICT_DUMPING):
                measured["distance_m"] = _metres(detail["border_m"])
            elif rule in _AT_SITE and detail["site"] != NONE:
                measured["distance_m"] = _metres(detail["site_m"])
            elif rule in _MOVING:
                measured["speed_kmh"] = _plain(round(event["speed_kmh"], 1))
            elif rule == OVERLOAD:
                measured["load_kg"] = _plain(event["load_kg"])
        measured["duration_s"] = _seconds(until_ms - event["started_ms"])
        if rule < len(CONDITIONS):
            measured["fixes"] = event["fixes"]
        return measured

    def _threshold(
        self, rule: Rule, event: dict[str, Any], detail: dict[str, Any], truck_id: str
    ) -> dict[str, float]:
        """What it was measured against."""
        threshold = {name: _plain(value) for name, value in self._thresholds.rules[rule.id].items()}
        state = self._thresholds.state
        number = event["rule"]
        if number == OFF_ROUTE and detail["route"] != NONE:
            threshold["corridor_m"] = _plain(self._routes[detail["route"]].corridor_m)
        elif number == SPEEDING and event["phase"] != CLOSED:
            threshold["limit_kmh"] = _plain(event["limit_kmh"])
        elif number == OVERLOAD:
            # A run may end under a version that states none.
            max_load_kg = self._max_load_kg.get(truck_id)
            if max_load_kg is not None:
                threshold["max_load_kg"] = _plain(max_load_kg)
        elif number == SUSPECTED_DUMPING:
            threshold["dump_dwell_s"] = _seconds(event["limit_ms"])
        elif number in _AT_SITE:
            threshold["site_margin_m"] = _plain(state["site_margin_m"])
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

    def _district(self, number: int) -> str | None:
        return None if number == NONE else self._districts[number]


def _messages(
    rule: Rule, phase: int, measured: dict[str, float], threshold: dict[str, float]
) -> tuple[str, str]:
    """One sentence in Chinese and one in English."""
    if phase == CLOSED:
        return (
            f"{rule.title}结束，共 {measured['duration_s']} 秒",
            f"{rule.title_en}: ended, {measured['duration_s']} s in all",
        )
    if "{distance_m}" in rule.message and "distance_m" not in measured:
        # There is no nearest site in a city that has none.
        return (
            f"{rule.title}：全市没有在有效期内的此类场所",
            f"{rule.title_en}: the city has no such site in date",
        )
    values = threshold | measured
    return rule.message.format(**values), rule.message_en.format(**values)


def _track_point(fix: tuple[int, float, float, float]) -> TrackPoint:
    time_ms, lon, lat, speed_kmh = fix
    return time_ms, lon, lat, None if math.isnan(speed_kmh) else round(speed_kmh, 2)


def _metres(distance_m: float) -> float:
    return _plain(round(distance_m, 1))


def _seconds(duration_ms: int) -> float:
    return _plain(duration_ms / 1000)


def _plain(value: float) -> float:
    """A whole number as one, so that 50 is written as 50."""
    return int(value) if value == int(value) else value
