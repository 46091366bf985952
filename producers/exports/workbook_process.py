"""A program of its own: the rows of one sheet of a workbook, to standard output.

`producers.exports.workbook` starts it, since the library that reads workbooks ends the process that
it runs in over some damaged files, and may ask for any amount of memory or time. It imports nothing
of the project, so that it starts at once.

Arguments: the file, and the sheet's name or number as JSON. Out come messages of MessagePack, each
behind its length in four bytes: `["fault", text]`, or `["names", name…]` of the sheets where there
is no such one, or `["sheet", column, row]` (the first column, and the row behind the last, from 0),
then `["rows", rows]` as often as there are, then `["end"]`. In a row a list of one text is a time.
"""

import json
import sys
from collections.abc import Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

MAX_MEMORY_BYTES = 4 * 1024**3
MAX_CPU_S = 600
"""A full sheet takes some ten seconds."""
ROWS_A_MESSAGE = 5_000

_encoder = msgspec.msgpack.Encoder()


def main(path: str, wanted: str | int) -> None:
    _limit()
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            name = _name(workbook.sheet_names, wanted)
            if name is None:
                _write("names", *workbook.sheet_names)
                return
            sheet = workbook.get_sheet_by_name(name)
    except (CalamineError, OSError, ValueError) as error:
        _write("fault", next(iter(str(error).splitlines()), type(error).__name__))
        return
    _write("sheet", sheet.start[1] if sheet.start else 0, sheet.end[0] + 1 if sheet.end else 0)
    rows = sheet.iter_rows()
    while some := [[_plain(cell) for cell in row] for row in islice(rows, ROWS_A_MESSAGE)]:
        _write("rows", some)
    _write("end")


def _name(names: Sequence[str], wanted: str | int) -> str | None:
    if isinstance(wanted, int):
        return names[wanted - 1] if wanted <= len(names) else None
    return wanted if wanted in names else None


def _plain(cell: Any) -> Any:
    if isinstance(cell, str | float | int):
        return cell
    if isinstance(cell, datetime):
        return [cell.isoformat()]
    if isinstance(cell, date):
        return [f"{cell.isoformat()}T00:00:00"]
    return str(cell)


def _write(*message: Any) -> None:
    content = _encoder.encode(message)
    sys.stdout.buffer.write(len(content).to_bytes(4, "big") + content)
    sys.stdout.buffer.flush()


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not on every system
        return
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))


if __name__ == "__main__":
    try:
        main(sys.argv[1], json.loads(sys.argv[2]))
    except BrokenPipeError:
        sys.stderr.close()
