"""A mapping of columns out of its TOML file, with every fault named.

Called by the commands that read files. Faults are `InputFileError`s of one line: file, key, value,
what is allowed.
"""

import re
import tomllib
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from geofences.datum import DATUMS
from geofences.findings import Report
from geofences.records import decode
from producers.chunk import InputFileError
from producers.exports.cells import (
    DEGREE_UNITS,
    UNITS,
    Reader,
    degrees_reader,
    number_reader,
    pair_reader,
    text_reader,
    whole_reader,
    words_reader,
)
from producers.exports.columns import POSITION, Columns, Encoding, Field, Order, Truck
from producers.exports.times import TIME_UNITS, time_reader
from producers.toml_table import Table

KEYS = (
    "encoding", "delimiter", "header", "skip", "sheet", "timezone", "datum", "order", "empty",
    "columns",
)  # fmt: skip
DEFAULT_ZONE = "Asia/Shanghai"
NOTHING = ("-", "--", "null", "none", "n/a", "nan", "\\N", "无", "NULL", "None", "N/A", "NaN")
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
ALIASES = {"gbk": "gb18030", "gb2312": "gb18030", "utf8": "utf-8"}
ORDERS: tuple[Order, ...] = get_args(Order)
LON_LAT, LAT_LON = "lon,lat", "lat,lon"

_TEXTS = ("truck_id", "terminal_id")
_WORDS = ("located", "loaded", "lifted", "covered", "backfill")
_NEVER_UNKNOWN = ("located", "backfill")
_TIMES = ("time_ms", "received_ms")
_DEGREES = ("lon", "lat")
FIELDS = (
    "truck_id", *_TIMES, *_DEGREES, POSITION, *UNITS, "satellites", *_WORDS, "terminal_id"
)  # fmt: skip
_MOST_LINES = 10_000


def load_columns(path: Path) -> Columns:
    """Raises `InputFileError`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{path}: cannot be opened: {error.strerror}") from None
    return parse_columns(content, str(path))


def parse_columns(content: bytes, file: str) -> Columns:
    """Raises `InputFileError`; `file` is where it says the fault is."""
    report = Report()
    columns = _parse(content, file, report)
    if columns is None or report.findings:
        first, *others = report.findings
        more = f" (and {len(others)} more)" if others else ""
        raise InputFileError(first.render() + more)
    return columns


def _parse(content: bytes, file: str, report: Report) -> Columns | None:
    text = decode(content, file, report)
    if text is None:
        return None
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        report.error(file, f"is not TOML: {error}; repair it")
        return None
    values["encoding"] = ALIASES.get(str(values.get("encoding")), values.get("encoding"))
    if values["encoding"] is None:
        del values["encoding"]
    table = Table(values, report, file, None)
    table.refuse_unknown(KEYS)
    zone = _zone(table)
    fields = table.table("columns") or Table({}, report, file, "columns")
    fields.refuse_unknown(FIELDS)
    truck = _truck(fields)
    read = [field for name in FIELDS if (field := _field(fields, name, zone)) is not None]
    _check_required(fields)
    return Columns(
        file=file,
        encoding=table.choice("encoding", ENCODINGS, None) if table.has("encoding") else None,
        delimiter=_delimiter(table),
        header=table.whole("header", 1, 0, _MOST_LINES) or 0,
        skip=table.whole("skip", 0, 0, _MOST_LINES) or 0,
        sheet=_sheet(table),
        timezone=zone if table.has("timezone") else None,
        datum=table.choice("datum", DATUMS, "wgs84") or "wgs84",
        order=table.choice("order", ORDERS, "as_is") or "as_is",
        empty=frozenset(table.list_of("empty", str) if table.has("empty") else NOTHING) | {""},
        fields=tuple(read),
        truck=truck,
    )


def _check_required(fields: Table) -> None:
    """For a table; a file of tracks says them itself, and then the mapping names no column."""
    named = [name for name in FIELDS if fields.has(name) and name != "truck_id"]
    if not named:
        return
    if not fields.has("time_ms"):
        fields.fault("time_ms", "is missing; name the column of the time, or of date and time")
    both = [name for name in _DEGREES if fields.has(name)]
    if fields.has(POSITION) == bool(both) or len(both) == 1:
        message = f"are to be named both, or {POSITION} instead of them"
        fields.fault("lon, lat", message)


def _zone(table: Table) -> tzinfo:
    name = table.text("timezone", DEFAULT_ZONE) or DEFAULT_ZONE
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        message = "is not known; allowed are IANA names such as Asia/Shanghai or UTC"
        table.fault("timezone", message, name)
        return ZoneInfo(DEFAULT_ZONE)


def _delimiter(table: Table) -> str | None:
    value = table.value("delimiter")
    if value is None or (isinstance(value, str) and len(value) == 1 and value not in '"\r\n'):
        return value
    table.fault(
        "delimiter", 'is no delimiter; allowed is one character, such as ";" or "\\t"', value
    )
    return None


def _sheet(table: Table) -> str | int | None:
    value = table.value("sheet")
    if value is None or type(value) is str or (type(value) is int and value >= 1):
        return value
    table.fault("sheet", "is no sheet; write its name, or its number from 1", value)
    return None


def _truck(fields: Table) -> Truck:
    told = fields.value("truck_id")
    if not isinstance(told, dict) or "column" in told:
        return Truck()
    table = fields.table("truck_id") or fields
    table.refuse_unknown(("column", "pattern", "fixed", "file_name"))
    if table.has("fixed") == table.has("file_name"):
        table.fault("column, fixed, file_name", "one of them is needed, and one alone")
        return Truck()
    if table.has("fixed"):
        return Truck(fixed=table.text("fixed", None))
    if table.value("file_name") is True:
        return Truck(file_name=re.compile(".+"))
    return Truck(file_name=_pattern(table, "file_name"))


def _pattern(table: Table, key: str) -> re.Pattern[str] | None:
    text = table.text(key, None)
    try:
        return None if text is None else re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        table.fault(key, f"is no regular expression: {error}", text)
        return None


def _field(fields: Table, name: str, zone: tzinfo) -> Field | None:
    """The field of that name; None where the mapping has none, or with a fault."""
    told = fields.value(name)
    if told is None or (name == "truck_id" and isinstance(told, dict) and "column" not in told):
        return None
    table = fields.within(name, told if isinstance(told, dict) else {"column": told})
    allowed, make = _kind(name, zone)
    table.refuse_unknown(("column", *allowed))
    columns = _names(table, several=name in _TIMES)
    read = make(table)
    return Field(name, columns, read) if columns and read is not None else None


def _names(table: Table, *, several: bool) -> tuple[str, ...]:
    value = table.value("column")
    names = [value] if isinstance(value, str) else value
    if (
        isinstance(names, list)
        and all(isinstance(one, str) and one.strip() for one in names)
        and 1 <= len(names) <= (2 if several else 1)
    ):
        return tuple(name.strip() for name in names)
    form = 'write its name, or ["date", "time"] of two' if several else "write its name"
    table.fault("column", f"is no column; {form}", value)
    return ()


def _kind(name: str, zone: tzinfo) -> tuple[tuple[str, ...], Callable[[Table], Reader | None]]:
    """The keys that a field of this name may have, and what makes its reader of them."""
    if name in _TEXTS:
        return ("pattern",), _text
    if name in _TIMES:
        return ("format", "unit"), lambda table: _time(table, zone)
    if name in _DEGREES:
        return ("unit",), lambda table: _made(degrees_reader, _degree_unit(table))
    if name == POSITION:
        return ("unit", "order"), _pair
    if name == "satellites":
        return (), lambda table: whole_reader
    if name in _WORDS:
        return ("true", "false"), lambda table: _words(table, required=name in _NEVER_UNKNOWN)
    return ("unit",), lambda table: _number(table, name)


def _text(table: Table) -> Reader:
    return text_reader(_pattern(table, "pattern") if table.has("pattern") else None)


def _time(table: Table, zone: tzinfo) -> Reader | None:
    if table.has("unit") and table.has("format"):
        table.fault("unit, format", "are both given; a number has a unit, a text a format")
        return None
    unit = table.choice("unit", TIME_UNITS, None) if table.has("unit") else None
    form = table.text("format", None) if table.has("format") else None
    if form is not None and "%" not in form:
        message = (
            "is no format; write e.g. %Y-%m-%d %H:%M:%S (%y two digits of a year, %p AM or PM)"
        )
        table.fault("format", message, form)
    return time_reader(zone, unit, form)


def _degree_unit(table: Table) -> str | None:
    return table.choice("unit", DEGREE_UNITS, "deg")


def _made(make: Callable[[str], Reader], unit: str | None) -> Reader | None:
    return None if unit is None else make(unit)


def _pair(table: Table) -> Reader | None:
    unit, order = _degree_unit(table), table.choice("order", (LON_LAT, LAT_LON), LON_LAT)
    return None if unit is None or order is None else pair_reader(unit, order == LON_LAT)


def _number(table: Table, name: str) -> Reader | None:
    units = UNITS[name]
    unit = table.choice("unit", tuple(units), next(iter(units)))
    return None if unit is None else number_reader(unit, units[unit])


def _words(table: Table, *, required: bool) -> Reader:
    words: dict[str, Any] = {}
    for key, value in (("true", True), ("false", False)):
        for word in table.list_of(key, str):
            if words.setdefault(word.strip().casefold(), value) is not value:
                table.fault("true", "is in `false` too; a word means one of them", word)
    if not words and not table.has_fault("true", "false"):
        table.fault("true, false", 'are missing; list the words, true = ["重车"], false = ["空车"]')
    return words_reader(words, required=required)
