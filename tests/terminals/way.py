"""The whole way from TCP, as processes: terminals, a proxy that cuts, the gateway, Kafka and Redis,
an archiver, a worker.

    with Way(folder, city, seed=1, cut_after=5_000) as way:
        way.simulate("--trucks", "100", "--hours", "0.2", "--speed", "30")
        ...  # kill, freeze, start again
        told = way.finish()

Everything is under one folder and on the loopback. What must have come of it is said in
`terminals.verdict`.
"""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from chaos.crew import by_partition, samples
from servers.kafka_cluster import KafkaCluster
from servers.server_process import ServerProcess, children_of, quiet_port

from mucktrack.embedded import HOST, tansu, valkey
from mucktrack.topics import create_topics
from streams.access import KafkaAccess
from streams.topics import POSITIONS
from streams.warm import compile_core
from terminals.topic import records_of

PARTITIONS = 12
START_S = 90.0
CAUGHT_UP_S = 120.0
STOP_S = 30.0
POLL_S = 0.1
PROXY = Path(__file__).parent.parent / "servers" / "cutting_proxy.py"
MUCKTRACK = [sys.executable, "-m", "mucktrack"]
TOLD = re.compile(
    r"acknowledged (\d+) positions of (\d+) sent · (\d+) as backfill · sent again (\d+) · "
    r"left (\d+) · offences labelled (\d+)"
)
MOVES = "mucktrack_next_offset"
ARCHIVED = "mucktrack_archive_read_offset"
LOADED = "mucktrack_partitions_loaded"


@dataclass(frozen=True, slots=True)
class Told:
    """What the terminals said at their end, of positions, and the proxy of connections."""

    acknowledged: int
    sent: int
    backfilled: int
    again: int
    left: int
    labels: int
    proxy: dict[str, int]


class WayFailed(Exception):
    """A part did not do what it must for the test to say anything."""


class Way:
    """`cut_after`: bytes that a connection carries on average before it is cut; 0 = never.
    `apache`: on Apache Kafka, which cannot be frozen here, instead of the embedded broker."""

    def __init__(
        self, folder: Path, city: Path, *, seed: int, cut_after: float, apache: bool = False
    ) -> None:
        self.folder, self.city, self.seed, self.cut_after = folder, city, seed, cut_after
        self._apache = apache
        self.archive = folder / "archive"
        self.labels, self.sent, self.acked = (
            folder / f"{name}.jsonl" for name in ("labels", "sent", "acked")
        )
        self.positions: list[Any] = []
        """All records of the topic of positions, after `finish`."""
        self._port = quiet_port()
        """The gateway's; what is killed comes back where it was."""
        self._parts: dict[str, ServerProcess] = {}
        self._leashes: dict[str, int] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        compile_core()  # Once, rather than while everything else is being started.
        with ExitStack() as stack:
            stack.callback(self._end)
            if self._apache:
                cluster = stack.enter_context(KafkaCluster(self.folder / "kafka"))
                self.kafka = cluster.bootstrap
            else:
                kafka = stack.enter_context(tansu(self.folder / "kafka"))
                self.kafka = kafka.address
                self._leashes["kafka"] = kafka.child.leash_pid
            redis = stack.enter_context(valkey(self.folder / "redis"))
            self._leashes["redis"] = redis.child.leash_pid
            self._redis = redis.address
            create_topics(KafkaAccess.plain(self.kafka), PARTITIONS)
            self.start_worker()
            self._start("archive", "--folder", self.archive)
            self.start_gateway()
            command = [sys.executable, str(PROXY), "0", str(self._port), str(self.seed)]
            self._run("proxy", [*command, str(self.cut_after)])
            self.until(lambda: self._figures("worker").get(LOADED) == PARTITIONS, START_S)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._stack.close()

    def start_gateway(self) -> None:
        """Once it listens, that it does."""
        port_file = self.folder / "gateway.listens"
        port_file.unlink(missing_ok=True)
        self._start(
            "gateway",
            *("--gateway-port", self._port, "--port-file", port_file),
            *("--gateway-tick-s", 0, "--gateway-connections-an-address", 20_000),
        )
        self.until(port_file.exists, START_S)

    def start_worker(self) -> None:
        self._start("worker", "--group", "way", "--state-dir", self.folder / "state")

    def kill_gateway(self) -> None:
        self._parts.pop("gateway").kill()

    def stop(self, name: str) -> None:
        """As an upgrade does: SIGTERM, and it ends by itself, with exit code 0."""
        self._stop(name)

    def is_alive(self, name: str) -> bool:
        return self._parts[name].wait(0) is None

    def freeze(self, server: str) -> None:
        """`kafka` or `redis`."""
        self._signal(server, signal.SIGSTOP)

    def thaw(self, server: str) -> None:
        self._signal(server, signal.SIGCONT)

    def simulate(self, *arguments: str) -> None:
        """Begin: `mucktrack simulate --jt808` with `arguments`, through the proxy."""
        self.until(lambda: "\n" in self._parts["proxy"].said(), START_S)
        port = self._parts["proxy"].said().split()[0]
        command = [*MUCKTRACK, "simulate", "--jt808", f"{HOST}:{port}", "--city", str(self.city)]
        command += ["--seed", str(self.seed), *arguments]
        for name in ("labels", "sent", "acked"):
            command += [f"--{name}", str(getattr(self, name))]
        self._run("terminals", command)

    def acknowledged_lines(self) -> int:
        """How many positions the file of those acknowledged holds by now."""
        return self.acked.read_bytes().count(b"\n") if self.acked.exists() else 0

    def finish(self, limit_s: float) -> Told:
        """Wait for the end of the terminals, at most so long, and until worker and archiver have
        come to the end of the topic; then stop them all in good order."""
        terminals = self._parts.pop("terminals")
        self.until(lambda: terminals.wait(POLL_S) is not None, limit_s)
        if terminals.wait(0) != 0:
            raise terminals.failed(f"exit code {terminals.wait(0)}")
        found = TOLD.search(terminals.said())
        if found is None:
            raise terminals.failed("it did not say what it sent")
        self._stop("gateway")
        last: dict[int, int] = {}
        self.positions = records_of(self.kafka, POSITIONS)
        for record in self.positions:
            last[record.partition] = max(last.get(record.partition, -1), record.offset)
        for name, figure in (("worker", MOVES), ("archive", ARCHIVED)):
            self.until(lambda name=name, figure=figure: self._has_reached(name, figure, last))
        self._stop("worker")
        self._stop("archive")
        self._stop("proxy")
        proxy = json.loads(self._proxy_said.splitlines()[-1])
        return Told(*map(int, found.groups()), proxy)

    def until(self, true: Callable[[], bool], limit_s: float = CAUGHT_UP_S) -> None:
        """Wait; raises where it takes longer, or where a part ends meanwhile."""
        deadline = time.monotonic() + limit_s
        while not true():
            for part in self._parts.values():
                part.check()
            if time.monotonic() > deadline:
                raise WayFailed(f"not within {limit_s:g} s; logs in {self.folder}")
            time.sleep(POLL_S)

    def _start(self, command: str, *arguments: object) -> None:
        """One of the program's own commands."""
        port_file = self._port_file(command)
        port_file.unlink(missing_ok=True)
        given = [*MUCKTRACK, command, "--kafka", self.kafka, "--partitions", str(PARTITIONS)]
        metrics = {"worker": "--metrics-port", "archive": "--archive-metrics-port"}
        given += [metrics.get(command, "--gateway-metrics-port"), "0"]
        given += ["--metrics-port-file", str(port_file)]
        if command != "archive":
            given += ["--redis", self._redis, "--city", str(self.city)]
        self._run(command, [*given, *map(str, arguments)])

    def _run(self, name: str, command: list[str]) -> None:
        self._parts[name] = ServerProcess(name, command, self.folder / f"{name}.log")

    def _stop(self, name: str) -> None:
        part = self._parts.pop(name)
        part.check()
        part.signal(signal.SIGTERM)
        code = part.wait(STOP_S)
        if code != 0:
            raise part.failed(f"asked to stop, it ended with {code}")
        if name == "proxy":
            self._proxy_said = part.said()

    def _signal(self, server: str, number: signal.Signals) -> None:
        for pid in children_of(self._leashes[server]):
            os.kill(pid, number)

    def _end(self) -> None:
        for server in self._leashes:
            self.thaw(server)
        for part in self._parts.values():
            part.end()

    def _port_file(self, name: str) -> Path:
        return self.folder / f"{name}.port"

    def _figures(self, name: str) -> dict[str, float]:
        return samples(self._port_file(name))

    def _has_reached(self, name: str, figure: str, last: dict[int, int]) -> bool:
        reached = by_partition(self._figures(name), figure)
        return all(reached.get(partition, 0) > offset for partition, offset in last.items())
