"""What stands in `ops/`: rules, alerts, their tests, dashboards; and what it asks of Prometheus."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from conftest import ROOT

OPS = ROOT / "ops"
PROMETHEUS = OPS / "prometheus"
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TEST_FILES = sorted((PROMETHEUS / "tests").glob("*.yml"))
DASHBOARD_FILES = sorted((OPS / "grafana" / "dashboards").glob("*.json"))
RUNBOOK = ROOT / "docs" / "runbook.md"

SELECTOR = re.compile(r"(?<![\w:$\"])([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?")
"""A name, with the labels behind it where there are any."""
MATCHER = re.compile(r"(\w+)\s*(=~|!~|!=|=)\s*\"([^\"]*)\"")
GROUPING = re.compile(r"\b(?:by|on|ignoring|group_left|without)\s*\(([^)]*)\)")


@dataclass(frozen=True)
class Alert:
    name: str
    expr: str
    severity: str
    annotations: dict[str, str]


@dataclass(frozen=True)
class Asked:
    """A query of a panel; `where`: dashboard and panel, for messages."""

    where: str
    expr: str


def rules() -> Iterator[dict[str, Any]]:
    for file in RULE_FILES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


def alerts() -> list[Alert]:
    return [
        Alert(one["alert"], one["expr"], one["labels"]["severity"], one["annotations"])
        for one in rules()
        if "alert" in one
    ]


def recorded() -> dict[str, str]:
    return {one["record"]: one["expr"] for one in rules() if "record" in one}


def rule_tests() -> Iterator[dict[str, Any]]:
    for file in TEST_FILES:
        yield from yaml.safe_load(file.read_text())["tests"]


def dashboard(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(file.read_text())
    return loaded


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """All but rows, which stand open."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def asked(board: dict[str, Any]) -> list[Asked]:
    return [
        Asked(f"{board['uid']}: {panel['title']}", target["expr"])
        for panel in panels(board)
        for target in panel["targets"]
    ]


def all_asked() -> list[Asked]:
    return [one for file in DASHBOARD_FILES for one in asked(dashboard(file))]


def variables(board: dict[str, Any]) -> list[dict[str, Any]]:
    return list(board["templating"]["list"])


def selectors(expr: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """The metrics that an expression names, with label, operator and value of each matcher."""
    bare = GROUPING.sub(" ", expr)
    for found in SELECTOR.finditer(_without_texts(bare)):
        name = found[1]
        if ":" not in name and "_" not in name and name not in ("up", "ALERTS"):
            continue
        rest = bare[found.end(1) :]
        if rest.lstrip().startswith("("):
            continue
        braces = re.match(r"\s*\{([^}]*)\}", rest)
        yield name, MATCHER.findall(braces[1]) if braces else []


def grouped(expr: str) -> set[str]:
    """The labels by which it groups or joins."""
    return {
        label.strip()
        for found in GROUPING.findall(expr)
        for label in found.split(",")
        if label.strip()
    }


def _without_texts(expr: str) -> str:
    """With what stands in braces, quotes and brackets blanked out, in the same places."""
    return re.sub(r"\{[^}]*\}|\"[^\"]*\"|\[[^\]]*\]", lambda one: " " * len(one[0]), expr)


def pieces(expr: str) -> list[str]:
    """What an alert compares: its operands, without the comparisons. `absent` is of what is there
    when all is well."""
    split = re.split(
        r"\s+(?:and|or|unless)\s+(?:on\s*\([^)]*\)\s*)?|\s*(?:==|!=|<=|>=|<|>)\s*", _masked(expr)
    )
    found, place = [], 0
    for part in split:
        place = _masked(expr).index(part, place) if part else place
        text = expr[place : place + len(part)].strip()
        place += len(part)
        inner = re.fullmatch(r"absent\((.*)\)", text, re.DOTALL)
        if inner:
            found += pieces(inner[1])
        elif text and not re.fullmatch(r"[\d.]+", text):
            found.append(text)
    return found


def _masked(expr: str) -> str:
    """What stands in brackets of any kind, blanked out."""
    depth, masked = 0, []
    for letter in expr:
        depth -= letter in ")}]"
        masked.append("·" if depth and not letter.isspace() else letter)
        if depth and letter.isspace():
            masked[-1] = "·"
        depth += letter in "({["
    return "".join(masked)
