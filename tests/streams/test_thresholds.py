"""Thresholds: the catalogue's defaults, a city's overrides, and findings for what can't be one."""

from collections.abc import Mapping

import pytest
from reference.model import RULE_THRESHOLDS, SEVERE, SEVERITY, STATE_THRESHOLDS
from shapely import box

from geofences.city import City, District
from geofences.findings import Finding
from streams.catalogue import CATALOGUE, CONDITIONS
from streams.detect import PreparedCity, UnusableCity
from streams.thresholds import NEVER_MS, resolve


def city(
    state: Mapping[str, float] | None = None,
    rules: Mapping[str, Mapping[str, float]] | None = None,
) -> City:
    return City(
        name="one district",
        admin_code="330200",
        timezone="Asia/Shanghai",
        version="0" * 64,
        speed_limit_kmh=None,
        state_overrides=state or {},
        rule_overrides=rules or {},
        districts=(District("330201", "all", box(121.0, 29.0, 121.2, 29.2)),),
    )


def test_the_defaults_are_those_of_the_design() -> None:
    """As the independent reading has them."""
    thresholds, findings = resolve(city())
    assert findings == []
    assert dict(thresholds.state) == dict(STATE_THRESHOLDS)
    assert {rule: dict(values) for rule, values in thresholds.rules.items()} == {
        rule: dict(values) for rule, values in RULE_THRESHOLDS.items()
    }


def test_the_severities_are_those_of_the_design() -> None:
    assert {rule.id: rule.severity for rule in CATALOGUE} == dict(SEVERITY)
    assert {rule.id: rule.severe for rule in CATALOGUE if rule.severe} == dict(SEVERE)


@pytest.mark.parametrize(
    ("state", "field", "value", "message"),
    [
        ({"max_gap": 600}, "state.max_gap", "600", "no such threshold"),
        ({"max_gap_s": 0}, "state.max_gap_s", "0", "allowed is 1 to"),
        ({"site_margin_m": -1}, "state.site_margin_m", "-1", "allowed is 0 to 2000 m"),
        ({"site_margin_m": 2_001}, "state.site_margin_m", "2001", "allowed is 0 to 2000 m"),
        ({"load_confirm": 1.5}, "state.load_confirm", "1.5", "a whole number of readings"),
        ({"load_confirm": 0}, "state.load_confirm", "0", "out of range"),
        ({"max_speed_kmh": float("nan")}, "state.max_speed_kmh", "nan", "out of range"),
        ({"max_speed_kmh": float("inf")}, "state.max_speed_kmh", "inf", "out of range"),
        ({"max_gap_s": 3_600, "forget_s": 3_600}, "state.forget_s", "3600", "more than max_gap_s"),
        ({"max_gap_s": 9_999_999}, "state.forget_s", "2592000", "more than max_gap_s"),
    ],
)
def test_a_bad_override_of_the_state(
    state: Mapping[str, float], field: str, value: str, message: str
) -> None:
    assert_finding(city(state), field, value, message)


@pytest.mark.parametrize(
    ("rules", "field", "value", "message"),
    [
        ({"off-rout": {"min_fixes": 3}}, "rules", "off-rout", "no such rule; there are off-route"),
        ({"off-route": {"corridor_m": 50}}, "rules.off-route.corridor_m", "50", "there are min_"),
        ({"no-permit": {"severe_s": 1}}, "rules.no-permit.severe_s", "1", "no such threshold"),
        ({"speeding": {"min_fixes": 0}}, "rules.speeding.min_fixes", "0", "out of range"),
        ({"speeding": {"min_fixes": 2.5}}, "rules.speeding.min_fixes", "2.5", "whole number"),
        ({"overload": {"tolerance": 0}}, "rules.overload.tolerance", "0", "0.1 to 10"),
        (
            {"cross-district-transit": {"border_m": 5_001}},
            "rules.cross-district-transit.border_m", "5001", "0 to 5000 m",
        ),
        ({"undelivered": {"max_trip_s": 59}}, "rules.undelivered.max_trip_s", "59", "60 to"),
        ({"illegal-dumping": {"border_m": 1}}, "rules.illegal-dumping.border_m", "1", "no such"),
    ],
)  # fmt: skip
def test_a_bad_override_of_a_rule(
    rules: Mapping[str, Mapping[str, float]], field: str, value: str, message: str
) -> None:
    assert_finding(city(rules=rules), field, value, message)


def assert_finding(bad: City, field: str, value: str, message: str) -> None:
    _, findings = resolve(bad)
    assert [(finding.field, finding.file) for finding in findings] == [(field, "city.toml")]
    (finding,) = findings
    assert value in str(finding.value)
    assert message in finding.message
    with pytest.raises(UnusableCity) as caught:
        PreparedCity.of(bad)
    assert caught.value.findings == findings
    assert field in str(caught.value)


def test_every_fault_is_found_at_once() -> None:
    _, findings = resolve(city({"a": 1, "max_gap_s": 0}, {"b": {}, "speeding": {"c": 1}}))
    assert sorted(finding_field(f) for f in findings) == [
        "rules", "rules.speeding.c", "state.a", "state.max_gap_s",
    ]  # fmt: skip


def finding_field(finding: Finding) -> str:
    assert finding.field is not None
    return finding.field


@pytest.mark.parametrize(
    ("state", "rules"),
    [
        ({"max_gap_s": 1, "load_confirm": 1, "stop_speed_kmh": 0, "site_margin_m": 0}, {}),
        ({"site_margin_m": 2_000, "forget_s": 3_600}, {}),
        ({}, {"speeding": {"min_fixes": 1, "min_s": 0}, "overload": {"tolerance": 0.1}}),
        ({}, {"off-route": {}}),
    ],
)
def test_overrides_at_the_border_of_what_is_allowed(
    state: Mapping[str, float], rules: Mapping[str, Mapping[str, float]]
) -> None:
    thresholds, findings = resolve(city(state, rules))
    assert findings == []
    assert {name: thresholds.state[name] for name in state} == dict(state)
    for rule, values in rules.items():
        assert {name: thresholds.rules[rule][name] for name in values} == dict(values)


def test_the_core_reads_them_in_milliseconds() -> None:
    thresholds, _ = resolve(
        city({"max_gap_s": 0.5 + 60}, {"off-route": {"min_s": 1.5, "severe_s": 2}})
    )
    record = thresholds.record()[0]
    assert record.max_gap_ms == 60_500
    assert (record.min_ms[0], record.severe_ms[0]) == (1_500, 2_000)
    assert CONDITIONS[0].id == "off-route"
    assert all(value == NEVER_MS for value in record.severe_ms[1:])


def test_the_widest_border_is_what_the_map_is_compiled_for() -> None:
    rules = {"cross-district-transit": {"border_m": 700}}
    assert resolve(city(rules=rules))[0].border_m == 700
    assert resolve(city(rules={"cross-district-dumping": {"border_m": 7}}))[0].border_m == 100
