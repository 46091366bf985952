"""Vendors' exports as workbooks: .xlsx and .xls, one sheet of each.

calamine holds a sheet whole in memory (some 60 bytes a cell), so that a workbook that would unfold
to far more than a sheet of rows is refused before.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from producers.chunk import CHUNK_ELEMENTS, Chunk, InputFileError
from producers.exports.cells import text_of
from producers.exports.columns import Columns, RowReader
from producers.exports.rows import Rows, chunks

MAX_BYTES = 2 * 1024**3
"""Of what is packed in a workbook."""
MAX_CELLS = 40_000_000
"""In the rectangle that holds all cells of a sheet: the most rows there can be, of 38 columns."""
_PIECE = 1 << 20
_CELL = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_OVERLAP = 32
_BROKEN = (
    CalamineError, OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile,
    zlib.error, EOFError,
)  # fmt: skip


def check(path: Path, columns: Columns, truck_id: str | None) -> None:
    """Raise `InputFileError` where the columns are not there."""
    _read_header(path, _sheet(path, columns), columns, truck_id)


def read(path: Path, columns: Columns, truck_id: str | None) -> Iterator[Chunk]:
    """The chunks of the sheet. Raises `InputFileError`."""
    sheet = _sheet(path, columns)
    header, reader = _read_header(path, sheet, columns, truck_id)
    rows = _rows(sheet, header, columns, path.stat().st_size)
    yield from chunks(rows, header, reader, columns.datum)


def _sheet(path: Path, columns: Columns) -> CalamineSheet:
    try:
        if path.suffix.lower() == ".xlsx":
            refuse_bomb(path)
        with CalamineWorkbook.from_path(str(path)) as workbook:
            name = _sheet_name(path, workbook.sheet_names, columns)
            return workbook.get_sheet_by_name(name)
    except _BROKEN as error:
        words = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputFileError(
            f"{path}: not a readable workbook: {words}; what is text or a web page under this "
            "name, save as .xlsx or .csv"
        ) from None


def _read_header(
    path: Path, sheet: CalamineSheet, columns: Columns, truck_id: str | None
) -> tuple[list[str], RowReader]:
    """The names of the columns from the first that holds something, and what reads the rows."""
    number = columns.header
    if number == 0:
        first = sheet.start[1] + 1 if sheet.start else 1
        header = [str(first + at) for at in range(sheet.width)]
    else:
        names: Sequence[Any] = next(islice(sheet.iter_rows(), number - 1, None), ())
        header = [text_of(cell) or "" for cell in names]
    return header, RowReader(columns, header, f"{path}: row {number or 1}", truck_id)


def _sheet_name(path: Path, names: Sequence[str], columns: Columns) -> str:
    wanted = 1 if columns.sheet is None else columns.sheet
    if isinstance(wanted, int) and wanted <= len(names):
        return names[wanted - 1]
    if wanted in names:
        return str(wanted)
    there = ", ".join(map(repr, names))
    raise InputFileError(f"{path}: no sheet {wanted!r} ({columns.file}); there are {there}")


def _rows(
    sheet: CalamineSheet, header: Sequence[str], columns: Columns, total_bytes: int
) -> Iterator[Rows]:
    start = columns.header + columns.skip
    last = sheet.end[0] + 1 if sheet.end else 1
    numbered = (
        (number, row)
        for number, row in enumerate(islice(sheet.iter_rows(), start, None), start + 1)
        if any(text_of(cell) is not None for cell in row)
    )
    while some := list(islice(numbered, CHUNK_ELEMENTS)):
        numbers, cells = zip(*some, strict=True)
        yield Rows(numbers, cells, total_bytes * numbers[-1] // last)


def refuse_bomb(path: Path, most_bytes: int = MAX_BYTES) -> None:
    """Raises `InputFileError`. A workbook is packed: a small file may unfold without end, and two
    cells in far corners make a sheet of all cells between them."""
    with zipfile.ZipFile(path) as packed:
        unpacked = 0
        for entry in packed.infolist():
            is_sheet = "worksheets/" in entry.filename
            columns: set[bytes] = set()
            rows = {b"0"}
            tail = b""
            with packed.open(entry) as stream:
                while piece := stream.read(_PIECE):
                    unpacked += len(piece)
                    if unpacked > most_bytes:
                        raise InputFileError(
                            f"{path}: unpacks to more than {most_bytes} bytes; save it as .csv"
                        )
                    if is_sheet:
                        cells = _CELL.findall(tail + piece)
                        columns.update(column for column, _ in cells)
                        rows.add(max((row for _, row in cells), key=int, default=b"0"))
                        tail = piece[-_OVERLAP:]
            area = max(map(_column_number, columns), default=0) * max(map(int, rows))
            if area > MAX_CELLS:
                raise InputFileError(
                    f"{path}: {entry.filename} spans {area} cells; at most {MAX_CELLS} are read. "
                    "Delete what stands far out, or save it as .csv"
                )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
