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

from streams.instruments import INSTRUMENTS, Instrument

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


def declared(name: str) -> list[Instrument]:
    """A row for each process where they differ."""
    base = HISTOGRAM_PARTS.sub("", name)
    return [
        one
        for one in INSTRUMENTS
        if one.name == name or (one.name == base and one.kind == "histogram")
    ]


def test_what_is_asked_for_is_declared() -> None:
    for where, expr in [*EXPRESSIONS, *SERIES]:
        found = list(selectors(expr))
        assert found, expr
        for name, matchers in found:
            known = name in OF_PROMETHEUS or name in RECORDED or declared(name)
            assert known, f"{where}: {name} is declared nowhere"
            for label, operator, value in matchers if declared(name) else ():
                check_matcher(name, label, operator, value)


def check_matcher(name: str, label: str, operator: str, value: str) -> None:
    if label in OF_TARGETS or label == "le":
        return
    has = [one for row in declared(name) for one in row.labels if one.name == label]
    assert has, f"{name} has no label {label}"
    values = {one for label in has for one in label.values}
    if values and not value.startswith("$"):
        asked = value.split("|") if "~" in operator else [value]
        assert set(asked) <= values, f"{name}: {label} is never {value}"


def test_what_is_grouped_by_is_a_label() -> None:
    """Of a metric in the expression, or of one that a recorded metric is made of."""
    for where, expr in EXPRESSIONS:
        labels = {"le", "alertname", *OF_TARGETS}
        for name, _ in selectors(expr):
            labels |= {one.name for row in declared(name) for one in row.labels}
            labels |= OF_PROMETHEUS.get(name, set())
            labels |= grouped(RECORDED.get(name, ""))
        assert grouped(expr) <= labels, where


def test_variables_ask_for_labels_that_are_there() -> None:
    for file in DASHBOARD_FILES:
        for variable in variables(dashboard(file)):
            if variable["type"] == "query":
                asked = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
                assert asked, variable
                labels = {one.name for row in declared(asked[1]) for one in row.labels}
                assert asked[2] in labels | OF_TARGETS
