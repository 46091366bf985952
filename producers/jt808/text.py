"""Text and digits in fields of JT/T 808: GBK strings, BCD digits. Used by the bodies."""

import contextlib
from functools import lru_cache

from producers.jt808.errors import ProtocolError

ENCODING = "gb18030"
"""GBK (JT/T 808 4.2 asks for it) and what came after it."""


def read_text(data: bytes) -> str:
    """The text of a field: without the padding, 0x00 or blanks, that peers put behind or before.

    What follows a 0x00 is no text any more. Bytes that are no GBK become U+FFFD.
    """
    text, _, _ = data.lstrip(b"\x00").partition(b"\x00")
    return text.decode(ENCODING, "replace").rstrip(" ")


def write_text(text: str) -> bytes:
    """Raises `ProtocolError` where `text` holds what GB 18030 has no bytes for."""
    try:
        return text.encode(ENCODING)
    except UnicodeEncodeError:
        raise ProtocolError(f"text {text!r} has no bytes in GBK") from None


def write_fixed(text: str, width: int, field: str) -> bytes:
    """`text` in a field of `width` bytes, filled with 0x00."""
    data = write_text(text)
    if len(data) > width:
        raise ProtocolError(f"{field} {text!r} has {len(data)} bytes; at most {width} are allowed")
    return data.ljust(width, b"\x00")


@lru_cache(maxsize=16_384)
def write_digits(digits: str, width: int, field: str) -> bytes:
    """Digits, two a byte, with zeros before them; `width` in bytes.

    Remembered, since a terminal's phone is written in every answer.
    """
    if len(digits) <= 2 * width and digits.isalnum() and digits.isascii():
        with contextlib.suppress(ValueError):
            return bytes.fromhex(digits.rjust(2 * width, "0"))
    raise ProtocolError(f"{field} {digits!r}; allowed are up to {2 * width} digits")
