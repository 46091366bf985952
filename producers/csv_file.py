"""Positions out of a CSV file with a header of field names; an empty cell is null, and so is NaN in
a column of numbers, but not in `lon` and `lat`.

A row is a line: a quoted cell may hold commas and quotes but no line end, so that an unclosed quote
spoils its own line only. Columns of other names are passed over. Used by `producers.files`.
"""

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from producers.chunk import CHUNK_ELEMENTS, Chunk, InputFileError, check_columns
from streams.elements import BOM
from streams.position import Malformed, Position, convert

MAX_LINE_BYTES = 64 * 1024
"""Of a longer line only this much is looked at: it is malformed whatever it holds."""

_FIELDS = frozenset(Position.__struct_fields__)
_NAN = frozenset(("nan", "+nan", "-nan"))
_NULL_BY_NAN = (
    "time_ms", "received_ms", "satellites",
    "speed_kmh", "heading_deg", "altitude_m", "mileage_km", "load_kg",
)  # fmt: skip


def check(path: Path) -> None:
    """Raise `InputFileError` where the header is not that of positions."""
    with path.open("rb") as file:
        _header(path, file)


def read(path: Path) -> Iterator[Chunk]:
    """The chunks of the file. Raises `InputFileError` for a wrong header or when reading fails."""
    try:
        with path.open("rb") as file:
            header = _header(path, file)
            numbered = ((n, line) for n, line in enumerate(_lines(file), 2) if not line.isspace())
            while some := list(islice(numbered, CHUNK_ELEMENTS)):
                numbers, lines = zip(*some, strict=True)
                elements = [_decode(header, line) for line in lines]
                yield Chunk(elements, numbers, file.tell(), partial(_raw, header, lines))
    except OSError as error:
        raise InputFileError(f"{path}: reading failed: {error.strerror}") from error


def _header(path: Path, file: BinaryIO) -> list[str]:
    line = next(_lines(file), b"").removeprefix(BOM)
    try:
        header = [name.strip() for name in _cells(line)]
    except csv.Error as error:
        raise InputFileError(f"{path}: line 1 is no header of a CSV file: {error}") from None
    check_columns(f"{path}: line 1", header)
    repeated = {name for name in header if name in _FIELDS and header.count(name) > 1}
    if repeated:
        raise InputFileError(f"{path}: line 1: column {min(repeated)} is there more than once")
    return header


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines, without the part beyond `MAX_LINE_BYTES` but always ending like a line."""
    while line := file.readline(MAX_LINE_BYTES):
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            piece = line
            while not piece.endswith(b"\n") and (piece := file.readline(MAX_LINE_BYTES)):
                pass
        yield line


def _cells(line: bytes) -> list[str]:
    """Bytes that are not UTF-8 become halves of surrogate pairs, which no field may hold: so the
    row is malformed and the file goes on."""
    text = line.rstrip(b"\r\n").decode(errors="surrogateescape")
    return next(csv.reader([text], strict=True), []) if '"' in text else text.split(",")


def _decode(header: list[str], line: bytes) -> Position | Malformed:
    if len(line) == MAX_LINE_BYTES:
        return Malformed(f"a line of more than {MAX_LINE_BYTES} bytes")
    try:
        cells = _cells(line)
    except csv.Error as error:
        return Malformed(f"not CSV: {error}")
    if len(cells) != len(header):
        return Malformed(f"{len(cells)} cells; the header has {len(header)}")
    row = {name: text for name, cell in zip(header, cells, strict=True) if (text := cell.strip())}
    if b"nan" in line.lower():
        for name in _NULL_BY_NAN:
            if row.get(name, "").lower() in _NAN:
                del row[name]
    return convert(row, strict=False)


def _raw(header: list[str], lines: Sequence[bytes], index: int) -> bytes:
    """The row as a JSON object of its cells, else the line as a JSON string."""
    line = lines[index]
    try:
        cells = _cells(line)
    except csv.Error:
        cells = []
    if len(cells) == len(header) and len(line) < MAX_LINE_BYTES:
        return msgspec.json.encode(
            {_shown(name): _shown(cell) for name, cell in zip(header, cells, strict=True)}
        )
    return msgspec.json.encode(_shown(line.decode(errors="surrogateescape").rstrip("\r\n")))


def _shown(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
