"""The parts of `mucktrack up`, started one after another: servers, topics, worker, archiver, fleet,
and a gateway where the fleet's trucks are terminals.

All but the servers are the same commands that anyone can run alone; they get their settings
through the environment, so that no password stands in a list of processes. This is what knows them
all; it knows nothing of what is shown.
"""

import math
import os
import re
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mucktrack.access import KAFKA_ACCESS, kafka_access, redis_url
from mucktrack.children import TERMINATED, Child
from mucktrack.embedded import HOST, EmbeddedServerError, Server, tansu, valkey
from mucktrack.failures import WorkFailedError
from mucktrack.part_checks import POLL_S, check, port_in, stop
from mucktrack.scrape import WorkerFigures, scrape
from mucktrack.settings import SETTINGS, Settings, variables
from mucktrack.topics import TopicError, create_topics
from streams.access import KafkaAccess

WORKER_READY_S = 180.0
"""Without its compiled code at hand a worker takes long; with it, a few seconds."""
SHARED_S = 45.0
"""A worker that was killed keeps its partitions for its session timeout and a rebalance."""
WORKER_GRACE_S = 30.0
"""A worker that cannot reach Kafka takes this long to give up in good order (`streams.intake`,
`streams.sinks`)."""
ARCHIVER_GRACE_S = 20.0
"""It reads what is there and finishes its files (`streams.archive.archiver`)."""
LOGGING = ("log", "log_level")
"""Settings that children have as they are."""
PUBLISHED = re.compile(r"(?:published|acknowledged) (\d+) positions")
"""What `mucktrack simulate` says at its end, with `--jt808` or without."""


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What the simulated fleet is to do."""

    trucks: int
    speed: float
    """Simulated seconds a second."""
    seed: int = 1
    share: float = 0.1
    """Of the loaded trips, that offend."""
    by_terminals: bool = False
    """Whether its trucks are JT/T 808 terminals, which report to a gateway."""


class Servers:
    """Kafka and Redis: those given, else embedded ones that end with `stack`."""

    def __init__(self, settings: Settings, folder: Path, stack: ExitStack) -> None:
        self.started: list[Server] = []
        try:
            if settings.kafka is not None:
                self.kafka = kafka_access(settings)
            else:
                started = self._start(stack.enter_context(tansu(folder, settings.kafka_port)))
                self.kafka = KafkaAccess.plain(started)
            self.redis = redis_url(settings) or self._start(
                stack.enter_context(valkey(folder, settings.redis_port))
            )
            self.kafka_variables = _kafka_variables(settings, self.kafka)
            """The settings by which the children reach Kafka."""
            create_topics(self.kafka, settings.partitions, settings.replication)
        except (EmbeddedServerError, TopicError) as error:
            raise WorkFailedError(str(error)) from None

    def _start(self, server: Server) -> str:
        self.started.append(server)
        return server.address


class Worker:
    """`mucktrack worker`, until `stack` ends it."""

    def __init__(
        self, settings: Settings, servers: Servers, city: Path, folder: Path, stack: ExitStack
    ) -> None:
        self.metrics_host = settings.metrics_host
        self.metrics_port = 0
        self._port_file = folder / "worker.port"
        self._partitions = settings.partitions
        self._group = settings.group
        environment = child_environment(
            **servers.kafka_variables,
            redis=servers.redis,
            city=str(city),
            partitions=str(settings.partitions),
            group=settings.group,
            metrics_host=settings.metrics_host,
            metrics_port="0",
            session_timeout_s=str(settings.session_timeout_s),
            checkpoint_s=str(settings.checkpoint_s),
            trucks_a_partition=str(settings.trucks_a_partition),
            state_dir=str(folder),
        )
        command = child_command("worker", "--metrics-port-file", str(self._port_file))
        self.child = Child(
            "worker",
            command,
            folder / "worker.log",
            environment=environment,
            grace_s=WORKER_GRACE_S,
        )
        stack.callback(self.child.stop)

    def figures(self) -> WorkerFigures | None:
        """What it tells; None where it does not answer. Raises `WorkFailedError` where it has
        ended."""
        check(self.child)
        if not self.metrics_port and self._port_file.exists():
            self.metrics_port = int(self._port_file.read_text() or 0)
        return scrape(self.metrics_host, self.metrics_port) if self.metrics_port else None

    @property
    def metrics_url(self) -> str:
        return f"http://{self.metrics_host}:{self.metrics_port}/metrics"

    def wait_until_ready(self) -> None:
        """Until it reads all partitions. Raises `WorkFailedError`."""
        deadline = time.monotonic() + WORKER_READY_S
        shared_until = math.inf
        while time.monotonic() < min(deadline, shared_until):
            figures = self.figures()
            if figures is not None and figures.ready:
                if figures.partitions_loaded == self._partitions:
                    return
                shared_until = min(shared_until, time.monotonic() + SHARED_S)
            time.sleep(POLL_S)
        if shared_until < math.inf:
            raise WorkFailedError(
                f"worker: the group {self._group} has another worker, which keeps some of the "
                "partitions; stop that one, or set MUCKTRACK_GROUP to another name"
            )
        raise WorkFailedError(
            f"worker: not ready within {WORKER_READY_S:g} s; the end of {self.child.log}:\n"
            f"{self.child.tail()}"
        )


class Archiver:
    """`mucktrack archive`, until `stack` ends it."""

    def __init__(
        self, settings: Settings, servers: Servers, archive: Path, folder: Path, stack: ExitStack
    ) -> None:
        environment = child_environment(
            **servers.kafka_variables,
            partitions=str(settings.partitions),
            archive=str(archive),
            archive_roll_s=str(settings.archive_roll_s),
            archive_days=str(settings.archive_days),
            metrics_host=settings.metrics_host,
            archive_metrics_port="0",
        )
        self._metrics_port_file = folder / "archiver.port"
        self.child = Child(
            "archiver",
            child_command("archive", "--metrics-port-file", str(self._metrics_port_file)),
            folder / "archiver.log",
            environment=environment,
            grace_s=ARCHIVER_GRACE_S,
        )
        stack.callback(self.child.stop)

    def metrics_port(self) -> int:
        """Raises `WorkFailedError`."""
        return port_in(self._metrics_port_file, self.child)


class Gateway:
    """`mucktrack gateway` on a free port, until `stack` ends it. It does not tick: the fleet's time
    is not the clock's."""

    def __init__(
        self, settings: Settings, servers: Servers, city: Path, folder: Path, stack: ExitStack
    ) -> None:
        self._port_file = folder / "gateway.port"
        self._metrics_port_file = folder / "gateway-metrics.port"
        environment = child_environment(
            **servers.kafka_variables,
            redis=servers.redis,
            city=str(city),
            partitions=str(settings.partitions),
            gateway_host=HOST,
            gateway_port="0",
            metrics_host=settings.metrics_host,
            gateway_metrics_port="0",
            gateway_tick_s="0",
            gateway_connections_an_address="1000000",
        )
        command = child_command(
            *("gateway", "--port-file", str(self._port_file)),
            *("--metrics-port-file", str(self._metrics_port_file)),
        )
        self.child = Child("gateway", command, folder / "gateway.log", environment=environment)
        stack.callback(self.child.stop)

    def address(self) -> str:
        """Where it awaits terminals, once it does. Raises `WorkFailedError`."""
        return f"{HOST}:{port_in(self._port_file, self.child)}"

    def metrics_port(self) -> int:
        """Raises `WorkFailedError`."""
        return port_in(self._metrics_port_file, self.child)


class Fleet:
    """`mucktrack simulate`, until `stack` ends it."""

    def __init__(
        self,
        plan: FleetPlan,
        servers: Servers,
        city: Path,
        partitions: int,
        start_ms: int,
        folder: Path,
        stack: ExitStack,
        gateway: str | None = None,
    ) -> None:
        """`start_ms`: when its first positions are of, in event time. `gateway`: where it reports;
        None = it publishes by itself."""
        self.labels = folder / "labels.jsonl"
        environment = child_environment(
            **servers.kafka_variables,
            city=str(city),
            partitions=str(partitions),
        )
        command = child_command(
            "simulate",
            *("--trucks", str(plan.trucks), "--speed", str(plan.speed)),
            *("--seed", str(plan.seed), "--share", str(plan.share)),
            *("--start", _iso(start_ms), "--labels", str(self.labels)),
            *(() if gateway is None else ("--jt808", gateway)),
        )
        self.child = Child("fleet", command, folder / "fleet.log", environment=environment)
        stack.callback(self.child.stop)

    def stop(self) -> int:
        """End it; how many positions it has published. Raises `WorkFailedError`."""
        stop(self.child)
        said = PUBLISHED.findall(self.child.log.read_text())
        if not said and self.child.exit_code() == TERMINATED:
            return 0  # The signal came before it had begun.
        if not said:
            raise WorkFailedError(
                f"fleet: it did not say what it published; the end of {self.child.log}:\n"
                f"{self.child.tail()}"
            )
        return int(said[-1])


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def child_command(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "mucktrack", *arguments]


def _kafka_variables(settings: Settings, kafka: KafkaAccess) -> dict[str, str]:
    """Of passwords and files, what this process was told itself."""
    given = {name: getattr(settings, name) for name in KAFKA_ACCESS}
    told = {name: str(value) for name, value in given.items() if value is not None}
    return {"kafka": kafka.bootstrap, **told}


def child_environment(**settings: str) -> dict[str, str]:
    """This process's, with the settings of the child in place of its own."""
    own = variables() - {SETTINGS[name].variable for name in LOGGING}
    inherited = {name: value for name, value in os.environ.items() if name not in own}
    # Their stderr is a file; who reads it, or its end in an error, is who started this one.
    form = {SETTINGS["log"].variable: "text" if sys.stderr.isatty() else "json"}
    return form | inherited | {SETTINGS[name].variable: value for name, value in settings.items()}
