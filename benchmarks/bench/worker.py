"""`bench worker`: from Kafka to violations acknowledged, by real workers with checkpoints on.

The topic is full beforehand. Each round runs a worker and then its ceiling on the same topic: for
arrays a Faust agent that decodes, for single records one that does nothing. Two workers follow.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.bench.batches import arrays, singles
from benchmarks.bench.figures import Report, median
from benchmarks.bench.servers import PARTITIONS, Rate, Servers, servers
from benchmarks.bench.sizes import Sizes
from benchmarks.bench.violation import violation_us
from benchmarks.city import write_city
from benchmarks.core import WARM_REPORTS
from benchmarks.load import Load
from geofences.loader import load_city

OFFENDING = 0.052
"""Share of the trucks' time that makes 0.5 violations in 100 positions, and 0.23 ended trips."""
ARRAY = 500
ARRAY_GOAL, ARRAY_SHARE_GOAL, SINGLE_SHARE_GOAL, VIOLATION_GOAL_US = 300_000.0, 0.45, 0.75, 60.0


def measure(report: Report, sizes: Sizes, say: Callable[[str], None]) -> None:
    """Adds all figures of workers, `decode_only_…`, `noop_single_…` and `violation_us`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say("worker: a city")
        city = folder / "city"
        write_city(city, sizes.trucks, plan=sizes.plan)
        load = Load(load_city(city), offending=OFFENDING)
        _arrays(report, sizes, say, folder, load)
        _singles(report, sizes, say, folder, load)
        say("worker: violations")
        spent = violation_us(folder / "violations", load, sizes)
    report.at_most("one violation, built and sent, µs", spent, VIOLATION_GOAL_US, "{:,.1f}")
    report.figures.violation_us = spent


def _arrays(
    report: Report, sizes: Sizes, say: Callable[[str], None], folder: Path, load: Load
) -> None:
    first = WARM_REPORTS * sizes.trucks
    last = first + sizes.positions
    say(f"worker: {last:,} positions in arrays into the topic")
    with servers(folder / "arrays", folder / "city") as platform:
        platform.fill(arrays(load, 0, last, PARTITIONS, ARRAY))
        ones, decodes, twos = [], [], []
        for number in range(sizes.rounds):
            say(f"worker: arrays, round {number + 1} of {sizes.rounds}")
            ones.append(platform.drain(1, first, last))
            decodes.append(platform.agent("decode", first, last))
            twos.append(platform.drain(2, first, last))
    one, decode, two = map(_rate, (ones, decodes, twos))
    report.at_least("worker, arrays, positions/s", one, ARRAY_GOAL)
    report.add("  decode-only agent, positions/s", f"{decode:,.0f}")
    report.at_least("  worker / decode-only", one / decode, ARRAY_SHARE_GOAL, "{:.0%}")
    report.add("  processor time a position, worker, ns", f"{_processor_ns(ones):,.0f}")
    report.add("  processor time a position, decode-only, ns", f"{_processor_ns(decodes):,.0f}")
    share = sum(rate.violations for rate in ones) / sum(rate.positions for rate in ones)
    report.add("  violations a position", f"{share:.2%}")
    report.add("two workers, arrays, positions/s", f"{two:,.0f}")
    report.add("  two workers / one", f"{two / one:.2f}×")
    report.add("  processor time a position, ns", f"{_processor_ns(twos):,.0f}")
    report.figures.worker_array_positions_per_s = one
    report.figures.decode_only_positions_per_s = decode


def _singles(
    report: Report, sizes: Sizes, say: Callable[[str], None], folder: Path, load: Load
) -> None:
    # Each truck is met once before: that is dear, and no part of the steady state.
    first = min(sizes.trucks, sizes.singles // 2)
    last = first + sizes.singles
    say(f"worker: {last:,} single records into the topic")
    with servers(folder / "singles", folder / "city") as platform:
        platform.fill(singles(load, 0, last, PARTITIONS))
        ones, noops = _in_turn(platform, first, last, sizes.rounds, say)
    one, noop = _rate(ones), _rate(noops)
    report.add("worker, single records, positions/s", f"{one:,.0f}")
    report.add("  no-op agent, positions/s", f"{noop:,.0f}")
    report.at_least("  worker / no-op", one / noop, SINGLE_SHARE_GOAL, "{:.0%}")
    report.add("  processor time a position, worker, ns", f"{_processor_ns(ones):,.0f}")
    report.add("  processor time a position, no-op, ns", f"{_processor_ns(noops):,.0f}")
    report.figures.worker_single_positions_per_s = one
    report.figures.noop_single_positions_per_s = noop


def _in_turn(
    platform: Servers, first: int, last: int, rounds: int, say: Callable[[str], None]
) -> tuple[list[Rate], list[Rate]]:
    ones, noops = [], []
    for number in range(rounds):
        say(f"worker: single records, round {number + 1} of {rounds}")
        ones.append(platform.drain(1, first, last))
        noops.append(platform.agent("noop", first, last))
    return ones, noops


def _rate(rates: list[Rate]) -> float:
    return median(rate.positions_per_s for rate in rates)


def _processor_ns(rates: list[Rate]) -> float:
    return median(rate.processor_ns for rate in rates)
