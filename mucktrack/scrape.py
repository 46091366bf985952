"""What a worker tells on its Prometheus endpoint, as `mucktrack up` needs it.

It knows the names of the metrics (`streams.instruments`) and nothing of who asks.
"""

import http.client
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from prometheus_client.parser import text_string_to_metric_families

from streams.instruments import FIX

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
    next_offsets: Mapping[int, int] = field(default_factory=dict)
    """Partition → offset of the record to be taken next; those it has taken records of."""
    highest_time_ms: int | None = None
    """Of all fixes and ticks; None = there was none."""

    def since(self, earlier: "WorkerFigures") -> "WorkerFigures":
        """These, with the counts from `earlier` on."""
        return replace(
            self,
            positions=self.positions - earlier.positions,
            rejected=self.rejected - earlier.rejected,
            violations=self.violations - earlier.violations,
        )

    @property
    def ready(self) -> bool:
        return self.partitions_loaded == self.partitions_assigned > 0


def scrape(host: str, port: int) -> WorkerFigures | None:
    """The figures now; None where no worker answers: not yet, no more, or it is somebody else."""
    try:
        with _opener.open(f"http://{host}:{port}/metrics", timeout=ANSWER_S) as answer:
            return _figures(answer.read().decode())
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _figures(text: str) -> WorkerFigures:
    sums: dict[str, float] = {}
    fixes = 0.0
    next_offsets: dict[int, int] = {}
    times_ms: list[int] = []
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
            if sample.name == "mucktrack_positions_total" and sample.labels["outcome"] == FIX:
                fixes += sample.value
            elif sample.name == "mucktrack_next_offset":
                next_offsets[int(sample.labels["partition"])] = int(sample.value)
            elif sample.name == "mucktrack_highest_time_seconds":
                times_ms.append(round(sample.value * 1000))
    positions = sums.get("mucktrack_positions_total", 0.0)
    return WorkerFigures(
        positions=int(positions),
        rejected=int(positions - fixes),
        violations=int(sums.get("mucktrack_violations_total", 0.0)),
        partitions_assigned=int(sums.get("mucktrack_partitions_assigned", 0.0)),
        partitions_loaded=int(sums.get("mucktrack_partitions_loaded", 0.0)),
        next_offsets=next_offsets,
        highest_time_ms=max(times_ms, default=None),
    )
