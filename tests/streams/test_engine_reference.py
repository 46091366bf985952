"""The compiled engine against the independent scalar reading in `reference`: whole violations, all
fields of them, and trips, offline and live, on made-up cities and nasty tracks, and where the two
once differed."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from string import Formatter
from typing import Any

import pytest
from reference.agreement import Told, differences, smallest, told_by_engine
from reference.tracks import in_arrival_order, random_case, with_ticks
from shapely import Point, box
from tally import tally

from geofences.city import City, District, Site
from geofences.hours import ALWAYS
from streams.catalogue import CATALOGUE, NAMES, Rule
from streams.detect import PreparedCity
from streams.position import Element, Position, Tick

RARE = (166, 262, 346, 361, 427, 467, 535, 541, 572, 596, 610, 1315)
"""Cities in which it comes to what the others hardly show."""
SEEDS = (*range(160), *RARE)
"""Cities, each judged offline and live."""
AT_ONCE = 10
AT_LEAST = 5
"""So often each rule must have been compared in each of its phases."""
START_MS = 1_795_266_000_000
PIT, TIP, OTHER_PIT, FIELD = (121.05, 29.05), (121.15, 29.15), (121.15, 29.05), (121.10, 29.10)


def assert_agreement(
    city: City, elements: Sequence[Element], *, live: bool, prepared: PreparedCity | None = None
) -> None:
    prepared = prepared or PreparedCity.of(city)
    if differences(city, prepared, elements, live=live):
        small = smallest(elements, lambda part: bool(differences(city, prepared, part, live=live)))
        told = differences(city, prepared, small, live=live)
        pytest.fail("\n".join(map(str, [city.state_overrides, city.rule_overrides, *small, *told])))


@cache
def prepared_case(seed: int) -> tuple[City, PreparedCity, list[Position], list[Element]]:
    """A city and what arrives there, offline and live."""
    city, tracks, rng = random_case(seed)
    positions = in_arrival_order(rng, tracks, shuffle=seed % 5 == 0)
    return city, PreparedCity.of(city), positions, with_ticks(rng, positions)


@cache
def told_offline(seed: int) -> Told:
    _, prepared, positions, _ = prepared_case(seed)
    return told_by_engine(prepared, positions, live=False)


@pytest.mark.parametrize("first", range(0, len(SEEDS), AT_ONCE), ids="from-{}".format)
def test_made_up_cities_offline_and_live(first: int) -> None:
    for seed in SEEDS[first : first + AT_ONCE]:
        city, prepared, elements, live_elements = prepared_case(seed)
        assert_agreement(city, elements, live=False, prepared=prepared)
        assert_agreement(city, live_elements, live=True, prepared=prepared)
        told = told_offline(seed)
        tally(
            "engine against reference, offline and live",
            cities=1,
            positions=len(elements),
            violations=told.violations.total(),
            trips=told.trips.total(),
            rejects=len(told.rejected),
        )


def phases_of(rule: Rule) -> set[str]:
    if rule.shape == "condition":
        return {"opened", "closed"} | ({"escalated"} if rule.severe else set())
    return {"opened", "closed"} if rule.id == "signal-lost" else {"occurred"}


CONCERNED = {"off-route": "route_id", "no-go-zone": "zone_id", "speeding": "zone_id"}
"""What `place` names; of the other rules the site."""


def test_made_up_cities_compare_every_rule_in_every_phase_with_all_that_it_says() -> None:
    """Else the agreement would say too little."""
    compared: Counter[tuple[str, str]] = Counter()
    said = defaultdict[str, Counter[str]](Counter)
    for seed in SEEDS:
        for line, count in told_offline(seed).violations.items():
            violation = json.loads(line)
            compared[violation["rule"], violation["phase"]] += count
            for field in ("place", "measured", "threshold"):
                said[violation["rule"]].update(violation[field].keys())
    for rule in CATALOGUE:
        expected = {name for _, name, _, _ in Formatter().parse(rule.message) if name}
        expected -= NAMES.keys()
        expected |= {threshold.name for threshold in rule.thresholds}
        expected |= {CONCERNED.get(rule.id, "site_id"), "duration_s"}
        assert {name: said[rule.id][name] for name in expected if said[rule.id][name] < 3} == {}
    pairs = {(rule.id, phase) for rule in CATALOGUE for phase in phases_of(rule)}
    assert {pair: compared[pair] for pair in pairs if compared[pair] < AT_LEAST} == {}
    assert set(compared) == pairs


def city_with(**state: float) -> City:
    return City(
        name="by hand",
        admin_code="330200",
        timezone="Asia/Shanghai",
        version="0" * 64,
        speed_limit_kmh=30,
        state_overrides=state,
        rule_overrides={},
        districts=(District("330201", "all", box(121.0, 29.0, 121.2, 29.2)),),
        sites=(
            Site("pit", "pit", "construction", Point(PIT), 100, None, ALWAYS),
            Site("pit 2", "pit 2", "construction", Point(OTHER_PIT), 100, None, ALWAYS),
            Site("tip", "tip", "disposal", Point(TIP), 100, None, ALWAYS),
        ),
    )


def position(at_s: float, place: tuple[float, float], **fields: Any) -> Position:
    return Position("浙B1", START_MS + round(1000 * at_s), *place, **fields)


def test_a_stay_keeps_its_beginning_when_the_truck_tips_during_it() -> None:
    """Loaded at one pit, tipped by lift at another: the second stay still dates from its start."""
    loading = [position(60 * n, PIT, speed_kmh=0.0, lifted=False) for n in range(6)]
    second = [position(900 + 60 * n, OTHER_PIT, speed_kmh=0.0, lifted=n == 2) for n in range(12)]
    tipping = [position(2_200 + 60 * n, TIP, speed_kmh=0.0) for n in range(5)]
    elements = [*loading, *second, *tipping]
    assert_agreement(city_with(), elements, live=False)
    told = told_by_engine(PreparedCity.of(city_with()), elements, live=False)
    starts = {line.split('"started_ms": ')[1].split(",")[0] for line in told.trips}
    assert starts == {str(START_MS), str(START_MS + 900_000)}


def test_speeding_does_not_ask_what_standing_is() -> None:
    """A city may call 45 km/h standing; 40 km/h is over its limit of 30 all the same."""
    elements = [position(30 * n, FIELD, speed_kmh=40.0) for n in range(4)]
    assert_agreement(city_with(stop_speed_kmh=45), elements, live=False)
    told = told_by_engine(PreparedCity.of(city_with(stop_speed_kmh=45)), elements, live=False)
    assert ['"speeding"' in line for line in told.violations] == [True]


def test_a_tick_in_a_file_moves_nothing() -> None:
    """Offline the input ends at the highest fix time (design section 5)."""
    elements = [
        *(position(30 * n, FIELD, speed_kmh=0.0, loaded=True) for n in range(3)),
        Tick(START_MS + 9_000_000),
    ]
    assert_agreement(city_with(), elements, live=False)
    told = told_by_engine(PreparedCity.of(city_with()), elements, live=False)
    assert not told.violations


def test_a_fix_that_the_watermark_has_passed_is_judged_at_once() -> None:
    """What its silence brings about does not wait for the watermark to move again."""
    late = [
        Position("浙B2", START_MS + 20_000_000, *TIP),
        *(position(30 * n, FIELD, speed_kmh=0.0, loaded=True) for n in range(2)),
    ]
    assert_agreement(city_with(), late, live=True)
    told = told_by_engine(PreparedCity.of(city_with()), late, live=True)
    assert ['"signal-lost"' in line for line in told.violations] == [True]


def test_what_is_due_when_the_watermark_gets_there_occurs_then() -> None:
    """Not a millisecond before, and not only after it."""
    loaded = [position(30 * n, FIELD, speed_kmh=0.0, loaded=True) for n in range(2)]
    lost_ms = START_MS + 30_000 + 600_000 + 360_000
    for tick_ms, lost in ((lost_ms - 1, False), (lost_ms, True)):
        elements = [*loaded, Tick(tick_ms)]
        assert_agreement(city_with(), elements, live=True)
        told = told_by_engine(PreparedCity.of(city_with()), elements, live=True)
        assert ['"signal-lost"' in line for line in told.violations] == [True] * lost
