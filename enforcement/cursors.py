"""Where a page ended, as an opaque text that the next request brings back.

Used by the API. A cursor is checked, not trusted: it says to which question it belongs, and what is
in it only ever stands on the right of a comparison. What somebody may see is asked of him anew with
every page, so that a cursor that was passed on shows nothing.
"""

import base64
import binascii
import hashlib
import json
from typing import Any, Final

LONGEST: Final = 200
MOST: Final = 2**62


class CursorError(ValueError):
    """It is none of those that were given out, or one for another question."""


def write(question: Any, place: tuple[int, ...]) -> str:
    """`question`: what was asked, as plain values."""
    said = json.dumps([_digest(question), *place], separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def read(text: str, question: Any, length: int) -> tuple[int, ...]:
    """The place, `length` whole numbers. Raises `CursorError`."""
    try:
        padded = text[:LONGEST] + "=" * (-len(text[:LONGEST]) % 4)
        digest, *place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise CursorError("after: no cursor of this program; ask without it") from None
    if digest != _digest(question):
        raise CursorError("after: this cursor belongs to other filters; ask without it")
    if len(place) != length or not all(type(one) is int and abs(one) < MOST for one in place):
        raise CursorError("after: no cursor of this program; ask without it")
    return tuple(place)


def _digest(question: Any) -> str:
    said = json.dumps(question, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
