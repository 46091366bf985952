"""Embedded servers with a topic that is full beforehand, and runs of what reads it.

`Servers` is shared by the measurements that go through Kafka. It knows nothing of their figures.
"""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import redis

from benchmarks.bench.batches import Frame
from benchmarks.bench.wire import Connection
from benchmarks.processes import Worker, environment, processor_s, total
from mucktrack.children import Child
from mucktrack.embedded import Server, tansu, valkey
from mucktrack.topics import create_topics
from streams.access import KafkaAccess
from streams.topics import POSITIONS

PARTITIONS = 12
EVERY_S = 0.2
"""How often a worker is asked how far it is."""
AGENT_WITHIN_S = 900.0


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast positions went through one or more processes."""

    positions: int
    seconds: float
    """On the wall."""
    processor_s: float
    """Of all the processes together."""
    violations: int = 0

    @property
    def positions_per_s(self) -> float:
        return self.positions / self.seconds

    @property
    def processor_ns(self) -> float:
        """Processor time a position."""
        return self.processor_s / self.positions * 1e9


@dataclass(frozen=True, slots=True)
class Mark:
    """How far workers were at a moment."""

    time_s: float
    processor_s: float
    positions: tuple[int, ...]
    """Of each worker, all of whose outputs are acknowledged."""
    violations: int


class Servers:
    """A broker and a Redis of their own."""

    def __init__(self, folder: Path, kafka: Server, redis_server: Server, city: Path) -> None:
        self.folder = folder
        self.kafka = kafka
        self.redis = redis_server
        self._city = city
        self._runs = 0

    def fill(self, frames: Iterable[Frame]) -> int:
        """Put these into the topic; how many positions there are."""
        positions = 0
        with Connection(self.kafka.address) as connection:
            for frame in frames:
                connection.produce(POSITIONS, frame.batches)
                positions += frame.positions
        return positions

    def start_workers(self, count: int) -> list[Worker]:
        """Workers of a group that has read nothing, with no checkpoints from before."""
        self._runs += 1
        with redis.Redis.from_url(self.redis.address) as store:
            store.flushall()
        return [
            Worker(
                *(f"worker-{self._runs}-{number}", ["worker"], self.folder),
                kafka=self.kafka.address,
                partitions=str(PARTITIONS),
                redis=self.redis.address,
                city=str(self._city),
                group=f"bench-{self._runs}",
                metrics_port="0",
                state_dir=str(self.folder / f"state-{self._runs}-{number}"),
            )
            for number in range(count)
        ]

    def drain(self, workers: int, first: int, last: int) -> Rate:
        """Let fresh workers read the topic: from when they have `first` positions together, and
        each of them some, until they have `last`, or one of them has nothing left to do."""
        begun = Mark(time.monotonic(), 0.0, (0,) * workers, 0)
        running = self.start_workers(workers)
        try:
            for worker in running:
                worker.wait_until_ready()
            return between(begun, _marks(running, first, last))
        finally:
            for worker in running:
                worker.child.begin_stop()
            for worker in running:
                worker.child.stop()

    def agent(self, kind: str, first: int, last: int) -> Rate:
        """Let a plain Faust agent read it (`benchmarks.bench.agents`)."""
        self._runs += 1
        child = Child(
            kind,
            [
                *(sys.executable, "-m", "benchmarks.bench.agents", kind, self.kafka.address),
                *(f"bench-{self._runs}", str(first), str(last)),
            ],
            self.folder / f"agent-{self._runs}.log",
            environment=environment(),
        )
        try:
            code = child.wait(AGENT_WITHIN_S)
            if code != 0:
                raise SystemExit(f"the agent {kind!r} did not end ({code}):\n{child.tail()}")
        finally:
            child.stop()
        return msgspec.json.decode(child.log.read_bytes().splitlines()[-1], type=_Figures).rate()


class _Figures(msgspec.Struct):
    positions: int
    seconds: float
    processor_s: float

    def rate(self) -> Rate:
        return Rate(self.positions, self.seconds, self.processor_s)


@contextmanager
def servers(folder: Path, city: Path) -> Iterator[Servers]:
    """Broker and Redis with the topics made; `city` is a city directory."""
    with tansu(folder) as kafka, valkey(folder) as store:
        create_topics(KafkaAccess.plain(kafka.address), PARTITIONS)
        yield Servers(folder, kafka, store, city)


def _marks(workers: list[Worker], first: int, last: int) -> list[Mark]:
    """From when all of them work and have `first` positions together, until they have `last`."""
    marks: list[Mark] = []
    while not marks or sum(marks[-1].positions) < last:
        mark = _mark(workers)
        taken = sum(mark.positions)
        if marks or (taken >= first and all(mark.positions)) or taken >= last:
            marks.append(mark)
        time.sleep(EVERY_S)
    return marks


def _mark(workers: list[Worker]) -> Mark:
    for worker in workers:
        worker.check()
    figures = [worker.figures() for worker in workers]
    return Mark(
        time.monotonic(),
        sum(processor_s(worker.child) for worker in workers),
        tuple(round(total(one, "mucktrack_positions_total")) for one in figures),
        round(sum(total(one, "mucktrack_violations_total") for one in figures)),
    )


def between(started: Mark, marks: Sequence[Mark]) -> Rate:
    """Up to the last moment at which each of them had work left; from their start where they were
    done as soon as they were looked at."""
    done = marks[-1].positions
    busy = [
        mark
        for mark in marks
        if all(some < every for some, every in zip(mark.positions, done, strict=True))
    ]
    begin, end = (busy[0], busy[-1]) if busy else (started, marks[-1])
    if begin.positions == end.positions:
        begin, end = started, marks[-1]
    return Rate(
        sum(end.positions) - sum(begin.positions),
        end.time_s - begin.time_s,
        end.processor_s - begin.processor_s,
        end.violations - begin.violations,
    )
