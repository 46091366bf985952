"""The services of `docker-compose.yml` as processes on the loopback, each with the command, the
environment and the health check that the file gives it.

What differs is told by `Places`: names of containers become addresses, folders of containers
folders of the test, fixed ports free ones. All else is taken from the file as it stands.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compose_file import SECRETS_FOLDER, seconds, services
from conftest import ROOT
from servers.server_process import quiet_port

from mucktrack.children import Child
from mucktrack.embedded import HOST
from mucktrack.settings import SETTINGS

POLL_S = 0.2
WITHIN_S = 60.0
LISTENING = {
    "gateway": ("gateway_port", "gateway_metrics_port"),
    "gateway809": ("gateway809_port", "gateway809_metrics_port"),
    "worker": ("metrics_port",),
    "archiver": ("archive_metrics_port",),
    "console": ("console_port", "console_metrics_port"),
}
"""Settings with a port that is always the same in a container, and taken on a machine that others
use."""
CONTAINER_PLACE = re.compile(r"\b(kafka|redis|postgres):\d+|(?<!\w)/(run|city|var|platforms)/")


@dataclass
class Places:
    """What stands in the file → what stands for it here; the longest first."""

    told: dict[str, str]

    def of(self, text: str) -> str:
        for name in sorted(self.told, key=len, reverse=True):
            text = text.replace(name, self.told[name])
        assert not CONTAINER_PLACE.search(text), f"{text}: a place that only containers have"
        return text


@dataclass
class Service:
    """One of them, which runs from `start` to `stop`."""

    name: str
    places: Places
    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    child: Child | None = None

    def __post_init__(self) -> None:
        self.ports = {name: quiet_port() for name in LISTENING.get(self.name, ())}

    @property
    def entry(self) -> dict[str, Any]:
        return services()[self.name]

    @property
    def grace_s(self) -> float:
        return seconds(self.entry["stop_grace_period"])

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "mucktrack", *map(self.places.of, self.entry["command"])]

    def environment(self) -> dict[str, str]:
        given = self.entry.get("environment", {})
        told = {name: self.places.of(str(value)) for name, value in given.items()}
        ports = {SETTINGS[name].variable: str(port) for name, port in self.ports.items()}
        return {**outside(), "MUCKTRACK_STATE_DIR": str(self.folder / "state"), **told, **ports}

    def run(self, *arguments: str) -> str:
        """As `docker compose run SERVICE ARGUMENT…`; what it printed."""
        command = [sys.executable, "-m", "mucktrack", *arguments] if arguments else self.command()
        done = subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, check=False,
            timeout=WITHIN_S, cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == 0, f"{self.name}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        self.child = Child(
            self.name,
            self.command(),
            self.log,
            folder=self.folder,
            environment=self.environment(),
            grace_s=self.grace_s,
        )

    def health_command(self) -> Sequence[str]:
        kind, *command = self.entry["healthcheck"]["test"]
        for name, port in self.ports.items():
            command = [part.replace(f"{SETTINGS[name].default}", str(port)) for part in command]
        if kind == "CMD-SHELL":
            return ["sh", "-c", self.places.of(command[0])]
        assert command[0] == "python"
        return [sys.executable, *command[1:]]

    def is_healthy(self) -> bool:
        done = subprocess.run(
            self.health_command(), capture_output=True, check=False, env=outside(),
            timeout=seconds(self.entry["healthcheck"]["timeout"]),
        )  # fmt: skip
        return done.returncode == 0

    def wait_until_healthy(self) -> None:
        assert self.child is not None
        deadline = time.monotonic() + WITHIN_S
        while not self.is_healthy():
            code = self.child.exit_code()
            assert code is None, f"{self.name} ended with {code}:\n{self.child.tail()}"
            assert time.monotonic() < deadline, f"{self.name}: unhealthy\n{self.child.tail()}"
            time.sleep(POLL_S)

    def exit_code(self) -> int | None:
        """Of a stop that `Child.begin_stop` began; None where it outlived its grace time."""
        assert self.child is not None
        return self.child.wait(self.grace_s)


def outside() -> dict[str, str]:
    """What the image's environment stands for: nothing of this machine's but its programs."""
    kept: Mapping[str, str] = {
        name: os.environ[name] for name in ("PATH", "HOME", "XDG_CACHE_HOME") if name in os.environ
    }
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def secret(folder: Path, name: str) -> str:
    return (folder / name).read_text().strip()


def places_of(secrets: Path, city: Path, archive: Path, ports: Mapping[str, int]) -> Places:
    """`ports`: of Kafka, Redis and PostgreSQL."""
    return Places(
        {
            "kafka:9092": f"{HOST}:{ports['kafka']}",
            "redis:6379": f"{HOST}:{ports['redis']}",
            "postgres:5432": f"{HOST}:{ports['postgres']}",
            f"{SECRETS_FOLDER}/": f"{secrets}/",
            "/var/lib/mucktrack/archive": str(archive),
            "/city": str(city),
            "0.0.0.0": HOST,  # noqa: S104 - what is replaced
        }
    )
