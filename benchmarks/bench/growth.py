"""`bench growth`: what a position costs in the core as one thing after another grows.

Each series has engines of all its sizes side by side and takes from each in turn, so that whatever
else the machine does falls on all of them. Processor time, batches of 5,000 unless they are what
grows, 2 % offending unless that is.
"""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.bench.core import OFFENDING, QUOTED
from benchmarks.bench.figures import Growth, Report, median
from benchmarks.bench.sizes import Sizes
from benchmarks.city import Plan, benchmark_city
from benchmarks.core import WARM_REPORTS, prepared_engine, seconds_and_violations
from benchmarks.load import Load
from geofences.city import City
from streams.detect import PreparedCity

TRUCKS_GOAL, PLACES_GOAL = 1.25, 1.5
OFFENDERS = (0.0, 0.02, 0.05, 0.1)
BATCHES = (50, 500, 5_000, 50_000)
BASE = {"offending": 0.0, "batch": float(QUOTED)}
"""The size that a series is reckoned from, where it is not the first or the second."""


@dataclass(frozen=True, slots=True)
class Case:
    """One size of a series."""

    value: float
    trucks: int
    plan: Plan
    offending: float = OFFENDING
    batch: int = QUOTED


Cities = dict[tuple[int, Plan], tuple[City, PreparedCity]]
"""Those made so far."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A case with its city and its positions."""

    case: Case
    city: PreparedCity
    load: Load
    warm_up: Any
    positions: Any


def measure(report: Report, sizes: Sizes, say: Callable[[str], None]) -> None:
    """Adds `growth`."""
    series = {
        "trucks": [Case(count, count, sizes.plan) for count in sizes.growth_trucks],
        **_series_of_the_city(sizes),
    }
    cities: Cities = {}
    for what, cases in series.items():
        ns = _ns(what, cases, sizes, cities, say)
        if what == "trucks":
            # The greatest takes gigabytes, and is of no use to the others.
            cities.clear()
        base = ns[_base(what, cases)]
        for case, cost_ns in zip(cases, ns, strict=True):
            found = Growth(what, case.value, cost_ns, cost_ns / base)
            report.figures.growth.append(found)
            _tell(report, found, sizes)


def _series_of_the_city(sizes: Sizes) -> dict[str, list[Case]]:
    one, plan = Case(0, sizes.growth_base_trucks, sizes.plan), sizes.plan

    def planned(value: int, plan: Plan) -> Case:
        return replace(one, value=value, plan=plan)

    return {
        "sites": [planned(n, replace(plan, sites=n)) for n in sizes.growth_places],
        "routes": [planned(n, replace(plan, routes=n)) for n in sizes.growth_places],
        "vertices": [planned(n, replace(plan, vertices=n)) for n in sizes.growth_vertices],
        "offending": [replace(one, value=share, offending=share) for share in OFFENDERS],
        "batch": [replace(one, value=size, batch=size) for size in BATCHES],
    }


def _ns(
    what: str,
    cases: Sequence[Case],
    sizes: Sizes,
    cities: Cities,
    say: Callable[[str], None],
) -> list[float]:
    """Nanoseconds a position of each case."""
    ready = []
    for case in cases:
        say(f"growth: {what} {case.value:g}")
        key = case.trucks, case.plan
        if key not in cities:
            city = benchmark_city(case.trucks, plan=case.plan)
            cities[key] = city, PreparedCity.of(city)
        city, prepared = cities[key]
        load = Load(city, offending=case.offending)
        warm = WARM_REPORTS * case.trucks
        ready.append(
            Ready(
                case,
                prepared,
                load,
                load.columns(0, warm),
                load.columns(warm, warm + sizes.growth_positions),
            )
        )
    spent: list[list[float]] = [[] for _ in ready]
    for number in range(sizes.rounds):
        say(f"growth: {what}, round {number + 1} of {sizes.rounds}")
        for one, seconds in zip(ready, spent, strict=True):
            engine = prepared_engine(one.city, one.load, one.warm_up)
            gc.collect()
            seconds.append(seconds_and_violations(engine, one.positions, one.case.batch)[0])
            del engine
    return [median(seconds) / sizes.growth_positions * 1e9 for seconds in spent]


def _base(what: str, cases: Sequence[Case]) -> int:
    """The number of the case that the others are held against: of trucks the one before the last,
    of which the goal speaks."""
    if what == "trucks":
        return max(0, len(cases) - 2)
    wanted = BASE.get(what, cases[0].value)
    return next((i for i, case in enumerate(cases) if case.value == wanted), 0)


def _tell(report: Report, found: Growth, sizes: Sizes) -> None:
    name = f"growth, {found.what} {found.value:{'.0%' if found.what == 'offending' else ',.0f'}}"
    report.add(f"{name}, ns a position", f"{found.ns_per_position:,.0f}")
    if found.what == "trucks" and found.value == sizes.growth_trucks[-1]:
        report.at_most("  to the size before", found.ratio, TRUCKS_GOAL, "{:.2f}×")
    elif found.what in ("sites", "routes") and found.value == sizes.growth_places[-1]:
        report.at_most("  to the first size", found.ratio, PLACES_GOAL, "{:.2f}×")
