"""How fast positions are archived, how large the archive is, and how fast it is read again.

`python -m benchmarks.archive` publishes positions of the benchmark city in arrays to an embedded
broker and lets an archiver read them all into finished files; then the same without the broker, the
writer alone; then the reader. In processor time, all threads together. What each column takes on
disk is told at the end.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.city import benchmark_city
from benchmarks.load import Load, pieces
from mucktrack.embedded import tansu
from mucktrack.topics import create_topics
from producers.archive_folder import Archive
from producers.publisher import Publisher
from streams.access import KafkaAccess
from streams.archive.archiver import ArchiverConfig, open_writer, run_archiver
from streams.archive.metrics import ArchiveMetrics
from streams.archive.table import Record
from streams.topics import POSITIONS

PARTITIONS = 12
POLL = 200
"""Records that the writer is given at a time."""
Stream = Sequence[Sequence[Record]]
"""The records of each partition."""


def publish(kafka: str, load: Load, positions: int, array: int) -> None:
    create_topics(KafkaAccess.plain(kafka), PARTITIONS)
    with Publisher(
        KafkaAccess.plain(kafka), POSITIONS, PARTITIONS, array_size=array, linger_ms=10_000
    ) as publisher:
        for start, stop in pieces(positions, 100_000):
            for position in load.positions(start, stop):
                publisher.publish(position)


def config(kafka: str, folder: Path) -> ArchiverConfig:
    return ArchiverConfig(
        kafka=KafkaAccess.plain(kafka),
        folder=folder,
        partitions=PARTITIONS,
        roll_s=600.0,
        keep_days=36_500,
        metrics_host="127.0.0.1",
        metrics_port=0,
    )


def archive(kafka: str, folder: Path, positions: int) -> tuple[float, float]:
    """Processor and wall seconds of an archiver, from connecting to the last file on disk."""
    metrics, stop = ArchiveMetrics(), threading.Event()
    read = metrics.elements.labels("position")

    def watch() -> None:
        while read._value.get() < positions:
            time.sleep(0.05)
        stop.set()

    started, begun = time.process_time(), time.monotonic()
    watcher = threading.Thread(target=watch)
    watcher.start()
    run_archiver(config(kafka, folder), open_writer(config(kafka, folder)), metrics, stop)
    watcher.join()
    return time.process_time() - started, time.monotonic() - begun


def write(stream: Stream, folder: Path) -> float:
    """Seconds that the writer alone takes."""
    writer = open_writer(config("", folder))
    started = time.process_time()
    for start in range(0, max(map(len, stream)), POLL):
        for partition, records in enumerate(stream):
            writer.take(partition, records[start : start + POLL], 0.0)
            writer.tidy(0.0)
    writer.close()
    return time.process_time() - started


def read(folder: Path) -> tuple[int, float]:
    """Positions, and the seconds that reading and decoding them takes."""
    started = time.process_time()
    archive = Archive(folder)
    count = sum(
        len(chunk.elements) for number in range(PARTITIONS) for chunk in archive.read(number)
    )
    return count, time.process_time() - started


def stream_of(folder: Path) -> Stream:
    archive = Archive(folder)
    return [
        [
            Record(record.offset, chunk.record_ms[start], None, record.value)
            for chunk in archive.read(number)
            for record, start in zip(chunk.records, chunk.starts, strict=True)
        ]
        for number in range(PARTITIONS)
    ]


def column_bytes(folder: Path) -> Iterator[tuple[str, int]]:
    sizes: Counter[str] = Counter()
    for path in folder.rglob("*.parquet"):
        metadata = pq.read_metadata(path)
        for group in range(metadata.num_row_groups):
            for number in range(metadata.num_columns):
                column = metadata.row_group(group).column(number)
                sizes[column.path_in_schema] += column.total_compressed_size
    yield from sizes.most_common()


def measure(folder: Path, trucks: int, positions: int, array: int, rounds: int) -> None:
    def show(name: str, seconds: float) -> None:
        print(f"{name:34} {seconds / positions * 1e9:7.0f} ns {positions / seconds:11,.0f} /s")

    with tansu(folder) as broker:
        publish(broker.address, Load(benchmark_city(trucks), offending=0.0), positions, array)
        times = [
            archive(broker.address, folder / f"live-{number}", positions)
            for number in range(rounds)
        ]
    stream = stream_of(folder / "live-0")
    raw = sum(len(record.value or b"") for records in stream for record in records)
    print(f"{positions:,} positions in arrays of {array}, {raw / positions:.0f} bytes each")
    show("archiver, Kafka to disk", statistics.median(seconds for seconds, _ in times))
    show("archiver, wall time", statistics.median(wall for _, wall in times))
    show(
        "writer alone",
        statistics.median(write(stream, folder / f"alone-{n}") for n in range(rounds)),
    )
    told = [read(folder / "live-0") for _ in range(rounds)]
    assert {count for count, _ in told} == {positions}
    show("reading and decoding", statistics.median(seconds for _, seconds in told))
    total = sum(path.stat().st_size for path in (folder / "live-0").rglob("*.parquet"))
    print(f"{'bytes a position on disk':34} {total / positions:7.1f}")
    for name, size in column_bytes(folder / "live-0"):
        print(f"  {name:32} {size / positions:7.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.archive")
    parser.add_argument("--trucks", type=int, default=20_000)
    parser.add_argument("--positions", type=int, default=1_000_000)
    parser.add_argument("--array", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.trucks, options.positions, options.array, options.rounds)


if __name__ == "__main__":
    main()
