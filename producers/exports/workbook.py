"""Vendors' exports as workbooks: .xlsx and .xls, one sheet of each.

A process of its own reads the sheet (`workbook_process`) and holds it in memory, some 60 bytes a
cell: what a damaged or hostile workbook does there is an error here. One that would unfold to far
more than a sheet of rows is refused before.
"""

import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import msgspec

from producers.chunk import CHUNK_ELEMENTS, Chunk, InputFileError
from producers.exports.cells import text_of
from producers.exports.columns import Columns, RowReader
from producers.exports.rows import Rows, chunks

MAX_BYTES = 2 * 1024**3
"""Of what is packed in a workbook."""
MAX_CELLS = 40_000_000
"""In the rectangle that holds all cells of a sheet: the most rows there can be, of 38 columns."""
_PROGRAM = Path(__file__).with_name("workbook_process.py")
_PIECE = 1 << 20
_CELL = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_OVERLAP = 32
_BROKEN = (OSError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError)


class Sheet(NamedTuple):
    """A sheet whose rows are on their way."""

    first_column: int
    """The first that holds something, from 0; rows begin there."""
    last_row: int
    rows: Iterator[list[Any]]


def check(path: Path, columns: Columns, truck_id: str | None) -> None:
    """Raise `InputFileError` where the columns are not there."""
    with opened_sheet(path, columns) as sheet:
        _read_header(path, sheet, columns, truck_id)


def read(path: Path, columns: Columns, truck_id: str | None) -> Iterator[Chunk]:
    """The chunks of the sheet. Raises `InputFileError`."""
    with opened_sheet(path, columns) as sheet:
        header, first, reader = _read_header(path, sheet, columns, truck_id)
        rows = _rows(sheet, first, columns, path.stat().st_size)
        yield from chunks(rows, header, reader, columns.datum)


@contextmanager
def opened_sheet(path: Path, columns: Columns) -> Iterator[Sheet]:
    """The sheet that the mapping names, from a process that ends with the block."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        if path.suffix.lower() == ".xlsx":
            refuse_bomb(path)
    except _BROKEN as error:
        raise _unreadable(path, str(error)) from None
    wanted = json.dumps(1 if columns.sheet is None else columns.sheet)
    # -P: the modules beside the program are not to be taken for others of the same names.
    process = subprocess.Popen(
        [sys.executable, "-P", str(_PROGRAM), str(path.absolute()), wanted],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    stream = cast("IO[bytes]", process.stdout)
    try:
        messages = _messages(path, stream)
        kind, *told = next(messages)
        if kind == "names":
            raise _no_sheet(path, columns, told)
        first_column, last_row = told
        yield Sheet(first_column, last_row, _cells(messages))
    finally:
        process.kill()
        process.wait()
        stream.close()


def _messages(path: Path, stream: IO[bytes]) -> Iterator[list[Any]]:
    """Up to the one that says that it is the last. Raises `InputFileError`."""
    while True:
        length = int.from_bytes(stream.read(4), "big")
        content = stream.read(length)
        if not length or len(content) < length:
            raise _unreadable(path, "it is damaged, or too large for memory")
        message = msgspec.msgpack.decode(content)
        if message[0] == "fault":
            raise _unreadable(path, message[1])
        if message[0] == "end":
            return
        yield message


def _no_sheet(path: Path, columns: Columns, names: Sequence[str]) -> InputFileError:
    there = ", ".join(map(repr, names)) or "none"
    return InputFileError(
        f"{path}: no sheet {columns.sheet or 1!r} ({columns.file}); there are {there}"
    )


def _unreadable(path: Path, words: str) -> InputFileError:
    first = next(iter(words.splitlines()), "it ends too early")
    return InputFileError(
        f"{path}: not a readable workbook: {first}; what is text or a web page under this name, "
        "save as .xlsx or .csv"
    )


def _cells(messages: Iterator[list[Any]]) -> Iterator[list[Any]]:
    for _, rows in messages:
        for row in rows:
            yield [datetime.fromisoformat(c[0]) if type(c) is list else c for c in row]


def _read_header(
    path: Path, sheet: Sheet, columns: Columns, truck_id: str | None
) -> tuple[list[str], list[list[Any]], RowReader]:
    """The names of the columns from the first that holds something; rows that have been read on the
    way and are no header; and what reads rows."""
    number = columns.header
    names = next(islice(sheet.rows, max(0, number - 1), None), [])
    if number:
        header, first = [text_of(cell) or "" for cell in names], []
    else:
        header, first = [str(sheet.first_column + 1 + at) for at in range(len(names))], [names]
    return header, first, RowReader(columns, header, f"{path}: row {number or 1}", truck_id)


def _rows(
    sheet: Sheet, first: list[list[Any]], columns: Columns, total_bytes: int
) -> Iterator[Rows]:
    """`first`: rows before those that are still on their way."""
    rows = islice(chain(first, sheet.rows), columns.skip, None)
    numbered = (
        (number, row)
        for number, row in enumerate(rows, columns.header + columns.skip + 1)
        if any(text_of(cell) is not None for cell in row)
    )
    while some := list(islice(numbered, CHUNK_ELEMENTS)):
        numbers, cells = zip(*some, strict=True)
        yield Rows(numbers, cells, total_bytes * numbers[-1] // max(1, sheet.last_row))


def refuse_bomb(path: Path, most_bytes: int = MAX_BYTES) -> None:
    """Raises `InputFileError`. A workbook is packed: a small file may unfold without end, and two
    cells in far corners make a sheet of all cells between them."""
    with zipfile.ZipFile(path) as packed:
        unpacked = 0
        for entry in packed.infolist():
            farthest = (0, 0)
            with packed.open(entry) as stream:
                tail = b""
                while piece := stream.read(_PIECE):
                    unpacked += len(piece)
                    if unpacked > most_bytes:
                        raise InputFileError(
                            f"{path}: unpacks to more than {most_bytes} bytes; save it as .csv"
                        )
                    if "worksheets/" in entry.filename:
                        farthest = _farthest(_CELL.findall(tail + piece), farthest)
                        tail = piece[-_OVERLAP:]
            cells = farthest[0] * farthest[1]
            if cells > MAX_CELLS:
                raise InputFileError(
                    f"{path}: {entry.filename} spans {cells} cells; at most {MAX_CELLS} "
                    "are read. Delete what stands far out, or save it as .csv"
                )


def _farthest(cells: Sequence[tuple[bytes, bytes]], before: tuple[int, int]) -> tuple[int, int]:
    """The highest column and row there are."""
    columns = max(map(_column_number, {letters for letters, _ in cells}), default=0)
    rows = max((int(row) for _, row in cells), default=0)
    return max(columns, before[0]), max(rows, before[1])


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
