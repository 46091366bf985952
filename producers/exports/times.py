"""Times in vendors' exports, to Unix milliseconds.

Readers for the fields `time_ms` and `received_ms`, made by `producers.exports.parse`. Times without
an offset are local to the mapping's time zone.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from producers.exports.cells import Cell, CellError, Reader, text_of

SINCE_1970: dict[str, int] = {"s": 1000, "ms": 1}
EXCEL = "excel"
"""Days since 1899-12-30, local time: a date of a workbook that has lost its format."""
TIME_UNITS = (*SINCE_1970, EXCEL)

_EXCEL_EPOCH = datetime(1899, 12, 30)
_PLAIN = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?[T\s]*"
    r"([0-9]{1,2})[:时点]([0-9]{1,2})(?:[:分]([0-9]{1,2})(?:[.,]([0-9]{1,9}))?)?[秒分]?"
    r"\s*(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})()()")


def time_reader(zone: tzinfo, unit: str | None, form: str | None) -> Reader:
    """By `unit` a number, by `form` (of `strptime`) a text; with neither the usual ways to write a
    time, year first."""
    if unit in SINCE_1970:
        return lambda cell: _since_1970(cell, SINCE_1970[unit], zone)
    if unit == EXCEL:
        return lambda cell: _excel(cell, zone)
    if form is not None:
        return lambda cell: _formatted(cell, form, zone)
    return lambda cell: _plain(cell, zone)


def join(cells: tuple[Cell, ...]) -> str | None:
    """The date and the time of two columns as one text; None where both are empty."""
    texts = [text_of(_date_alone(cell)) for cell in cells]
    if all(text is None for text in texts):
        return None
    return " ".join(text or "" for text in texts).strip()


def _date_alone(cell: Cell) -> Cell:
    """A workbook's column of dates gives midnights."""
    if isinstance(cell, datetime) and (cell.hour, cell.minute, cell.second) == (0, 0, 0):
        return cell.date()
    return cell


def _plain(cell: Cell, zone: tzinfo) -> int | None:
    if isinstance(cell, date):
        return _ms(_moment(cell), zone)
    text = text_of(cell)
    if text is None:
        return None
    match = _PLAIN.fullmatch(text) or _COMPACT.fullmatch(text)
    if match is None:
        raise CellError(f"{text[:40]!r} is no time; say its `format` or `unit`")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        moment = datetime(
            *(int(year), int(month), int(day), int(hour), int(minute), int(second or 0)),
            int((fraction or "0").ljust(6, "0")[:6]),
        )
        return _ms(moment.replace(tzinfo=_offset(offset)) if offset else moment, zone)
    except (ValueError, OverflowError) as error:
        raise CellError(f"{text[:40]!r} is no time: {error}") from None


def _formatted(cell: Cell, form: str, zone: tzinfo) -> int | None:
    if isinstance(cell, date):
        return _ms(_moment(cell), zone)
    text = text_of(cell)
    if text is None:
        return None
    try:
        return _ms(datetime.strptime(text, form), zone)
    except (ValueError, OverflowError):
        raise CellError(f"{text[:40]!r} is no time of the format {form!r}") from None


def _since_1970(cell: Cell, ms: int, zone: tzinfo) -> int | None:
    if isinstance(cell, date):
        return _ms(_moment(cell), zone)
    return _rounded(cell, ms)


def _excel(cell: Cell, zone: tzinfo) -> int | None:
    if isinstance(cell, date):
        return _ms(_moment(cell), zone)
    days_ms = _rounded(cell, 86_400_000)
    try:
        return (
            None if days_ms is None else _ms(_EXCEL_EPOCH + timedelta(milliseconds=days_ms), zone)
        )
    except OverflowError:
        raise CellError(f"{cell} is no day of a workbook") from None


def _rounded(cell: Cell, ms: int) -> int | None:
    """A number times `ms`, whole ones exactly."""
    text = text_of(cell)
    if text is None or text.lower() == "nan":
        return None
    try:
        return int(text) * ms if text.isdecimal() and len(text) < 20 else round(float(text) * ms)
    except (ValueError, OverflowError):
        raise CellError(f"{text[:40]!r} is no number of the unit") from None


def _moment(cell: date) -> datetime:
    """A workbook's time at midnight comes as a day."""
    return cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)


def _ms(moment: datetime, zone: tzinfo) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _offset(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
