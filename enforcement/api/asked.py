"""What requests ask with: filters, pages, conditions. Dependencies of the routes."""

import re
from typing import Annotated, Final

from fastapi import Header, Query

from enforcement.api.guard import Caller
from enforcement.api.models import LAST_MS, LINE, District
from enforcement.api.problems import Problem
from enforcement.cursors import LONGEST
from enforcement.queries import MOST, Wanted
from enforcement.steps import State
from streams.catalogue import Severity

ETAG: Final = re.compile(r'"(\d{1,9})"')

Limit = Annotated[int, Query(ge=1, le=MOST, description="items of a page")]
After = Annotated[
    str | None, Query(max_length=LONGEST, pattern=LINE, description="`next` of the page before")
]
Text = Annotated[str | None, Query(min_length=1, max_length=100, pattern=LINE)]
Moment = Annotated[int | None, Query(ge=0, le=LAST_MS, description="Unix milliseconds")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        pattern="^[\\x21-\\x7e]+$",
        description="comes again: what was answered then is answered again, and nothing done",
    ),
]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="the ETag of what was seen, or * for whatever there is"),
]


def filters(
    caller: Caller,
    state: Annotated[list[State], Query(max_length=9)] = [],  # noqa: B006
    severity: Annotated[list[Severity], Query(max_length=4)] = [],  # noqa: B006
    rule: Annotated[
        list[Annotated[str, Query(max_length=64, pattern=LINE)]], Query(max_length=40)
    ] = [],  # noqa: B006
    district: District | None = None,
    truck: Text = None,
    company: Text = None,
    from_ms: Moment = None,
    to_ms: Moment = None,
    overdue: bool = False,
    mine: Annotated[bool, Query(description="accepted or handled by the caller")] = False,
    q: Annotated[Text, Query(description="part of plate or company, or a case's number")] = None,
) -> Wanted:
    """Filters of cases."""
    return Wanted(
        tuple(state),
        tuple(severity),
        tuple(rule),
        district,
        truck,
        company,
        from_ms,
        to_ms,
        overdue,
        caller.name if mine else None,
        q,
    )


def violation_filters(
    severity: Annotated[list[Severity], Query(max_length=4)] = [],  # noqa: B006
    rule: Annotated[
        list[Annotated[str, Query(max_length=64, pattern=LINE)]], Query(max_length=40)
    ] = [],  # noqa: B006
    district: District | None = None,
    truck: Text = None,
    from_ms: Moment = None,
    to_ms: Moment = None,
) -> Wanted:
    """Filters of violations."""
    return Wanted(
        severities=tuple(severity),
        rules=tuple(rule),
        district=district,
        truck=truck,
        from_ms=from_ms,
        to_ms=to_ms,
    )


def etag_of(version: int) -> str:
    return f'"{version}"'


def version_of(if_match: str | None) -> int | None:
    """None = whatever there is. Raises a problem where it was not said, or cannot be."""
    if if_match is None:
        raise Problem(428, "say with If-Match which version you have seen (its ETag)")
    if if_match.strip() == "*":
        return None
    matched = ETAG.fullmatch(if_match.strip())
    if matched is None:
        raise Problem(412, f"If-Match: no ETag of this resource; they look like {etag_of(3)}")
    return int(matched[1])
