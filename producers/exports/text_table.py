"""Vendors' exports as text: .csv, .tsv and .txt, in UTF-8, GB 18030 or UTF-16.

A row is a line, as in our own CSV files: a quoted cell may hold delimiters and quotes but no line
end, so that an unclosed quote spoils its own line only.
"""

import codecs
import csv
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from producers.chunk import CHUNK_ELEMENTS, Chunk, InputFileError
from producers.exports.columns import Columns, RowReader
from producers.exports.rows import BadRow, Row, Rows, chunks

MAX_LINE = 64 * 1024
"""Characters. Of a longer line only so many are looked at: it is malformed whatever it holds."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")
)  # fmt: skip
_SHOWN = 200
_COMMA, _TAB = ",", "\t"
_HALVES = "mucktrack-halves"


def _halves(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are none of the encoding become halves of surrogate pairs, which no field may
    hold: so the row is malformed and the file goes on."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in wrong), error.end


codecs.register_error(_HALVES, _halves)


def check(path: Path, columns: Columns, truck_id: str | None) -> None:
    """Raise `InputFileError` where the columns are not there."""
    try:
        with path.open("rb") as file:
            _Table(path, file, columns, truck_id)
    except OSError as error:
        raise _failed(path, error) from error


def read(path: Path, columns: Columns, truck_id: str | None) -> Iterator[Chunk]:
    """The chunks of the file. Raises `InputFileError`."""
    try:
        with path.open("rb") as file:
            table = _Table(path, file, columns, truck_id)
            yield from chunks(table.rows(), table.header, table.reader, columns.datum)
    except OSError as error:
        raise _failed(path, error) from error


def _failed(path: Path, error: OSError) -> InputFileError:
    return InputFileError(f"{path}: reading failed: {error.strerror}")


class _Table:
    """An open file, read as far as its header."""

    def __init__(self, path: Path, file: BinaryIO, columns: Columns, truck_id: str | None) -> None:
        self._file = file
        self._delimiter = columns.delimiter or (_COMMA if path.suffix.lower() == ".csv" else _TAB)
        encoding = _encoding(file, columns)
        # Kept, since it closes the file when it goes.
        self._text = TextIOWrapper(file, encoding=encoding, errors=_HALVES, newline="\n")
        self._lines = enumerate(_whole_lines(self._text), 1)
        self.header = self._header(path, columns, encoding)
        self.reader = RowReader(
            columns, self.header, f"{path}: line {columns.header or 1}", truck_id
        )

    def _header(self, path: Path, columns: Columns, encoding: str) -> list[str]:
        if columns.header == 0:
            self._first, row = self._row_without_names()
            names = [str(number) for number in range(1, len(row) + 1)]
        else:
            self._first = None
            line = next(islice(self._lines, columns.header - 1, None), (0, ""))[1]
            names = self._names(path, columns.header, line, encoding)
        if columns.skip:
            next(islice(self._lines, columns.skip - 1, columns.skip), None)
        return names

    def _row_without_names(self) -> tuple[tuple[int, str] | None, list[str]]:
        """The first line, which has as many cells as each of the others; it is read as a row."""
        first = next(self._lines, None)
        try:
            return first, _cells(first[1] if first else "", self._delimiter)
        except csv.Error:
            return first, []

    def _names(self, path: Path, number: int, line: str, encoding: str) -> list[str]:
        where = f"{path}: line {number}"
        if any("\udc00" <= character <= "\udfff" for character in line):
            raise InputFileError(
                f"{where} is not {encoding}; set encoding in the columns file, most likely to "
                '"gb18030"'
            )
        try:
            return [name.strip() for name in _cells(line, self._delimiter)]
        except csv.Error as error:
            raise InputFileError(f"{where} is no header: {error}") from None

    def rows(self) -> Iterator[Rows]:
        width = len(self.header)
        numbered = (pair for pair in self._numbered() if pair[1].strip())
        while some := list(islice(numbered, CHUNK_ELEMENTS)):
            numbers, lines = zip(*some, strict=True)
            yield Rows(
                numbers, [_row(line, self._delimiter, width) for line in lines], self._file.tell()
            )

    def _numbered(self) -> Iterator[tuple[int, str]]:
        if self._first is not None:
            yield self._first
        yield from self._lines


def _encoding(file: BinaryIO, columns: Columns) -> str:
    """A byte order mark goes before what the mapping says."""
    start = file.read(4)
    file.seek(0)
    marked = next((encoding for bom, encoding in _BOMS if start.startswith(bom)), None)
    if marked is None and columns.encoding == "utf-16":
        return "utf-16-le"
    return marked or columns.encoding or "utf-8"


def _whole_lines(text: TextIOWrapper) -> Iterator[str]:
    """The lines, without the part beyond `MAX_LINE`."""
    while line := text.readline(MAX_LINE):
        if len(line) == MAX_LINE and not line.endswith("\n"):
            piece = line
            while not piece.endswith("\n") and (piece := text.readline(MAX_LINE)):
                pass
        yield line


def _cells(line: str, delimiter: str) -> list[str]:
    bare = line.rstrip("\r\n")
    if '"' in bare:
        return next(csv.reader([bare], delimiter=delimiter, strict=True), [])
    return bare.split(delimiter)


def _row(line: str, delimiter: str, width: int) -> Row:
    if len(line) == MAX_LINE:
        return BadRow(f"a line of {MAX_LINE} characters or more", line[:_SHOWN])
    try:
        cells = _cells(line, delimiter)
    except csv.Error as error:
        return BadRow(f"no row of cells: {error}", line.rstrip("\r\n"))
    # Many programs end each row with a delimiter, but not the header, or the other way round.
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) != width:
        detail = f"{len(cells)} cells; the header has {width}"
        return BadRow(detail, line.rstrip("\r\n"))
    return cells
