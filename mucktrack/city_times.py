"""Times at which a version of the city comes into force, as people write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mucktrack.failures import BadInputError

FORMS = "2026-12-01T00:00 (the city's local time), 2026-12-01T00:00+08:00 or 2026-12-01T00:00Z"


def time_ms(text: str, timezone: str) -> int:
    """Unix ms of an ISO 8601 time; one without an offset is local to `timezone`.

    Raises `BadInputError`.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"{text!r} is not a time; write e.g. {FORMS}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    return round(moment.timestamp() * 1000)


def shown(at_ms: int, timezone: str) -> str:
    """The time on the clock of `timezone`, with its offset."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(timezone))
    return moment.isoformat(timespec="seconds")
