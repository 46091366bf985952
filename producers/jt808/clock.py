"""Times of JT/T 808: BCD[6], YY-MM-DD-hh-mm-ss, GMT+8 (JT/T 808 4.2), and Unix milliseconds.

Used by `location` for every position, so the day, which hardly changes, is remembered.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GMT8_MS = 8 * 3_600_000
FIRST_MS = 946_684_800_000 - _GMT8_MS
"""2000-01-01T00:00:00+08:00, the first moment that two digits of a year can tell."""
LAST_MS = FIRST_MS + 36_525 * DAY_MS - 1
_FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_BCD = [number // 10 << 4 | number % 10 for number in range(100)]
"""A byte for each number of two digits."""


def _digits(byte: int) -> int | None:
    high, low = byte >> 4, byte & 15
    return 10 * high + low if high < 10 and low < 10 else None


_HOUR_MS = [None if d is None or d > 23 else d * 3_600_000 for d in map(_digits, range(256))]
_MINUTE_MS = [None if d is None or d > 59 else d * 60_000 for d in map(_digits, range(256))]
_SECOND_MS = [None if d is None or d > 59 else d * 1_000 for d in map(_digits, range(256))]


@lru_cache(maxsize=1024)
def _day_ms(day: bytes) -> int | None:
    """When the day YY-MM-DD begins in GMT+8; None where there is no such day."""
    year, month, of_month = map(_digits, day)
    if year is None or month is None or of_month is None:
        return None
    try:
        begins = datetime(2000 + year, month, of_month, tzinfo=UTC)
    except ValueError:
        return None
    return (begins - _EPOCH) // timedelta(milliseconds=1) - _GMT8_MS


def read_time(day: bytes, hour: int, minute: int, second: int) -> int | None:
    """Unix milliseconds of a BCD time, None where it is no time: digits above 9, a 13th month."""
    day_ms, hour_ms = _day_ms(day), _HOUR_MS[hour]
    minute_ms, second_ms = _MINUTE_MS[minute], _SECOND_MS[second]
    if day_ms is None or hour_ms is None or minute_ms is None or second_ms is None:
        return None
    return day_ms + hour_ms + minute_ms + second_ms


def read_time_bcd(data: bytes) -> int | None:
    """`read_time` of six bytes."""
    return read_time(data[:3], data[3], data[4], data[5])


def write_time(time_ms: int | None) -> bytes:
    """BCD[6]; whole seconds. None, and what two digits of a year cannot tell, are zeros."""
    if time_ms is None or not FIRST_MS <= time_ms <= LAST_MS:
        return bytes(6)
    day, of_day_ms = divmod(time_ms - FIRST_MS, DAY_MS)
    minute, second = divmod(of_day_ms // 1000, 60)
    hour, minute = divmod(minute, 60)
    return _day_bytes(day) + bytes((_BCD[hour], _BCD[minute], _BCD[second]))


@lru_cache(maxsize=1024)
def _day_bytes(day: int) -> bytes:
    """YY-MM-DD of a day counted from the first of the year 2000."""
    date = _FIRST_DAY + timedelta(days=day)
    return bytes((_BCD[date.year - 2000], _BCD[date.month], _BCD[date.day]))
