"""Spreadsheets of an office: .xlsx, .xls, .csv, .tsv, .txt, whatever stands above their headings.

Called by `producers.city_import.sources`. The line of headings is the one among the first lines
with the most names that are known. Workbooks are read as vendors' exports are.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from producers.chunk import InputFileError
from producers.city_import.headings import Heading, Subject, field_of
from producers.exports.cells import Cell, text_of
from producers.exports.columns import Columns
from producers.exports.workbook import opened_sheet

WORKBOOKS = (".xlsx", ".xls")
TEXTS = (".csv", ".tsv", ".txt")
HEADING_WITHIN = 20
"""Lines; titles and notes above the headings are fewer."""
MOST_ROWS = 200_000

Line = tuple[int, Sequence[Cell]]
"""Its number, from 1, and its cells."""


def lines(path: Path, sheet: str | None) -> list[Line]:
    """The lines that hold something. `sheet`: of a workbook, its name or number, None = the first.

    Raises `InputFileError`.
    """
    source = _of_workbook(path, sheet) if path.suffix.lower() in WORKBOOKS else _of_text(path)
    found = [
        (number, cells)
        for number, cells in islice(source, MOST_ROWS + 1)
        if any(text_of(cell) is not None for cell in cells)
    ]
    if len(found) > MOST_ROWS:
        raise InputFileError(f"{path}: has more than {MOST_ROWS} rows; a city has fewer")
    return found


def headings_among(found: Sequence[Line], subject: Subject) -> int | None:
    """Which of the lines holds the headings; None where no heading is known."""
    counts = [_known(cells, subject) for _, cells in found[:HEADING_WITHIN]]
    most = max(counts, default=0)
    return counts.index(most) if most else None


def _known(cells: Sequence[Cell], subject: Subject) -> int:
    texts = [text_of(cell) for cell in cells]
    return len({field_of(subject, Heading.of(text)) for text in texts if text} - {None})


def _of_workbook(path: Path, sheet: str | None) -> Iterator[Line]:
    wanted = int(sheet) if sheet is not None and sheet.isdecimal() else sheet
    with opened_sheet(path, Columns(f"FILE#{sheet}" if sheet else "FILE", sheet=wanted)) as opened:
        yield from enumerate(opened.rows, 1)


def _of_text(path: Path) -> Iterator[Line]:
    text = decoded(path)
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = 1
    try:
        for cells in reader:
            yield number, cells
            number = reader.line_num + 1
    except csv.Error as error:
        raise InputFileError(f"{path}: row {number} is no row of cells: {error}") from None


def decoded(path: Path) -> str:
    """The text of a file in UTF-8, UTF-16 or, as Excel saves it in China, GB 18030."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{path}: cannot be read: {error.strerror}") from None
    encodings = ["utf-8-sig", "gb18030"]
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputFileError(f"{path}: is neither {' nor '.join(encodings)}; save it as UTF-8")
