"""Violations become cases, exactly once (design section 11).

`take` is called by `enforcement.consumer` within a change of the database, with records of the
violations' topic in their order. All phases of a violation belong to its case, and all violations
of a trip to one case. What has been taken before, by its `ce_id`, changes nothing. A case that was
ended comes back to the queue where something is said that nobody knew of then: nothing is left
alone, and nobody is fined for what was withdrawn. It knows neither Kafka nor a clock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from enforcement.audit import SYSTEM, Entry, append
from enforcement.rulebook import Rulebook
from enforcement.severities import RANKS
from enforcement.steps import ENDED
from enforcement.tables import CaseDistrictRow, CaseRow, EventRow, HeadRow, ViolationRow
from streams.output import NAMESPACE, Violation, ce_id

WITHDRAWN: Final = "withdrawn"
PHASES: Final = {"opened": 0, "escalated": 1, "closed": 2, "occurred": 2, WITHDRAWN: 3}
NEWS: Final = ("escalated", WITHDRAWN)
"""Phases of a known violation that somebody has to look at; that it has closed is none."""
NONE_KNOWN: Final = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record of the violations' topic."""

    violation: Violation
    value: str
    """As it came."""
    partition: int
    offset: int


@dataclass(slots=True)
class Taken:
    """What came of some arrivals."""

    new_events: int = 0
    repeated: int = 0
    new_cases: int = 0


def case_id_of(violation: Violation) -> str:
    """The same for all violations of a trip, and for all phases of one without a trip."""
    return str(uuid5(NAMESPACE, f"case|{violation.trip_id or violation.violation_id}"))


def take(
    session: Session,
    head: HeadRow,
    arrivals: Sequence[Arrival],
    now_ms: int,
    rulebook: Rulebook,
) -> Taken:
    """Make cases of what is new."""
    taken = Taken()
    fresh = _fresh(session, arrivals)
    taken.repeated = len(arrivals) - len(fresh)
    violations = _known_violations(session, {one.violation.violation_id for one in fresh})
    cases = _known_cases(
        session,
        {case_id_of(one.violation) for one in fresh} | {row.case_id for row in violations.values()},
    )
    for arrival in fresh:
        said = arrival.violation
        row = violations.get(said.violation_id)
        # A violation stays in its case, whatever trip later phases say that it was on.
        case = cases.get(case_id_of(said) if row is None else row.case_id)
        if case is None:
            case = _open(session, head, said, now_ms)
            cases[case.case_id] = case
            taken.new_cases += 1
        matters = row is None or said.phase in NEWS or row.phase == WITHDRAWN
        if row is None:
            row = _add(session, head, case, arrival, now_ms)
            violations[said.violation_id] = row
        elif _is_later(said, row):
            _renew(row, arrival)
        else:
            matters = False
        session.add(_event(arrival, now_ms))
        _bear(session, head, case, said, matters, now_ms, rulebook)
        taken.new_events += 1
    return taken


def _fresh(session: Session, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Without what has been taken before, here or earlier."""
    ids = {ce_id_of(one) for one in arrivals}
    seen = set(session.scalars(select(EventRow.ce_id).where(EventRow.ce_id.in_(ids))))
    fresh = []
    for arrival in arrivals:
        if ce_id_of(arrival) not in seen:
            seen.add(ce_id_of(arrival))
            fresh.append(arrival)
    return fresh


def ce_id_of(arrival: Arrival) -> str:
    """By which it is known again."""
    return ce_id_said(arrival.violation)


def ce_id_said(said: Violation) -> str:
    """Revisions of one phase are events of their own."""
    return ce_id(said) if not said.revision else f"{ce_id(said)}/{said.revision}"


def _known_violations(session: Session, ids: Collection[str]) -> dict[str, ViolationRow]:
    rows = session.scalars(select(ViolationRow).where(ViolationRow.violation_id.in_(ids)))
    return {row.violation_id: row for row in rows}


def _known_cases(session: Session, ids: Collection[str]) -> dict[str, CaseRow]:
    """With their districts, which each event asks for."""
    rows = session.scalars(
        select(CaseRow).where(CaseRow.case_id.in_(ids)).options(selectinload(CaseRow.districts))
    )
    return {row.case_id: row for row in rows}


def _open(session: Session, head: HeadRow, said: Violation, now_ms: int) -> CaseRow:
    head.cases += 1
    case = CaseRow(
        case_id=case_id_of(said),
        number=head.cases,
        state="new",
        severity=said.severity,
        rank=RANKS[said.severity],
        rules=[],
        truck_id=said.truck_id,
        company=said.company,
        trip_id=said.trip_id,
        district=said.district,
        opened_ms=now_ms,
        started_ms=said.started_ms,
        updated_ms=now_ms,
        deferred=False,
        withdrawn=False,
        version=0,
    )
    session.add(case)
    append(session, head, Entry(now_ms, SYSTEM, "open", case.case_id, None, "new"))
    return case


def _add(
    session: Session, head: HeadRow, case: CaseRow, arrival: Arrival, now_ms: int
) -> ViolationRow:
    head.violations += 1
    row = ViolationRow(
        violation_id=arrival.violation.violation_id,
        case_id=case.case_id,
        arrived=head.violations,
        received_ms=now_ms,
    )
    _renew(row, arrival)
    session.add(row)
    return row


def _is_later(said: Violation, row: ViolationRow) -> bool:
    return (said.revision, PHASES[said.phase]) > (row.revision, PHASES[row.phase])


def _renew(row: ViolationRow, arrival: Arrival) -> None:
    said = arrival.violation
    row.phase, row.revision = said.phase, said.revision
    row.rule, row.severity, row.truck_id = said.rule, said.severity, said.truck_id
    row.district, row.lon, row.lat = said.district, said.lon, said.lat
    row.started_ms, row.detected_ms, row.ended_ms = (
        said.started_ms,
        said.detected_ms,
        said.ended_ms,
    )
    row.value = arrival.value


def _event(arrival: Arrival, now_ms: int) -> EventRow:
    return EventRow(
        ce_id=ce_id_of(arrival),
        violation_id=arrival.violation.violation_id,
        topic_partition=arrival.partition,
        topic_offset=arrival.offset,
        received_ms=now_ms,
        value=arrival.value,
    )


def _bear(
    session: Session,
    head: HeadRow,
    case: CaseRow,
    said: Violation,
    matters: bool,
    now_ms: int,
    rulebook: Rulebook,
) -> None:
    """What the case has to know of a violation of its own. `matters`: it says what those who ended
    the case did not know."""
    case.version += 1
    case.updated_ms = now_ms
    case.started_ms = min(case.started_ms, said.started_ms)
    if said.rule not in case.rules:
        case.rules = [*case.rules, said.rule]
    if RANKS[said.severity] > case.rank:
        case.severity, case.rank = said.severity, RANKS[said.severity]
        case.district = said.district or case.district
    elif case.district is None:
        case.district = said.district
    district = said.district or NONE_KNOWN
    if district not in {one.district for one in case.districts}:
        case.districts.append(CaseDistrictRow(district=district))
    if case.withdrawn or said.revision:
        case.withdrawn = _all_withdrawn(session, case)
    before = case.state
    # A false alarm that is withdrawn is what they had said.
    if matters and before in ENDED and (said.phase, before) != (WITHDRAWN, "void"):
        _reopen(case)
    details: dict[str, Any] = {"violation_id": said.violation_id, "rule": said.rule}
    if matters and _hurry(case, now_ms, rulebook):
        details["due_ms"] = case.due_ms
    append(
        session,
        head,
        Entry(
            *(now_ms, SYSTEM, said.phase, case.case_id, before, case.state),
            details=details,
        ),
    )


def _hurry(case: CaseRow, now_ms: int, rulebook: Rulebook) -> bool:
    """A case that is at work and has become graver is given no longer than such a case, from now
    on; whoever deferred it has decided otherwise."""
    if case.due_ms is None or case.deferred or case.state in ENDED:
        return False
    due_ms = rulebook.due_ms(now_ms, case.severity, case.rules)
    if due_ms >= case.due_ms:
        return False
    case.due_ms = due_ms
    return True


def _all_withdrawn(session: Session, case: CaseRow) -> bool:
    standing = select(ViolationRow.violation_id).where(
        ViolationRow.case_id == case.case_id, ViolationRow.phase != WITHDRAWN
    )
    return session.scalars(standing.limit(1)).first() is None


def _reopen(case: CaseRow) -> None:
    """Somebody has to look at it again, from the beginning; what was done stands in the trail."""
    case.state = "new"
    case.handler = case.officer = case.squad = None
    case.dispatched_ms = case.due_ms = case.supervised_ms = case.ended_ms = None
    case.deferred = False
