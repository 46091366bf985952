"""The figures that offices publish, over the cases of a time and of somebody's districts.

Asked by the API; docs/api.md explains them to people. A case counts for the district that is
responsible for it. Definitions, of the cases opened within the time:

- filed (立案): accepted or beyond, and not void. 立案率 = filed / all.
- concluded (结案): closed, waived or transferred. 结案率 = concluded / filed.
- 按期结案率, of the cases whose time limit ended within the time and that are not void: concluded
  within it / (due - deferred), deferred ones being left out above and below the line.
- confirmed, of a rule: violations of cases that are concluded, which a person has looked at; void:
  those of void cases. Measured precision = confirmed / (confirmed + void).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, and_, case, func, or_, select
from sqlalchemy.orm import Session

from enforcement.actions import Actor
from enforcement.steps import State
from enforcement.tables import CaseRow, ViolationRow
from streams.catalogue import CATALOGUE

CONCLUDED: Final[tuple[State, ...]] = ("closed", "waived", "transferred")
NOT_FILED: Final[tuple[State, ...]] = ("new", "void")
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Period:
    """From the first moment to before the last, by the wall clock."""

    from_ms: int
    to_ms: int


@dataclass(slots=True)
class Tally:
    """Counts of cases, and the rates made of them; None = there is nothing to divide by."""

    cases: int = 0
    filed: int = 0
    concluded: int = 0
    void: int = 0
    due: int = 0
    deferred: int = 0
    in_time: int = 0

    @property
    def filing_rate(self) -> float | None:
        return _rate(self.filed, self.cases)

    @property
    def closure_rate(self) -> float | None:
        return _rate(self.concluded, self.filed)

    @property
    def in_time_rate(self) -> float | None:
        return _rate(self.in_time, self.due - self.deferred)

    def add(self, other: "Tally") -> None:
        for name in Tally.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class RuleTally:
    """Violations of one rule."""

    violations: int = 0
    confirmed: int = 0
    void: int = 0

    @property
    def precision(self) -> float | None:
        return _rate(self.confirmed, self.confirmed + self.void)


@dataclass(slots=True)
class DayTally:
    opened: int = 0
    ended: int = 0


@dataclass(slots=True)
class Figures:
    total: Tally = field(default_factory=Tally)
    by_district: dict[str | None, Tally] = field(default_factory=dict)
    """None = no district is responsible."""
    by_rule: dict[str, RuleTally] = field(default_factory=dict)
    """All rules, in the catalogue's order."""
    by_day: dict[str, DayTally] = field(default_factory=dict)
    """ISO dates, local."""


def responsible(actor: Actor) -> list[ColumnElement[bool]]:
    """Of cases: his districts are responsible, or none is."""
    if actor.districts is None:
        return []
    return [or_(CaseRow.district.in_(sorted(actor.districts)), CaseRow.district.is_(None))]


def figures(
    session: Session,
    actor: Actor,
    period: Period,
    now_ms: int,
    zone: ZoneInfo,
    district: str | None,
) -> Figures:
    """`district`: only of this one; None = of all that he sees."""
    limits = responsible(actor)
    if district is not None:
        limits.append(CaseRow.district == district)
    made = Figures(by_rule={rule.id: RuleTally() for rule in CATALOGUE})
    _count_opened(session, limits, period, made)
    _count_due(session, limits, period, now_ms, made)
    for tally in made.by_district.values():
        made.total.add(tally)
    _count_rules(session, limits, period, made)
    for name, moment in (("opened", CaseRow.opened_ms), ("ended", CaseRow.ended_ms)):
        for hour, count in _by_hour(session, limits, period, moment).items():
            day = datetime.fromtimestamp(hour * HOUR_MS / 1_000, UTC).astimezone(zone).date()
            tally_of_day = made.by_day.setdefault(day.isoformat(), DayTally())
            setattr(tally_of_day, name, getattr(tally_of_day, name) + count)
    made.by_day = dict(sorted(made.by_day.items()))
    return made


def _count_opened(
    session: Session, limits: list[ColumnElement[bool]], period: Period, made: Figures
) -> None:
    query = (
        select(
            CaseRow.district,
            func.count(),
            _sum(CaseRow.state.not_in(NOT_FILED)),
            _sum(CaseRow.state.in_(CONCLUDED)),
            _sum(CaseRow.state == "void"),
        )
        .where(*limits, *_within(CaseRow.opened_ms, period))
        .group_by(CaseRow.district)
    )
    for district, cases, filed, concluded, void in session.execute(query):
        tally = made.by_district.setdefault(district, Tally())
        tally.cases, tally.filed, tally.concluded, tally.void = cases, filed, concluded, void


def _count_due(
    session: Session,
    limits: list[ColumnElement[bool]],
    period: Period,
    now_ms: int,
    made: Figures,
) -> None:
    until_now = Period(period.from_ms, min(period.to_ms, now_ms))
    in_time = and_(
        CaseRow.deferred.is_(False),
        CaseRow.state.in_(CONCLUDED),
        CaseRow.ended_ms <= CaseRow.due_ms,
    )
    query = (
        select(CaseRow.district, func.count(), _sum(CaseRow.deferred.is_(True)), _sum(in_time))
        .where(*limits, *_within(CaseRow.due_ms, until_now), CaseRow.state != "void")
        .group_by(CaseRow.district)
    )
    for district, due, deferred, closed_in_time in session.execute(query):
        tally = made.by_district.setdefault(district, Tally())
        tally.due, tally.deferred, tally.in_time = due, deferred, closed_in_time


def _count_rules(
    session: Session, limits: list[ColumnElement[bool]], period: Period, made: Figures
) -> None:
    query = (
        select(
            ViolationRow.rule,
            func.count(),
            _sum(CaseRow.state.in_(CONCLUDED)),
            _sum(CaseRow.state == "void"),
        )
        .join(CaseRow, CaseRow.case_id == ViolationRow.case_id)
        .where(*limits, *_within(CaseRow.opened_ms, period))
        .group_by(ViolationRow.rule)
    )
    for rule, violations, confirmed, void in session.execute(query):
        made.by_rule[rule] = RuleTally(violations, confirmed, void)


def _by_hour(
    session: Session, limits: list[ColumnElement[bool]], period: Period, moment: Any
) -> Mapping[int, int]:
    """Hours since 1970; no zone begins its day within one that matters here."""
    hour = moment // HOUR_MS
    query = select(hour.label("hour"), func.count()).where(*limits, *_within(moment, period))
    found = session.execute(query.group_by("hour"))
    return {int(hour): count for hour, count in found}


def _within(moment: Any, period: Period) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return moment >= period.from_ms, moment < period.to_ms


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0, type_=Integer)


def _rate(part: int, whole: int) -> float | None:
    return None if whole <= 0 else round(part / whole, 4)
