"""Whether cases are what the audit trail says they are: what was changed past this program shows.

Asked by `mucktrack audit check`, beside `enforcement.audit.check`, which looks at the trail alone.
The trail says of each case its state, of each attachment its hash, and of each record of the queue
that it was taken; what else the tables hold is not compared.
"""

import hashlib
import json
from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enforcement.intake import PHASES
from enforcement.tables import AttachmentRow, AuditRow, CaseRow, EventRow


def differences(session: Session) -> Iterator[str]:
    """A line each; nothing = they agree."""
    yield from _states(session)
    yield from _records(session)
    yield from _attachments(session)


def _states(session: Session) -> Iterator[str]:
    last = (
        select(func.max(AuditRow.seq).label("seq"))
        .where(AuditRow.case_id.is_not(None), AuditRow.to_state.is_not(None))
        .group_by(AuditRow.case_id)
        .subquery()
    )
    said = select(AuditRow.case_id, AuditRow.to_state).join(last, last.c.seq == AuditRow.seq)
    trail: dict[str | None, str | None] = {row[0]: row[1] for row in session.execute(said)}
    for case_id, number, state in session.execute(
        select(CaseRow.case_id, CaseRow.number, CaseRow.state).order_by(CaseRow.number)
    ):
        expected = trail.pop(case_id, None)
        if expected is None:
            yield f"case {number} is not in the trail"
        elif state != expected:
            yield f"case {number} is {state}, and not {expected} as the trail says"
    for missing in trail:
        yield f"case {missing}, which the trail tells of, is missing"


def _records(session: Session) -> Iterator[str]:
    counted = select(EventRow.violation_id, func.count()).group_by(EventRow.violation_id)
    there: dict[str, int] = {row[0]: row[1] for row in session.execute(counted)}
    entries = select(AuditRow.details).where(AuditRow.action.in_(PHASES))
    for details in session.scalars(entries.execution_options(yield_per=1_000)):
        violation_id = json.loads(details)["violation_id"]
        there[violation_id] = there.get(violation_id, 0) - 1
    for violation_id, surplus in there.items():
        if surplus:
            what = "has more records" if surplus > 0 else "has fewer records"
            yield f"violation {violation_id} {what} than the trail tells of"


def _attachments(session: Session) -> Iterator[str]:
    there = set(session.scalars(select(AttachmentRow.attachment_id)))
    entries = select(AuditRow.details).where(AuditRow.action == "attach").order_by(AuditRow.seq)
    for details in session.scalars(entries).all():
        said = json.loads(details)
        name = f"attachment {said['attachment_id']}"
        content = session.scalars(
            select(AttachmentRow.content).where(
                AttachmentRow.attachment_id == said["attachment_id"]
            )
        ).first()
        there.discard(said["attachment_id"])
        if content is None:
            yield f"{name}, which the trail tells of, is missing"
        elif hashlib.sha256(content).hexdigest() != said["sha256"]:
            yield f"{name} is not the file that was added"
    for attachment_id in sorted(there):
        yield f"attachment {attachment_id} is not in the trail"
