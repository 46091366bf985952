"""The workers of a chaos run: processes that are started again whenever they end, as an operator's
service manager does."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from streams.worker import Topics

PROGRAM = Path(__file__).parent / "worker_process.py"
STOP_S = 30.0


def samples(port_file: Path) -> dict[str, float]:
    """All metrics of the process that has written `port_file`; none where it does not answer."""
    try:
        address = f"http://127.0.0.1:{port_file.read_text().strip()}/metrics"
        with urllib.request.urlopen(address, timeout=1) as answer:
            lines = answer.read().decode().splitlines()
    except (OSError, ValueError):
        return {}
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")
    }


def by_partition(figures: dict[str, float], name: str) -> dict[int, int]:
    """The figure `name` of each partition."""
    return {
        int(sample.split('"')[1]): int(value)
        for sample, value in figures.items()
        if sample.startswith(name + "{")
    }


@dataclass(slots=True)
class Member:
    """One worker, over all its lives."""

    number: int
    folder: Path
    config: dict[str, object]
    sabotage: str
    child: subprocess.Popen[bytes] | None = None
    lives: int = 0
    expected_end: str | None = None
    """Why it is about to end, where that is our doing."""
    frozen: bool = False

    @property
    def port_file(self) -> Path:
        return self.folder / "port"

    @property
    def fault_file(self) -> Path:
        """The point at which it is to die, read by `worker_process`."""
        return self.folder / "fault"

    def start(self) -> None:
        self.port_file.unlink(missing_ok=True)
        self.fault_file.unlink(missing_ok=True)
        self.expected_end = None
        self.frozen = False
        self.lives += 1
        with (self.folder / "log").open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(self.folder / "config.json"), self.sabotage],
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )

    def signal(self, number: signal.Signals) -> None:
        assert self.child is not None
        self.child.send_signal(number)

    def metrics(self) -> dict[str, float]:
        """All its samples; none where it does not answer."""
        return samples(self.port_file)

    def loaded(self) -> int:
        """Partitions that it reads."""
        return int(self.metrics().get("mucktrack_partitions_loaded", 0))


@dataclass(slots=True)
class Crew:
    """All of them."""

    members: list[Member]
    ended: Counter[str] = field(default_factory=Counter)
    """Ends that were not our doing, by exit code."""

    @classmethod
    def of(
        cls, count: int, folder: Path, config: dict[str, object], topics: Topics, sabotage: str
    ) -> "Crew":
        members = []
        for number in range(count):
            own = folder / f"worker-{number}"
            own.mkdir()
            given = config | {
                "state_dir": str(own / "state"),
                "metrics_port_file": str(own / "port"),
                "topics": dataclasses.asdict(topics),
                "fault_file": str(own / "fault"),
            }
            (own / "config.json").write_text(json.dumps(given))
            members.append(Member(number, own, given, sabotage))
        return cls(members)

    def start(self) -> None:
        for member in self.members:
            member.start()

    def look_after(self) -> None:
        """Start again those that have ended."""
        for member in self.members:
            assert member.child is not None
            code = member.child.poll()
            if code is not None:
                if member.expected_end is None:
                    self.ended[f"exit code {code}"] += 1
                member.start()

    def next_offsets(self) -> dict[int, int]:
        """How far each partition is, by whoever has it."""
        found: dict[int, int] = {}
        for member in self.members:
            own = by_partition(member.metrics(), "mucktrack_next_offset")
            for partition, offset in own.items():
                found[partition] = max(found.get(partition, 0), offset)
        return found

    def all_know(self, versions: int) -> bool:
        return all(
            member.metrics().get("mucktrack_city_versions") == versions for member in self.members
        )

    def stop(self) -> list[int]:
        """SIGTERM to all; their exit codes."""
        for member in self.members:
            member.signal(signal.SIGCONT)
            member.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        codes = []
        for member in self.members:
            assert member.child is not None
            with contextlib.suppress(subprocess.TimeoutExpired):
                member.child.wait(max(0.1, deadline - time.monotonic()))
            codes.append(member.child.poll() if member.child.poll() is not None else -1)
        self.kill()
        return codes

    def kill(self) -> None:
        for member in self.members:
            if member.child is not None and member.child.poll() is None:
                member.child.kill()
                member.child.wait()
