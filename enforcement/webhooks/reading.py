"""Reads from the audit trail what a receiver is to be told. Called by `enforcement.webhooks.sender`
within a change of the database."""

import json
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from enforcement.severities import RANKS
from enforcement.tables import AuditRow, CaseRow, ViolationRow
from enforcement.webhooks.events import event_of
from enforcement.webhooks.messages import Told
from enforcement.webhooks.receivers import Receiver

PAGE: Final = 200


def first_wanted(session: Session, next_seq: int, receiver: Receiver) -> tuple[int | None, int]:
    """The next entry that the receiver is told, of the `PAGE` from `next_seq` on, None = none of
    them; and where to go on."""
    entries = session.scalars(
        select(AuditRow).where(AuditRow.seq >= next_seq).order_by(AuditRow.seq).limit(PAGE)
    ).all()
    cases = _cases(session, {entry.case_id for entry in entries if entry.case_id is not None})
    for entry in entries:
        event, case = event_of(entry), cases.get(entry.case_id or "")
        if event is None or case is None:
            continue
        districts = {row.district for row in case.districts}
        if receiver.wants(event, case.rules, case.severity, districts):
            return entry.seq, entry.seq
    return None, entries[-1].seq + 1 if entries else next_seq


def told_of(session: Session, seq: int) -> Told:
    """An entry that concerns a case, with all that is said of it."""
    entry = session.get_one(AuditRow, seq)
    case = session.get_one(CaseRow, entry.case_id)
    violations = session.scalars(
        select(ViolationRow)
        .where(ViolationRow.case_id == case.case_id)
        .order_by(ViolationRow.arrived)
    ).all()
    about = json.loads(entry.details).get("violation_id")
    violation = next((row for row in violations if row.violation_id == about), None)
    if violation is None and violations:
        violation = max(violations, key=lambda row: RANKS[row.severity])
    return Told(event_of(entry) or "", entry, case, violation)


def _cases(session: Session, ids: set[str]) -> dict[str, CaseRow]:
    rows = session.scalars(
        select(CaseRow).where(CaseRow.case_id.in_(ids)).options(selectinload(CaseRow.districts))
    )
    return {row.case_id: row for row in rows}
