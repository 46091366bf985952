"""Files that people add to a case: which may be, and how they are kept.

Called by the API within a change of the database. Content is kept and given as it came, never read
by this program beyond its first bytes.
"""

import hashlib
import re
from typing import Final
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enforcement.actions import (
    Actor,
    BadRequestError,
    ConflictError,
    NotAllowedError,
    StaleError,
    UnknownCaseError,
    districts_of,
)
from enforcement.audit import Entry, append
from enforcement.steps import Role
from enforcement.tables import AttachmentRow, CaseRow, HeadRow

MAGIC: Final[dict[str, tuple[bytes, ...]]] = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/webp": (b"RIFF",),
    "application/pdf": (b"%PDF-",),
    "video/mp4": (b"ftyp",),
}
"""What may be added, and how it begins; nothing that a browser would run."""
MP4_SKIPPED: Final = 4
ROLES: Final[tuple[Role, ...]] = ("dispatcher", "officer", "reviewer")
MOST_OF_A_CASE: Final = 100
LONGEST_NAME: Final = 120
_UNWANTED: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+')


def attach(
    session: Session,
    head: HeadRow,
    case_id: str,
    actor: Actor,
    name: str,
    media_type: str,
    content: bytes,
    version: int | None,
    now_ms: int,
) -> tuple[AttachmentRow, CaseRow]:
    """Add a file. `version`: that of the case as it was seen. Raises an `ActionError`."""
    case = session.get(CaseRow, case_id)
    if case is None or not actor.sees(districts_of(case)):
        raise UnknownCaseError(f"no case {case_id}")
    if actor.role not in (*ROLES, "admin"):
        raise NotAllowedError(f"files are added by {', '.join(ROLES)}, admin; you are {actor.role}")
    if version is not None and version != case.version:
        raise StaleError(f"case {case.number} has changed since you looked at it")
    _check(media_type, content)
    there = select(func.count()).where(AttachmentRow.case_id == case_id)
    if session.scalars(there).one() >= MOST_OF_A_CASE:
        raise ConflictError(f"case {case.number} has {MOST_OF_A_CASE} files; no more are kept")
    row = AttachmentRow(
        attachment_id=str(uuid4()),
        case_id=case_id,
        name=plain_name(name),
        media_type=media_type,
        sha256=hashlib.sha256(content).hexdigest(),
        added_ms=now_ms,
        added_by=actor.name,
        content=content,
    )
    session.add(row)
    case.version += 1
    case.updated_ms = now_ms
    said = {"attachment_id": row.attachment_id, "name": row.name, "sha256": row.sha256}
    entry = Entry(now_ms, actor.name, "attach", case_id, case.state, case.state, details=said)
    append(session, head, entry)
    return row, case


def _check(media_type: str, content: bytes) -> None:
    magic = MAGIC.get(media_type)
    if magic is None:
        raise BadRequestError(f"Content-Type: allowed are {', '.join(MAGIC)}")
    begin = content[MP4_SKIPPED:] if media_type == "video/mp4" else content
    if not begin.startswith(magic):
        raise BadRequestError(f"the file does not begin as {media_type} does")


def plain_name(name: str) -> str:
    """A name that is no path and turns nothing round; it keeps its ending."""
    kept = _UNWANTED.sub("_", name).strip(" .") or "file"
    if len(kept) <= LONGEST_NAME:
        return kept
    stem, dot, ending = kept.rpartition(".")
    ending = f"{dot}{ending}" if stem and len(ending) <= 10 else ""
    return kept[: LONGEST_NAME - len(ending)] + ending
