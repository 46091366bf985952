"""What the simulator says of its offences, so that detection can be scored against it.

Written by `producers.simulate`, read by `producers.score`: JSON lines.
"""

from pathlib import Path
from typing import TypeVar

import msgspec

Item = TypeVar("Item")


class Label(msgspec.Struct, frozen=True, omit_defaults=True):
    """A truck broke a rule."""

    truck_id: str
    rule: str
    from_ms: int
    to_ms: int
    place: tuple[float, float]
    """Longitude and latitude where it began."""
    partial: bool = False
    """It may have been too short to be found, or was cut off by the start or the end of the
    simulation: finding it is right and not finding it is no miss."""


class LinesError(Exception):
    """A file of JSON lines can't be read; the message is one line."""


def write_label(label: Label) -> bytes:
    """One line."""
    return msgspec.json.encode(label) + b"\n"


def read_labels(path: Path) -> list[Label]:
    """Raises `LinesError`."""
    return read_lines(path, Label)


def read_lines(path: Path, kind: type[Item]) -> list[Item]:
    """The JSON objects of a file, one a line. Raises `LinesError`."""
    decoder = msgspec.json.Decoder(kind)
    items: list[Item] = []
    try:
        with path.open("rb") as file:
            items.extend(decoder.decode(line) for line in file if not line.isspace())
    except OSError as error:
        raise LinesError(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        after = f"after {len(items)} lines" if items else "at the start"
        raise LinesError(f"{path}: no {kind.__name__.lower()} {after}: {error}") from None
    return items
