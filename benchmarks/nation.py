"""A nation of trucks on one small machine: whether one worker keeps up with them.

`python -m benchmarks.nation` lets 1,000,000 trucks report every four seconds for two minutes,
250,000 positions a second, through the embedded broker into one worker with checkpoints in the
embedded Redis. What is sent is made beforehand (`benchmarks.nation_stream`) and sent by the clock.
The lag, printed every five seconds, is the high watermark that the broker's fetch answers with less
the offset up to which all outputs are acknowledged. Exit code 1 where the lag has grown over the
second half, or is not worked off in the end.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.bench.wire import Connection
from benchmarks.city import PLAN, Plan, write_city
from benchmarks.load import Load
from benchmarks.nation_send import Sent
from benchmarks.nation_stream import Index, make, read_index
from benchmarks.processes import Samples, Worker, environment, processor_s, rss_mb, total
from geofences.loader import load_city
from mucktrack.children import Child
from mucktrack.embedded import tansu, valkey
from mucktrack.topics import create_topics
from streams.access import KafkaAccess
from streams.topics import POSITIONS

FIXES = "mucktrack_stage_seconds_count", "received"
"""The worker's metric that has each fix once; positions that are rejected cost next to nothing."""
EVERY_S = 5.0
DRAIN_S = 120.0
GROWN_S = 1.0
"""Lag that the second half may add, by its slope: a checkpoint under way moves it too."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A line of the table."""

    time_s: float
    lag_records: int
    lag_s: float
    """The same, as seconds of the stream."""
    positions: int
    """Worked through."""
    fixes: int
    """Of these, those that were judged."""
    violations: int
    worker_s: float
    """Of processor time until now, and of the others'."""
    broker_s: float
    redis_s: float
    worker_mb: float
    broker_mb: float


def lag_records(high_watermarks: Sequence[int], next_offsets: Mapping[int, int]) -> int:
    """Records that are in the log and not worked through; a partition without an offset has not
    been begun."""
    return sum(
        mark - next_offsets.get(partition, 0) for partition, mark in enumerate(high_watermarks)
    )


def next_offsets(figures: Samples) -> dict[int, int]:
    """Of each partition that a worker has read something of."""
    return {
        int(partition): int(value)
        for (name, partition), value in figures.items()
        if name == "mucktrack_next_offset"
    }


class Watch:
    """Takes samples."""

    def __init__(
        self, connection: Connection, worker: Worker, broker: Child, redis: Child, index: Index
    ) -> None:
        self._connection = connection
        self._worker = worker
        self._broker, self._redis = broker, redis
        self._seconds_a_record = index.positions / index.records / index.rate
        self._ends = [0] * index.partitions
        self._begun_s = time.monotonic()

    def sample(self) -> Sample:
        self._worker.check()
        figures = self._worker.figures()
        # Asked for afterwards: so the lag is never told too small.
        self._ends = self._connection.high_watermarks(POSITIONS, self._ends)
        lag = lag_records(self._ends, next_offsets(figures))
        return Sample(
            time_s=time.monotonic() - self._begun_s,
            lag_records=lag,
            lag_s=lag * self._seconds_a_record,
            positions=round(total(figures, "mucktrack_positions_total")),
            fixes=round(figures.get(FIXES, 0.0)),
            violations=round(total(figures, "mucktrack_violations_total")),
            worker_s=self._worker.processor_s(),
            broker_s=processor_s(self._broker),
            redis_s=processor_s(self._redis),
            worker_mb=self._worker.rss_mb(),
            broker_mb=rss_mb(self._broker),
        )


def show(now: Sample, before: Sample) -> None:
    seconds = now.time_s - before.time_s
    print(
        f"{now.time_s:6.0f} s {(now.positions - before.positions) / seconds:9,.0f}/s  "
        f"lag {now.lag_s:6.2f} s {now.lag_records:7,} records  "
        f"cores: worker {(now.worker_s - before.worker_s) / seconds:.2f} "
        f"broker {(now.broker_s - before.broker_s) / seconds:.2f} "
        f"redis {(now.redis_s - before.redis_s) / seconds:.2f}  "
        f"MB: worker {now.worker_mb:,.0f} broker {now.broker_mb:,.0f}",
        flush=True,
    )


def lag_growth_s(samples: Sequence[Sample]) -> float:
    """Seconds of lag that the second half of the run has added, by its slope."""
    half = list(samples[len(samples) // 2 :])
    if len(half) < 2:
        raise SystemExit("too short a run to see whether the lag grows: more seconds")
    times = [one.time_s for one in half]
    slope = statistics.linear_regression(times, [one.lag_s for one in half]).slope
    return slope * (times[-1] - times[0])


def prepared(options: argparse.Namespace, folder: Path) -> Index:
    """What is sent, made now or by an earlier run in the same folder."""
    city = folder / "city"
    asked = (options.trucks, options.rate, options.seconds, options.partitions, options.offending)
    index = read_index(folder)
    if index is not None:
        made = (index.trucks, index.rate, index.seconds, index.partitions, index.offending)
        if made != asked:
            raise SystemExit(f"{folder} holds a run of other options: give another folder")
        return index
    started = time.monotonic()
    plan = Plan(sites=100, routes=100, vertices=400) if options.small_city else PLAN
    write_city(city, options.trucks, plan=plan)
    # Every truck reports once in so many milliseconds at this rate.
    every_ms = round(options.trucks / options.rate * 1000)
    load = Load(load_city(city), offending=options.offending, every_ms=every_ms)
    print(f"city and fleet: {time.monotonic() - started:.0f} s", flush=True)
    index = make(
        folder,
        load,
        trucks=options.trucks,
        rate=options.rate,
        seconds=options.seconds,
        partitions=options.partitions,
    )
    print(f"positions made beforehand: {time.monotonic() - started:.0f} s", flush=True)
    return index


def run(options: argparse.Namespace, folder: Path, stack: ExitStack) -> int:
    """The exit code."""
    index = prepared(options, folder)
    print(
        f"{index.positions:,} positions of {index.value_bytes:.0f} bytes in {index.records:,} "
        f"records, {index.sent_bytes / index.positions:.0f} bytes each as sent, of "
        f"{index.trucks:,} trucks, {index.rate:,}/s",
        flush=True,
    )
    kafka = stack.enter_context(tansu(folder))
    redis = stack.enter_context(valkey(folder))
    create_topics(KafkaAccess.plain(kafka.address), index.partitions)
    worker = Worker(
        *("worker", ["worker"], folder),
        kafka=kafka.address,
        redis=redis.address,
        partitions=str(index.partitions),
        city=str(folder / "city"),
        metrics_port="0",
        state_dir=str(folder / "state"),
    )
    stack.callback(worker.child.stop)
    started = time.monotonic()
    worker.wait_until_ready()
    print(f"worker ready: {time.monotonic() - started:.0f} s", flush=True)
    connection = stack.enter_context(Connection(kafka.address))
    sender = Child(
        "sender",
        [sys.executable, "-m", "benchmarks.nation_send", str(folder), kafka.address],
        folder / "sender.log",
        environment=environment(),
    )
    stack.callback(sender.stop)
    samples = watched(Watch(connection, worker, kafka.child, redis.child, index), sender)
    sent = msgspec.json.decode((folder / "sender.log").read_bytes().splitlines()[-1], type=Sent)
    return verdict(samples, sent, index)


def watched(watch: Watch, sender: Child) -> list[Sample]:
    """A sample every few seconds while the sender sends, and one when all is worked through; the
    last of them shows what is left where it never is."""
    samples = [watch.sample()]
    while sender.wait(EVERY_S) is None:
        samples.append(watch.sample())
        show(samples[-1], samples[-2])
    if sender.exit_code() != 0:
        raise SystemExit(f"the sender has failed:\n{sender.tail()}")
    end = watch.sample()
    until_s = time.monotonic() + DRAIN_S
    while end.lag_records and time.monotonic() < until_s:
        time.sleep(0.1)
        end = watch.sample()
    return [*samples, end]


def verdict(samples: Sequence[Sample], sent: Sent, index: Index) -> int:
    """Print what has come of it; the exit code."""
    *under_way, end = samples
    begin = under_way[0]
    grown_s = lag_growth_s(under_way)
    worked = end.positions - begin.positions
    seconds = end.time_s - begin.time_s
    print(
        f"\n{worked:,} of {index.positions:,} positions worked through, "
        f"{worked - (end.fixes - begin.fixes):,} of them rejected, "
        f"{end.violations - begin.violations:,} violations acknowledged, in {seconds:.1f} s\n"
        f"sent in {sent.seconds:.1f} s, late by {sent.late_s:.2f} s at most, "
        f"{sent.processor_s / sent.seconds:.3f} cores\n"
        f"processor time a position: worker {(end.worker_s - begin.worker_s) / worked * 1e9:,.0f} "
        f"ns, broker {(end.broker_s - begin.broker_s) / worked * 1e9:,.0f}, "
        f"redis {(end.redis_s - begin.redis_s) / worked * 1e9:,.0f}\n"
        f"memory: worker {end.worker_mb:,.0f} MB, broker {end.broker_mb:,.0f} MB, "
        f"{(end.broker_mb - begin.broker_mb) * 1e6 / worked:.0f} bytes a position in the broker\n"
        f"lag: {max(one.lag_s for one in under_way):.2f} s at most, {under_way[-1].lag_s:.2f} s "
        f"in the end, worked off after {max(0.0, seconds - sent.seconds):.1f} s; "
        f"the second half added {grown_s:+.2f} s"
    )
    if end.lag_records:
        print(f"{end.lag_records:,} records were never worked through")
        return 1
    keeps_up = grown_s <= GROWN_S
    print("it keeps up" if keeps_up else "it does not keep up: the lag grows")
    return 0 if keeps_up else 1


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.nation",
        description="Whether one worker keeps up with the trucks of a nation.",
    )
    parser.add_argument("--trucks", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=250_000, help="positions a second")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--offending", type=float, default=0.02, help="share of the trucks' time")
    parser.add_argument(
        "--small-city", action="store_true", help="100 sites and routes: starts in a second"
    )
    parser.add_argument(
        "--folder", type=Path, help="make city and positions here, keep them, use them again"
    )
    return parser


def main() -> None:
    options = parser().parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = options.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        code = run(options, folder, stack)
    sys.exit(code)


if __name__ == "__main__":
    main()
