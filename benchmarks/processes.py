"""A `mucktrack` process under watch: what it tells, what it takes of the machine.

Used by the benchmarks that measure whole processes. It knows nothing of what they measure.
"""

import os
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from mucktrack.children import Child

ROOT = Path(__file__).resolve().parent.parent
START_WITHIN_S = 300.0
"""A city of a million trucks takes a minute to load."""
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

Samples = dict[tuple[str, str], float]
"""Of one process, by name and the value of its first label; sums over the others."""

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Worker:
    """A `mucktrack` process under watch."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, **settings: str) -> None:
        self._port_file = folder / f"{name}.port"
        self._port_file.unlink(missing_ok=True)
        self.child = Child(
            name,
            [
                *(sys.executable, "-m", "mucktrack", *command),
                *("--metrics-port-file", str(self._port_file)),
            ],
            folder / f"{name}.log",
            environment=environment(**settings),
            grace_s=30.0,
        )

    def page(self, name: str) -> str:
        port = self._port_file.read_text().strip()
        with _opener.open(f"http://127.0.0.1:{port}/{name}", timeout=10) as answer:
            body: str = answer.read().decode()
            return body

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            self.check()
            try:
                self.page("readyz")
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise SystemExit(f"{self.child.name} is not ready:\n{self.child.tail()}")

    def check(self) -> None:
        if self.child.exit_code() is not None:
            raise SystemExit(f"{self.child.name} has ended:\n{self.child.tail()}")

    def figures(self) -> Samples:
        figures: Samples = {}
        for family in text_string_to_metric_families(self.page("metrics")):
            for sample in family.samples:
                key = sample.name, next(iter(sample.labels.values()), "")
                figures[key] = figures.get(key, 0.0) + sample.value
        return figures

    def rss_mb(self) -> float:
        return rss_mb(self.child)

    def processor_s(self) -> float:
        return processor_s(self.child)

    def descriptors(self) -> int:
        return len(list((_process(self.child) / "fd").iterdir()))


def environment(**settings: str) -> dict[str, str]:
    """This process' own without its settings, and with these."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MUCKTRACK_")}
    given = {f"MUCKTRACK_{key.upper()}": value for key, value in settings.items()}
    return kept | given | {"PYTHONPATH": str(ROOT)}


def total(figures: Samples, name: str) -> float:
    """The sum of a metric over its label."""
    return sum(value for (one, _), value in figures.items() if one == name)


def rss_mb(child: Child) -> float:
    for line in (_process(child) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise AssertionError("a process without memory")


def processor_s(child: Child) -> float:
    """Seconds of processor time that the program has taken, its threads' together."""
    fields = (_process(child) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def _process(child: Child) -> Path:
    """The program itself, under its leash."""
    leash = child.leash_pid
    return Path("/proc") / Path(f"/proc/{leash}/task/{leash}/children").read_text().split()[0]
