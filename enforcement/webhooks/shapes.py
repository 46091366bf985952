"""What a CloudEvent to a receiver holds: the types that `enforcement.webhooks.messages` fills and
`docs/schemas/case-event.json` is written from.
"""

from typing import Any

import msgspec

from enforcement.steps import State
from streams.catalogue import Severity


class CaseTold(msgspec.Struct, gc=False):
    """The case as it is when the message is sent, which may be later than the event."""

    case_id: str
    """UUID."""
    number: int
    """By which people call it."""
    version: int
    """Counts its changes."""
    state: State
    severity: Severity
    """Of its gravest violation."""
    rules: list[str]
    """Of the catalogue (RULES.md)."""
    truck_id: str
    company: str | None
    trip_id: str | None
    """UUID; null = its violation belongs to no trip."""
    district: str | None
    """Code."""
    opened_ms: int
    """Unix epoch milliseconds UTC, as all times here."""
    started_ms: int
    """Of its earliest violation."""
    due_ms: int | None
    """When its step should be done."""
    supervised_ms: int | None
    """Since when it is overdue and under supervision."""
    withdrawn: bool
    """History was judged again and knows nothing of it."""
    handler: str | None
    """Who has accepted it."""
    squad: str | None
    """To whom it was dispatched."""
    link: str | None
    """Address of its page, where the receiver has one."""


class CaseEventData(msgspec.Struct, gc=False):
    """One entry of the audit trail, with what it is about."""

    event: str
    """What happened: the action of the entry."""
    seq: int
    """Number of the entry."""
    who: str
    """User, or `system`."""
    from_state: State | None
    to_state: State | None
    why: str | None
    details: dict[str, Any]
    """What else was said, which depends on the event."""
    case: CaseTold
    violation: msgspec.Raw
    """The violation that it is about, else the case's gravest, as it was on the queue."""


class CaseEvent(msgspec.Struct, gc=False):
    """A CloudEvent 1.0 in structured mode."""

    specversion: str
    id: str
    """Case and entry: the same each time that it is sent."""
    source: str
    type: str
    """`mucktrack.case.` and the event."""
    subject: str
    """The case's id."""
    time: str
    """Of the entry, RFC 3339."""
    datacontenttype: str
    data: CaseEventData
