"""What people see of cases and violations, page by page; each query says whose districts.

Asked by the API alone. `Actor.sees` decides of one case in Python what `visible` decides here in
SQL, and a test compares the two. Nothing here changes anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select
from sqlalchemy.orm import Session, selectinload

from enforcement.actions import Actor
from enforcement.intake import NONE_KNOWN
from enforcement.steps import ENDED, State
from enforcement.tables import (
    AttachmentRow,
    AuditRow,
    CaseDistrictRow,
    CaseRow,
    EventRow,
    ViolationRow,
)
from streams.catalogue import Severity

Sort = Literal["queue", "newest"]
MOST: Final = 200
"""Items of a page."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters; None or empty = all."""

    states: tuple[State, ...] = ()
    severities: tuple[Severity, ...] = ()
    rules: tuple[str, ...] = ()
    district: str | None = None
    truck: str | None = None
    company: str | None = None
    from_ms: int | None = None
    """Began then or later."""
    to_ms: int | None = None
    """Began before."""
    overdue: bool = False
    handler: str | None = None
    q: str | None = None
    """Part of a plate or company, or a case's number."""


def visible(actor: Actor) -> list[ColumnElement[bool]]:
    """Of cases: those of his districts, and those that are nobody's."""
    if actor.districts is None:
        return []
    rows = select(CaseDistrictRow.case_id).where(CaseDistrictRow.case_id == CaseRow.case_id)
    his = rows.where(CaseDistrictRow.district.in_(sorted(actor.districts)))
    known = rows.where(CaseDistrictRow.district != NONE_KNOWN)
    return [or_(his.exists(), ~known.exists())]


def cases(
    session: Session,
    actor: Actor,
    wanted: Wanted,
    sort: Sort,
    after: tuple[int, ...] | None,
    limit: int,
    now_ms: int,
) -> list[CaseRow]:
    """The gravest first and of these the oldest (`queue`; without states, those that are not
    ended), or the newest first. `after`: `place` of the last case of the page before."""
    query = select(CaseRow).options(selectinload(CaseRow.districts)).where(*visible(actor))
    query = query.where(*_filters(wanted, now_ms))
    if sort == "queue":
        if not set(wanted.states) & ENDED:
            query = query.where(CaseRow.ended_ms.is_(None))
        query = query.order_by(CaseRow.rank.desc(), CaseRow.number)
        if after is not None:
            rank, number = after
            query = query.where(
                CaseRow.rank <= rank, or_(CaseRow.rank < rank, CaseRow.number > number)
            )
    else:
        query = query.order_by(CaseRow.number.desc())
        if after is not None:
            query = query.where(CaseRow.number < after[-1])
    return list(session.scalars(query.limit(limit)))


def place(case: CaseRow) -> tuple[int, int]:
    """Where a case stands, in either order."""
    return case.rank, case.number


def counts(session: Session, actor: Actor, now_ms: int) -> dict[str, int]:
    """How many cases are in each state that is not the end, overdue and under supervision."""
    is_open = (CaseRow.ended_ms.is_(None), *visible(actor))
    by_state = select(CaseRow.state, func.count()).where(*is_open).group_by(CaseRow.state)
    found: dict[str, int] = {row[0]: row[1] for row in session.execute(by_state)}
    late = select(func.count()).select_from(CaseRow).where(*is_open)
    found["overdue"] = session.scalars(late.where(CaseRow.due_ms < now_ms)).one()
    found["supervised"] = session.scalars(late.where(CaseRow.supervised_ms.is_not(None))).one()
    return found


def case(session: Session, actor: Actor, case_id: str) -> CaseRow | None:
    """None where there is none, or none that he sees."""
    query = select(CaseRow).options(selectinload(CaseRow.districts))
    return session.scalars(query.where(CaseRow.case_id == case_id, *visible(actor))).first()


def violations_of(session: Session, case_id: str) -> Sequence[ViolationRow]:
    query = select(ViolationRow).where(ViolationRow.case_id == case_id)
    return session.scalars(query.order_by(ViolationRow.started_ms, ViolationRow.arrived)).all()


def grounds_of(session: Session, case_id: str) -> dict[str, str]:
    """By violation that is closed: its value of the phase before, which says what was measured."""
    query = (
        select(EventRow.violation_id, EventRow.value)
        .join(ViolationRow, ViolationRow.violation_id == EventRow.violation_id)
        .where(
            ViolationRow.case_id == case_id,
            ViolationRow.phase == "closed",
            EventRow.ce_id.not_like("%/closed%"),
        )
        .order_by(EventRow.topic_offset)
    )
    return {row.violation_id: row.value for row in session.execute(query)}


def trail_of(session: Session, case_id: str) -> Sequence[AuditRow]:
    query = select(AuditRow).where(AuditRow.case_id == case_id).order_by(AuditRow.seq)
    return session.scalars(query).all()


def attachments_of(session: Session, case_id: str) -> Sequence[AttachmentRow]:
    query = select(AttachmentRow).where(AttachmentRow.case_id == case_id)
    return session.scalars(query.order_by(AttachmentRow.added_ms)).all()


def violations(
    session: Session,
    actor: Actor,
    wanted: Wanted,
    after: tuple[int, ...] | None,
    limit: int,
) -> list[ViolationRow]:
    """The latest to arrive first. `after`: `arrived` of the last one of the page before."""
    query = select(ViolationRow).order_by(ViolationRow.arrived.desc()).limit(limit)
    if after is not None:
        query = query.where(ViolationRow.arrived < after[0])
    return list(session.scalars(_of_cases(query, actor).where(*_of_violations(wanted))))


def violation(session: Session, actor: Actor, violation_id: str) -> ViolationRow | None:
    """None where there is none, or none of a case that he sees."""
    query = select(ViolationRow).where(ViolationRow.violation_id == violation_id)
    return session.scalars(_of_cases(query, actor)).first()


def trail(
    session: Session, actor: Actor, after: tuple[int, ...] | None, limit: int
) -> Sequence[AuditRow]:
    """The whole audit trail, the latest first. Who is limited to districts sees what concerns the
    cases that he sees."""
    query = select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit)
    if after is not None:
        query = query.where(AuditRow.seq < after[0])
    if actor.districts is not None:
        query = query.join(CaseRow, CaseRow.case_id == AuditRow.case_id).where(*visible(actor))
    return session.scalars(query).all()


def _of_cases(query: Select[Any], actor: Actor) -> Select[Any]:
    if actor.districts is None:
        return query
    return query.join(CaseRow, CaseRow.case_id == ViolationRow.case_id).where(*visible(actor))


def _filters(wanted: Wanted, now_ms: int) -> list[ColumnElement[bool]]:
    said: list[ColumnElement[bool]] = []
    if wanted.states:
        said.append(CaseRow.state.in_(wanted.states))
    if wanted.severities:
        said.append(CaseRow.severity.in_(wanted.severities))
    if wanted.rules:
        of_rule = select(ViolationRow.case_id).where(
            ViolationRow.case_id == CaseRow.case_id, ViolationRow.rule.in_(wanted.rules)
        )
        said.append(of_rule.exists())
    if wanted.district is not None:
        in_district = select(CaseDistrictRow.case_id).where(
            CaseDistrictRow.case_id == CaseRow.case_id,
            CaseDistrictRow.district == wanted.district,
        )
        said.append(in_district.exists())
    if wanted.truck is not None:
        said.append(CaseRow.truck_id == wanted.truck)
    if wanted.company is not None:
        said.append(CaseRow.company == wanted.company)
    if wanted.from_ms is not None:
        said.append(CaseRow.started_ms >= wanted.from_ms)
    if wanted.to_ms is not None:
        said.append(CaseRow.started_ms < wanted.to_ms)
    if wanted.overdue:
        said.append(and_(CaseRow.due_ms < now_ms, CaseRow.ended_ms.is_(None)))
    if wanted.handler is not None:
        said.append(or_(CaseRow.handler == wanted.handler, CaseRow.officer == wanted.handler))
    if wanted.q is not None:
        said.append(
            or_(
                CaseRow.truck_id.icontains(wanted.q, autoescape=True),
                CaseRow.company.icontains(wanted.q, autoescape=True),
                cast(CaseRow.number, String) == wanted.q,
            )
        )
    return said


def _of_violations(wanted: Wanted) -> list[ColumnElement[bool]]:
    said: list[ColumnElement[bool]] = []
    if wanted.severities:
        said.append(ViolationRow.severity.in_(wanted.severities))
    if wanted.rules:
        said.append(ViolationRow.rule.in_(wanted.rules))
    if wanted.district is not None:
        said.append(ViolationRow.district == wanted.district)
    if wanted.truck is not None:
        said.append(ViolationRow.truck_id == wanted.truck)
    if wanted.from_ms is not None:
        said.append(ViolationRow.started_ms >= wanted.from_ms)
    if wanted.to_ms is not None:
        said.append(ViolationRow.started_ms < wanted.to_ms)
    return said
