"""The red and black list (红黑榜): companies and trucks by a score that anybody can add up.

Asked by the API; docs/api.md explains it to people. Only violations of cases that are concluded
count, since anything else is a lead until a person has looked at it; each costs `POINTS` by its
severity. A truck's score is 100 less its points. A company's is 100 less its points for each of
its registered trucks (of those seen in cases where the register tells of none), so that a large
fleet is not the worse for being large. Nobody falls below 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enforcement.actions import Actor
from enforcement.figures import CONCLUDED, Period, responsible
from enforcement.tables import CaseRow, ViolationRow
from geofences.city import City

POINTS: Final = {"critical": 20, "major": 8, "minor": 3, "lead": 1}
Of = Literal["companies", "trucks"]
Order = Literal["red", "black"]


@dataclass(slots=True)
class Ranked:
    name: str
    company: str | None
    """Of a truck."""
    trucks: int = 1
    """Of a company."""
    confirmed: int = 0
    """Violations of concluded cases."""
    pending: int = 0
    """Violations of cases that are not ended: they do not count yet."""
    points: int = 0
    by_severity: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    @property
    def score(self) -> float:
        return max(0.0, round(100 - self.points / self.trucks, 1))


def ranking(
    session: Session, actor: Actor, period: Period, city: City, of: Of, order: Order, limit: int
) -> list[Ranked]:
    """`red`: the best first; `black`: the worst. Of the cases opened within the time, and all who
    are registered."""
    registered = {truck.truck_id: truck.company for truck in city.trucks}
    ranked = _registered(registered, of)
    group = (CaseRow.truck_id, CaseRow.company, CaseRow.state, ViolationRow.severity)
    query = (
        select(*group, func.count())
        .join(CaseRow, CaseRow.case_id == ViolationRow.case_id)
        .where(
            *responsible(actor),
            CaseRow.opened_ms >= period.from_ms,
            CaseRow.opened_ms < period.to_ms,
            CaseRow.state != "void",
        )
        .group_by(*group)
    )
    for truck_id, company, state, severity, count in session.execute(query):
        name = truck_id if of == "trucks" else company
        if name is not None:
            one = ranked.setdefault(name, Ranked(name, company if of == "trucks" else None))
            one.seen.add(truck_id)
            _add(one, state, severity, count)
    if of == "companies":
        sizes = _sizes(registered)
        for one in ranked.values():
            one.trucks = sizes.get(one.name) or max(1, len(one.seen))
    return sorted(ranked.values(), key=lambda one: _place(one, order))[:limit]


def _registered(registered: Mapping[str, str | None], of: Of) -> dict[str, Ranked]:
    if of == "trucks":
        return {truck_id: Ranked(truck_id, company) for truck_id, company in registered.items()}
    return {name: Ranked(name, None) for name in registered.values() if name is not None}


def _sizes(registered: Mapping[str, str | None]) -> dict[str | None, int]:
    sizes: dict[str | None, int] = {}
    for company in registered.values():
        sizes[company] = sizes.get(company, 0) + 1
    return sizes


def _add(one: Ranked, state: str, severity: str, count: int) -> None:
    if state not in CONCLUDED:
        one.pending += count
        return
    one.confirmed += count
    one.points += POINTS[severity] * count
    one.by_severity[severity] = one.by_severity.get(severity, 0) + count


def _place(one: Ranked, order: Order) -> tuple[Any, ...]:
    """Of equals the one with more, or fewer, that is pending; then by name."""
    worst = (one.score, -one.points, -one.pending)
    return (*worst, one.name) if order == "black" else (*(-number for number in worst), one.name)
