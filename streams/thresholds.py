"""The thresholds in force: `[state]` of city.toml is declared here, `[rules.<id>]` in the
catalogue. `resolve` applies a city's overrides; the record is what the core reads.

Who calls it: the engine when it compiles a city, `city check`, and what prints `RULES.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from geofences.city import City
from geofences.findings import Finding, Report, shown
from geofences.lookup import scratch
from streams.catalogue import CATALOGUE, CONDITIONS, Threshold

STATE_THRESHOLDS: tuple[Threshold, ...] = (
    Threshold("site_margin_m", 50, "m", "a site's reach exceeds its shape by this", high=2_000),
    Threshold("max_speed_kmh", 150, "km/h", "a faster jump between fixes is impossible", low=1),
    Threshold("forget_s", 2_592_000, "s", "after this silence a truck is new", low=3_600),
    Threshold("max_gap_s", 600, "s", "a longer silence breaks runs, stays and stops", low=1),
    Threshold("load_confirm", 2, "readings", "that must agree before loaded changes", low=1),
    Threshold("load_dwell_s", 300, "s", "stay at a construction site that means loaded", low=1),
    Threshold("dump_dwell_s", 180, "s", "stay at a disposal site that means emptied", low=1),
    Threshold("stop_speed_kmh", 5, "km/h", "at most this is standing", low=0),
    Threshold("stop_radius_m", 50, "m", "a stop stays within this of its first fix", low=1),
    Threshold("watermark_delay_s", 360, "s", "what the live watermark stays behind by", low=0),
)  # fmt: skip

LIMITS = np.dtype(
    [
        ("max_speed_kmh", "f8"),
        ("stop_speed_kmh", "f8"),
        ("stop_radius_m", "f8"),
        ("load_confirm", "i8"),
        ("forget_ms", "i8"),
        ("max_gap_ms", "i8"),
        ("load_dwell_ms", "i8"),
        ("dump_dwell_ms", "i8"),
        ("offline_ms", "i8"),
        ("max_trip_ms", "i8"),
        ("transit_border_m", "f8"),
        ("dumping_border_m", "f8"),
        ("overload_tolerance", "f8"),
        ("watermark_delay_ms", "i8"),
        ("min_fixes", "i8", len(CONDITIONS)),
        ("min_ms", "i8", len(CONDITIONS)),
        ("severe_ms", "i8", len(CONDITIONS)),
    ],
    align=True,
)
"""Thresholds as the core takes them. The last three have a place for each condition rule."""

NEVER_MS = np.iinfo(np.int64).max // 4


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All thresholds in force: defaults of the catalogue, overridden by the city."""

    state: Mapping[str, float]
    rules: Mapping[str, Mapping[str, float]]

    @property
    def border_m(self) -> float:
        """The greatest distance from a district that any rule asks for."""
        return max(rule.get("border_m", 0.0) for rule in self.rules.values())

    def record(self) -> Any:
        """One-element record array of `LIMITS`."""
        limits = scratch(LIMITS)
        record = limits[0]
        state, rules = self.state, self.rules
        record.max_speed_kmh = state["max_speed_kmh"]
        record.stop_speed_kmh = state["stop_speed_kmh"]
        record.stop_radius_m = state["stop_radius_m"]
        record.load_confirm = state["load_confirm"]
        record.forget_ms = _ms(state["forget_s"])
        record.max_gap_ms = _ms(state["max_gap_s"])
        record.load_dwell_ms = _ms(state["load_dwell_s"])
        record.dump_dwell_ms = _ms(state["dump_dwell_s"])
        record.offline_ms = _ms(rules["signal-lost"]["offline_s"])
        record.max_trip_ms = _ms(rules["undelivered"]["max_trip_s"])
        record.transit_border_m = rules["cross-district-transit"]["border_m"]
        record.dumping_border_m = rules["cross-district-dumping"]["border_m"]
        record.overload_tolerance = rules["overload"]["tolerance"]
        record.watermark_delay_ms = _ms(state["watermark_delay_s"])
        for number, rule in enumerate(CONDITIONS):
            values = rules[rule.id]
            record.min_fixes[number] = values["min_fixes"]
            record.min_ms[number] = _ms(values["min_s"])
            record.severe_ms[number] = _ms(values["severe_s"]) if "severe_s" in values else NEVER_MS
        return limits


def resolve(city: City) -> tuple[Thresholds, list[Finding]]:
    """The thresholds in force for `city`, and a finding for each override that can't be one."""
    report = Report()
    state = _override("state", STATE_THRESHOLDS, city.state_overrides, report)
    if state["forget_s"] <= state["max_gap_s"]:
        _fault(report, "state.forget_s", state["forget_s"], "allowed is more than max_gap_s")
    known = [rule.id for rule in CATALOGUE]
    for rule_id in city.rule_overrides:
        if rule_id not in known:
            _fault(report, "rules", rule_id, f"no such rule; there are {', '.join(known)}")
    rules = {
        rule.id: _override(
            f"rules.{rule.id}", rule.thresholds, city.rule_overrides.get(rule.id, {}), report
        )
        for rule in CATALOGUE
    }
    return Thresholds(state, rules), report.findings


def _override(
    table: str,
    thresholds: tuple[Threshold, ...],
    overrides: Mapping[str, float],
    report: Report,
) -> dict[str, float]:
    values = {threshold.name: threshold.default for threshold in thresholds}
    by_name = {threshold.name: threshold for threshold in thresholds}
    for name, value in overrides.items():
        threshold = by_name.get(name)
        field = f"{table}.{name}"
        if threshold is None:
            _fault(report, field, value, f"no such threshold; there are {', '.join(by_name)}")
        elif not threshold.low <= value <= threshold.high:
            allowed = f"{threshold.low:g} to {threshold.high:g} {threshold.unit}"
            _fault(report, field, value, f"out of range; allowed is {allowed}")
        elif threshold.is_count and value != int(value):
            _fault(report, field, value, f"allowed is a whole number of {threshold.unit}")
        else:
            values[name] = value
    return values


def _fault(report: Report, field: str, value: object, message: str) -> None:
    report.error("city.toml", message, field=field, value=shown(value))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
