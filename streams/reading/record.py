"""A record of `gps.positions`, one position or an array of them, read straight into rows of
`streams.passage.POSITION`.

Compiled; called by `streams.batch`. Plain records only, as encoders write them: a field that is not
known, comes twice, is missing or out of bounds, and whatever `streams.reading.tokens` finds odd,
leaves the whole record to `streams.position.decode_record`. What is read here is to the bit what
comes of it there; tests and fuzzing hold the two against each other. What is malformed, and what a
reject says of it, is not known here.
"""

from typing import Any, Final

import numpy as np

from geofences.jit import compiled
from streams.position import MAX_ARRAY, MAX_ID, MAX_TIME_MS, MIN_TIME_MS, Position
from streams.reading.tokens import (
    DECIMAL,
    FALSE,
    INTEGER,
    NULL,
    ODD,
    QUOTE,
    TEXT,
    TRUE,
    after_blanks,
    byte_at,
    has_word,
    is_exact,
    read_value,
    to_float,
)
from streams.sources import NO_SOURCE, OTHER_SOURCE, SOURCE_LENGTHS, SOURCE_NAMES
from streams.state import UNKNOWN

NEW: Final = -3
"""`truck` of a row whose truck has not been looked up yet (`streams.trucks`)."""
MANY_SATELLITES: Final = 99
"""Stands for a count that is not given: it never fails."""
FEWEST_SATELLITES: Final = -1
LONGEST_ID_BYTES: Final = 4 * MAX_ID

FIELDS: Final = Position.__struct_fields__
"""In the order in which they are usually written: each is looked for behind the one before."""
(
    TRUCK_ID, TIME_MS, LON, LAT, SPEED_KMH, HEADING_DEG, ALTITUDE_M, MILEAGE_KM,
    LOCATED, SATELLITES, LOADED, LIFTED, COVERED, LOAD_KG,
    BACKFILL, TERMINAL_ID, SOURCE, RECEIVED_MS,
) = range(len(FIELDS))  # fmt: skip
REQUIRED: Final = 1 << TRUCK_ID | 1 << TIME_MS | 1 << LON | 1 << LAT

_ENDED: Final = [name.encode() + b'"' for name in FIELDS]
NAMES: Final = np.array([list(name.ljust(12)) for name in _ENDED], np.uint8)
"""Of each field, up to its quote."""
LENGTHS: Final = np.array([len(name) for name in _ENDED])

OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT = 0x5B, 0x5D, 0x7B, 0x7D
COMMA, COLON = 0x2C, 0x3A


@compiled
def read_record(value: Any, rows: Any, ids: Any, ends: Any, first: int, record_ms: int) -> int:
    """Put the positions of the record `value` into `rows` from `first` on; the row behind the last,
    or `ODD` where none of them counts.

    The id of row i goes to ids[ends[i]:ends[i + 1]], and the row's `truck` is `NEW`. There must be
    room for `MAX_ARRAY` rows, and in `ids` for each an id of the longest, or for all of `value`.
    """
    i = after_blanks(value, 0)
    if byte_at(value, i) == OPEN_OBJECT:
        i = read_position(value, i, rows, ids, ends, first, record_ms)
        row = first + 1
    else:
        row, i = read_array(value, i, rows, ids, ends, first, record_ms)
    if i == ODD or after_blanks(value, i) != len(value):
        return ODD
    return row


@compiled
def read_array(
    value: Any, i: int, rows: Any, ids: Any, ends: Any, first: int, record_ms: int
) -> tuple[int, int]:
    """The row behind the last, and where the array at `i` ended."""
    if byte_at(value, i) != OPEN_ARRAY:
        return first, ODD
    for row in range(first, first + MAX_ARRAY):
        i = after_blanks(value, i + 1)
        i = read_position(value, i, rows, ids, ends, row, record_ms)
        if i == ODD:
            break
        i = after_blanks(value, i)
        if byte_at(value, i) == CLOSE_ARRAY:
            return row + 1, i + 1
        if byte_at(value, i) != COMMA:
            break
    return first, ODD


@compiled
def read_position(
    value: Any, i: int, rows: Any, ids: Any, ends: Any, number: int, record_ms: int
) -> int:
    """Where the object at `i` ended, which makes rows[number]."""
    if byte_at(value, i) != OPEN_OBJECT:
        return ODD
    row = rows[number]
    _blank(row, record_ms)
    seen = 0
    field = len(FIELDS) - 1
    while True:
        i = after_blanks(value, i + 1)
        if byte_at(value, i) != QUOTE:
            return ODD
        field = find_field(value, i + 1, field)
        if field == ODD or seen >> field & 1:
            return ODD
        seen |= 1 << field
        i = read_field(value, i + 1 + LENGTHS[field], row, ids, ends, number, field)
        if i == ODD:
            return ODD
        i = after_blanks(value, i)
        if byte_at(value, i) != COMMA:
            break
    if byte_at(value, i) != CLOSE_OBJECT or seen & REQUIRED != REQUIRED:
        return ODD
    return i + 1


@compiled
def read_field(value: Any, i: int, row: Any, ids: Any, ends: Any, number: int, field: int) -> int:
    """Where the value of `field` ended, whose name ended at `i`."""
    i = after_blanks(value, i)
    if byte_at(value, i) != COLON:
        return ODD
    end, kind, a, b = read_value(value, after_blanks(value, i + 1))
    if end == ODD:
        return ODD
    if field == SOURCE and kind == TEXT:
        row.source = source_of(value, a, end - 1)
        return end
    if field != TRUCK_ID:
        return end if take_value(row, field, kind, a, b) else ODD
    if kind != TEXT or b < 1 or b > MAX_ID:
        return ODD
    ends[number + 1] = ends[number] + end - 1 - a
    for j in range(end - 1 - a):
        ids[ends[number] + j] = value[a + j]
    return end


@compiled
def _blank(row: Any, record_ms: int) -> None:
    """As a position is of which nothing more is told."""
    row.truck = NEW
    row.satellites = MANY_SATELLITES
    row.located = True
    row.loaded = UNKNOWN
    row.lifted = UNKNOWN
    row.covered = UNKNOWN
    row.reason = 0
    row.source = NO_SOURCE
    row.received_ms = record_ms
    row.speed_kmh = np.nan
    row.heading_deg = np.nan
    row.load_kg = np.nan


@compiled
def source_of(value: Any, i: int, end: int) -> int:
    """The number of the source that stands from `i` to before `end`."""
    for number in range(len(SOURCE_LENGTHS)):
        length = SOURCE_LENGTHS[number]
        if end - i == length and has_word(value, i, SOURCE_NAMES[number, :length]):
            return number
    return OTHER_SOURCE


@compiled
def find_field(value: Any, i: int, previous: int) -> int:
    """The number of the field whose name stands at `i`, or `ODD`. It is the one behind `previous`
    as a rule."""
    for step in range(1, len(FIELDS) + 1):
        field = (previous + step) % len(FIELDS)
        if has_word(value, i, NAMES[field, : LENGTHS[field]]):
            return field
    return ODD


@compiled
def take_value(row: Any, field: int, kind: int, a: int, b: int) -> bool:
    """Put what `read_value` gave into the column of `field`; False where it is not what the field
    holds."""
    if field == TERMINAL_ID or field == SOURCE:
        return kind == TEXT or kind == NULL
    if kind == TEXT:
        return False
    if field == TIME_MS:
        row.time_ms = a
        return kind == INTEGER and MIN_TIME_MS <= a <= MAX_TIME_MS
    if field == SATELLITES:
        if kind == INTEGER:
            row.satellites = max(FEWEST_SATELLITES, min(a, MANY_SATELLITES))
        return kind == INTEGER or kind == NULL
    if field == RECEIVED_MS:
        if kind == INTEGER:
            row.received_ms = a
        return kind == INTEGER or kind == NULL
    if field == LOCATED or field == BACKFILL:
        if field == LOCATED:
            row.located = kind == TRUE
        return kind == TRUE or kind == FALSE
    if LOADED <= field <= COVERED:
        return take_truth(row, field, kind)
    return take_number(row, field, kind, a, b)


@compiled
def take_truth(row: Any, field: int, kind: int) -> bool:
    """As `take_value`, of what a sensor tells."""
    if kind != TRUE and kind != FALSE:
        return kind == NULL
    truth = 1 if kind == TRUE else 0
    if field == LOADED:
        row.loaded = truth
    elif field == LIFTED:
        row.lifted = truth
    else:
        row.covered = truth
    return True


@compiled
def take_number(row: Any, field: int, kind: int, a: int, b: int) -> bool:
    """As `take_value`, of a measured number."""
    if kind == NULL:
        return field != LON and field != LAT
    if (kind != INTEGER and kind != DECIMAL) or not is_exact(a, b):
        return False
    number = to_float(a, b)
    if field == LON:
        row.lon = number
    elif field == LAT:
        row.lat = number
    elif field == SPEED_KMH:
        row.speed_kmh = number
    elif field == HEADING_DEG:
        row.heading_deg = number
    elif field == LOAD_KG:
        row.load_kg = number
    return True
