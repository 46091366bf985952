"""Whatever `ops/` asks for is declared by the processes: metrics, labels, and their values."""

import re

from ops_parts import (
    DASHBOARD_FILES,
    alerts,
    all_asked,
    dashboard,
    grouped,
    recorded,
    rule_tests,
    selectors,
    variables,
)

from streams.instruments import BY_NAME, Instrument

OF_PROMETHEUS = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate", "severity"}}
OF_TARGETS = {"job", "instance"}
RECORDED = recorded()
HISTOGRAM_PARTS = re.compile(r"_(bucket|sum|count)$")
EXPRESSIONS = [
    *((alert.name, alert.expr) for alert in alerts()),
    *RECORDED.items(),
    *((one.where, one.expr) for one in all_asked()),
]
SERIES = [
    (test["name"], series["series"]) for test in rule_tests() for series in test["input_series"]
]


def declared(name: str) -> Instrument | None:
    if name in BY_NAME:
        return BY_NAME[name]
    base = BY_NAME.get(HISTOGRAM_PARTS.sub("", name))
    return base if base is not None and base.kind == "histogram" else None


def test_what_is_asked_for_is_declared() -> None:
    for where, expr in [*EXPRESSIONS, *SERIES]:
        found = list(selectors(expr))
        assert found, expr
        for name, matchers in found:
            instrument = declared(name)
            known = name in OF_PROMETHEUS or name in RECORDED or instrument is not None
            assert known, f"{where}: {name} is declared nowhere"
            if instrument is not None:
                for label, operator, value in matchers:
                    check_matcher(instrument, label, operator, value)


def check_matcher(instrument: Instrument, label: str, operator: str, value: str) -> None:
    if label in OF_TARGETS or label == "le":
        return
    by_name = {one.name: one for one in instrument.labels}
    assert label in by_name, f"{instrument.name} has no label {label}"
    values = by_name[label].values
    if values and not value.startswith("$"):
        asked = value.split("|") if "~" in operator else [value]
        assert set(asked) <= set(values), f"{instrument.name}: {label} is never {value}"


def test_what_is_grouped_by_is_a_label() -> None:
    """Of a metric in the expression, or of one that a recorded metric is made of."""
    for where, expr in EXPRESSIONS:
        labels = {"le", "alertname", *OF_TARGETS}
        for name, _ in selectors(expr):
            instrument = declared(name)
            labels |= {one.name for one in instrument.labels} if instrument else set()
            labels |= OF_PROMETHEUS.get(name, set())
            labels |= grouped(RECORDED.get(name, ""))
        assert grouped(expr) <= labels, where


def test_variables_ask_for_labels_that_are_there() -> None:
    for file in DASHBOARD_FILES:
        for variable in variables(dashboard(file)):
            if variable["type"] == "query":
                asked = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
                assert asked, variable
                instrument = declared(asked[1])
                assert instrument is not None
                assert asked[2] in {one.name for one in instrument.labels} | OF_TARGETS
