"""Rows as the models that the API gives."""

import json
from collections.abc import Sequence
from typing import Any

from enforcement.access.identity import Identity, stored
from enforcement.access.tokens import Token
from enforcement.access.users import User
from enforcement.api.models import (
    AttachmentGiven,
    CaseGiven,
    EntryGiven,
    Me,
    TokenGiven,
    UserGiven,
    ViolationGiven,
)
from enforcement.steps import ENDED, Step, allowed
from enforcement.tables import AttachmentRow, AuditRow, CaseRow, ViolationRow


def case_fields(row: CaseRow, now_ms: int) -> dict[str, Any]:
    said = {name: getattr(row, name) for name in _CASE_FIELDS}
    said["districts"] = sorted(one.district for one in row.districts if one.district)
    said["overdue"] = row.due_ms is not None and row.due_ms < now_ms and row.state not in ENDED
    return said


_CASE_FIELDS = [name for name in CaseGiven.model_fields if name not in ("districts", "overdue")]


def case(row: CaseRow, now_ms: int) -> CaseGiven:
    return CaseGiven(**case_fields(row, now_ms))


def actions(row: CaseRow, identity: Identity) -> list[str]:
    """What he may do with it now."""
    steps = allowed(row.state, identity.role)  # type: ignore[arg-type]
    return [step.action for step in steps if not _judges_himself(step, row, identity)]


def _judges_himself(step: Step, row: CaseRow, identity: Identity) -> bool:
    return step.not_by_handler and row.officer == identity.name


def violation(row: ViolationRow) -> ViolationGiven:
    said = {name: getattr(row, name) for name in ViolationGiven.model_fields}
    return ViolationGiven(**said | {"value": json.loads(row.value)})


def entry(row: AuditRow) -> EntryGiven:
    said = {name: getattr(row, name) for name in EntryGiven.model_fields}
    return EntryGiven(**said | {"details": json.loads(row.details)})


def attachments(rows: Sequence[AttachmentRow]) -> list[AttachmentGiven]:
    return [AttachmentGiven.model_validate(row) for row in rows]


def me(identity: Identity) -> Me:
    return Me(
        name=identity.name,
        role=identity.role,
        districts=stored(identity.districts),
        must_change=identity.must_change,
        csrf=identity.csrf,
    )


def user(said: User) -> UserGiven:
    fields = {name: getattr(said, name) for name in UserGiven.model_fields}
    return UserGiven(**fields | {"districts": stored(said.districts)})


def token(said: Token) -> TokenGiven:
    fields = {name: getattr(said, name) for name in TokenGiven.model_fields}
    return TokenGiven(**fields | {"districts": stored(said.districts)})
