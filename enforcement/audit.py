"""The audit trail: who did what to which case, when and why, each entry chained to the one before.

`append` is called within a change of the database, `check` by whoever wants to know whether the
trail is whole. An entry's hash is SHA-256 over the hash before it and the entry as canonical JSON,
so that an entry that was changed, taken out or put in shows. Cutting off the end shows only to who
has kept the hash of a later entry.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from enforcement.tables import AuditRow, HeadRow
from streams.logs import get_log

log = get_log(__name__)

FIRST: Final = "0" * 64
"""What stands before the first entry."""
SYSTEM: Final = "system"
"""Who did what nobody did."""
PAGE: Final = 1_000
APPENDED: Final = "appended entries"
"""In what SQLAlchemy keeps of a session for others."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be remembered of one change."""

    at_ms: int
    who: str
    action: str
    case_id: str | None = None
    from_state: str | None = None
    to_state: str | None = None
    why: str | None = None
    details: Mapping[str, Any] | None = None


def append(session: Session, head: HeadRow, entry: Entry) -> None:
    """Put an entry at the end, which `head` holds."""
    row = AuditRow(
        seq=head.seq + 1,
        case_id=entry.case_id,
        at_ms=entry.at_ms,
        who=entry.who,
        action=entry.action,
        from_state=entry.from_state,
        to_state=entry.to_state,
        why=entry.why,
        details=_canonical(dict(entry.details or {})),
        before=head.hash,
    )
    row.hash = hash_of(row)
    session.add(row)
    head.seq, head.hash = row.seq, row.hash
    session.info.setdefault(APPENDED, []).append((row.seq, entry))


def tell(session: Session) -> None:
    """Put what `session` has appended into the log; called once it is kept, since what is rolled
    back has not happened. Reasons and details stay in the trail: people are named there."""
    for seq, entry in session.info.pop(APPENDED, ()):
        details = entry.details or {}
        log.info(
            "audit_entry",
            action=entry.action,
            user=entry.who,
            case_id=entry.case_id,
            from_state=entry.from_state,
            to_state=entry.to_state,
            violation_id=details.get("violation_id"),
            address=details.get("address"),
            seq=seq,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """An entry that somebody has kept elsewhere."""

    seq: int
    hash: str


def end_of(session: Session) -> Known:
    """Where the trail ends."""
    head = session.scalars(select(HeadRow)).one()
    return Known(head.seq, head.hash)


def check(session: Session, known: Known | None = None) -> Iterator[str]:
    """What is wrong with the trail, a line each; nothing = it is whole."""
    before = Known(0, FIRST)
    for row in _rows(session):
        if row.seq < before.seq + 1:
            yield f"entry {row.seq} has no place: entries are counted from 1"
        elif row.seq > before.seq + 1:
            yield f"entries {before.seq + 1} to {row.seq - 1} are missing"
        elif row.before != before.hash:
            yield f"entry {row.seq} does not follow from the one before it"
        if row.hash != hash_of(row):
            yield f"entry {row.seq} is not what it was when it was written"
        if known is not None and row.seq == known.seq and row.hash != known.hash:
            yield f"entry {row.seq} is another than the one that is known"
        before = Known(max(row.seq, 0), row.hash)
    head = end_of(session)
    if head != before:
        yield f"the trail ends with entry {before.seq}, and not with {head.seq} as it should"
    if known is not None and known.seq > before.seq:
        yield f"entry {known.seq}, which is known, is missing"


def _rows(session: Session) -> Iterator[AuditRow]:
    """All, in order, a page at a time."""
    last: int | None = None
    while True:
        rows = select(AuditRow).order_by(AuditRow.seq).limit(PAGE)
        page = session.scalars(rows if last is None else rows.where(AuditRow.seq > last)).all()
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1].seq
        session.expunge_all()


def hash_of(row: AuditRow) -> str:
    """What its hash has to be."""
    said = (
        *(row.seq, row.case_id, row.at_ms, row.who, row.action, row.from_state, row.to_state),
        *(row.why, row.details),
    )
    return hashlib.sha256(f"{row.before}{_canonical(said)}".encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
