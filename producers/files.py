"""Positions out of files: `.jsonl`, `.csv` and `.parquet` (design section 3), tracks in `.gpx`, and
vendors' exports by a mapping of columns (`producers.exports`).

Called by `detect` and `replay`. A file is read in chunks of some 10,000 positions, so that memory
stays bounded whatever its size. What cannot be read as a position comes out as `Malformed`, with
its line; a file that cannot be read at all is an `InputFileError`, whose message is one line for
the user. Knows nothing of Kafka or of rules.

Tables (`.csv`, `.parquet`) are read as programs export them, whichever of the two they write: a
whole number may have a fraction of zero (12.0), as columns of integers with gaps get it, and NaN is
null but in `lon` and `lat`, where the quality gate names it. JSON is read strictly, as on Kafka:
there 12.0 is no integer, and NaN is no JSON.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from producers.chunk import Chunk, InputFileError
from producers.exports.reading import (
    AS_OURS,
    KINDS,
    TRACKS,
    Reading,
    check_export,
    read_export,
)


class _Reader(Protocol):
    def check(self, path: Path) -> None: ...
    def read(self, path: Path) -> Iterator[Chunk]: ...


_READERS = {".jsonl": "jsonl_file", ".csv": "csv_file", ".parquet": "parquet_file"}


def _reader(path: Path) -> _Reader:
    """The module for this kind of file, imported when needed: pyarrow takes half a second."""
    return cast("_Reader", import_module(f"producers.{_READERS[path.suffix]}"))


def check_file(path: Path, reading: Reading = AS_OURS) -> None:
    """Raise `InputFileError` where `path` can't be read: type, existence, columns.

    For several files this is called for all before the first is worked on.
    """
    by_mapping = _is_export(path, reading)
    if not by_mapping and path.suffix not in _READERS:
        allowed = ", ".join((*_READERS, TRACKS))
        others = ", ".join(kind for kind in KINDS if kind not in (*_READERS, TRACKS))
        raise InputFileError(
            f"{path}: files of positions end in {allowed}, with --columns also in {others}; "
            "rename or convert it"
        )
    if path.is_dir():
        raise InputFileError(f"{path}: is a directory; give the files in it")
    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise InputFileError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputFileError(f"{path}: cannot be opened: {error.strerror}") from None
    if by_mapping:
        check_export(path, reading)
    elif reading != AS_OURS:
        flag = "--truck" if reading.columns is None else "--columns"
        raise InputFileError(
            f"{path}: is read by our own names of fields, and {flag} says others; give it without"
        )
    else:
        _reader(path).check(path)


def open_positions(path: Path, reading: Reading = AS_OURS) -> Iterator[Chunk]:
    """The chunks of one file, in order. Raises `InputFileError`, at once or while reading."""
    if _is_export(path, reading):
        # Not checked again, since a workbook is unpacked for that.
        return read_export(path, reading)
    check_file(path, reading)
    return _reader(path).read(path)


def _is_export(path: Path, reading: Reading) -> bool:
    """Platforms write endings in capitals too."""
    kind = path.suffix.lower()
    return kind == TRACKS or (reading.columns is not None and kind in KINDS)


def total_bytes(path: Path) -> int:
    """What `bytes_read` of the chunks reaches at the end of the file, or of the archive."""
    if path.is_dir():
        return sum(one.stat().st_size for one in path.rglob("*.parquet"))
    return path.stat().st_size
