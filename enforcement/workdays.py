"""Working hours: when a time limit that is counted in them ends (design section 11).

A calendar has hours for each day of the week, holidays, and days worked instead (调休). Made by
`enforcement.rulebook`; used for the due time of a case. Pure: Unix milliseconds in and out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from geofences.hours import Window

MOST_DAYS: Final = 3_660
"""A limit that has not ended within ten years never will: nobody works."""
MIDNIGHT: Final = datetime.min.time()


class NoWorkError(ValueError):
    """The calendar has too few working hours within ten years."""


@dataclass(frozen=True)
class WorkCalendar:
    """When an office works, in the local time of `zone`."""

    zone: ZoneInfo
    week: tuple[tuple[Window, ...], ...]
    """Seven days, Monday first, the windows of each in order. A window that crosses midnight
    belongs to the day on which it starts, whatever the next day is."""
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    """Worked like a Monday, whatever day of the week or holiday it is."""

    def deadline_ms(self, start_ms: int, working_ms: int) -> int:
        """The moment at which so much working time has passed since `start_ms`.

        Raises `NoWorkError`.
        """
        left_ms = working_ms
        for from_ms, to_ms in self._windows(start_ms):
            if left_ms <= to_ms - from_ms:
                return from_ms + left_ms
            left_ms -= to_ms - from_ms
        raise NoWorkError(f"less than {working_ms / 3_600_000:g} working hours in ten years")

    def worked_ms(self, from_ms: int, to_ms: int) -> int:
        """How much working time lies between two moments."""
        total_ms = 0
        for begin_ms, end_ms in self._windows(from_ms):
            if begin_ms >= to_ms:
                break
            total_ms += min(end_ms, to_ms) - begin_ms
        return total_ms

    def _windows(self, start_ms: int) -> Iterator[tuple[int, int]]:
        """Working time from `start_ms` on, in order."""
        # The night shift of the day before may still be at work.
        first = datetime.fromtimestamp(start_ms / 1000, self.zone).date() - timedelta(days=1)
        done_ms = start_ms
        for number in range(MOST_DAYS):
            day = first + timedelta(days=number)
            for window in self._of_day(day):
                # Where a night shift and the next day's hours overlap, that time passes once.
                begin_ms = max(done_ms, self._epoch_ms(day, window.start_min))
                end_ms = self._epoch_ms(day, window.end_min)
                if begin_ms < end_ms:
                    yield begin_ms, end_ms
                    done_ms = end_ms

    def _of_day(self, day: date) -> tuple[Window, ...]:
        if day in self.workdays:
            return self.week[0]
        return () if day in self.holidays else self.week[day.weekday()]

    def _epoch_ms(self, day: date, minute: int) -> int:
        local = datetime.combine(day, MIDNIGHT) + timedelta(minutes=minute)
        return round(local.replace(tzinfo=self.zone).timestamp() * 1000)
