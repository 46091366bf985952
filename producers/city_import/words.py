"""What offices write in a cell, in the words of a city's files: dates, hours, kinds, plates, loads.

Called by `producers.city_import.build`. Each takes text and gives text that the loader reads;
`WordError` says what is allowed. Nothing is guessed: what can mean two things is refused. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from producers.exports.cells import Cell, text_of
from producers.plates import plate_key

UNLIMITED = ("长期", "长期有效", "永久", "无", "无限期", "不限", "-", "/")
ALL_DAY = ("全天", "全日", "全天候", "24小时", "不限", "无", "-", "/")

SITE_KINDS: Mapping[str, Sequence[str]] = {
    "construction": ("construction", "worksite", "工地", "出土点", "项目部"),
    "disposal": ("disposal", "消纳", "弃土", "填埋", "受纳", "处置场"),
    "transfer": ("transfer", "中转", "转运"),
    "parking": ("parking", "停车"),
}
ZONE_KINDS: Mapping[str, Sequence[str]] = {
    "no_go": ("no_go", "no-go", "禁行", "禁区", "禁入"),
    "speed_limit": ("speed_limit", "speed limit", "限速"),
}

_DATE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?|\b(\d{4})(\d{2})(\d{2})\b"
)
_TIME_BEHIND = re.compile(r"[T\s]+0?0:00(:00)?(\.0+)?$")
_FIRST_DAY = date(1899, 12, 30)
"""Day 0 of a workbook."""
_DAYS = range(20_000, 80_000)
"""Of a workbook, 1954 to 2119."""
_CLOCK = re.compile(r"(\d{1,2})\s*[:：时点]\s*(\d{2})?\s*分?")
_TO = re.compile(r"\s*(?:至|到|~|～|—+|–|－|-)\s*(?:次日|翌日|第二天|第二日)?\s*")
_BETWEEN = re.compile(r"\s*[;；,，、\n]\s*")
_LIST = re.compile(r"[;；,，、\n]")
_PLATE = re.compile(r"[一-鿿][A-Z][A-Z0-9]{4,6}[挂学警港澳领使]?")
_COLOUR = re.compile(r"[(（_].*$|[黄蓝绿]+(色|牌)$")
_SMALL_KG = 200.0
"""No truck may carry so little: it is tonnes."""
_LOADS = {"": 1, "kg": 1, "千克": 1, "公斤": 1, "t": 1000, "吨": 1000}
_VOLUMES = {
    "": 1,
    "m3": 1,
    "立方米": 1,
    "方": 1,
    "万m3": 10_000,
    "万立方米": 10_000,
    "万方": 10_000,
}
_LENGTHS = {"": 1, "m": 1, "米": 1, "km": 1000, "公里": 1000, "千米": 1000}


class WordError(ValueError):
    """A cell cannot be read; the message says what is allowed."""


def listed(text: str | None) -> list[str]:
    """The pieces of a list, each once, in their order."""
    pieces = (piece.strip() for piece in _LIST.split(text or ""))
    return list(dict.fromkeys(piece for piece in pieces if piece))


def plate(text: str) -> str:
    """As terminals and platforms report it: without dots, blanks and the colour."""
    bare = plate_key(_COLOUR.sub("", text.strip()))
    if not _PLATE.fullmatch(bare):
        raise WordError("is no plate; write it as 浙B12345 or 浙B·12345")
    return bare


def day(cell: Cell) -> str:
    """`2026-11-22`, or "" where there is no limit."""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    text = text_of(cell)
    if text is None or text in UNLIMITED:
        return ""
    text = _TIME_BEHIND.sub("", text)
    match = _DATE.fullmatch(text)
    try:
        if match is not None:
            return date(*(int(part) for part in match.groups() if part)).isoformat()
        if isinstance(cell, int | float) and int(cell) in _DAYS:
            return (_FIRST_DAY + timedelta(days=int(cell))).isoformat()
    except ValueError:
        pass
    raise WordError("is no date; write it as 2026-11-22, 2026/11/22 or 2026年11月22日")


def days(text: str) -> tuple[str, str]:
    """The first and the last of `2026年1月1日至2026年12月31日`."""
    if text in UNLIMITED:
        return "", ""
    found = [match.group() for match in _DATE.finditer(text)]
    if len(found) != 2:
        raise WordError("is no pair of dates; write it as 2026-01-01至2026-12-31")
    return day(found[0]), day(found[1])


def hours(text: str) -> str:
    """`20:00-06:00` of what offices write: `20:00至次日6:00`, `20时—6时`, several after commas."""
    if text in ALL_DAY:
        return ""
    windows = []
    for piece in _BETWEEN.split(text.strip()):
        ends = _TO.split(piece)
        clocks = [_CLOCK.fullmatch(end.strip()) for end in ends]
        if len(ends) != 2 or not all(clocks):
            raise WordError("is no time of day; write it as 20:00-06:00, or 20:00至次日6:00")
        windows.append(
            "-".join(f"{int(one[1]):02d}:{one[2] or '00'}" for one in clocks if one is not None)
        )
    return ";".join(windows)


def kind(text: str, kinds: Mapping[str, Sequence[str]]) -> str | None:
    """The one kind of which `text` holds a word; None where it holds none, or those of several."""
    folded = text.casefold()
    found = {key for key, words in kinds.items() if any(word in folded for word in words)}
    return found.pop() if len(found) == 1 else None


def kilograms(text: str, unit: str) -> str:
    """A truck's greatest load."""
    value = _measure(text, unit, _LOADS)
    if unit == "" and value < _SMALL_KG:
        raise WordError("is no load in kg; write the unit in the heading: 核定载质量(吨), or (kg)")
    return f"{value:g}" if value < 1e6 else str(int(value))


def cubic_metres(text: str, unit: str) -> str:
    return f"{_measure(text, unit.replace('³', '3'), _VOLUMES):.10g}"


def metres(text: str, unit: str) -> str:
    return f"{_measure(text, unit, _LENGTHS):.10g}"


def _measure(text: str, unit: str, units: Mapping[str, int]) -> float:
    if unit not in units:
        known = ", ".join(one for one in units if one)
        raise WordError(f"has the unit {unit!r} in its heading; allowed are {known}")
    bare = text.replace(",", "")
    for one in sorted(units, key=len, reverse=True):
        if one and unit in ("", one) and bare.casefold().endswith(one):
            unit, bare = one, bare[: -len(one)]
            break
    try:
        value = float(bare)
    except ValueError:
        raise WordError("is no number; write a plain number") from None
    return value * units[unit]
