"""What others can be told of: an event is an entry of the audit trail that concerns a case.

The trail is written together with the change itself, so it is the outbox too: what has been changed
is told, whatever ends in between.
"""

from typing import Final

from enforcement.steps import BY_ACTION, ENDED
from enforcement.tables import AuditRow

OPEN: Final = "open"
REOPEN: Final = "reopen"
SUPERVISE: Final = "supervise"
VIOLATIONS: Final = {
    phase: f"violation-{phase}"
    for phase in ("opened", "escalated", "closed", "occurred", "withdrawn")
}
EVENTS: Final = (OPEN, REOPEN, SUPERVISE, *BY_ACTION, *VIOLATIONS.values())
"""A case was opened; was ended and came back; became overdue; a step was taken; a violation of it
changed."""


def event_of(entry: AuditRow) -> str | None:
    """None = nothing that others are told."""
    if entry.case_id is None:
        return None
    if entry.from_state in ENDED and entry.to_state not in ENDED:
        return REOPEN
    event = VIOLATIONS.get(entry.action, entry.action)
    return event if event in EVENTS else None
