"""How an office works: its calendar and its time limits, read from a TOML file.

`rulebook.toml` beside this module holds, and documents, what is in force where a city has no file
of its own. Asked by `enforcement.actions` for the due time of a case.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from enforcement.severities import SEVERITIES
from enforcement.workdays import NoWorkError, WorkCalendar
from geofences.hours import Window, parse_hours
from streams.catalogue import CATALOGUE

SHIPPED: Final = Path(__file__).with_name("rulebook.toml")
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KEYS: Final = {"holidays", "workdays", "hours", "limits_h"}
HOUR_MS: Final = 3_600_000
MOST_HOURS: Final = 5_000


class RulebookError(Exception):
    """A file that cannot be used; one line that names key, value and what is allowed."""


@dataclass(frozen=True)
class Rulebook:
    """Calendar and limits."""

    calendar: WorkCalendar
    by_severity: Mapping[str, float]
    """Working hours from dispatch."""
    by_rule: Mapping[str, float]

    def due_ms(self, dispatched_ms: int, severity: str, rules: list[str]) -> int:
        """By when a case is to be ended: the shortest of its limits."""
        limits = [self.by_rule[rule] for rule in rules if rule in self.by_rule]
        hours = min([self.by_severity[severity], *limits])
        return self.calendar.deadline_ms(dispatched_ms, round(hours * HOUR_MS))


def read_rulebook(path: Path | None, zone: ZoneInfo) -> Rulebook:
    """None = the one that comes along. Raises `RulebookError`."""
    path = path or SHIPPED
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RulebookError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RulebookError(f"{path}: no TOML: {error}") from None
    try:
        return _rulebook(said, zone)
    except ValueError as error:
        raise RulebookError(f"{path}: {error}") from None


def _rulebook(said: Mapping[str, Any], zone: ZoneInfo) -> Rulebook:
    _only(said, KEYS, "")
    hours = _table(said, "hours")
    _only(hours, set(DAYS), "hours.")
    limits = dict(_table(said, "limits_h"))
    by_rule = limits.pop("rules", {})
    if not isinstance(by_rule, dict):
        raise ValueError("limits_h.rules is no table")
    _only(limits, set(SEVERITIES), "limits_h.")
    _only(by_rule, {rule.id for rule in CATALOGUE}, "limits_h.rules.")
    missing = [name for name in SEVERITIES if name not in limits]
    if missing:
        raise ValueError(
            f"limits_h has no {missing[0]}; each of {', '.join(SEVERITIES)} needs a limit"
        )
    rulebook = Rulebook(
        WorkCalendar(
            zone,
            tuple(_windows(day, hours.get(day, "")) for day in DAYS),
            _dates(said, "holidays"),
            _dates(said, "workdays"),
        ),
        {name: _hours(f"limits_h.{name}", value) for name, value in limits.items()},
        {name: _hours(f"limits_h.rules.{name}", value) for name, value in by_rule.items()},
    )
    longest = max([*rulebook.by_severity.values(), *rulebook.by_rule.values()])
    try:
        rulebook.calendar.deadline_ms(0, round(longest * HOUR_MS))
    except NoWorkError as error:
        raise ValueError(f"hours: {error}; give some day its hours") from None
    return rulebook


def _only(table: Mapping[str, Any], allowed: set[str], prefix: str) -> None:
    for key in table:
        if key not in allowed:
            raise ValueError(f"{prefix}{key} is unknown; allowed are {', '.join(sorted(allowed))}")


def _table(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = said.get(key)
    if not isinstance(table, dict):
        raise ValueError(f"the table [{key}] is missing")
    return table


def _windows(day: str, text: Any) -> tuple[Window, ...]:
    if not isinstance(text, str):
        raise ValueError(f"hours.{day} = {text!r}; write e.g. '09:00-12:00;13:30-17:30'")
    try:
        windows = sorted(parse_hours(text), key=lambda window: window.start_min)
    except ValueError as error:
        raise ValueError(f"hours.{day}: {error}") from None
    for before, after in pairwise(windows):
        if before.end_min > after.start_min:
            raise ValueError(f"hours.{day} = {text!r}: windows overlap")
    return tuple(windows)


def _dates(said: Mapping[str, Any], key: str) -> frozenset[date]:
    values = said.get(key, [])
    if not isinstance(values, list):
        raise ValueError(f"{key} = {values}; write a list of dates")
    for value in values:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise ValueError(f"{key}: {value!r} is no date; write e.g. [2027-01-01]")
    return frozenset(values)


def _hours(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MOST_HOURS:
        raise ValueError(f"{key} = {value!r}; allowed are hours above 0, up to {MOST_HOURS}")
    return float(value)
