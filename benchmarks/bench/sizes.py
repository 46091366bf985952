"""How much `mucktrack bench` does: sizes that give figures worth quoting, and quick ones.

Chosen by `benchmarks.bench.command`. A quick run shows that everything works, in a small city; its
figures measure starting up as much as the work.
"""

from dataclasses import dataclass

from benchmarks.city import Plan


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of all measurements."""

    plan: Plan
    """The city."""
    trucks: int
    positions: int
    """Measured in each round, in the core, of a file and in arrays through Kafka."""
    singles: int
    """Single records through Kafka."""
    rounds: int
    scalar: int
    """Positions that the scalar reading takes in a round."""
    latency_rate: int
    latency_s: float
    latency_trucks: int
    memory_trucks: tuple[int, ...]
    growth_positions: int
    growth_trucks: tuple[int, ...]
    """The middle one is what the others are held against."""
    growth_base_trucks: int
    """Of the cities of all other series."""
    growth_places: tuple[int, ...]
    """Sites, and routes; the first is what the others are held against."""
    growth_vertices: tuple[int, ...]


FULL = Sizes(
    plan=Plan(),
    trucks=100_000,
    positions=3_000_000,
    singles=200_000,
    rounds=3,
    scalar=6_000,
    latency_rate=10_000,
    latency_s=30.0,
    latency_trucks=20_000,
    memory_trucks=(10_000, 100_000, 1_000_000),
    growth_positions=500_000,
    growth_trucks=(10_000, 100_000, 1_000_000),
    growth_base_trucks=20_000,
    growth_places=(100, 1_000, 10_000),
    growth_vertices=(500, 5_000, 20_000),
)
QUICK = Sizes(
    plan=Plan(sites=100, routes=100, vertices=400),
    trucks=2_000,
    positions=100_000,
    singles=15_000,
    rounds=1,
    scalar=600,
    latency_rate=2_000,
    latency_s=5.0,
    latency_trucks=1_000,
    memory_trucks=(1_000, 4_000),
    growth_positions=20_000,
    growth_trucks=(1_000, 2_000, 4_000),
    growth_base_trucks=1_000,
    growth_places=(100, 400),
    growth_vertices=(400, 2_000),
)
