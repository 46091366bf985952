"""Positions out of an archive (`streams.archive`): what each partition held, in arrival order.

Called by `mucktrack detect`, and by `mucktrack replay` to put records back. Values are decoded as a
worker decodes them, and rejects say what a worker's say, with their Kafka coordinates. What is not
in order is an `InputFileError`, whose message is one line for the user. Knows nothing of rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from producers.chunk import CHUNK_ELEMENTS, InputFileError
from streams.archive.layout import ArchiveError, Segment, read_about, read_segments
from streams.origin import rejects
from streams.output import Reject
from streams.position import Element, decode_record
from streams.state import NEVER


@dataclass(frozen=True, slots=True)
class ArchivedRecord:
    """One record as it was on the topic."""

    topic: str
    partition: int
    offset: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """What of a record is put back."""

    key: bytes | None
    value: bytes | None
    record_ms: int | None


@dataclass(frozen=True, slots=True)
class ArchiveChunk:
    """A piece of a partition."""

    elements: list[Element]
    record_ms: list[int]
    """The timestamp of each element's record; `NEVER` where it has none, as a worker reads it."""
    bytes_read: int
    """How far into the archive this chunk ends, for a progress bar."""
    records: list[ArchivedRecord]
    starts: list[int]
    """Where the elements of each record begin."""

    def rejects(self, rejected: Sequence[tuple[int, str]]) -> Iterator[Reject]:
        """For each of `rejected` (index into `elements`, reason), in the order of the elements."""
        for _, reject in rejects(self.records, self.starts, self._elements_of, rejected):
            yield reject

    def _elements_of(self, number: int) -> list[Element]:
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.elements)
        return self.elements[self.starts[number] : end]


class Archive:
    """An archive as it lies there now; what is added later is not seen."""

    def __init__(self, folder: Path) -> None:
        """Raises `InputFileError` where it is none, or not in order."""
        try:
            about = read_about(folder)
            self._segments = read_segments(folder, about.partitions)
            sizes = [
                segment.path(folder).stat().st_size for one in self._segments for segment in one
            ]
        except (ArchiveError, OSError) as error:
            raise InputFileError(str(error)) from None
        self.folder = folder
        self.topic = about.topic
        self.partitions = about.partitions
        self.total_bytes = sum(sizes)
        """What `ArchiveChunk.bytes_read` reaches at the end of the last partition."""
        self._bytes_read = 0

    def read(self, partition: int) -> Iterator[ArchiveChunk]:
        """The chunks of one partition. Raises `InputFileError` where a file cannot be read."""
        for segment in self._segments[partition]:
            path = segment.path(self.folder)
            try:
                yield from self._read(path, segment)
                self._bytes_read += path.stat().st_size
            except (pa.ArrowException, OSError) as error:
                raise _unreadable(path, error) from None

    def records(self, partition: int, since: date | None = None) -> Iterator[KeptRecord]:
        """The records of one partition, of the days from `since` on. Raises `InputFileError`."""
        for segment in self._segments[partition]:
            path = segment.path(self.folder)
            if since is not None and segment.day < since:
                continue
            try:
                for _, batch in _batches(path, segment, ["record_ms", "key", "value"]):
                    columns = (batch[name].to_pylist() for name in ("key", "value", "record_ms"))
                    yield from map(KeptRecord, *columns)
            except (pa.ArrowException, OSError) as error:
                raise _unreadable(path, error) from None

    def _read(self, path: Path, segment: Segment) -> Iterator[ArchiveChunk]:
        for offsets, batch in _batches(path, segment, ["record_ms", "value"]):
            yield self._chunk(segment.partition, offsets, batch)

    def _chunk(self, partition: int, offsets: Sequence[int], batch: Any) -> ArchiveChunk:
        chunk = ArchiveChunk([], [], self._bytes_read, [], [])
        stamps, values = batch["record_ms"].to_pylist(), batch["value"].to_pylist()
        for offset, stamp, value in zip(offsets, stamps, values, strict=True):
            elements = decode_record(value)
            chunk.records.append(ArchivedRecord(self.topic, partition, offset, value))
            chunk.starts.append(len(chunk.elements))
            chunk.elements.extend(elements)
            chunk.record_ms.extend([NEVER if stamp is None else min(stamp, NEVER)] * len(elements))
        return chunk


def _batches(
    path: Path, segment: Segment, columns: Sequence[str]
) -> Iterator[tuple[list[int], Any]]:
    """The first row of each record, with the offsets, which must be those that the name says."""
    expected = segment.first
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for batch in file.iter_batches(CHUNK_ELEMENTS, columns=["offset", "index", *columns]):
            batch = batch.filter(pc.equal(batch["index"], 0))
            offsets = batch["offset"].to_pylist()
            if offsets != list(range(expected, expected + len(offsets))):
                raise _damaged(path)
            expected += len(offsets)
            yield offsets, batch
    if expected != segment.next:
        raise _damaged(path)


def _unreadable(path: Path, error: Exception) -> InputFileError:
    words = str(error).splitlines()[0]
    return InputFileError(f"{path}: not readable as an archived file: {words}")


def _damaged(path: Path) -> InputFileError:
    return InputFileError(
        f"{path}: does not hold the records that its name says; take the file from a copy"
    )
