"""Whether workers stay as they are: memory, file descriptors, lag and age of checkpoints over time.

`python -m benchmarks.soak --minutes 20` publishes positions of the benchmark city in arrays, at a
steady rate, to a broker and lets worker processes judge them, with checkpoints in Redis, and an
archiver beside them where asked for. It prints a line every 10 s, and in the end how the last third
of the run compares with the first. Exit code 1 where anything has grown, or a process has ended.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from benchmarks.city import write_city
from benchmarks.load import Load
from benchmarks.processes import ROOT, Worker, total
from geofences.loader import load_city
from mucktrack.embedded import tansu, valkey
from mucktrack.topics import create_topics
from producers.publisher import Publisher
from streams.access import KafkaAccess
from streams.topics import POSITIONS

PARTITIONS = 12
EVERY_S = 10.0
DRAIN_S = 60.0
STEP_S = 0.1
"""How often positions are published."""
WARM_UP = 0.1
"""Of the run, left out of the comparison: caches fill, trucks are met for the first time."""


class Stream(threading.Thread):
    """Publishes at a steady rate until it is told to stop."""

    def __init__(self, kafka: str, load: Load, rate: int, array: int) -> None:
        super().__init__(daemon=True)
        self.positions = 0
        self.error: Exception | None = None
        self._load, self._rate = load, rate
        self._publisher = Publisher(
            KafkaAccess.plain(kafka), POSITIONS, PARTITIONS, array_size=array, linger_ms=1_000
        )
        self._ended = threading.Event()

    def run(self) -> None:
        begun = time.monotonic()
        try:
            while not self._ended.wait(STEP_S):
                due = round((time.monotonic() - begun) * self._rate)
                # Not more than a second's worth, should the broker have stood still.
                upto = min(due, self.positions + self._rate)
                for position in self._load.positions(self.positions, upto):
                    self._publisher.publish(position)
                self.positions = upto
        except Exception as error:
            self.error = error

    def records(self) -> int:
        """Acknowledged."""
        return self._publisher.counts.acknowledged

    def stop(self) -> None:
        self._ended.set()
        self.join()
        self._publisher.close()


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of the table; sums over the workers."""

    time_s: float
    positions: float
    """Judged a second since the line before."""
    rss_mb: float
    descriptors: float
    lag_s: float
    """Records that are acknowledged and not judged, as seconds of the stream."""
    checkpoint_s: float
    """Age of the oldest of the partitions' checkpoints."""


ALLOWED = {"rss_mb": (1.05, 10.0), "descriptors": (1.0, 8.0), "lag_s": (1.0, 2.0),
           "checkpoint_s": (1.0, 10.0)}  # fmt: skip
"""The median of the last third may be this many times that of the first, and this much more."""


class Watch:
    """Takes samples."""

    def __init__(self, workers: Sequence[Worker], stream: Stream, rate: int) -> None:
        self._workers, self._stream, self._rate = workers, stream, rate
        self._begun_s = self._before_s = time.monotonic()
        self._judged = 0.0

    def sample(self) -> Sample:
        for worker in self._workers:
            worker.check()
        if self._stream.error is not None:
            raise SystemExit(f"nothing is published any more: {self._stream.error!r}")
        records, published = self._stream.records(), self._stream.positions
        figures = [worker.figures() for worker in self._workers]
        now_s = time.monotonic()
        judged = sum(total(one, "mucktrack_positions_total") for one in figures)
        read = sum(total(one, "mucktrack_next_offset") for one in figures)
        saved = [
            value
            for one in figures
            for (name, _), value in one.items()
            if name == "mucktrack_checkpoint_time_seconds"
        ]
        sample = Sample(
            time_s=now_s - self._begun_s,
            positions=(judged - self._judged) / (now_s - self._before_s),
            rss_mb=sum(worker.rss_mb() for worker in self._workers),
            descriptors=sum(worker.descriptors() for worker in self._workers),
            lag_s=max(0.0, records - read) * published / max(1, records) / self._rate,
            checkpoint_s=time.time() - min(saved, default=time.time()),
        )
        self._judged, self._before_s = judged, now_s
        return sample

    def lag_records(self) -> float:
        """After the stream has ended."""
        figures = [worker.figures() for worker in self._workers]
        return self._stream.records() - sum(total(one, "mucktrack_next_offset") for one in figures)


def show(sample: Sample) -> None:
    print(
        f"{sample.time_s:7.0f} s {sample.positions:9,.0f}/s {sample.rss_mb:7.0f} MB "
        f"{sample.descriptors:5.0f} fds  lag {sample.lag_s:5.2f} s  "
        f"checkpoint {sample.checkpoint_s:5.1f} s",
        flush=True,
    )


def compare(samples: Sequence[Sample]) -> list[str]:
    """Print how the last third compares with the first; what has grown."""
    kept = samples[round(len(samples) * WARM_UP) :]
    third = len(kept) // 3
    assert third >= 2, "too short a run to compare anything"
    first, last = kept[:third], kept[-third:]
    grown = []
    print(f"{'':14}{'first third':>12}{'last third':>12}{'slope of the last, an hour':>28}")
    for name in [field.name for field in fields(Sample)][1:]:
        before, after = (
            statistics.median(getattr(one, name) for one in some) for some in (first, last)
        )
        slope = statistics.linear_regression(
            [one.time_s for one in last], [getattr(one, name) for one in last]
        ).slope
        times, more = ALLOWED.get(name, (float("inf"), 0.0))
        verdict = "" if after <= before * times + more else "  GROWN"
        print(f"{name:14}{before:12,.1f}{after:12,.1f}{slope * 3600:28,.1f}{verdict}")
        if verdict:
            grown.append(name)
    return grown


@contextmanager
def broker(options: argparse.Namespace, folder: Path) -> Iterator[str]:
    """`host:port`."""
    if options.kafka:
        yield options.kafka
    elif options.apache:
        sys.path.insert(0, str(ROOT / "tests"))
        from servers.kafka_cluster import KafkaCluster

        with KafkaCluster(folder / "kafka") as cluster:
            yield cluster.bootstrap
    else:
        with tansu(folder) as server:
            yield server.address


def soak(options: argparse.Namespace, folder: Path, stack: ExitStack) -> int:
    city = folder / "city"
    write_city(city, options.trucks)
    kafka = stack.enter_context(broker(options, folder))
    redis = stack.enter_context(valkey(folder))
    create_topics(KafkaAccess.plain(kafka), PARTITIONS)
    common = {"kafka": kafka, "partitions": str(PARTITIONS)}
    workers = [
        Worker(
            *(f"worker-{number}", ["worker"], folder),
            **common,
            redis=redis.address,
            city=str(city),
            metrics_port="0",
            state_dir=str(folder / f"state-{number}"),
        )
        for number in range(options.workers)
    ]
    watched = list(workers)
    if options.archive:
        archive = str(folder / "archive")
        watched.append(
            Worker(
                *("archiver", ["archive"], folder),
                **common,
                archive=archive,
                archive_metrics_port="0",
            )
        )
    for worker in watched:
        stack.callback(worker.child.stop)
    for worker in watched:
        worker.wait_until_ready()
    load = Load(load_city(city), offending=options.offending)
    stream = Stream(kafka, load, options.rate, options.array)
    watch = Watch(watched, stream, options.rate)
    stream.start()
    samples = []
    until_s = time.monotonic() + options.minutes * 60
    while time.monotonic() < until_s:
        time.sleep(EVERY_S)
        samples.append(watch.sample())
        show(samples[-1])
    stream.stop()
    drained_s = time.monotonic() + DRAIN_S
    while watch.lag_records() > 0 and time.monotonic() < drained_s:
        time.sleep(0.2)
    left = watch.lag_records()
    print(f"{stream.positions:,} positions in {stream.records():,} records, {left:.0f} not judged")
    grown = compare(samples)
    slow = statistics.median(one.positions for one in samples) < 0.95 * options.rate
    if slow:
        print("the rate was not kept")
    for worker in watched:
        if not worker.child.stop():
            print(f"{worker.child.name} did not end as it should")
            slow = True
    return 1 if grown or left or slow else 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=int, default=20_000, help="positions a second")
    parser.add_argument("--array", type=int, default=500, help="positions a record, at most")
    parser.add_argument("--trucks", type=int, default=20_000)
    parser.add_argument("--offending", type=float, default=0.02)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--archive", action="store_true", help="with an archiver, watched too")
    parser.add_argument("--apache", action="store_true", help="Apache Kafka, as the tests run it")
    parser.add_argument("--kafka", help="another broker, host:port, with no topics of ours")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        code = soak(options, Path(folder), stack)
    sys.exit(code)


if __name__ == "__main__":
    main()
