"""What `mucktrack bench` tells: the figures with their goals, and the same for machines.

Filled by the measurements, shown by `benchmarks.bench.command`. It knows nothing of how anything is
measured. The goals are those of the design, all of them with every rule and checkpoints on.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec


class Growth(msgspec.Struct, frozen=True):
    """What a position costs in the core at one size of one thing."""

    what: str
    value: float
    ns_per_position: float
    ratio: float
    """To the size that the goal, or the series, is reckoned from."""


class Figures(msgspec.Struct):
    """What `--json` writes. Null: not measured in this run."""

    core_positions_per_s: float | None = None
    """On columns, in batches of 5,000, by processor time."""
    detect_positions_per_s: float | None = None
    worker_array_positions_per_s: float | None = None
    worker_single_positions_per_s: float | None = None
    decode_only_positions_per_s: float | None = None
    noop_single_positions_per_s: float | None = None
    scalar_positions_per_s: float | None = None
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    bytes_per_truck: float | None = None
    """At the greatest number of trucks."""
    violation_us: float | None = None
    growth: list[Growth] = []


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    name: str
    value: str
    goal: str = ""
    met: bool | None = None
    """None = there is no goal, or no judging it at this size."""


@dataclass(slots=True)
class Report:
    """Everything that a run has found."""

    figures: Figures = field(default_factory=Figures)
    rows: list[Row] = field(default_factory=list)

    def add(self, name: str, value: str) -> None:
        """A line without a goal."""
        self.rows.append(Row(name, value))

    def at_least(self, name: str, value: float, goal: float, form: str = "{:,.0f}") -> None:
        self.rows.append(Row(name, form.format(value), f"≥ {form.format(goal)}", value >= goal))

    def at_most(self, name: str, value: float, goal: float, form: str = "{:,.0f}") -> None:
        self.rows.append(Row(name, form.format(value), f"≤ {form.format(goal)}", value <= goal))

    def lines(self) -> list[str]:
        """The table."""
        columns = [
            (row.name, row.value, row.goal, {None: "", True: "met", False: "not met"}[row.met])
            for row in self.rows
        ]
        name, value, goal = (max(len(row[i]) for row in columns) for i in range(3))
        return [f"{a:{name}}  {b:>{value}}  {c:{goal}}  {d}".rstrip() for a, b, c, d in columns]


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so great a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]
