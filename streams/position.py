"""A position as it travels on `gps.positions` and in files (design section 3).

`decode_record` turns the value of one record into its elements, in order: what is a position
becomes a `Position`, a tick a `Tick`, and what is neither a `Malformed` that says why. Each element
of an array is judged as if it were alone, so that one bad element does not spoil its neighbours.
Called by the worker, the file reader and the producers; knows nothing of where a value came from.
Nothing here raises on bad input.
"""

import json
import math
from typing import Annotated, Any

import msgspec

from streams.elements import BOM, BadArrayError, is_array, split_array

MIN_TIME_MS = 946_684_800_000
"""2000-01-01T00:00:00Z"""
MAX_TIME_MS = 4_102_444_800_000
"""2100-01-01T00:00:00Z"""
MAX_ARRAY = 1_000
"""Positions in one record (design section 3)."""
MAX_ID = 64
"""Characters in an id: a plate has 7 or 8, a SIM number 11 to 20."""

TimeMs = Annotated[int, msgspec.Meta(ge=MIN_TIME_MS, le=MAX_TIME_MS)]
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
TruckId = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]


class Position(msgspec.Struct, gc=False, omit_defaults=True):
    """One GPS position. Units are in the names; None (null) = the terminal does not tell."""

    truck_id: TruckId
    """Plate, such as 浙B12345."""
    time_ms: TimeMs
    """Fix time, Unix epoch milliseconds UTC."""
    lon: float
    """WGS-84 degrees."""
    lat: float
    """WGS-84 degrees."""
    speed_kmh: float | None = None
    heading_deg: float | None = None
    """Clockwise from north."""
    altitude_m: float | None = None
    mileage_km: float | None = None
    """Of the odometer."""
    located: bool = True
    """The receiver had a fix."""
    satellites: Int64 | None = None
    loaded: bool | None = None
    """Muck aboard. Where the terminal does not tell: null, never a guess."""
    lifted: bool | None = None
    """The tipper is up."""
    covered: bool | None = None
    """The load is covered."""
    load_kg: float | None = None
    backfill: bool = False
    """Stored by the terminal and sent later."""
    terminal_id: str | None = None
    """Such as its SIM number."""
    source: str | None = None
    """Where it came in: `jt808`, `jt809`, `file`, `sim`, or of one's own."""
    received_ms: Int64 | None = None
    """When a gateway received it, Unix epoch milliseconds UTC."""


_FIELDS = frozenset(Position.__struct_fields__)


class Tick(msgspec.Struct, gc=False):
    """Moves the watermark of a partition where no truck reports."""

    tick_ms: TimeMs


class Malformed(msgspec.Struct, gc=False):
    """What could not be read as a position, and why."""

    detail: str
    """Which field, what was found, what is allowed."""
    truck_id: str | None = None
    """Where it could be read all the same."""
    time_ms: int | None = None


Element = Position | Tick | Malformed

_record_decoder = msgspec.json.Decoder(list[Position] | Position)
_position_decoder = msgspec.json.Decoder(Position)
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_LONGEST_INT = 300
"""Digits; a longer integer is beyond every float and is read as infinity, like 1e999."""
_FINITE_FIELDS = ("speed_kmh", "heading_deg", "altitude_m", "mileage_km", "load_kg")
_TEXT_FIELDS = ("truck_id", "terminal_id", "source")
_encoder = msgspec.json.Encoder()


def encode_position(position: Position) -> bytes:
    """The JSON of one position; fields at their default are left out."""
    return _encoder.encode(position)


def encode_array(positions: list[Position]) -> bytes:
    """The JSON of an array record; the caller keeps it to `MAX_ARRAY`."""
    return _encoder.encode(positions)


def encode_tick(tick_ms: int) -> bytes:
    return _encoder.encode(Tick(tick_ms))


def decode_record(value: bytes | None) -> list[Element]:
    """The elements of one record's value, in order; at least one."""
    if value is None:
        return [Malformed("the record has no value; expected a position, an array or a tick")]
    try:
        decoded = _record_decoder.decode(value)
    except _UNREADABLE:
        return _decode_slowly(value)
    if type(decoded) is Position:
        return [decoded]
    if not 1 <= len(decoded) <= MAX_ARRAY:
        return [_wrong_length(len(decoded))]
    elements: list[Element] = decoded
    return elements


def decode_position(value: bytes) -> Position | Malformed:
    """The position that `value`, one JSON object, holds."""
    try:
        return _position_decoder.decode(value)
    except _UNREADABLE:
        parsed = _parse(value)
        return parsed if isinstance(parsed, Malformed) else convert(parsed)


def convert(value: Any, *, strict: bool = True) -> Position | Malformed:
    """A position from parsed data: JSON objects, or a row of a file.

    `strict=False` also reads numbers and truth values written as text, as CSV has them.
    Coordinates that are no finite numbers are let through: the quality gate names them.
    """
    if isinstance(value, dict):
        value = {field: value[field] for field in value if field in _FIELDS}
    try:
        position = msgspec.convert(value, Position, strict=strict)
    except (msgspec.ValidationError, OverflowError) as error:
        return Malformed(str(error), *_identity(value, strict))
    except UnicodeEncodeError:
        # Text where a number is wanted, from a file whose bytes are not UTF-8.
        detail = "Expected Unicode, got bytes that are none"
        return Malformed(detail, *_identity(value, strict))
    for field in _FINITE_FIELDS:
        number = getattr(position, field)
        if number is not None and not math.isfinite(number):
            return Malformed(
                f"Expected a finite number - at `$.{field}`", *_identity(value, strict)
            )
    for field in _TEXT_FIELDS:
        text = getattr(position, field)
        if text is not None and not _is_unicode(text):
            detail = f"Expected Unicode, got half of a surrogate pair - at `$.{field}`"
            return Malformed(detail, *_identity(value, strict))
    return position


def _decode_slowly(value: bytes) -> list[Element]:
    """Element by element, since the record as a whole could not be read."""
    if not is_array(value):
        return [_decode_alone(value.removeprefix(BOM))]
    try:
        elements = split_array(value, MAX_ARRAY)
    except BadArrayError as error:
        return [Malformed(f"not JSON: {error}")]
    if elements is None:
        return [Malformed(f"an array of more than {MAX_ARRAY} positions")]
    return [decode_position(element) for element in elements]


def _decode_alone(value: bytes) -> Element:
    parsed = _parse(value)
    if isinstance(parsed, Malformed):
        return parsed
    if isinstance(parsed, dict) and "tick_ms" in parsed and "truck_id" not in parsed:
        if len(parsed) > 1:
            return Malformed("a tick holds `tick_ms` alone")
        try:
            return msgspec.convert(parsed, Tick)
        except msgspec.ValidationError as error:
            return Malformed(f"tick: {error}")
    return convert(parsed)


def _parse(value: bytes) -> Any:
    """With Python's own parser, which reads 1e999 (as infinity) and halves of surrogate pairs."""
    try:
        return json.loads(
            str(value, "utf-8"), parse_int=_parse_int, parse_constant=_refuse_constant
        )
    except RecursionError:
        return Malformed("not JSON that can be read: nested too deep")
    except ValueError as error:
        return Malformed(_unicode(f"not JSON: {error}"[:300]))


def _parse_int(digits: str) -> int | float:
    if len(digits) > _LONGEST_INT:
        return -math.inf if digits[0] == "-" else math.inf
    return int(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _wrong_length(length: int) -> Malformed:
    return Malformed(f"an array of {length} positions; allowed are 1 to {MAX_ARRAY}")


def _identity(value: Any, strict: bool) -> tuple[str | None, int | None]:
    """Truck and time where they can be read and be written again."""
    if not isinstance(value, dict):
        return None, None
    truck_id = value.get("truck_id")
    try:
        time_ms = msgspec.convert(value.get("time_ms"), Int64, strict=strict)
    except (msgspec.ValidationError, OverflowError, UnicodeEncodeError):
        time_ms = None
    if isinstance(truck_id, str) and _is_unicode(truck_id):
        return truck_id[:MAX_ID], time_ms
    return None, time_ms


def _is_unicode(text: str) -> bool:
    """Whether UTF-8 can hold it: half of a surrogate pair it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unicode(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
