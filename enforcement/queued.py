"""A record of the violations' topic, read strictly: whoever can write to the topic may have written
anything, and what does not fit the tables would stop the consumer for good.

Used by `enforcement.consumer`. It knows no Kafka.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from streams.catalogue import Phase
from streams.output import Violation

PLAIN = r"^[^\x00-\x1f\x7f]*$"
"""PostgreSQL keeps no NUL; the other control characters are of no use to anybody either."""
EARLIEST_MS, LATEST_MS = 0, 4_102_444_800_000
"""As for positions, 2100-01-01 (design section 3)."""

Id = Annotated[str, Meta(min_length=1, max_length=36, pattern=PLAIN)]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=PLAIN)]
TimeMs = Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS)]


class NoViolationError(ValueError):
    """The record is none; the message says why."""


class QueuedViolation(Violation):
    """As it stands on the queue: a re-run of history may withdraw it (design section 7)."""

    violation_id: Id
    phase: Phase | Literal["withdrawn"]  # type: ignore[assignment]
    revision: Annotated[int, Meta(ge=0, le=1_000_000)]
    rule: Name
    truck_id: Name
    company: Annotated[str, Meta(max_length=200, pattern=PLAIN)] | None
    trip_id: Id | None
    started_ms: TimeMs
    detected_ms: TimeMs
    ended_ms: TimeMs | None
    lon: Annotated[float, Meta(ge=-180, le=180)]
    lat: Annotated[float, Meta(ge=-90, le=90)]
    district: Annotated[str, Meta(max_length=32, pattern=PLAIN)] | None


_decoder = msgspec.json.Decoder(QueuedViolation)


def decode_queued(value: bytes | None) -> QueuedViolation:
    """Raises `NoViolationError`."""
    if value is None:
        raise NoViolationError("the record is empty")
    try:
        return _decoder.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NoViolationError(str(error)) from None
