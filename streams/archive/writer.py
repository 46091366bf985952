"""Writes an archive: records in, files out, each record in exactly one of them.

`streams.archive.archiver` feeds it what it reads from Kafka and asks where each partition goes on.
That is said by the files alone (`streams.archive.layout`): what has not been finished when the
program ends, however it ends, is asked for again. Knows nothing of Kafka.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec

from streams.archive.layout import (
    MARKER,
    UNFINISHED,
    About,
    ArchiveError,
    Segment,
    day_folders,
    is_archive,
    read_about,
    read_segments,
)
from streams.archive.segment_file import SegmentFile, sync_directory
from streams.archive.table import Record, Rows
from streams.position import Element

DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1)
FIRST_DAY = date(2000, 1, 1)
"""Of an archive; records that say they are older are as old as this."""
ROW_GROUP_BYTES = 8 * 1024 * 1024
"""Of a partition, waiting in memory to become a row group."""
WAITING_BYTES = 64 * 1024 * 1024
"""Of all partitions."""
FILE_ROWS = 1_000_000
_LOCK = ".lock"
_NO_DATA = ("lost+found",)
"""At the root of a file system."""


@dataclass(frozen=True, slots=True)
class Written:
    """A file that has been finished."""

    segment: Segment
    rows: int
    size_bytes: int


@dataclass(slots=True)
class _Partition:
    rows: Rows
    segments: list[Segment]
    next_offset: int | None
    """Of the record to be taken next; None = whichever comes first."""
    file: SegmentFile | None = None
    """The one being written."""
    began_s: float = 0.0
    day_ends_ms: int = 0
    """Records from before this do not end the file's day."""


class ArchiveWriter:
    """The one writer of an archive, from `__init__` until `close` or `abandon`.

    All may raise `ArchiveError` (see `streams.archive.layout`) and `OSError`, after which only
    `abandon` is of use.
    """

    def __init__(
        self,
        folder: Path,
        topic: str,
        partitions: int,
        *,
        roll_s: float,
        keep_days: int,
        today: Callable[[], date],
    ) -> None:
        """Makes the folder where there is none. A file is finished `roll_s` after it was begun;
        those more than `keep_days` older than the newest are removed. `today`: in UTC."""
        self._folder = folder
        self._roll_s = roll_s
        self._keep = timedelta(days=keep_days)
        self._today = today
        _make_folder(folder)
        self._lock = _lock(folder)
        try:
            _prepare(folder, About(topic, partitions))
            found = read_segments(folder, partitions)
        except BaseException:
            self._lock.close()
            raise
        self._partitions = [
            _Partition(Rows(topic, number), segments, segments[-1].next if segments else None)
            for number, segments in enumerate(found)
        ]
        self.finished: list[Written] = []
        """Files finished since somebody looked and emptied the list."""
        self._expire()

    def next_offset(self, partition: int) -> int | None:
        """The record to be taken next; None = there has been none."""
        return self._partitions[partition].next_offset

    def archived(self, partition: int) -> int | None:
        """The offset after the last record that is in a finished file; None = there is none."""
        segments = self._partitions[partition].segments
        return segments[-1].next if segments else None

    @property
    def waiting_bytes(self) -> int:
        """Roughly, in memory."""
        return sum(one.rows.waiting_bytes for one in self._partitions)

    def take(
        self, partition: int, records: Iterable[Record], now_s: float
    ) -> list[Sequence[Element]]:
        """Take records, which follow on those before; their elements. `now_s`: any clock that does
        not go back."""
        one = self._partitions[partition]
        return [self._take(one, partition, record, now_s) for record in records]

    def _take(
        self, one: _Partition, partition: int, record: Record, now_s: float
    ) -> Sequence[Element]:
        if one.next_offset is not None and record.offset != one.next_offset:
            raise ArchiveError(
                f"partition {partition}: offset {record.offset} came where {one.next_offset} was "
                "expected; the topic must be neither compacted nor written to in transactions"
            )
        may_end_day = record.record_ms is None or record.record_ms >= one.day_ends_ms
        if one.file is not None and may_end_day and self._day(one, record) > one.file.day:
            self._finish(one)
        if one.file is None:
            day = self._day(one, record)
            one.file = SegmentFile(self._folder, day, partition, record.offset)
            one.day_ends_ms = ((day - EPOCH).days + 1) * DAY_MS
            one.began_s = now_s
        elements = one.rows.add(record)
        one.next_offset = record.offset + 1
        if one.file.rows + one.rows.count >= FILE_ROWS:
            self._finish(one)
        elif one.rows.waiting_bytes >= ROW_GROUP_BYTES:
            _write_rows(one)
        return elements

    def tidy(self, now_s: float) -> None:
        """To be called now and then: finishes what is old enough, bounds what waits in memory."""
        for one in self._partitions:
            if one.file is not None and now_s - one.began_s >= self._roll_s:
                self._finish(one)
        waiting = self.waiting_bytes
        for one in sorted(self._partitions, key=lambda one: -one.rows.waiting_bytes):
            if waiting <= WAITING_BYTES:
                break
            waiting -= one.rows.waiting_bytes
            _write_rows(one)

    def close(self) -> None:
        """Finish all files and let go of the folder."""
        for one in self._partitions:
            self._finish(one)
        self._lock.close()

    def abandon(self) -> None:
        """Let go of the folder without what has not been finished. Does nothing after `close`."""
        for one in self._partitions:
            if one.file is not None:
                one.file.discard()
                one.file = None
        self._lock.close()

    def _day(self, one: _Partition, record: Record) -> date:
        """Under which day the record belongs: that of its timestamp, but no day that has not come,
        and none before that of the record before it."""
        today = self._today()
        day = today
        if record.record_ms is not None and 0 <= record.record_ms < (today - EPOCH).days * DAY_MS:
            day = EPOCH + timedelta(days=record.record_ms // DAY_MS)
        if one.file is not None:
            return max(day, one.file.day)
        return max(day, one.segments[-1].day if one.segments else FIRST_DAY)

    def _finish(self, one: _Partition) -> None:
        if one.file is None or one.next_offset is None:
            return
        _write_rows(one)
        rows, day = one.file.rows, one.file.day
        is_new_day = bool(one.segments) and day > one.segments[-1].day
        segment, size_bytes = one.file.finish(one.next_offset)
        one.file = None
        one.segments.append(segment)
        self.finished.append(Written(segment, rows, size_bytes))
        if is_new_day:
            self._expire()

    def _expire(self) -> None:
        """Remove the files of days that are no longer kept, oldest offsets first, so that no gap is
        left wherever this ends. Age is reckoned from the newest file, not from today: a wrong clock
        removes nothing. The newest file of a partition stays, since it tells where to go on."""
        newest = max(
            (one.segments[-1].day for one in self._partitions if one.segments), default=None
        )
        if newest is None:
            return
        for one in self._partitions:
            while len(one.segments) > 1 and newest - one.segments[0].day > self._keep:
                path = one.segments[0].path(self._folder)
                path.unlink()
                sync_directory(path.parent)
                del one.segments[0]
                if not any(path.parent.iterdir()):
                    path.parent.rmdir()


def _write_rows(one: _Partition) -> None:
    if one.file is not None and one.rows.count:
        one.file.write(one.rows.table())


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = {one.name for one in folder.iterdir() if not one.name.startswith(".")}
    except FileExistsError:
        raise ArchiveError(f"{folder}: is no directory; name one for the archive") from None
    if held - {*_NO_DATA} and not is_archive(folder):
        raise ArchiveError(
            f"{folder}: holds something else; name an empty or a new folder for the archive"
        )


def _lock(folder: Path) -> BinaryIO:
    """The system lets go of it when this process ends, however it ends."""
    file = (folder / _LOCK).open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise ArchiveError(
            f"{folder}: another archiver is at work on it; end that one, or name another folder"
        ) from None
    return file


def _prepare(folder: Path, about: About) -> None:
    """Begin the archive, or see that it is of this topic, and remove what was not finished."""
    if is_archive(folder):
        found = read_about(folder)
        if found != about:
            raise ArchiveError(
                f"{folder}: is the archive of {found.topic} with {found.partitions} partitions, "
                f"not of {about.topic} with {about.partitions}; name another folder"
            )
    else:
        temporary = folder / f".{MARKER}{UNFINISHED}"
        with temporary.open("wb") as file:
            file.write(msgspec.json.encode(about) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(folder / MARKER)
        sync_directory(folder)
    for day_folder in day_folders(folder):
        for path in day_folder.glob(f".*{UNFINISHED}"):
            path.unlink()
        with contextlib.suppress(OSError):
            day_folder.rmdir()  # Only where it is empty.
