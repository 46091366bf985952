"""Vendors' exports and tracks, by a mapping of columns: which reader a file has, and in what order.

Called by `producers.files` where the user gave a mapping, and for tracks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from producers.chunk import Chunk, InputFileError
from producers.exports.columns import Columns
from producers.exports.order import reordered

_READERS = {
    ".csv": "text_table",
    ".tsv": "text_table",
    ".txt": "text_table",
    ".xlsx": "workbook",
    ".xls": "workbook",
    ".parquet": "parquet_table",
}
TRACKS = ".gpx"
KINDS = (*_READERS, TRACKS)


class _Reader(Protocol):
    def check(self, path: Path, columns: Columns, truck_id: str | None) -> None: ...
    def read(self, path: Path, columns: Columns, truck_id: str | None) -> Iterator[Chunk]: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What the user says of the files."""

    columns: Columns | None = None
    truck_id: str | None = None
    """The truck that all positions are of, whatever files and mapping say."""

    def truck_of(self, path: Path) -> str | None:
        if self.truck_id is not None or self.columns is None:
            return self.truck_id
        return self.columns.truck.of(path)


AS_OURS = Reading()
"""Files of our own fields, and tracks that say all themselves."""


def check_export(path: Path, reading: Reading) -> None:
    """Raise `InputFileError` where the file is not as `reading` says; it exists."""
    truck_id = reading.truck_of(path)
    if path.suffix.lower() == TRACKS:
        from producers import gpx_file

        gpx_file.check(path)
        return
    columns = _columns(path, reading)
    if not columns.fields:
        raise InputFileError(f"{columns.file}: [columns] is missing or names none but the truck")
    _reader(path).check(path, columns, truck_id)


def read_export(path: Path, reading: Reading) -> Iterator[Chunk]:
    """The chunks of the file. Raises `InputFileError`."""
    truck_id = reading.truck_of(path)
    if path.suffix.lower() == TRACKS:
        from producers import gpx_file

        told = reading.columns or Columns("")
        chunks = gpx_file.read(path, truck_id, told.datum, told.timezone or UTC)
        return reordered(chunks, told.order)
    columns = _columns(path, reading)
    return reordered(_reader(path).read(path, columns, truck_id), columns.order)


def _columns(path: Path, reading: Reading) -> Columns:
    if reading.columns is None:
        raise InputFileError(
            f"{path}: what its columns mean is not known; say it in a file, --columns FILE"
        )
    return reading.columns


def _reader(path: Path) -> _Reader:
    return cast("_Reader", import_module(f"producers.exports.{_READERS[path.suffix.lower()]}"))
