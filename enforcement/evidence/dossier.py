"""What the database knows of a case, as it goes into its evidence package.

Entries of the audit trail about packages themselves are left out: they belong to the trail, and the
same case gives the same package each time.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from enforcement.evidence.contents import Attachment, Audit, Event
from enforcement.tables import (
    AttachmentRow,
    AuditRow,
    CaseDistrictRow,
    CaseRow,
    EventRow,
    ViolationRow,
)
from streams.topics import VIOLATIONS

EXPORTED: Final = "evidence"
"""Action of the entry that an export leaves."""
_LONGEST_SUFFIX: Final = 5


@dataclass(frozen=True, slots=True)
class Dossier:
    """One case."""

    case: dict[str, Any]
    """The row, with the case's `districts`."""
    violation_ids: list[str]
    """Those asked for, in the order in which they arrived."""
    events: list[Event]
    """Of these violations, in the order of the queue."""
    audit: list[Audit]
    attachments: list[Attachment]
    attached: dict[str, bytes]


def case_id_of(session: Session, wanted: str) -> tuple[str, str | None] | None:
    """The case that a violation's id, a case's id or a case's number means, and the violation where
    it is one; None = there is no such."""
    violation = session.get(ViolationRow, wanted)
    if violation is not None:
        return violation.case_id, wanted
    by = CaseRow.case_id == wanted
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        by = CaseRow.number == int(wanted)
    found = session.scalars(select(CaseRow.case_id).where(by)).first()
    return None if found is None else (found, None)


def read_dossier(session: Session, case_id: str, violation_id: str | None) -> Dossier:
    """Of all violations of the case, or of one."""
    case = session.get_one(CaseRow, case_id)
    ids = list(
        session.scalars(
            select(ViolationRow.violation_id)
            .where(ViolationRow.case_id == case_id)
            .order_by(ViolationRow.arrived)
        )
    )
    wanted = ids if violation_id is None else [violation_id]
    attachments, attached = _attachments(session, case_id)
    return Dossier(_case(session, case), wanted, _events(session, wanted), _audit(session, case_id),
                   attachments, attached)  # fmt: skip


def _case(session: Session, case: CaseRow) -> dict[str, Any]:
    values = {column.key: getattr(case, column.key) for column in CaseRow.__table__.columns}
    districts = select(CaseDistrictRow.district).where(CaseDistrictRow.case_id == case.case_id)
    values["districts"] = sorted(one for one in session.scalars(districts) if one)
    return values


def _events(session: Session, violation_ids: list[str]) -> list[Event]:
    rows = session.scalars(
        select(EventRow)
        .where(EventRow.violation_id.in_(violation_ids))
        .order_by(EventRow.topic_partition, EventRow.topic_offset)
    )
    return [
        Event(
            *(row.ce_id, VIOLATIONS, row.topic_partition, row.topic_offset, row.received_ms),
            row.value,
        )
        for row in rows
    ]


def _audit(session: Session, case_id: str) -> list[Audit]:
    rows = session.scalars(
        select(AuditRow)
        .where(AuditRow.case_id == case_id, AuditRow.action != EXPORTED)
        .order_by(AuditRow.seq)
    )
    return [Audit(**{name: getattr(row, name) for name in Audit.__struct_fields__}) for row in rows]


def _attachments(session: Session, case_id: str) -> tuple[list[Attachment], dict[str, bytes]]:
    rows = session.scalars(
        select(AttachmentRow)
        .where(AttachmentRow.case_id == case_id)
        .order_by(AttachmentRow.added_ms, AttachmentRow.attachment_id)
        .options(undefer(AttachmentRow.content))
    )
    attachments, attached = [], {}
    for row in rows:
        file = f"attachments/{row.attachment_id}{_suffix(row.name)}"
        attached[file] = row.content
        attachments.append(
            Attachment(
                *(row.attachment_id, file, row.name, row.media_type, row.sha256, row.added_ms),
                row.added_by,
            )
        )
    return attachments, attached


def _suffix(name: str) -> str:
    """By which programs know what to open a file with; people may have called it anything."""
    suffix = name.rpartition(".")[2].lower()
    is_one = suffix != name.lower() and suffix.isascii() and suffix.isalnum()
    return f".{suffix}" if is_one and len(suffix) <= _LONGEST_SUFFIX else ""
