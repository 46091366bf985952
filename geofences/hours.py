"""Opening hours and validity of permits, sites and zones (design section 4).

The loader parses them; the index turns them into numbers for the core, and the plain methods here
are what those numbers are tested against. Knows nothing of time zones: every `datetime` here is
local wall-clock time.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

DAY_MIN = 1440

_WINDOW = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")
_ALLOWED = "allowed is HH:MM-HH:MM, several joined by ';', e.g. 21:00-06:00"


@dataclass(frozen=True, slots=True)
class Window:
    """A daily window in minutes after the midnight that begins the date it belongs to.

    `0 <= start_min < 1440` and `start_min < end_min < start_min + 1440`, or the whole day
    `Window(0, 1440)`. A window across midnight ends beyond 1440: 21:00-06:00 is
    `Window(1260, 1800)`. The start is inclusive, the end exclusive.
    """

    start_min: int
    end_min: int


@dataclass(frozen=True, slots=True)
class Validity:
    """When a permit, site or zone holds: dates (inclusive, None = unlimited) and daily windows.

    No windows means always. A window belongs to the date on which it started, so the early hours
    after the last date still hold where a window crosses midnight, and those of the first do not.
    """

    first: date | None
    last: date | None
    windows: tuple[Window, ...]

    def holds(self, local: datetime) -> bool:
        """Some window contains `local`, and the date on which that window started is valid."""
        today = local.date()
        if not self.windows:
            return self._is_valid_on(today)
        minute = 60 * local.hour + local.minute
        for window in self.windows:
            if window.start_min <= minute < window.end_min and self._is_valid_on(today):
                return True
            if minute + DAY_MIN < window.end_min and self._is_valid_on(today - timedelta(days=1)):
                return True
        return False

    def in_date(self, local: datetime) -> bool:
        """The local date is valid, or a window that began on a valid date still runs."""
        return self._is_valid_on(local.date()) or self.holds(local)

    def can_ever_hold(self) -> bool:
        return self.first is None or self.last is None or self.first <= self.last

    def _is_valid_on(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


ALWAYS = Validity(None, None, ())


def parse_hours(text: str) -> tuple[Window, ...]:
    """The windows of e.g. `21:00-06:00` or `06:00-11:30;13:00-24:00`; empty text is `()`.

    ValueError names the offending piece and what is allowed.
    """
    pieces = [piece.strip() for piece in text.split(";")]
    windows = tuple(dict.fromkeys(_parse_window(piece) for piece in pieces if piece))
    if text.strip() and not windows:
        raise ValueError(f"{text.strip()!r} holds no window; {_ALLOWED}, or empty for always")
    return windows


def _parse_window(piece: str) -> Window:
    match = _WINDOW.fullmatch(piece)
    if match is None:
        raise ValueError(f"{piece!r} is not a window; {_ALLOWED}")
    hour, minute, end_hour, end_minute = map(int, match.groups())
    start, end = 60 * hour + minute, 60 * end_hour + end_minute
    if minute > 59 or start >= DAY_MIN:
        raise ValueError(f"{piece!r} has no such start; allowed is 00:00 to 23:59")
    if end_minute > 59 or end > DAY_MIN:
        raise ValueError(f"{piece!r} has no such end; allowed is 00:00 to 24:00")
    if start == end:
        raise ValueError(f"{piece!r} has equal ends; write 00:00-24:00 or nothing for all day")
    return Window(start, end if end > start else end + DAY_MIN)
