"""What a worker tells on its Prometheus endpoint, as `mucktrack up` needs it.

It knows the names of the metrics (`streams.metrics`) and nothing of who asks.
"""

import urllib.error
import urllib.request
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from streams.metrics import FIX

ANSWER_S = 2.0

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# A proxy that the environment names does not reach a worker on this machine.


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """Counts since the worker started."""

    positions: int = 0
    """Taken, whatever became of them."""
    rejected: int = 0
    violations: int = 0
    """Acknowledged by the broker."""
    partitions_assigned: int = 0
    partitions_loaded: int = 0
    """Those it reads already."""

    @property
    def ready(self) -> bool:
        return self.partitions_loaded == self.partitions_assigned > 0


def scrape(host: str, port: int) -> WorkerFigures | None:
    """The figures now; None where nobody answers (not yet, or no more)."""
    try:
        with _opener.open(f"http://{host}:{port}/metrics", timeout=ANSWER_S) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, OSError):
        return None
    return _figures(text)


def _figures(text: str) -> WorkerFigures:
    sums: dict[str, float] = {}
    fixes = 0.0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
            if sample.name == "mucktrack_positions_total" and sample.labels["outcome"] == FIX:
                fixes = sample.value
    positions = sums.get("mucktrack_positions_total", 0.0)
    return WorkerFigures(
        positions=int(positions),
        rejected=int(positions - fixes),
        violations=int(sums.get("mucktrack_violations_total", 0.0)),
        partitions_assigned=int(sums.get("mucktrack_partitions_assigned", 0.0)),
        partitions_loaded=int(sums.get("mucktrack_partitions_loaded", 0.0)),
    )
