"""`bench core`: columns to verdicts on one core, beside a scalar Python reading of the same."""

import gc
import time
from collections.abc import Callable

from benchmarks.bench.figures import Report, median
from benchmarks.bench.scalar import ScalarReading
from benchmarks.bench.sizes import Sizes
from benchmarks.city import benchmark_city
from benchmarks.core import WARM_REPORTS, prepared_engine, seconds_and_violations
from benchmarks.load import Load
from streams.detect import PreparedCity
from streams.position import Position

OFFENDING = 0.02
GOALS = {500: 1_200_000.0, 5_000: 1_500_000.0}
"""Batch size → positions a second."""
QUOTED = 5_000
SCALAR_TRUCKS = 300
"""Followed through all their reports: a scalar reading is too slow to meet all."""


def measure(report: Report, sizes: Sizes, say: Callable[[str], None]) -> None:
    """Adds `core_positions_per_s` and `scalar_positions_per_s`, in processor time."""
    say("core: a city")
    city = benchmark_city(sizes.trucks, plan=sizes.plan)
    prepared, load = PreparedCity.of(city), Load(city, offending=OFFENDING)
    warm = WARM_REPORTS * sizes.trucks
    warm_up, batch = load.columns(0, warm), load.columns(warm, warm + sizes.positions)
    known, unknown = _for_scalar(load, sizes.scalar)
    times: dict[int, list[float]] = {size: [] for size in GOALS}
    scalar: list[float] = []
    violations = 0
    for number in range(sizes.rounds):
        say(f"core: round {number + 1} of {sizes.rounds}")
        for size in GOALS:
            engine = prepared_engine(prepared, load, warm_up)
            seconds, violations = seconds_and_violations(engine, batch, size)
            times[size].append(seconds)
        reading = ScalarReading(city)
        reading.read(known)
        gc.collect()
        started = time.process_time()
        reading.read(unknown)
        scalar.append(time.process_time() - started)
    rates = {size: sizes.positions / median(seconds) for size, seconds in times.items()}
    scalar_rate = len(unknown) / median(scalar)
    for size, goal in GOALS.items():
        report.at_least(f"core, batches of {size:,}, positions/s", rates[size], goal)
    report.add("  violations a million positions", f"{violations / sizes.positions * 1e6:,.0f}")
    report.add("  scalar reading, positions/s", f"{scalar_rate:,.0f}")
    report.add("  core / scalar reading", f"{rates[QUOTED] / scalar_rate:,.0f}×")
    report.figures.core_positions_per_s = rates[QUOTED]
    report.figures.scalar_positions_per_s = scalar_rate


def _for_scalar(load: Load, count: int) -> tuple[list[Position], list[Position]]:
    """Reports of a few trucks: those by which they become known, and `count` that follow."""
    trucks = len(load.fleet.truck_ids)
    few = min(SCALAR_TRUCKS, trucks)
    reports = [
        load.positions(report * trucks, report * trucks + few)
        for report in range(WARM_REPORTS + -(-count // few))
    ]
    known = [position for one in reports[:WARM_REPORTS] for position in one]
    return known, [position for one in reports[WARM_REPORTS:] for position in one][:count]
