"""What the file readers have in common: the chunk they yield and the error they raise.

Used by `producers.files` and its readers, one for each kind of file. Knows no kind itself.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from streams import elements
from streams.position import Malformed, Position

CHUNK_ELEMENTS = 10_000
COORDINATES = ("lon", "lat")
"""Here NaN stays NaN: the quality gate names it."""
_REQUIRED = ("truck_id", "time_ms", *COORDINATES)
_MOST_SHOWN = 30
"""Columns in a message."""


class InputFileError(Exception):
    """A file cannot be read; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file."""

    elements: list[Position | Malformed]
    lines: Sequence[int]
    """The line (`.jsonl`, `.csv`) or row (`.parquet`) of each element, from 1."""
    bytes_read: int
    """How far into the file this chunk ends, for a progress bar."""
    raw: Callable[[int], bytes]
    """The JSON of the element at an index: the line itself, or the row as an object. A line that
    is too long to be read shows as the object that `original` makes of it."""

    def original(self, index: int) -> Any:
        """The element at `index` as the `value` of a reject: ready to be written into JSON, cut
        where it is very long (see `streams.elements.original`)."""
        return elements.original(self.raw(index))


def check_columns(where: str, columns: Collection[str]) -> None:
    """Raise `InputFileError` unless a table with these columns can hold positions."""
    missing = [name for name in _REQUIRED if name not in columns]
    if missing:
        raise InputFileError(
            f"{where}: no column {', '.join(missing)}; needed are {', '.join(_REQUIRED)}, "
            f"there are {', '.join(map(repr, islice(columns, _MOST_SHOWN))) or 'none'}; "
            "say in a file which of them mean what, and give it by --columns (docs/files.md)"
        )
