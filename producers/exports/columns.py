"""How the files of one vendor are to be read: which column is which field, and what it means.

`producers.exports.parse` makes a `Columns` of a TOML file, `RowReader` makes positions of rows.
`docs/files.md` says how to write one. Knows no kind of file.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal

from geofences.datum import Datum
from producers.chunk import InputFileError
from producers.exports.cells import Cell, CellError, Reader, found, text_of
from producers.exports.times import join
from streams.position import Malformed, Position, convert

Order = Literal["as_is", "reversed", "sorted"]
Encoding = Literal["utf-8", "gb18030", "utf-16"]
POSITION = "lon_lat"
"""The name of a column with both coordinates."""
_MOST_SHOWN = 30
"""Columns of a file that an error lists."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a position."""

    name: str
    columns: tuple[str, ...]
    """One, or the columns of date and time."""
    read: Reader


@dataclass(frozen=True, slots=True)
class Truck:
    """Where the truck is from that no column names."""

    fixed: str | None = None
    file_name: re.Pattern[str] | None = None
    """What of a file's name without its ending is the truck."""

    def of(self, path: Path) -> str | None:
        """Raises `InputFileError` where the file's name does not say it."""
        if self.file_name is None:
            return self.fixed
        try:
            return found(self.file_name, path.stem)
        except CellError as error:
            raise InputFileError(f"{path}: truck_id from the file's name: {error}") from None


@dataclass(frozen=True, slots=True)
class Columns:
    """A mapping of columns."""

    file: str
    encoding: Encoding | None = None
    """None = what a byte order mark says, else UTF-8."""
    delimiter: str | None = None
    """None = a comma in .csv, a tab in other text."""
    header: int = 1
    """The line with the columns' names; 0 = there is none, and columns are called 1, 2, 3 …"""
    skip: int = 0
    """Lines behind the header that are passed over."""
    sheet: str | int | None = None
    """Of a workbook: its name, or its number from 1; None = the first."""
    timezone: tzinfo | None = None
    """Of times without an offset; None = the default of the kind of file."""
    datum: Datum = "wgs84"
    order: Order = "as_is"
    empty: frozenset[str] = frozenset()
    """Texts that say that there is nothing."""
    fields: tuple[Field, ...] = ()
    truck: Truck = field(default_factory=Truck)

    @property
    def names(self) -> frozenset[str]:
        """The columns that are read."""
        return frozenset(name for field in self.fields for name in field.columns)


class RowReader:
    """Rows of one file, to positions."""

    def __init__(
        self, columns: Columns, header: Sequence[str], where: str, truck_id: str | None
    ) -> None:
        """`header`: the file's columns; `where` it stands; `truck_id`: of every row, None = the
        rows say it. Raises `InputFileError` where a column is missing or there twice."""
        self._empty = columns.empty
        self._fixed: dict[str, Any] = {"source": "file"}
        if truck_id is not None:
            self._fixed["truck_id"] = truck_id
        self._readers = [
            (field.name, _picker(field, header, where, columns.file), field.read)
            for field in columns.fields
            if field.name not in self._fixed
        ]
        if truck_id is None and not any(name == "truck_id" for name, _, _ in self._readers):
            raise InputFileError(
                f"{columns.file}: says nothing of truck_id; name its column, or write "
                "truck_id = { file_name = true }, or give --truck"
            )

    def read(self, row: Sequence[Cell]) -> Position | Malformed:
        values, empty = dict(self._fixed), self._empty
        fault = None
        for name, pick, read in self._readers:
            cell = pick(row)
            if type(cell) is str and (
                cell in empty or ((cell[0] <= " " or cell[-1] <= " ") and cell.strip() in empty)
            ):
                continue
            try:
                value = read(cell)
            except CellError as error:
                fault = fault or f"{name}: {error}"
                continue
            if value is None:
                continue
            if name == POSITION:
                values["lon"], values["lat"] = value
            else:
                values[name] = value
        if fault is None:
            return convert(values)
        truck_id, time_ms = values.get("truck_id"), values.get("time_ms")
        return Malformed(fault, truck_id and text_of(truck_id), time_ms)


def _picker(
    field: Field, header: Sequence[str], where: str, mapping: str
) -> Callable[[Sequence[Cell]], Cell]:
    at = [_index(name, field.name, header, where, mapping) for name in field.columns]
    if len(at) == 1:
        only = at[0]
        return lambda row: row[only]
    return lambda row: join(tuple(row[index] for index in at))


def _index(name: str, field: str, header: Sequence[str], where: str, mapping: str) -> int:
    count = header.count(name)
    if count == 1:
        return header.index(name)
    if count:
        raise InputFileError(
            f"{where}: column {name!r} ({field} in {mapping}) is there {count} times; rename one"
        )
    there = ", ".join(repr(one) for one in header[:_MOST_SHOWN] if one)
    more = f" and {len(header) - _MOST_SHOWN} more" if len(header) > _MOST_SHOWN else ""
    raise InputFileError(
        f"{where}: no column {name!r} ({field} in {mapping}); the file has {there or 'none'}{more}"
    )


def raw_of(header: Sequence[str], row: Sequence[Cell]) -> Mapping[str, Any]:
    """A row as a reject shows it: its cells by their columns, the nameless ones by number."""
    shown: dict[str, Any] = {}
    for number, cell in enumerate(row, 1):
        name = header[number - 1] if number <= len(header) else ""
        if cell is None:
            continue
        value = cell if isinstance(cell, bool | int | float) else printable(str(cell))
        shown[printable(name) or str(number)] = value
    return shown


def printable(text: str) -> str:
    """With what was no text in the file's encoding written as escapes."""
    return text.encode(errors="backslashreplace").decode()
