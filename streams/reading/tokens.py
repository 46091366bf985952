"""The values that stand in the JSON of a position: a number, a text, true, false or null.

Compiled; called by `streams.reading.record`. A reader takes the bytes of a record and where to
begin, and returns where it ended, or `ODD` for whatever is not plain: then the whole record is left
to `streams.position.decode_record`, which alone says what is malformed. So whatever is
taken here must be JSON, and mean there what it means here; the converse need not hold. Nothing
is read past the end of the record. Knows nothing of fields.
"""

from typing import Any, Final

import numpy as np

from geofences.jit import compiled

ODD: Final = -1
"""In place of where a value ended: leave the record to `decode_record`."""

NULL, FALSE, TRUE, INTEGER, DECIMAL, TEXT = range(6)
"""What a value is. An `INTEGER` is written without fraction and exponent."""

MOST_DIGITS: Final = 18
"""Of a number: more might not fit 64 bits."""
ROOM_FOR_A_DIGIT: Final = 10 ** (MOST_DIGITS - 1)
"""What is below it takes one digit more."""
MOST_EXPONENT_DIGITS: Final = 3
EXACT_MANTISSA: Final = 1 << 53
EXACT_EXPONENT: Final = 22
"""Whole numbers up to the one, and powers of ten up to the other, are floats without rounding; so
their product or quotient is rounded once, and is the float nearest to what is written (Clinger, How
to read floating point numbers accurately, 1990)."""
POWERS: Final = np.array([float(10**power) for power in range(EXACT_EXPONENT + 1)])

QUOTE, BACKSLASH, MINUS, PLUS, POINT = 0x22, 0x5C, 0x2D, 0x2B, 0x2E
ZERO, NINE, SMALL_E, LARGE_E = 0x30, 0x39, 0x65, 0x45
SPACE, TAB, LINE_FEED, RETURN = 0x20, 0x09, 0x0A, 0x0D
FIRST_BEYOND_ASCII: Final = 0x80
NULL_WORD = np.frombuffer(b"null", np.uint8)
TRUE_WORD = np.frombuffer(b"true", np.uint8)
FALSE_WORD = np.frombuffer(b"false", np.uint8)


@compiled
def byte_at(value: Any, i: int) -> int:
    """The byte at `i`, or 0, which JSON does not hold, behind the end."""
    return int(value[i]) if i < len(value) else 0


@compiled
def after_blanks(value: Any, i: int) -> int:
    """Where what follows at `i` begins."""
    while i < len(value):
        byte = byte_at(value, i)
        if byte != SPACE and byte != LINE_FEED and byte != RETURN and byte != TAB:
            break
        i += 1
    return i


@compiled
def read_value(value: Any, i: int) -> tuple[int, int, int, int]:
    """The value that begins at `i`: where it ended, what it is, and two figures. Of a number these
    are its digits with their sign, and the power of ten that they are times; of a text where it
    begins, and its characters; the text ends before the quote before the end."""
    first = byte_at(value, i)
    if first == QUOTE:
        end, characters = read_text(value, i + 1)
        return end, TEXT, i + 1, characters
    if first == MINUS or ZERO <= first <= NINE:
        return read_number(value, i)
    if has_word(value, i, NULL_WORD):
        return i + len(NULL_WORD), NULL, 0, 0
    if has_word(value, i, TRUE_WORD):
        return i + len(TRUE_WORD), TRUE, 0, 0
    if has_word(value, i, FALSE_WORD):
        return i + len(FALSE_WORD), FALSE, 0, 0
    return ODD, NULL, 0, 0


@compiled
def has_word(value: Any, i: int, word: Any) -> bool:
    """Whether `word` stands at `i`."""
    if i + len(word) > len(value):
        return False
    for j in range(len(word)):  # noqa: SIM110
        if value[i + j] != word[j]:
            return False
    return True


@compiled
def read_number(value: Any, i: int) -> tuple[int, int, int, int]:
    """As `read_value`. Minus zero is odd: as a float it is another number than as an integer."""
    is_negative = byte_at(value, i) == MINUS
    if is_negative:
        i += 1
    start = i
    mantissa, i = read_digits(value, i, 0)
    digits = i - start
    if digits == 0 or (digits > 1 and byte_at(value, start) == ZERO) or digits > MOST_DIGITS:
        return ODD, INTEGER, 0, 0
    kind = INTEGER
    exponent = 0
    if byte_at(value, i) == POINT:
        kind = DECIMAL
        fraction = i + 1
        mantissa, i = read_digits(value, fraction, mantissa)
        exponent = fraction - i
        digits -= exponent
        if exponent == 0 or digits > MOST_DIGITS:
            return ODD, kind, 0, 0
    if byte_at(value, i) == SMALL_E or byte_at(value, i) == LARGE_E:
        kind = DECIMAL
        i, power = read_exponent(value, i + 1)
        if i == ODD:
            return ODD, kind, 0, 0
        exponent += power
    if is_negative:
        if mantissa == 0:
            return ODD, kind, 0, 0
        mantissa = -mantissa
    return i, kind, mantissa, exponent


@compiled
def read_digits(value: Any, i: int, number: int) -> tuple[int, int]:
    """`number` with the digits at `i` behind it, and where they end. Not more of them are worth
    reading than make the whole odd."""
    stop = min(len(value), i + MOST_DIGITS + 1)
    while i < stop:
        digit = byte_at(value, i) - ZERO
        if digit < 0 or digit > 9:
            break
        if number < ROOM_FOR_A_DIGIT:
            number = number * 10 + digit
        i += 1
    return number, i


@compiled
def read_exponent(value: Any, i: int) -> tuple[int, int]:
    """Where it ends, and the power."""
    sign = byte_at(value, i)
    if sign == MINUS or sign == PLUS:
        i += 1
    power, end = read_digits(value, i, 0)
    if end == i or end - i > MOST_EXPONENT_DIGITS:
        return ODD, 0
    return end, -power if sign == MINUS else power


@compiled
def is_exact(mantissa: int, exponent: int) -> bool:
    """Whether `to_float` gives the float nearest to mantissa · 10^exponent."""
    return abs(mantissa) <= EXACT_MANTISSA and abs(exponent) <= EXACT_EXPONENT


@compiled
def to_float(mantissa: int, exponent: int) -> float:
    """mantissa · 10^exponent, which must be `is_exact`."""
    if exponent < 0:
        return float(mantissa / POWERS[-exponent])
    return float(mantissa * POWERS[exponent])


@compiled
def read_text(value: Any, i: int) -> tuple[int, int]:
    """Where the text whose characters begin at `i` ends, behind its quote, and how many they are.
    Odd: escapes, control characters, and what is not UTF-8."""
    characters = 0
    while i < len(value):
        byte = byte_at(value, i)
        if byte == QUOTE:
            return i + 1, characters
        if byte < SPACE or byte == BACKSLASH:
            return ODD, 0
        if byte < FIRST_BEYOND_ASCII:
            i += 1
        else:
            i = after_character(value, i)
            if i == ODD:
                return ODD, 0
        characters += 1
    return ODD, 0


@compiled
def after_character(value: Any, i: int) -> int:
    """Where the UTF-8 character beyond ASCII that begins at `i` ends (RFC 3629, section 4: neither
    longer than need be, nor half of a surrogate pair, nor beyond U+10FFFF)."""
    first = byte_at(value, i)
    lowest, highest = 0x80, 0xBF
    if 0xC2 <= first <= 0xDF:
        follow = 1
    elif 0xE0 <= first <= 0xEF:
        follow = 2
        if first == 0xE0:
            lowest = 0xA0
        elif first == 0xED:
            highest = 0x9F
    elif 0xF0 <= first <= 0xF4:
        follow = 3
        if first == 0xF0:
            lowest = 0x90
        elif first == 0xF4:
            highest = 0x8F
    else:
        return ODD
    second = byte_at(value, i + 1)
    if second < lowest or second > highest:
        return ODD
    for j in range(i + 2, i + follow + 1):
        if byte_at(value, j) < 0x80 or byte_at(value, j) > 0xBF:
            return ODD
    return i + follow + 1
