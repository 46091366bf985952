"""Apache Kafka on this machine: brokers that can be killed, frozen and started again.

    with KafkaCluster(folder, brokers=3) as cluster:
        ...  # clients use cluster.bootstrap
        cluster.kill(1)
        cluster.start(1)

Each broker is a controller too (KRaft), with ports and a data folder of its own that it keeps. For
tests alone: little memory, few partitions for Kafka's own topics, data that nobody misses.
"""

import signal
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from mucktrack.embedded import HOST
from servers.kafka_jars import kafka_jars
from servers.programs import java
from servers.server_process import ServerProcess, quiet_port

READY_S = 90.0
POLL_S = 0.05
STARTED = "Kafka Server started"
"""Logged when the broker has been let into the cluster. It answers before that."""
PLAIN = "PLAINTEXT"
SCRAM = "SCRAM-SHA-512"
SCRAMS = (SCRAM, "SCRAM-SHA-256")
NEVER_MS = str(7 * 24 * 3_600_000)
LIGHT = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
"""For a start in a few seconds; a broker at test loads spends its time in the kernel."""


_SCRAM_LOGINS = {
    "sasl.enabled.mechanisms": ",".join(SCRAMS),
    **{
        f"{mechanism.lower()}.sasl.jaas.config": "org.apache.kafka.common.security.scram."
        "ScramLoginModule required;"
        for mechanism in SCRAMS
    },
}


@dataclass(slots=True)
class _Broker:
    number: int
    """From 0; Kafka's node id is one more."""
    folder: Path
    listeners: Mapping[str, str]
    """Further ones: name → protocol."""
    client_port: int = field(default_factory=quiet_port)
    broker_port: int = field(default_factory=quiet_port)
    controller_port: int = field(default_factory=quiet_port)
    process: ServerProcess | None = None
    ports: dict[str, int] = field(default_factory=dict)
    """Of the further listeners."""

    def __post_init__(self) -> None:
        self.ports = {name: quiet_port() for name in self.listeners}

    @property
    def settings(self) -> Path:
        return self.folder / "server.properties"


class KafkaCluster:
    """`brokers` brokers, numbered from 0, all under `folder`.

    `protocol` is that of the listener for clients (SSL, SASL_PLAINTEXT, SASL_SSL); brokers talk
    plain among themselves. `properties` are added to every broker's, and overrule what is set here;
    `listener.name.clients.…` are the clients' listener's. `listeners` (name → protocol) are
    further ones. `scram_users` (name → password) exist from the start.

    Raises `MissingProgramError`, `JarsNotFetchedError`, and `ServerFailedError` where a broker does
    not come up.
    """

    keeps = True
    """What it has written, when it is killed."""

    def __init__(
        self,
        folder: Path,
        brokers: int = 1,
        *,
        protocol: str = PLAIN,
        properties: Mapping[str, str] | None = None,
        scram_users: Mapping[str, str] | None = None,
        listeners: Mapping[str, str] | None = None,
        heap_mb: int = 384,
    ) -> None:
        self._classpath = f"{kafka_jars()}/*"
        self._java = [java(), f"-Xmx{heap_mb}m", *LIGHT]
        self._protocol = protocol
        self._brokers = [
            _Broker(number, folder / f"broker-{number}", listeners or {})
            for number in range(brokers)
        ]
        for broker in self._brokers:
            broker.folder.mkdir(parents=True)
            settings = self._settings(broker) | dict(properties or {})
            lines = [f"{name}={value}\n" for name, value in settings.items()]
            broker.settings.write_text("".join(lines))
        self._format(scram_users or {})

    @property
    def bootstrap(self) -> str:
        """What clients are given: `host:port` of every broker, joined by commas."""
        return ",".join(f"{HOST}:{broker.client_port}" for broker in self._brokers)

    @property
    def plain_bootstrap(self) -> str:
        """The listener that brokers use among themselves: plain, whatever clients' `protocol`."""
        return ",".join(f"{HOST}:{broker.broker_port}" for broker in self._brokers)

    def bootstrap_of(self, listener: str) -> str:
        """Of one of the further `listeners`."""
        return ",".join(f"{HOST}:{broker.ports[listener]}" for broker in self._brokers)

    def log(self, number: int) -> Path:
        return self._brokers[number].folder / "log"

    def pid(self, number: int) -> int:
        """Of the broker's process."""
        return self._running(number).pid

    def start(self, *numbers: int) -> None:
        """Start these brokers together, all where none is named, and wait until they are in.

        Those that run must be more than half: fewer wait for the others in vain. One that was
        killed is let in when its former session has run out (`broker.session.timeout.ms`, 9 s).
        """
        chosen = [self._brokers[number] for number in numbers] or self._brokers
        for broker in chosen:
            assert broker.process is None, f"broker {broker.number} runs already"
        for broker in chosen:
            broker.process = ServerProcess(
                f"kafka broker {broker.number}",
                [*self._java, "-cp", self._classpath, "kafka.Kafka", str(broker.settings)],
                self.log(broker.number),
            )
        deadline = time.monotonic() + READY_S
        for broker in chosen:
            process = self._running(broker.number)
            while STARTED not in process.said():
                process.check()
                if time.monotonic() > deadline:
                    raise process.failed(f"it was not ready within {READY_S:g} s")
                time.sleep(POLL_S)

    def kill(self, number: int) -> None:
        """SIGKILL; what the broker has written stays in its folder."""
        self._running(number).kill()
        self._brokers[number].process = None

    def freeze(self, number: int) -> None:
        """SIGSTOP; after some 9 s the others take the broker for dead."""
        self._running(number).signal(signal.SIGSTOP)

    def thaw(self, number: int) -> None:
        """SIGCONT."""
        self._running(number).signal(signal.SIGCONT)

    def stop(self) -> None:
        """End all that run, as `kill` does."""
        for broker in self._brokers:
            process, broker.process = broker.process, None
            if process is not None:
                process.end()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _running(self, number: int) -> ServerProcess:
        process = self._brokers[number].process
        assert process is not None, f"broker {number} does not run"
        return process

    def _settings(self, broker: _Broker) -> dict[str, str]:
        voters = ",".join(f"{one.number + 1}@{HOST}:{one.controller_port}" for one in self._brokers)
        copies = min(3, len(self._brokers))
        in_sync = (copies + 1) // 2
        more = "".join(f",{name}://{HOST}:{port}" for name, port in broker.ports.items())
        protocols = "".join(f",{name}:{one}" for name, one in broker.listeners.items())
        logins = {
            f"listener.name.{listener.lower()}.{name}": value
            for listener in ("CLIENTS", *broker.listeners)
            for name, value in _SCRAM_LOGINS.items()
        }
        return {
            "process.roles": "broker,controller",
            "node.id": str(broker.number + 1),
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLERS",
            "inter.broker.listener.name": "BROKERS",
            "listeners": f"CLIENTS://{HOST}:{broker.client_port},"
            f"BROKERS://{HOST}:{broker.broker_port},CONTROLLERS://{HOST}:{broker.controller_port}{more}",
            "listener.security.protocol.map": f"CLIENTS:{self._protocol},BROKERS:{PLAIN},"
            f"CONTROLLERS:{PLAIN}{protocols}",
            **logins,
            "log.dirs": str((broker.folder / "data").resolve()),
            "default.replication.factor": str(copies),
            "min.insync.replicas": str(in_sync),
            "offsets.topic.replication.factor": str(copies),
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": str(copies),
            "transaction.state.log.min.isr": str(in_sync),
            "transaction.state.log.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
            # Kafka would delete records of bygone years within minutes, at any moment of a test.
            "log.initial.task.delay.ms": NEVER_MS,
            "log.retention.check.interval.ms": NEVER_MS,
        }

    def _format(self, scram_users: Mapping[str, str]) -> None:
        """Prepare the data folders, all at once."""
        cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        users = [
            f"--add-scram={mechanism}=[name={name},password={password}]"
            for name, password in scram_users.items()
            for mechanism in SCRAMS
        ]
        tool = [*self._java, "-cp", self._classpath, "kafka.tools.StorageTool", "format"]
        formatting = [
            subprocess.Popen(
                [*tool, f"--cluster-id={cluster_id}", f"--config={broker.settings}", *users],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for broker in self._brokers
        ]
        for process in formatting:
            said, _ = process.communicate(timeout=READY_S)
            assert process.returncode == 0, f"Kafka's storage was not formatted:\n{said}"
