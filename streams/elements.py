"""The elements of a record's value as they stand in it, and as a reject shows them.

`split_array` finds the elements of an array of which some may not be JSON; `streams.position`
judges each alone. `originals` gives the worker, and `original` the file reader, what a reject
carries as `value` (design section 3). Knows nothing of what a position is.
"""

import base64
import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

MAX_ORIGINAL = 256 * 1024
"""Bytes of an original that a reject carries; of a longer one it carries these and says so."""

_raw_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_strict_decoder = msgspec.json.Decoder(msgspec.Raw)
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[\[\]{},]', re.DOTALL)
"""Strings, so that nothing in them counts, and what gives an array its shape."""
_BLANKS = b" \t\r\n"
_CONTROL = re.compile(rb"[^\t\n\r\x20-\xff]")
"""Bytes that no text has; JSON would write each of them as six."""


BOM = b"\xef\xbb\xbf"
"""Some programs put it before UTF-8 text; it says nothing."""


class BadArrayError(ValueError):
    """The brackets of an array do not match."""


def is_array(value: bytes) -> bool:
    return value.removeprefix(BOM).lstrip(_BLANKS)[:1] == b"["


def split_array(value: bytes, most: int) -> list[bytes] | None:
    """The elements of a JSON array; None when there are more than `most` of them.

    An element need not be JSON itself, as long as its brackets match and its strings end.
    Raises `BadArrayError` when the array as a whole does not hold together.
    """
    elements: list[bytes] = []
    open_brackets = bytearray()
    start = end = -1
    for token in _TOKEN.finditer(value):
        kind = value[token.start()]
        if kind in b"[{":
            if end >= 0:
                break
            open_brackets.append(kind)
            if len(open_brackets) == 1:
                start = token.end()
        elif kind in b"]}":
            if not open_brackets or open_brackets.pop() != (0x5B if kind == 0x5D else 0x7B):
                raise BadArrayError(f"a bracket at byte {token.start()} closes what is not open")
            if not open_brackets:
                end = token.start()
                elements.append(value[start:end].strip(_BLANKS))
        elif kind == 0x2C and len(open_brackets) == 1:
            if len(elements) == most:
                return None
            elements.append(value[start : token.start()].strip(_BLANKS))
            start = token.end()
    if end < 0:
        raise BadArrayError("the array does not end")
    if value[end + 1 :].strip(_BLANKS):
        raise BadArrayError(f"something follows the array, at byte {end + 1}")
    return elements if len(elements) <= most else None


def originals(value: bytes | None, indices: Iterable[int], most: int) -> list[Any]:
    """The elements at `indices` of a record's value, as `original` shows them.

    `most` is the longest array that is judged element by element. Of a value that is none, the
    whole is the only element.
    """
    if value is None:
        return [None for _ in indices]
    elements = parts_of(value, most)
    return [original(elements[index]) for index in indices]


def original(value: bytes, length_bytes: int | None = None) -> Any:
    """`value` in a form that can be written into JSON; `length_bytes` where it is a beginning only.

    JSON stays what it is, to the digit (on one line); other text becomes a string, and so does JSON
    that strict readers refuse, such as half of a surrogate pair; bytes that are not UTF-8, or hold
    control characters, become `{"base64": …}`. Beyond `MAX_ORIGINAL` bytes only
    the beginning is kept, as `{"text": …}` or `{"base64": …}` with `"cut": true` and the full
    `length_bytes`.
    """
    kept = value[:MAX_ORIGINAL]
    length_bytes = len(value) if length_bytes is None else length_bytes
    cut = {"cut": True, "length_bytes": length_bytes} if length_bytes > len(kept) else {}
    text = _text(kept, may_end_within_character=bool(cut))
    if text is None:
        return {"base64": base64.b64encode(kept).decode(), **cut}
    if cut:
        return {"text": text, **cut}
    try:
        json.loads(text, parse_int=_ignore, parse_float=_ignore, parse_constant=_refuse)
        _strict_decoder.decode(kept)
    except (ValueError, RecursionError):
        return text
    return msgspec.Raw(value.replace(b"\n", b" ").replace(b"\r", b" "))


def _text(value: bytes, *, may_end_within_character: bool) -> str | None:
    if _CONTROL.search(value):
        return None
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        if may_end_within_character and error.start >= len(value) - 3:
            return value[: error.start].decode()
        return None


def parts_of(value: bytes, most: int) -> list[bytes]:
    """The elements of a record's value as they stand in it, an element for each that
    `streams.position.decode_record` gives; `most` as for `originals`."""
    if not is_array(value):
        return [value]
    try:
        raw: list[msgspec.Raw] = _raw_decoder.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        try:
            return split_array(value, most) or [value]
        except BadArrayError:
            return [value]
    return [bytes(element) for element in raw] if 1 <= len(raw) <= most else [value]


def _ignore(_: str) -> None:
    return None


def _refuse(name: str) -> None:
    raise ValueError(name)
