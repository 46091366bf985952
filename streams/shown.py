"""Text that somebody else wrote, made fit for a log or a terminal.

Truck ids, and errors that quote them, come from whoever can write to `gps.positions`: with a line
break in one, a log could be made to say anything; with an escape sequence or a character that turns
the direction of writing, a terminal. Every line for people goes through `shown`; JSON does not need
it. Called by `streams.logs` for every message of a worker, and by `mucktrack` and `producers`.
"""

from typing import Final

LONGEST: Final = 120
"""Characters of one text that are shown."""


def shown(text: object, longest: int = LONGEST) -> str:
    """`text` on one line, without anything that is not seen; what is cut is counted.

    Line breaks, control characters, escape sequences, marks of direction, halves of surrogate pairs
    and all else that cannot be printed (`str.isprintable`) become escapes: `\\n`, `\\u202e`.
    """
    whole = str(text)
    kept = whole[:longest]
    if not kept.isprintable():
        kept = "".join(one if one.isprintable() else _escaped(one) for one in kept)
    left = len(whole) - longest
    return kept if left <= 0 else f"{kept}… ({left:,} characters more)"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
