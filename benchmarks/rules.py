"""What each rule costs: nanoseconds a position, and its share of the whole.

`python -m benchmarks.rules` takes the benchmark load round by round, in which each truck reports
once, so that after a round the trucks' records are what the rules saw. The functions of
`streams.rules` and `streams.runs` are then timed over the same fixes. What several rules need to
be told first, the zones and limits or what the permits say, is timed apart and charged to them in
equal parts. What it costs to follow a violation and put it into words is the difference between a
load with offenders and one without, shared out by the number of violations.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from benchmarks.city import benchmark_city
from benchmarks.core import WARM_REPORTS, prepared_engine
from benchmarks.load import Load, pieces
from geofences.jit import compiled, prefetch
from geofences.lookup import look_around
from geofences.projection import to_metres
from streams.catalogue import CATALOGUE
from streams.detect import Engine, PreparedCity
from streams.events import Out
from streams.passage import AHEAD
from streams.rules import (
    CROSS_DISTRICT_DUMPING,
    CROSS_DISTRICT_TRANSIT,
    ILLEGAL_DUMPING,
    LIFTED_MOVING,
    NO_GO_ZONE,
    NO_PERMIT,
    OFF_ROUTE,
    OUT_OF_HOURS,
    OVERLOAD,
    SIGNAL_LOST,
    SITE_CLOSED,
    SPEEDING,
    SUSPECTED_DUMPING,
    UNCOVERED_LOAD,
    UNDELIVERED,
    UNREGISTERED_SOURCE,
    WRONG_SITE,
    cross_district_dumping,
    cross_district_transit,
    find_limits,
    illegal_dumping,
    lifted_moving,
    no_go_zone,
    no_permit,
    off_route,
    out_of_hours,
    overload,
    site_closed,
    speeding,
    suspected_dumping,
    uncovered_load,
    weigh_permits,
    wrong_site,
)
from streams.runs import fall_due
from streams.state import LOADED, NOW

BATCH: Final = 5_000
NOTHING: Final = -1
"""In place of a rule: the fixes are looked at and no rule is asked."""
LIMITS: Final = -2
"""In place of a rule: zones and limits are found."""
PERMITS: Final = -3
"""In place of a rule: the permits are weighed."""
NEEDING: Final = {
    LIMITS: (NO_GO_ZONE, SPEEDING),
    PERMITS: (OFF_ROUTE, NO_PERMIT, OUT_OF_HOURS, CROSS_DISTRICT_TRANSIT),
}
AT_A_DUMP: Final = (ILLEGAL_DUMPING, WRONG_SITE, SITE_CLOSED, CROSS_DISTRICT_DUMPING)
"""Asked once a dump; timed as if each fix were one."""
BY_THE_WAY: Final = (UNREGISTERED_SOURCE,)
"""One comparison at a load event: nothing to time."""


@compiled
def fill(city: Any, rows: Any, batch: Any, nows: Any) -> None:
    """Make `nows` (records of `NOW`) what `take` knows of each fix before it asks the rules."""
    for i in range(len(batch)):
        position, now = batch[i], nows[i]
        place = now.place
        place.time_ms, place.lon, place.lat = position.time_ms, position.lon, position.lat
        place.x, place.y = to_metres(city.plane[0], position.lon, position.lat)
        look_around(city, place)
        now.truck = position.truck
        now.register = rows[position.truck].register
        now.speed_kmh = position.speed_kmh
        now.load_kg = position.load_kg
        now.loaded, now.lifted, now.covered = position.loaded, position.lifted, position.covered


@compiled
def ask(rule: int, city: Any, thresholds: Any, pool: Any, rows: Any, nows: Any, out: Out) -> int:
    """Ask one rule about all fixes about which the engine would; how often it was true."""
    limits = thresholds[0]
    true = 0
    last = len(nows) - 1
    for i in range(len(nows)):
        # As in `pass_over`, the truck's record and the cell of the map have been fetched.
        prefetch(rows, nows[min(i + AHEAD, last)].truck)
        now = nows[i]
        true += city.cells[now.place.cell].n_sites > 0
        truck = rows[now.truck]
        moves = now.speed_kmh > limits.stop_speed_kmh
        loaded = truck.loaded == LOADED
        if rule == NOTHING:
            true += moves and loaded
        elif rule == SIGNAL_LOST or rule == UNDELIVERED:
            fall_due(pool, limits, truck, now, truck.last_ms, out)
        elif rule == SUSPECTED_DUMPING:
            suspected_dumping(limits, truck, now, out)
        elif rule == ILLEGAL_DUMPING:
            true += illegal_dumping(city, truck, now)
        elif rule == WRONG_SITE:
            weigh_permits(city, now)
            true += wrong_site(city, now)
        elif rule == SITE_CLOSED:
            weigh_permits(city, now)
            true += site_closed(city, now)
        elif rule == CROSS_DISTRICT_DUMPING:
            weigh_permits(city, now)
            true += cross_district_dumping(city, limits, truck, now)
        elif moves:
            true += _ask_of_moving(rule, city, limits, now, loaded)
    return true


@compiled
def _ask_of_moving(rule: int, city: Any, limits: Any, now: Any, loaded: bool) -> bool:
    if rule == LIMITS or rule == SPEEDING or rule == NO_GO_ZONE:
        find_limits(city, now)
    if rule == SPEEDING:
        return speeding(now)
    if rule == NO_GO_ZONE:
        return no_go_zone(now)
    if rule == LIFTED_MOVING:
        return lifted_moving(now)
    if not loaded:
        return False
    if rule == UNCOVERED_LOAD:
        return uncovered_load(now)
    if rule == OVERLOAD:
        return overload(city, limits, now)
    weigh_permits(city, now)
    if rule == OFF_ROUTE:
        return off_route(city, now)
    if rule == NO_PERMIT:
        return no_permit(now)
    if rule == OUT_OF_HOURS:
        return out_of_hours(now)
    if rule == CROSS_DISTRICT_TRANSIT:
        return cross_district_transit(city, limits, now)
    return False


@dataclass(slots=True)
class Costs:
    """Sums over all rounds of a load, in seconds of processor time."""

    positions: int = 0
    whole_s: float = 0.0
    dumps: int = 0
    violations: Counter[int] = field(default_factory=Counter)
    asking_s: Counter[int] = field(default_factory=Counter)
    """By rule and preparation, each less than `NOTHING` costs."""

    def ns(self, seconds: float) -> float:
        return seconds / self.positions * 1e9


def timed_rules() -> Iterator[int]:
    """What `ask` knows, by number."""
    yield from NEEDING
    for rule in range(len(CATALOGUE)):
        if rule not in BY_THE_WAY:
            yield rule


def measure(city: PreparedCity, load: Load, rounds: int) -> Costs:
    """Take `rounds` reports of each truck, and ask each rule about the fixes of each round."""
    trucks = len(load.fleet.truck_ids)
    engine = prepared_engine(city, load, load.columns(0, WARM_REPORTS * trucks))
    costs = Costs()
    for start, stop in pieces(rounds * trucks, trucks):
        warm = WARM_REPORTS * trucks
        batch = load.columns(warm + start, warm + stop)
        judge(engine, batch, costs)
        ask_all(city, engine, batch, costs)
    return costs


def judge(engine: Engine, batch: Any, costs: Costs) -> None:
    """The whole, as it is: the round through the engine."""
    numbers = {rule.id: number for number, rule in enumerate(CATALOGUE)}
    for start, stop in pieces(len(batch), BATCH):
        started = time.process_time()
        outcome = engine.process_columns(batch[start:stop])
        costs.whole_s += time.process_time() - started
        costs.violations.update(numbers[violation.rule] for violation in outcome.violations)
        costs.dumps += sum(trip.dump_basis != "unknown" for trip in outcome.trips)
    costs.positions += len(batch)


def ask_all(city: PreparedCity, engine: Engine, batch: Any, costs: Costs) -> None:
    index = city.compiled.index
    nows = np.zeros(len(batch), NOW).view(np.recarray)
    out = Out.with_room(1)
    fill(index, engine._rows, batch, nows)

    def seconds(rule: int) -> float:
        started = time.process_time()
        ask(rule, index, city.limits, engine._pool, engine._rows, nows, out)
        return time.process_time() - started

    seconds(NOTHING)
    nothing_s = min(seconds(NOTHING) for _ in range(3))
    for rule in timed_rules():
        asking_s = min(seconds(rule) for _ in range(3)) - nothing_s
        # Two rules that are one function pay half each.
        shared = 2 if rule in (SIGNAL_LOST, UNDELIVERED) else 1
        costs.asking_s[rule] += asking_s / shared


def asking_ns(costs: Costs, rule: int) -> float:
    """Nanoseconds a position that asking a rule takes, with its part of what it needs."""
    seconds = costs.asking_s[rule]
    for preparation, needing in NEEDING.items():
        if rule in needing:
            prepared_s = costs.asking_s[preparation]
            seconds += prepared_s / len(needing) - prepared_s
    share = costs.dumps / costs.positions if rule in AT_A_DUMP else 1.0
    return max(0.0, costs.ns(seconds)) * share


def report(offending: Costs, lawful: Costs) -> None:
    """A line a rule: asking, telling, and their share of the whole with offenders."""
    whole_ns, lawful_ns = offending.ns(offending.whole_s), lawful.ns(lawful.whole_s)
    count = sum(offending.violations.values())
    telling_ns = max(0.0, whole_ns - lawful_ns)
    each_us = telling_ns * offending.positions / count / 1e3
    print(
        f"whole: {whole_ns:.0f} ns a position with offenders, {lawful_ns:.0f} without; "
        f"{each_us:.1f} µs a violation event; {offending.dumps:,} dumps in "
        f"{offending.positions:,} positions"
    )
    print(f"{'rule':24}{'asking ns':>10}{'events/M':>10}{'telling ns':>12}{'share':>8}")
    for number, rule in enumerate(CATALOGUE):
        asked_ns = asking_ns(offending, number)
        events = offending.violations[number]
        told_ns = telling_ns * events / count
        share = (asked_ns + told_ns) / whole_ns
        per_million = events / offending.positions * 1e6
        print(f"{rule.id:24}{asked_ns:10.1f}{per_million:10,.0f}{told_ns:12.1f}{share:8.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules")
    parser.add_argument("--trucks", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20, help="reports of each truck")
    parser.add_argument("--offending", type=float, default=0.02)
    options = parser.parse_args()
    city = benchmark_city(options.trucks)
    prepared = PreparedCity.of(city)
    # The first round of all is for loading the compiled code.
    measure(prepared, Load(city, offending=options.offending), 1)
    report(
        measure(prepared, Load(city, offending=options.offending), options.rounds),
        measure(prepared, Load(city, offending=0.0), options.rounds),
    )


if __name__ == "__main__":
    main()
