"""One chaos run: servers, workers, an archiver, a cargo of positions, faults, and the verdict.

`make chaos` calls `main`, the tests call `chaos_run` with a small plan. Everything is under one
folder and on the loopback; nothing outlives the run.
"""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from servers.kafka_cluster import KafkaCluster
from servers.redis_server import RedisServer

from chaos.cargo import Cargo
from chaos.crew import Crew, by_partition, samples
from chaos.faults import BROKER, LOST, REDIS_KINDS, WORKER_KINDS, Faults
from chaos.pump import Pump
from chaos.verdict import Verdict, verdict
from geofences.loader import load_city, read_files
from mucktrack.embedded import tansu
from mucktrack.topics import create_topics
from producers.demo_city import DEMO_CITY
from producers.simulate import file_start_ms
from streams.access import KafkaAccess
from streams.checkpoint import StoreAwayError
from streams.cities import RedisCities
from streams.topics import POSITIONS
from streams.warm import compile_core
from streams.worker import Topics

PARTITIONS = 12
SESSION_TIMEOUT_S = 6
CHECKPOINT_S = 2.0
POSITIONS_A_RECORD = 22
"""On average, with the singles."""
LOOK_S = 0.2
CAUGHT_UP_S = 180.0
DELAY_MS = 360_000
FASTER_LEAVING = {"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"}
KEEP_IN_SYNC = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "unclean.leader.election.enable": "false",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, how many, how bad. `brokers` 0 = the embedded broker, which is not killed."""

    seed: int
    positions: int
    positions_per_s: float
    brokers: int
    workers: int
    faults: int
    apart_s: float
    """Between the beginnings of two faults, on average."""
    kinds: tuple[str, ...] = ()
    """Of faults; none = all."""
    sabotage: str = ""


@dataclass(slots=True)
class Report:
    plan: Plan
    verdict: Verdict
    faults: Counter[str]
    not_come_about: int
    recoveries_s: dict[str, list[float]]
    cargo: Counter[str]
    records: int
    crashes: Counter[str]
    last_ends: list[int]
    caught_up_s: float
    seconds: float

    @property
    def agrees(self) -> bool:
        return self.verdict.agrees

    @property
    def complete(self) -> bool:
        """Whether all faults came about, and workers ended only when they were told to."""
        return (
            self.faults.total() >= self.plan.faults and not self.crashes and not any(self.last_ends)
        )


@dataclass(slots=True)
class Chaos:
    plan: Plan
    folder: Path
    rng: Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = Random(self.plan.seed)

    async def run(self) -> Report:
        plan = self.plan
        started_s = time.monotonic()
        with ExitStack() as stack:
            cluster, kafka = self._kafka(stack)
            redis = stack.enter_context(RedisServer(self.folder / "redis"))
            create_topics(KafkaAccess.plain(kafka), PARTITIONS, max(1, plan.brokers))
            old, new = self._cities()
            from_ms = file_start_ms(load_city(old)) + self._middle_ms()
            crew = Crew.of(
                plan.workers,
                self.folder,
                {
                    "kafka": kafka,
                    "city": str(old),
                    "redis": redis.url,
                    "group": "chaos",
                    "partitions": PARTITIONS,
                    "metrics_host": "127.0.0.1",
                    "metrics_port": 0,
                    "session_timeout_s": SESSION_TIMEOUT_S,
                    "checkpoint_s": CHECKPOINT_S,
                },
                Topics(),
                plan.sabotage,
            )
            stack.callback(crew.kill)
            crew.start()
            archiver = _Archiver(self.folder, kafka)
            stack.callback(archiver.kill)
            await self._until(
                lambda: sum(member.loaded() for member in crew.members) == PARTITIONS, crew
            )
            watch = asyncio.create_task(_look_after(crew))
            cargo = Cargo(old, plan.positions, PARTITIONS, plan.seed)
            pump = Pump(kafka, POSITIONS, plan.positions_per_s / POSITIONS_A_RECORD)
            sending = asyncio.create_task(pump.send(cargo, from_ms))
            faults = Faults(self.rng, crew, redis, cluster, SESSION_TIMEOUT_S)
            publishing = asyncio.create_task(
                _publish(crew, RedisCities(redis.url), new, from_ms, pump, cargo)
            )
            injected, missed = await self._break_things(faults, pump)
            await publishing
            await sending
            await pump.send(cargo.ticks(cargo.highest_ms + DELAY_MS), None)
            quiet_s = time.monotonic()
            await self._until(lambda: _reached(crew.next_offsets(), pump.last_offsets), crew)
            caught_up_s = time.monotonic() - quiet_s
            watch.cancel()
            ends = await asyncio.to_thread(crew.stop)
            await self._until(lambda: archiver.has_read(pump.last_offsets), crew)
            archiver.stop()
            await pump.close()
            found = await verdict(
                kafka, archiver.archive, [str(old), f"{new}@{from_ms}"], self.folder
            )
        return Report(
            plan, found, injected, missed, faults.recoveries_s, cargo.counts, pump.sent,
            crew.ended, ends, caught_up_s, time.monotonic() - started_s,
        )  # fmt: skip

    def _kafka(self, stack: ExitStack) -> tuple[KafkaCluster | None, str]:
        if not self.plan.brokers:
            return None, stack.enter_context(tansu(self.folder / "kafka")).address
        cluster = stack.enter_context(
            KafkaCluster(
                self.folder / "kafka", self.plan.brokers, properties=FASTER_LEAVING | KEEP_IN_SYNC
            )
        )
        return cluster, cluster.bootstrap

    def _cities(self) -> tuple[Path, Path]:
        """The demo city, and how it is from the middle of the run on: slower, fewer permits."""
        old, new = self.folder / "old", self.folder / "new"
        shutil.copytree(DEMO_CITY, old)
        shutil.copytree(DEMO_CITY, new)
        settings = (new / "city.toml").read_text()
        assert "speed_limit_kmh = 60" in settings
        (new / "city.toml").write_text(settings.replace("limit_kmh = 60", "limit_kmh = 40"))
        permits = (new / "permits.csv").read_text().splitlines(keepends=True)
        (new / "permits.csv").write_text("".join(permits[: -max(1, len(permits) // 10)]))
        return old, new

    def _middle_ms(self) -> int:
        """Of the event time that the positions span: 480 trucks tell some 49 positions a second."""
        return round(self.plan.positions / 49 * 0.6) * 1000

    async def _break_things(self, faults: Faults, pump: Pump) -> tuple[Counter[str], int]:
        """Faults of workers, Redis and brokers, one after another in each, beside each other."""
        done: Counter[str] = Counter()
        missed = 0
        under_way: dict[str, tuple[str, asyncio.Task[bool]]] = {}

        async def ended(what: str) -> int:
            kind, task = under_way.pop(what)
            came_about = await task
            done[kind] += came_about
            return not came_about

        kinds = self._kinds()
        while done.total() + len(under_way) < self.plan.faults and missed < self.plan.faults:
            await asyncio.sleep(self.rng.uniform(0.4, 1.6) * self.plan.apart_s)
            kind = next(kinds)
            if kind == LOST and pump.go_on.is_set():
                # A worker that starts before the others have put the published city back would not
                # know it.
                kind = REDIS_KINDS[0]
            what = kind.partition(" ")[0].rstrip(",")
            if what in under_way:
                missed += await ended(what)
            under_way[what] = (kind, asyncio.create_task(faults.inject(kind)))
        for what in list(under_way):
            missed += await ended(what)
        return done, missed

    def _kinds(self) -> Iterator[str]:
        """Every kind in turn, in an order that changes."""
        brokers = [BROKER] * 2 if self.plan.brokers else []
        while True:
            deck = list(self.plan.kinds or (*WORKER_KINDS, *REDIS_KINDS, LOST, *brokers))
            self.rng.shuffle(deck)
            yield from deck

    async def _until(self, true: Callable[[], bool], crew: Crew) -> None:
        deadline = time.monotonic() + CAUGHT_UP_S
        while not await asyncio.to_thread(true):
            if time.monotonic() > deadline:
                raise RuntimeError(f"chaos: not caught up within {CAUGHT_UP_S:g} s; {crew.ended}")
            await asyncio.sleep(LOOK_S)


async def _look_after(crew: Crew) -> None:
    while True:
        crew.look_after()
        await asyncio.sleep(LOOK_S)


async def _publish(
    crew: Crew, store: RedisCities, new: Path, from_ms: int, pump: Pump, cargo: Cargo
) -> None:
    """Publish the second city when a third of the way to it is gone; let the positions of its time
    go when all workers know of it."""
    third_ms = (from_ms - file_start_ms(load_city(DEMO_CITY))) / 3
    while cargo.highest_ms < from_ms - third_ms:  # noqa: ASYNC110 - set in the hot loop of another
        await asyncio.sleep(LOOK_S)
    while not await asyncio.to_thread(crew.all_know, 2):
        with contextlib.suppress(StoreAwayError):
            if not store.versions():
                store.publish(read_files(new), from_ms)
        await asyncio.sleep(LOOK_S)
    pump.go_on.set()


def _reached(next_offsets: dict[int, int], last_offsets: dict[int, int]) -> bool:
    return all(next_offsets.get(one, 0) > last for one, last in last_offsets.items())


class _Archiver:
    """`mucktrack archive` beside the workers."""

    def __init__(self, folder: Path, kafka: str) -> None:
        self.archive = folder / "archive"
        self._port_file = folder / "archiver.port"
        with (folder / "archiver.log").open("wb") as log:
            self._child = subprocess.Popen(
                [
                    *(sys.executable, "-m", "mucktrack", "archive", "--folder", str(self.archive)),
                    *("--kafka", kafka, "--partitions", str(PARTITIONS)),
                    *("--archive-metrics-port", "0", "--metrics-port-file", str(self._port_file)),
                ],
                stdout=log,
                stderr=log,
            )

    def has_read(self, last_offsets: dict[int, int]) -> bool:
        figures = samples(self._port_file)
        return _reached(by_partition(figures, "mucktrack_archive_read_offset"), last_offsets)

    def stop(self) -> None:
        self._child.send_signal(signal.SIGTERM)
        if self._child.wait(60) != 0:
            raise RuntimeError("the archiver did not end in good order")

    def kill(self) -> None:
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()


def chaos_run(plan: Plan, folder: Path) -> Report:
    # Once, rather than by every worker at the same time.
    compile_core()
    return asyncio.run(Chaos(plan, folder).run())
