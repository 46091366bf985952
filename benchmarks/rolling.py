"""What a rolling upgrade costs: workers replaced one after another under a steady load.

`python -m benchmarks.rolling --apache` publishes positions of the benchmark city at a steady rate,
lets workers judge them, and replaces each worker by a new process: `replace` ends the old one
first, as a machine that is drained does; `surge` starts the new one first. It prints how long a
violation takes from its position's publication until it can be read, before and during each step,
and compares what is on the queue with what `mucktrack detect` says of the same positions. Exit code
1 where anything is lost, invented or different. `tests/mucktrack/test_rolling.py` has a short run.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition

from benchmarks.city import write_city
from benchmarks.load import Load
from benchmarks.soak import Worker, broker
from geofences.loader import load_city
from mucktrack.embedded import valkey
from mucktrack.topics import create_topics
from producers.publisher import Publisher
from streams.access import KafkaAccess
from streams.position import encode_position
from streams.topics import POSITIONS, VIOLATIONS

PARTITIONS: Final = 12
STEP_S: Final = 0.02
LINGER_MS: Final = 10
WATERMARK_DELAY_MS: Final = 360_000
DRAIN_S: Final = 60.0
MODES: Final = ("replace", "surge")


class Feed(threading.Thread):
    """Publishes at a steady rate until it is stopped, and remembers what and when."""

    def __init__(self, kafka: str, load: Load, rate: int, file: Path) -> None:
        super().__init__(daemon=True, name="feed")
        self.published_s: dict[tuple[str, int], float] = {}
        """By truck and time of the position."""
        self.error: Exception | None = None
        self._load, self._rate, self._file = load, rate, file
        self._publisher = Publisher(
            KafkaAccess.plain(kafka), POSITIONS, PARTITIONS, linger_ms=LINGER_MS
        )
        self._ended = threading.Event()

    def run(self) -> None:
        try:
            self._publish()
        except Exception as error:
            self.error = error

    def _publish(self) -> None:
        begun_s, count, newest_ms = time.monotonic(), 0, 0
        with self._file.open("wb") as file:
            while not self._ended.wait(STEP_S):
                upto = round((time.monotonic() - begun_s) * self._rate)
                for position in self._load.positions(count, upto):
                    self.published_s[position.truck_id, position.time_ms] = time.monotonic()
                    self._publisher.publish(position)
                    file.write(encode_position(position) + b"\n")
                    newest_ms = position.time_ms
                count = upto
        # Bring every watermark to where the offline engine's ends.
        self._publisher.tick(newest_ms + WATERMARK_DELAY_MS)

    def stop(self) -> None:
        """Returns when all is acknowledged."""
        self._ended.set()
        self.join()
        self._publisher.close()
        if self.error is not None:
            raise self.error


class Queue(threading.Thread):
    """Reads the violations as soon as they can be read."""

    def __init__(self, kafka: str) -> None:
        super().__init__(daemon=True, name="queue")
        self.read_s: dict[str, float] = {}
        """When each was read first, by id and phase."""
        self.found: dict[str, list[dict[str, Any]]] = {}
        """All that was read, repeats included."""
        self._consumer = KafkaConsumer(
            bootstrap_servers=kafka, fetch_max_wait_ms=20, enable_auto_commit=False
        )
        partitions = [TopicPartition(VIOLATIONS, number) for number in range(PARTITIONS)]
        self._consumer.assign(partitions)
        self._consumer.seek_to_beginning(*partitions)
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            polled = self._consumer.poll(timeout_ms=50)
            now_s = time.monotonic()
            for record in (one for some in polled.values() for one in some):
                violation = json.loads(record.value)
                name = name_of(violation)
                self.read_s.setdefault(name, now_s)
                self.found.setdefault(name, []).append(violation)
        self._consumer.close()

    def stop(self) -> None:
        self._ended.set()
        self.join()


def name_of(violation: dict[str, Any]) -> str:
    return f"{violation['violation_id']}/{violation['phase']}"


@dataclass(frozen=True, slots=True)
class Step:
    """One worker replaced by another."""

    mode: str
    began_s: float
    ended_s: float
    stop_s: float
    """From SIGTERM to the end of the process."""
    start_s: float
    """From the start of the process until it was ready."""


@dataclass(slots=True)
class Roll:
    """What a run has come to."""

    positions: int
    steps: list[Step]
    waits_s: list[tuple[float, float]]
    """Of each violation that follows from a position at once: when that was published, and how
    long it then took until the violation could be read."""
    expected: int
    repeats: int
    lost: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    def is_whole(self) -> bool:
        return self.expected > 0 and not (self.lost or self.invented or self.different)

    def calm(self) -> list[float]:
        """How long violations took before the first step."""
        return [wait for at, wait in self.waits_s if at < self.steps[0].began_s]

    def during(self, step: Step) -> list[float]:
        return [wait for at, wait in self.waits_s if step.began_s <= at < step.ended_s]


class Crew:
    """The workers; each new one has a number of its own."""

    def __init__(self, folder: Path, stack: ExitStack, **settings: str) -> None:
        self.workers: list[Worker] = []
        self._folder, self._stack, self._settings = folder, stack, settings
        self._count = 0

    def add(self) -> Worker:
        name = f"worker-{self._count}"
        self._count += 1
        worker = Worker(
            *(name, ["worker"], self._folder),
            **self._settings,
            state_dir=str(self._folder / f"{name}-state"),
        )
        self._stack.callback(worker.child.stop)
        self.workers.append(worker)
        return worker

    def replace(self, settle_s: float) -> Step:
        """The oldest, which ends before the new one starts."""
        return self._step("replace", settle_s)

    def surge(self, settle_s: float) -> Step:
        """The oldest, which ends when the new one is ready."""
        return self._step("surge", settle_s)

    def _step(self, mode: str, settle_s: float) -> Step:
        began_s = time.monotonic()
        if mode == "replace":
            stop_s, start_s = self._end_oldest(), self._start_one()
        else:
            start_s, stop_s = self._start_one(), self._end_oldest()
        time.sleep(settle_s)
        return Step(mode, began_s, time.monotonic(), stop_s, start_s)

    def _start_one(self) -> float:
        began_s = time.monotonic()
        self.add().wait_until_ready()
        return time.monotonic() - began_s

    def _end_oldest(self) -> float:
        began_s = time.monotonic()
        worker = self.workers.pop(0)
        worker.check()
        if not worker.child.stop():
            raise SystemExit(
                f"{worker.child.name} did not end as it should:\n{worker.child.tail()}"
            )
        return time.monotonic() - began_s


def roll(
    folder: Path,
    kafka: str,
    redis: str,
    *,
    workers: int,
    steps: Sequence[str],
    rate: int,
    trucks: int,
    offending: float,
    calm_s: float,
    settle_s: float,
    **settings: str,
) -> Roll:
    """Replace the oldest worker, once for each of the `steps`, which say how: "surge" or "replace".
    The topics must be there, and empty."""
    city = folder / "city"
    write_city(city, trucks)
    file = folder / "positions.jsonl"
    load = Load(load_city(city), offending=offending)
    with ExitStack() as stack:
        crew = Crew(
            *(folder, stack),
            kafka=kafka,
            redis=redis,
            city=str(city),
            partitions=str(PARTITIONS),
            metrics_port="0",
            **settings,
        )
        for _ in range(workers):
            crew.add()
        for worker in crew.workers:
            worker.wait_until_ready()
        queue, feed = Queue(kafka), Feed(kafka, load, rate, file)
        queue.start()
        stack.callback(queue.stop)
        feed.start()
        time.sleep(calm_s)
        taken = [getattr(crew, mode)(settle_s) for mode in steps]
        feed.stop()
        expected = {name_of(one): one for one in detected(city, file)}
        deadline_s = time.monotonic() + DRAIN_S
        while not queue.found.keys() >= expected.keys() and time.monotonic() < deadline_s:
            time.sleep(0.1)
        # What is invented may come last.
        time.sleep(1.0)
        for worker in crew.workers:
            worker.check()
    return Roll(
        positions=len(feed.published_s),
        steps=taken,
        waits_s=sorted(_waits(feed, queue)),
        expected=len(expected),
        repeats=sum(len(some) - 1 for some in queue.found.values()),
        lost=sorted(expected.keys() - queue.found.keys()),
        invented=sorted(queue.found.keys() - expected.keys()),
        different=[
            name
            for name, some in queue.found.items()
            if name in expected and any(one != expected[name] for one in some)
        ],
    )


def _waits(feed: Feed, queue: Queue) -> Iterator[tuple[float, float]]:
    for name, some in queue.found.items():
        at_s = feed.published_s.get((some[0]["truck_id"], some[0]["detected_ms"]))
        if at_s is not None:
            yield at_s, queue.read_s[name] - at_s


def detected(city: Path, file: Path) -> list[dict[str, Any]]:
    """What `mucktrack detect` finds in the positions."""
    done = subprocess.run(
        [sys.executable, "-m", "mucktrack", "detect", "--city", str(city), str(file)],
        capture_output=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def at(waits_s: Sequence[float], share: float) -> float:
    """The wait that so many do not exceed; 0 where there are none."""
    ordered = sorted(waits_s)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def show(result: Roll) -> None:
    def line(name: str, waits_s: Sequence[float], *more: str) -> None:
        p50, p99, most = (at(waits_s, share) for share in (0.5, 0.99, 1.0))
        late = sum(wait > 1 for wait in waits_s) / max(1, len(waits_s))
        print(
            f"{name:10} {len(waits_s):6,} violations  p50 {p50:5.2f}  p99 {p99:5.2f}  "
            f"longest {most:5.2f} s  {late:5.1%} over 1 s",
            *more,
        )

    line("calm", result.calm())
    for step in result.steps:
        line(
            step.mode,
            result.during(step),
            f" ended within {step.stop_s:.1f} s, ready after {step.start_s:.1f} s",
        )
    print(
        f"{result.positions:,} positions, {result.expected:,} violations: lost {len(result.lost)}, "
        f"invented {len(result.invented)}, different {len(result.different)}; "
        f"{result.repeats:,} came again under their ids"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rolling")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--rate", type=int, default=5_000, help="positions a second")
    parser.add_argument("--trucks", type=int, default=5_000)
    parser.add_argument("--offending", type=float, default=0.3)
    parser.add_argument("--calm", type=float, default=15.0, help="seconds before the first step")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds after each step")
    parser.add_argument("--apache", action="store_true", help="Apache Kafka, as the tests run it")
    parser.add_argument("--kafka", help="another broker, host:port, with no topics of ours")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        kafka = stack.enter_context(broker(options, folder))
        redis = stack.enter_context(valkey(folder))
        create_topics(KafkaAccess.plain(kafka), PARTITIONS)
        result = roll(
            *(folder, kafka, redis.address),
            workers=options.workers,
            steps=[mode for mode in options.modes for _ in range(options.workers)],
            rate=options.rate,
            trucks=options.trucks,
            offending=options.offending,
            calm_s=options.calm,
            settle_s=options.settle,
        )
    show(result)
    sys.exit(0 if result.is_whole() else 1)


if __name__ == "__main__":
    main()
