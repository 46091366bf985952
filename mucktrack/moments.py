"""Moments as people write and read them on the command line."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mucktrack.failures import BadInputError
from streams.position import MAX_TIME_MS, MIN_TIME_MS


def moment_ms(text: str, timezone: str, option: str) -> int:
    """Unix milliseconds of ISO 8601 (local to `timezone` where it has no offset) or of digits.

    Raises `BadInputError`, which names `option`.
    """
    try:
        time_ms = int(text) if text.isdecimal() else _iso_ms(text, ZoneInfo(timezone))
    except (ValueError, OverflowError):
        raise BadInputError(_no_moment(text, option)) from None
    if not MIN_TIME_MS <= time_ms <= MAX_TIME_MS:
        raise BadInputError(_no_moment(text, option))
    return time_ms


def _iso_ms(text: str, zone: ZoneInfo) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return round(moment.timestamp() * 1000)


def _no_moment(text: str, option: str) -> str:
    return (
        f"{option}: {text!r} is no time: give ISO 8601 (2026-03-01T22:15:00, local to the city "
        "without an offset) or Unix milliseconds, from 2000 to 2100"
    )


def shown(at_ms: int, timezone: str) -> str:
    """The time on the clock of `timezone`, with its offset."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(timezone))
    return moment.isoformat(timespec="seconds")
