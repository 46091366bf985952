"""What one cell of a vendor's export means: numbers with units, degrees, times, words.

`producers.exports.parse` makes a reader for each field out of these. A cell is text, or what a
workbook or a Parquet file holds in its place. `None` in and out = nothing there; what is there and
cannot be read is a `CellError`, whose message says what was found and what is expected.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

Cell = Any
Reader = Callable[[Cell], Any]


class CellError(ValueError):
    """A cell cannot be read as the field it is for."""


class Unit(NamedTuple):
    """`value × times / over` is the value in our unit; two whole numbers, so that 314 tenths are
    31.4 and not 31.400000000000002."""

    times: int
    over: int = 1


UNITS: dict[str, dict[str, Unit]] = {
    "speed_kmh": {
        "km/h": Unit(1), "0.1 km/h": Unit(1, 10), "m/s": Unit(36, 10), "knots": Unit(1852, 1000)
    },
    "mileage_km": {"km": Unit(1), "m": Unit(1, 1000), "0.1 km": Unit(1, 10)},
    "altitude_m": {"m": Unit(1), "0.1 m": Unit(1, 10), "km": Unit(1000)},
    "heading_deg": {"deg": Unit(1), "0.1 deg": Unit(1, 10)},
    "load_kg": {
        "kg": Unit(1), "t": Unit(1000), "0.1 kg": Unit(1, 10), "0.1 t": Unit(100),
        "0.01 t": Unit(10),
    },
}  # fmt: skip
"""By field; the first is what is meant where a mapping says nothing."""
DEGREES: dict[str, Unit] = {
    "deg": Unit(1), "1e-6 deg": Unit(1, 1_000_000), "1e-7 deg": Unit(1, 10_000_000)
}  # fmt: skip
DDMM, DMS = "ddmm.mmmm", "dms"
DEGREE_UNITS = (*DEGREES, DDMM, DMS)

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_LONGEST_NUMBER = 40
_plain_number = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?").fullmatch
"""What nearly all cells of numbers look like; they are read without further ado."""
_HALF = re.compile(r"([NSEW]|[东西][经]?|[南北][纬]?)?\s*(.*?)\s*([NSEW东西南北])?", re.DOTALL)
_DMS = re.compile(
    r"([0-9]{1,3}(?:\.[0-9]*)?)\s*[°度d:]\s*"
    r"(?:([0-9]{1,2}(?:\.[0-9]*)?)\s*(?:['′’分m:]\s*)?)?"
    r"(?:([0-9]{1,2}(?:\.[0-9]*)?)\s*(?:[\"″”秒s]|'')?)?"
)
_SHOWN = 40


def text_of(cell: Cell) -> str | None:
    """Trimmed text; None where there is none. `="007"`, as programs write it for Excel, is 007."""
    if cell is None:
        return None
    if isinstance(cell, str):
        text = cell.strip()
        if text.startswith('="') and text.endswith('"') and len(text) > 2:
            text = text[2:-1].strip()
        return text or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell == cell and abs(cell) < 2**63 and cell == int(cell):
        return str(int(cell))
    return str(cell).strip() or None


def text_reader(pattern: re.Pattern[str] | None) -> Reader:
    """The text, or of it what `pattern` finds."""

    def read(cell: Cell) -> str | None:
        text = text_of(cell)
        if text is None or pattern is None:
            return text
        return found(pattern, text)

    return read


def found(pattern: re.Pattern[str], text: str) -> str:
    """What the pattern finds: its groups, one behind the other, where it has any."""
    match = pattern.search(text)
    part = match and "".join(match.groups("") if pattern.groups else match.group())
    if not part or not part.strip():
        raise CellError(f"{_shown(text)} does not hold what the pattern looks for")
    return part.strip()


def number_reader(unit: str, scale: Unit) -> Reader:
    """A number, with or without the unit's name behind it."""

    times, over = scale

    def read(cell: Cell) -> float | None:
        if type(cell) is str and _plain_number(cell):
            return float(cell) * times / over
        number = _number(cell, unit)
        return None if number is None else number * times / over

    return read


def whole_reader(cell: Cell) -> int | None:
    number = _number(cell, "")
    if number is None:
        return None
    if abs(number) > 2**53 or number != int(number):
        raise CellError(f"{_shown(cell)} is no whole number")
    return int(number)


def words_reader(words: Mapping[str, bool], *, required: bool) -> Reader:
    """True or false by a list of words, whatever their case; any other is unknown, or, where a
    field has no unknown (`required`), an error."""
    folded = {word.casefold(): value for word, value in words.items()}

    def read(cell: Cell) -> bool | None:
        if type(cell) is str and cell in folded:
            return folded[cell]
        text = text_of(cell)
        if text is None:
            return None
        value = folded.get(text.casefold())
        if value is None and required:
            raise CellError(f"{_shown(text)} is neither in `true` nor in `false`")
        return value

    return read


def degrees_reader(unit: str) -> Reader:
    """Degrees, negative in the west and south; N, S, E, W or 北纬 may stand before, or N behind."""
    if unit in DEGREES:
        scale = DEGREES[unit]
        plain = number_reader("°", scale)

        def read(cell: Cell) -> float | None:
            if type(cell) is not str or _plain_number(cell):
                value: float | None = plain(cell)
                return value
            return _half(cell, plain)

        return read
    inner = _ddmm if unit == DDMM else _dms
    return lambda cell: _half(cell, inner)


def pair_reader(unit: str, lon_first: bool) -> Reader:
    """Longitude and latitude in one cell, such as `121.5,29.8`, `[121.5 29.8]` or
    `POINT (121.5 29.8)`."""
    read_one = degrees_reader(unit)

    def read(cell: Cell) -> tuple[float, float] | None:
        text = text_of(cell)
        if text is None:
            return None
        bare = text.upper().removeprefix("POINT").strip(" ()[]")
        # Separators that are sure go first: degrees and minutes may have a space between them.
        parts = [part for part in re.split(r"[,;，；|]", bare) if part.strip()]
        if len(parts) == 1:
            parts = bare.split()
        if len(parts) != 2:
            raise CellError(f"{_shown(text)} is no pair of degrees")
        first, second = (read_one(part) for part in parts)
        if first is None or second is None:
            raise CellError(f"{_shown(text)} is no pair of degrees")
        return (first, second) if lon_first else (second, first)

    return read


def _half(cell: Cell, inner: Reader) -> float | None:
    """Without the letter of its half of the world, which gives the sign."""
    text = text_of(cell)
    if text is None:
        return None
    match = _HALF.fullmatch(text.upper())
    before, middle, behind = match.groups() if match else (None, text, None)
    value: float | None = inner(middle)
    letter = before or behind
    if value is None or not letter:
        return value
    if before and behind:
        raise CellError(f"{_shown(text)} names its half of the world twice")
    return -abs(value) if letter[0] in "SW西南" else value


def _ddmm(cell: Cell) -> float | None:
    """Degrees and minutes as NMEA 0183 writes them: 12131.2345 is 121 degrees 31.2345 minutes."""
    number = _number(cell, "")
    if number is None:
        return None
    degrees, minutes = divmod(abs(number), 100)
    if minutes >= 60:
        raise CellError(f"{_shown(cell)} has {minutes:g} minutes; expected is ddmm.mmmm")
    value = degrees + minutes / 60
    return -value if number < 0 else value


def _dms(cell: Cell) -> float:
    text = str(cell)
    match = _DMS.fullmatch(text.lstrip("+-").strip().lower())
    if match is None:
        raise CellError(f"{_shown(text)} is no degrees, minutes and seconds such as 121°31'12.3\"")
    degrees, minutes, seconds = (float(part or 0) for part in match.groups())
    if minutes >= 60 or seconds >= 60:
        raise CellError(f"{_shown(text)} has 60 minutes or seconds, or more")
    value = degrees + minutes / 60 + seconds / 3600
    return -value if text.lstrip().startswith("-") else value


def _number(cell: Cell, unit: str) -> float | None:
    if isinstance(cell, bool | datetime | date):
        raise CellError(f"{_shown(cell)} is no number")
    if isinstance(cell, int | float):
        if cell != cell:
            return None
        return _float(cell)
    text = text_of(cell)
    if text is None:
        return None
    if unit and text.lower().endswith(unit.lower()):
        text = text[: -len(unit)].rstrip()
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise CellError(f"{_shown(cell)} is no number")
    return _float(text)


def _float(value: str | float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise CellError(f"{_shown(value)} is no number that a field can hold") from None


def _shown(cell: Cell) -> str:
    text = repr(cell) if isinstance(cell, str) else str(cell)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
