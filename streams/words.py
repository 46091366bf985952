"""Numbers, durations, hours and names as the sentences of violations have them (design section 7).

Called by `streams.report`. Each function that depends on it gives the Chinese and the English word.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from geofences.hours import DAY_MIN, Validity, Window

Words = tuple[str, str]
"""Chinese, English."""

HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
LONG: Final = 1_000_000
"""Numbers from here on are rounded to six digits: any finite number may be measured."""
SHOWN: Final = 3
"""So many of a list are named."""


def plain(value: float) -> float:
    """A whole number as one, so that 50 is written as 50."""
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def number(value: float) -> str:
    return str(value) if abs(value) < LONG else f"{value:g}"


def duration(seconds: float) -> Words:
    """Seconds; from an hour on hours and minutes, and seconds where there are any."""
    total_ms = round(1000 * seconds)
    if total_ms < HOUR_MS:
        return f"{number(seconds)} 秒", f"{number(seconds)} s"
    hours, rest_ms = divmod(total_ms, HOUR_MS)
    minutes, rest_ms = divmod(rest_ms, MINUTE_MS)
    chinese, english = f"{hours} 小时", f"{hours} h {minutes} min"
    if minutes or rest_ms:
        chinese += f" {minutes} 分"
    if rest_ms:
        rest = plain(rest_ms / 1000)
        chinese, english = f"{chinese} {rest} 秒", f"{english} {rest} s"
    return chinese, english


def clock(minute: int) -> str:
    """The minute of a day, 1440 for its end."""
    return f"{minute // 60:02}:{minute % 60:02}"


def hours(validity: Validity, today: date) -> str:
    """Its windows as the tables have them; on its first day with that date before them, where a
    window over midnight does not yet hold in the morning."""
    text = ";".join(map(_window, validity.windows))
    begins = validity.first == today and any(w.end_min > DAY_MIN for w in validity.windows)
    return f"{today.isoformat()} {text}" if begins else text


def named(one_id: str, name: str) -> str:
    """An id with its name, where that says more; the name alone where it says the id."""
    if f" {one_id} " in f" {name} ":
        return name
    return f"{one_id} {name}" if name else one_id


def several(names: Sequence[str]) -> Words:
    """The first few of a list, and how many there are."""
    shown = names[:SHOWN]
    chinese, english = "、".join(shown), ", ".join(shown)
    if len(names) > SHOWN:
        return f"{chinese}等 {len(names)} 处", f"{english} and {len(names) - SHOWN} more"
    return chinese, english


def joined(texts: Iterable[str]) -> str:
    """Each once, in their order."""
    return ";".join(dict.fromkeys(texts))


def _window(window: Window) -> str:
    end_min = window.end_min if window.end_min <= DAY_MIN else window.end_min - DAY_MIN
    return f"{clock(window.start_min)}-{clock(end_min)}"
