"""What arrived of one truck, and what moved the watermark between, out of archive and Kafka.

A partition comes as pieces in the order of arrival: the files of the archive, and behind them what
Kafka holds that is not archived yet. `enforcement.evidence.search` asks for those that it needs.
Ticks alone are taken first; only where they do not suffice do the other trucks of the partition
have to be judged, to learn which of their positions were fixes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from enforcement.evidence.contents import Arrival
from streams.archive.layout import ArchiveError, Segment, read_about, read_segments
from streams.archive.table import Record
from streams.detect import Engine
from streams.elements import is_array, parts_of
from streams.partition import partition_of
from streams.position import MAX_ARRAY, Element, Position, Tick, decode_record
from streams.state import NEVER
from streams.succession import Succession

CHUNK: Final = 4_000
EPOCH: Final = date(1970, 1, 1)
DAY_MS: Final = 86_400_000
CLOCK_STEP_MS: Final = 1_000
"""Another truck's fix counts where it moves the watermark by so much: not each is needed."""


class SourceError(Exception):
    """Positions cannot be read; one line."""


class Piece(Protocol):
    """Some records of the partition, which follow on those of the piece before."""

    def has_come_to(self, time_ms: int) -> bool | None:
        """Whether one of its records has that timestamp or a later one; None = not known."""
        ...

    def own(self) -> Sequence[Arrival]:
        """The truck's elements and the ticks, in order of arrival."""
        ...

    def records(self) -> Iterator[Sequence[Record]]:
        """All, some at a time."""
        ...


@dataclass(frozen=True, slots=True)
class Partition:
    """The truck's partition of the positions' topic."""

    topic: str
    number: int
    count: int
    pieces: list[Piece]


class ArchivedFile:
    """A `Piece` of the archive."""

    def __init__(self, folder: Path, segment: Segment, truck_id: str) -> None:
        self._path = segment.path(folder)
        self._truck_id = truck_id
        self._own: list[Arrival] | None = None
        self._latest_ms: int | None = None
        self._is_known = False
        # Where timestamps are not ahead of the clock, no record is later than its file's day.
        self._before_ms = ((segment.day - EPOCH).days + 1) * DAY_MS

    def has_come_to(self, time_ms: int) -> bool | None:
        if time_ms >= self._before_ms:
            return False
        if not self._is_known:
            self._latest_ms, self._is_known = self._latest(), True
        return None if self._latest_ms is None else self._latest_ms >= time_ms

    def _latest(self) -> int | None:
        with self._opened() as file:
            column = file.schema_arrow.get_field_index("record_ms")
            groups = (file.metadata.row_group(one) for one in range(file.num_row_groups))
            stats = [group.column(column).statistics for group in groups]
            known = [one.max for one in stats if one is not None and one.has_min_max]
            return max(known, default=None)

    def own(self) -> Sequence[Arrival]:
        if self._own is None:
            with self._opened() as file:
                self._own = [
                    arrival
                    for group in range(file.num_row_groups)
                    for arrival in _own_of_group(file, group, self._truck_id)
                ]
        return self._own

    def records(self) -> Iterator[Sequence[Record]]:
        columns = ["offset", "index", "record_ms", "value"]
        with self._opened() as file:
            for batch in file.iter_batches(CHUNK, columns=columns):
                first = batch.filter(pc.equal(batch["index"], 0))
                names = ("offset", "record_ms", "value")
                rows = zip(*(first[name].to_pylist() for name in names), strict=True)
                yield [Record(offset, stamp, None, value) for offset, stamp, value in rows]

    def _opened(self) -> Any:
        return _Opened(self._path)


class _Opened:
    """A file of the archive, with its errors told in one line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Any:
        try:
            self._file = pq.ParquetFile(self._path, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            raise self._told(error) from None
        return self._file

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._file.close()
        if isinstance(error, pa.ArrowException | OSError):
            raise self._told(error) from None

    def _told(self, error: BaseException) -> SourceError:
        words = (str(error).splitlines() or [type(error).__name__])[0]
        return SourceError(f"{self._path}: not readable as an archived file: {words}")


class Records:
    """A `Piece` of records in memory."""

    def __init__(self, records: Sequence[Record], truck_id: str) -> None:
        self._records = records
        self._truck_id = truck_id

    def has_come_to(self, time_ms: int) -> bool | None:
        stamps = [one.record_ms for one in self._records if one.record_ms is not None]
        return max(stamps) >= time_ms if stamps else None

    def own(self) -> Sequence[Arrival]:
        return [
            arrival
            for record in self._records
            for arrival in _own_of_record(record, decode_record(record.value), self._truck_id)
        ]

    def records(self) -> Iterator[Sequence[Record]]:
        for start in range(0, len(self._records), CHUNK):
            yield self._records[start : start + CHUNK]


def archived(folder: Path, truck_id: str) -> tuple[Partition, int]:
    """The truck's partition as far as it is archived, and the offset that follows. Raises
    `SourceError`."""
    try:
        about = read_about(folder)
        number = partition_of(truck_id, about.partitions)
        segments = read_segments(folder, about.partitions)[number]
    except (ArchiveError, OSError) as error:
        raise SourceError(str(error)) from None
    pieces: list[Piece] = [ArchivedFile(folder, segment, truck_id) for segment in segments]
    following = segments[-1].next if segments else 0
    return Partition(about.topic, number, about.partitions, pieces), following


def with_others(
    pieces: Sequence[Piece], truck_id: str, succession: Succession, partition: tuple[int, int]
) -> list[Arrival]:
    """As `Piece.own` gives them, and the fixes of other trucks that moved the watermark."""
    engine = Engine.live(succession, *partition)
    arrivals: list[Arrival] = []
    highest_ms = 0
    for piece in pieces:
        for records in piece.records():
            for record, elements, is_fix in _judged(engine, records):
                own = {one.index: one for one in _own_of_record(record, elements, truck_id)}
                for index, element in enumerate(elements):
                    if index in own:
                        arrivals.append(own[index])
                    elif (
                        is_fix[index]
                        and isinstance(element, Position)
                        and element.time_ms >= highest_ms + CLOCK_STEP_MS
                    ):
                        highest_ms = element.time_ms
                        arrivals.append(_clock(record, index, element.time_ms, "fix"))
    return arrivals


def _judged(
    engine: Engine, records: Sequence[Record]
) -> Iterator[tuple[Record, Sequence[Element], Sequence[bool]]]:
    """Each record with its elements, and which of them were fixes, or at least not rejected."""
    decoded = [decode_record(record.value) for record in records]
    stamps = [
        NEVER if record.record_ms is None else min(record.record_ms, NEVER)
        for record, elements in zip(records, decoded, strict=True)
        for _ in elements
    ]
    passed = [True] * len(stamps)
    for index, _ in engine.process([one for some in decoded for one in some], stamps).rejected:
        passed[index] = False
    place = 0
    for record, elements in zip(records, decoded, strict=True):
        yield record, elements, passed[place : place + len(elements)]
        place += len(elements)


def _own_of_record(record: Record, elements: Sequence[Element], truck_id: str) -> Iterator[Arrival]:
    parts: list[bytes] | None = None
    for index, element in enumerate(elements):
        if isinstance(element, Tick):
            yield _clock(record, index, element.tick_ms, "tick")
        elif element.truck_id == truck_id:
            value = record.value or b""
            parts = parts_of(value, MAX_ARRAY) if parts is None else parts
            yield Arrival.received(
                record.offset, index, record.record_ms, parts[index], alone=not is_array(value)
            )


def _clock(record: Record, index: int, time_ms: int, of: Any) -> Arrival:
    return Arrival(record.offset, index, record.record_ms, clock_ms=time_ms, of=of)


def _own_of_group(file: Any, group: int, truck_id: str) -> Iterator[Arrival]:
    """By the columns, which are many times quicker to read than values are."""
    table = file.read_row_group(group, columns=["offset", "kind", "truck_id"])
    mine = pc.or_kleene(pc.equal(table["truck_id"], truck_id), pc.equal(table["kind"], "tick"))
    offsets = table["offset"].filter(mine)
    if not len(offsets):
        return
    columns = ["offset", "index", "record_ms", "value"]
    rows = file.read_row_group(group, columns=columns)
    wanted = pc.and_(pc.equal(rows["index"], 0), pc.is_in(rows["offset"], offsets.unique()))
    names = ("offset", "record_ms", "value")
    first = rows.filter(wanted)
    for offset, stamp, value in zip(*(first[name].to_pylist() for name in names), strict=True):
        record = Record(offset, stamp, None, value)
        yield from _own_of_record(record, decode_record(value), truck_id)
