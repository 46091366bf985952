"""How fast the core judges columns on one core (design section 9).

`python -m benchmarks.core` prints, for each batch size, nanoseconds of processor time a position
and positions a second: once with a share of offenders, and once without, so that the cost of
putting violations into words shows. The engine first sees every truck a few times, untimed.
"""

import argparse
import gc
import statistics
import time
from typing import Any

from benchmarks.city import benchmark_city
from benchmarks.load import Load, pieces
from streams.detect import Engine, PreparedCity

WARM_REPORTS = 4
"""Reports of each truck before the clock starts: whether it is loaded is then known."""


def prepared_engine(city: PreparedCity, load: Load, warm_up: Any) -> Engine:
    """An offline engine that knows every truck and has taken `warm_up`."""
    engine = Engine.offline(city)
    engine.trucks.rows_of(load.fleet.truck_ids)
    engine.process_columns(warm_up)
    return engine


def seconds_and_violations(engine: Engine, batch: Any, size: int) -> tuple[float, int]:
    """Take `batch` in pieces of `size`: the time it takes, and the violations that come of it."""
    violations = 0
    gc.collect()
    started = time.process_time()
    for start, stop in pieces(len(batch), size):
        violations += len(engine.process_columns(batch[start:stop]).violations)
    return time.process_time() - started, violations


def measure(city: PreparedCity, load: Load, positions: int, sizes: list[int], rounds: int) -> None:
    """Print a line for each batch size."""
    warm = WARM_REPORTS * len(load.fleet.truck_ids)
    warm_up, batch = load.columns(0, warm), load.columns(warm, warm + positions)
    times: dict[int, list[float]] = {size: [] for size in sizes}
    violations = 0
    for _ in range(rounds):
        for size in sizes:
            engine = prepared_engine(city, load, warm_up)
            seconds, violations = seconds_and_violations(engine, batch, size)
            times[size].append(seconds)
    print(
        f"offending {load.offending:.1%}: {violations / positions * 1e6:,.0f} violations a million"
    )
    for size in sizes:
        median, best = statistics.median(times[size]), min(times[size])
        print(
            f"  batches of {size:>7,}: {median / positions * 1e9:6.0f} ns a position, "
            f"{positions / median:>11,.0f} positions/s (best {positions / best:,.0f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.core")
    parser.add_argument("--trucks", type=int, default=100_000)
    parser.add_argument("--positions", type=int, default=2_000_000)
    parser.add_argument("--batch", default="500,5000,50000", help="sizes, separated by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--offending", type=float, default=0.02)
    options = parser.parse_args()
    sizes = [int(size) for size in options.batch.split(",")]
    city = benchmark_city(options.trucks)
    prepared = PreparedCity.of(city)
    for offending in dict.fromkeys((options.offending, 0.0)):
        load = Load(city, offending=offending)
        measure(prepared, load, options.positions, sizes, options.rounds)


if __name__ == "__main__":
    main()
