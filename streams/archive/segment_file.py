"""One file of an archive while it is written: there whole, under its name, or not at all.

Written under a temporary name, brought to disk, renamed, and the folder brought to disk too, so
that neither a crash of the program nor of the machine leaves half a file that looks like a whole
one. Used by `streams.archive.writer`. All may raise `OSError`: a full disk, say.
"""

import os
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from streams.archive.layout import FORMAT, METADATA_KEY, UNFINISHED, Segment
from streams.archive.table import SCHEMA, WRITTEN


class SegmentFile:
    """The file of the records of `partition` from `first` on."""

    def __init__(self, folder: Path, day: date, partition: int, first: int) -> None:
        self.day = day
        self.rows = 0
        self._folder = folder
        self._partition = partition
        self._first = first
        directory = folder / day.isoformat()
        if not directory.exists():
            directory.mkdir()
            sync_directory(folder)
        self._temporary = directory / f".{partition:04d}-{first:019d}{UNFINISHED}"
        schema = SCHEMA.with_metadata({METADATA_KEY: msgspec.json.encode({"format": FORMAT})})
        self._file = self._temporary.open("wb")
        try:
            self._writer = pq.ParquetWriter(self._file, schema, **WRITTEN)
        except BaseException:
            self._file.close()
            self._temporary.unlink()
            raise

    def write(self, table: Any) -> None:
        """As one row group."""
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self.rows += table.num_rows

    def finish(self, next_offset: int) -> tuple[Segment, int]:
        """The file gets its name; what it holds, and its bytes on disk."""
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        size = self._file.tell()
        self._file.close()
        segment = Segment(self.day, self._partition, self._first, next_offset)
        path = segment.path(self._folder)
        self._temporary.rename(path)
        sync_directory(path.parent)
        return segment, size

    def discard(self) -> None:
        """Take away what there is of it. Never raises `OSError`."""
        # The end of a Parquet file is written when it is closed, for which there may be no room.
        for act in (self._writer.close, self._file.close, self._temporary.unlink):
            try:
                act()
            except (OSError, pa.ArrowException):
                continue


def sync_directory(path: Path) -> None:
    """What has been made, renamed or removed in it outlives a crash of the machine."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
