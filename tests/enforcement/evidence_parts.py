"""What tests of evidence share: an archive of golden streams, and the office that the violations of
a worker over it have reached."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import shapely
from golden import FOLDER, golden
from sqlalchemy import select

from enforcement.audit import check as check_trail
from enforcement.database import Database
from enforcement.evidence.contents import Provenance
from enforcement.evidence.export import Exporter, KnownCity, Sources
from enforcement.intake import Arrival, take
from enforcement.rulebook import read_rulebook
from enforcement.tables import ViolationRow
from geofences.loader import load_city, read_files
from producers.archive_folder import Archive
from streams.archive.table import Record
from streams.archive.writer import ArchiveWriter
from streams.detect import Engine, PreparedCity
from streams.output import Violation, encode
from streams.partition import partition_of
from streams.position import Position, encode_array, encode_position, encode_tick
from streams.succession import Succession
from streams.topics import POSITIONS

PARTITIONS = 3
NOW_MS = 1_800_000_000_000
PROGRAM = "0.1.0"
TICK_MS = 30_000
SILENCE_MS = 6 * 3_600_000
"""After the last position, in which all that is due occurs."""
MADE_BY = Provenance(PROGRAM, "3.12", {"shapely": shapely.__version__})
CITY = FOLDER / "city"


@dataclass(frozen=True, slots=True)
class Office:
    """A database of cases, and where their evidence is."""

    database: Database
    archive: Path
    violations: list[Violation]

    def exporter(self, **sources: object) -> Exporter:
        known = {"cities": lambda: [KnownCity(read_files(CITY))], "archive": self.archive}
        return Exporter(
            self.database, Sources(provenance=MADE_BY, **(known | sources)), lambda: NOW_MS
        )

    def ids(self) -> list[str]:
        with self.database.read() as session:
            return list(session.scalars(select(ViolationRow.violation_id)))

    def faults(self) -> list[str]:
        with self.database.read() as session:
            return list(check_trail(session))


def office(
    folder: Path,
    positions: Sequence[Position],
    *,
    city: Path = CITY,
    ticks: bool = True,
    later: Iterable[tuple[int, Path]] = (),
    size: int = 3,
) -> Office:
    """Positions into an archive, in arrays of up to `size` (1: alone), and what a worker says of
    them into the database."""
    archive = folder / "archive"
    write_archive(archive, positions, ticks=ticks, size=size)
    succession = Succession(
        PreparedCity.of(load_city(city)),
        [(from_ms, PreparedCity.of(load_city(one))) for from_ms, one in later],
    )
    violations = worker_over(archive, succession)
    database = Database(f"sqlite:///{folder / 'cases.db'}")
    with database.change() as (session, head):
        arrivals = [
            Arrival(violation, encode(violation).decode(), 0, offset)
            for offset, violation in enumerate(violations)
        ]
        rulebook = read_rulebook(None, ZoneInfo("Asia/Shanghai"))
        take(session, head, arrivals, NOW_MS, rulebook)
    return Office(database, archive, violations)


def worker_over(archive: Path, succession: Succession) -> list[Violation]:
    """What workers say of an archive, partition after partition."""
    opened, violations = Archive(archive), []
    for partition in range(opened.partitions):
        engine = Engine.live(succession, partition, opened.partitions)
        for chunk in opened.read(partition):
            violations += engine.process(chunk.elements, chunk.record_ms).violations
    return violations


def write_archive(
    folder: Path, positions: Sequence[Position], *, ticks: bool = True, size: int = 3
) -> None:
    """Files of few records each."""
    writer = ArchiveWriter(
        folder, POSITIONS, PARTITIONS, roll_s=1, keep_days=10_000, today=lambda: date(2027, 1, 1)
    )
    offsets = [0] * PARTITIONS
    clock_s = 0.0

    def put(partition: int, time_ms: int, value: bytes) -> None:
        nonlocal clock_s
        writer.take(partition, [Record(offsets[partition], time_ms, None, value)], clock_s)
        offsets[partition] += 1
        clock_s += 0.05
        writer.tidy(clock_s)

    lanes: list[list[Position]] = [[] for _ in range(PARTITIONS)]

    def flush() -> None:
        for partition, lane in enumerate(lanes):
            if lane:
                value = encode_array(lane) if size > 1 else encode_position(lane[0])
                put(partition, max(one.received_ms or one.time_ms for one in lane), value)
                lane.clear()

    ticked_ms = 0
    for position in positions:
        if ticks and position.time_ms >= ticked_ms + TICK_MS:
            flush()
            ticked_ms = position.time_ms
            for partition in range(PARTITIONS):
                put(partition, ticked_ms, encode_tick(ticked_ms))
        lane = lanes[partition_of(position.truck_id, PARTITIONS)]
        lane.append(position)
        if len(lane) >= size:
            flush()
    flush()
    if ticks:
        last_ms = max(position.time_ms for position in positions)
        for after_ms in range(0, SILENCE_MS, 600_000):
            for partition in range(PARTITIONS):
                put(partition, last_ms + after_ms, encode_tick(last_ms + after_ms))
    writer.close()


def stream(name: str) -> list[Position]:
    """A golden stream's positions."""
    return golden(name).positions
