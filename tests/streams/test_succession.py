"""Cities that change under way: the engine against the scalar reading, and what must make no
difference there: cuts, restarts, and when the engine learns of a version."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.agreement import differences, prepared_of, smallest, told_by_engine
from reference.judging import judge
from reference.successions import random_succession
from reference.tracks import in_arrival_order, with_ticks
from reference.versions import Cities
from shapely import Point, box
from tally import tally

from geofences.city import City, District, Permit, Site, Truck, Zone
from geofences.hours import ALWAYS
from streams.detect import Engine, Outcome, PreparedCity
from streams.output import Trip, Violation, encode
from streams.position import Element, Position
from streams.succession import Succession

SEEDS = 24
"""Successions, each judged offline and live. Compiling their cities takes most of the time."""
EXAMPLES = 60
START_MS = 1_795_266_000_000
PIT, TIP, FIELD = (121.05, 29.05), (121.15, 29.15), (121.10, 29.10)


@cache
def prepared_case(seed: int) -> Succession:
    prepared = prepared_of(random_succession(seed)[0])
    assert isinstance(prepared, Succession)
    return prepared


def case(seed: int, *, live: bool) -> tuple[Cities, Succession, Sequence[Element]]:
    cities, tracks, rng = random_succession(seed)
    positions = in_arrival_order(rng, tracks, shuffle=seed % 5 == 0)
    return cities, prepared_case(seed), with_ticks(rng, positions) if live else positions


def assert_agreement(
    cities: Cities,
    prepared: PreparedCity | Succession,
    elements: Sequence[Element],
    *,
    live: bool = False,
) -> None:
    if differences(cities, prepared, elements, live=live):
        small = smallest(
            elements, lambda part: bool(differences(cities, prepared, part, live=live))
        )
        told = differences(cities, prepared, small, live=live)
        starts = [] if isinstance(cities, City) else [from_ms for from_ms, _ in cities]
        pytest.fail("\n".join(map(str, [starts, *small, *told])))


@pytest.mark.parametrize("live", [False, True])
def test_made_up_successions(live: bool) -> None:
    """And both sides of a change have violations, else the agreement would say too little."""
    told_of_versions: set[str] = set()
    for seed in range(SEEDS):
        cities, prepared, elements = case(seed, live=live)
        assert_agreement(cities, prepared, elements, live=live)
        told = told_by_engine(prepared, elements, live=live)
        told_of_versions |= {json.loads(line)["city_version"] for line in told.violations}
        tally(
            "engine against reference where the city changes under way, offline and live",
            successions=1,
            positions=len(elements),
            violations=told.violations.total(),
            trips=told.trips.total(),
        )
    assert len(told_of_versions) == 3


def said(outcome: Outcome, *, ordered: bool) -> Any:
    violations = [encode(violation) for violation in outcome.violations]
    if not ordered:
        violations.sort()
    trips = [encode(trip) for trip in outcome.trips]
    return violations, trips, outcome.rejected, outcome.fixes


@settings(derandomize=True, max_examples=EXAMPLES, deadline=None)
@given(
    seed=st.integers(0, SEEDS - 1),
    live=st.booleans(),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    restarts=st.frozensets(st.integers(0, 12), max_size=6),
)
def test_batches_and_restarts_make_no_difference(
    seed: int, live: bool, cuts: list[int], restarts: frozenset[int]
) -> None:
    _, prepared, elements = case(seed, live=live)
    plain = judge(prepared, elements, live=live)
    cut = judge(prepared, elements, live=live, cuts=cuts, restarts=restarts)
    assert said(cut, ordered=not live) == said(plain, ordered=not live)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("seed", [3, 12])
def test_one_by_one_with_a_restart_after_each(seed: int, live: bool) -> None:
    """So at the border too."""
    _, prepared, elements = case(seed, live=live)
    everywhere = range(len(elements))
    single = judge(prepared, elements, live=live, cuts=everywhere, restarts=everywhere)
    plain = judge(prepared, elements, live=live)
    assert said(single, ordered=not live) == said(plain, ordered=not live)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("restored", [False, True])
def test_a_version_may_be_learnt_of_at_any_moment_before_it_begins(
    seed: int, restored: bool
) -> None:
    """By a running engine, or by the one that goes on from its state."""
    _, tracks, rng = random_succession(seed)
    elements = in_arrival_order(rng, tracks)
    known = prepared_case(seed)
    first_ms = known.from_ms[1]
    border = next(i for i, one in enumerate(elements) if one.time_ms >= first_ms)
    engine, whole = Engine.offline(known.cities[0]), Outcome()
    learnt = rng.randint(0, border)
    for start, end in ((0, learnt), (learnt, len(elements))):
        if start == learnt:
            if restored:
                state = engine.export()
                engine = Engine.offline(known)
                engine.restore(state)
            else:
                engine.take_up(known)
        _add(whole, engine.process(elements[start:end]), start)
    _add(whole, engine.finish(), 0)
    assert said(whole, ordered=True) == said(judge(known, elements), ordered=True)


def _add(whole: Outcome, outcome: Outcome, start: int) -> None:
    whole.fixes += outcome.fixes
    whole.rejected += [(start + index, reason) for index, reason in outcome.rejected]
    whole.violations += outcome.violations
    whole.trips += outcome.trips


# --- by hand ---


def city(**changes: Any) -> City:
    plain = City(
        name="by hand",
        admin_code="330200",
        timezone="Asia/Shanghai",
        version="a" * 64,
        speed_limit_kmh=60,
        state_overrides={},
        rule_overrides={},
        districts=(District("330201", "all", box(121.0, 29.0, 121.2, 29.2)),),
        sites=(
            Site("pit", "pit", "construction", Point(PIT), 100, None, ALWAYS),
            Site("tip", "tip", "disposal", Point(TIP), 100, None, ALWAYS),
        ),
    )
    return replace(plain, **changes)


def at(seconds: float) -> int:
    return START_MS + round(1000 * seconds)


def position(seconds: float, place: tuple[float, float], **fields: Any) -> Position:
    return Position("浙B1", at(seconds), *place, **fields)


def told(cities: Cities, elements: Sequence[Element]) -> Outcome:
    """By the engine, after the reference has said the same."""
    prepared = prepared_of(cities)
    assert_agreement(cities, prepared, elements)
    return judge(prepared, elements)


def events(violations: Sequence[Violation]) -> list[tuple[str, str, float, str]]:
    """Rule, phase, seconds at which it was detected, first letter of the version."""
    return [
        (v.rule, v.phase, (v.detected_ms - START_MS) / 1000, v.city_version[0]) for v in violations
    ]


def later(**changes: Any) -> City:
    return city(version="b" * 64, **changes)


def driving(seconds: Sequence[float], **fields: Any) -> list[Position]:
    return [
        position(s, (FIELD[0] + 1e-4 * n, FIELD[1]), speed_kmh=30.0, **fields)
        for n, s in enumerate(seconds)
    ]


PERMIT = Permit("P", ("浙B1",), (), (), (), (), ALWAYS)


def test_the_version_at_the_very_moment_is_the_new_one() -> None:
    zone = Zone("Z", "Z", "no_go", box(121.0, 29.0, 121.2, 29.2), None, ALWAYS)
    cities = [(0, city()), (at(30), later(zones=(zone,)))]
    elements = [position(s, FIELD, speed_kmh=30.0) for s in (0, 29.999, 30, 40)]
    assert events(told(cities, elements).violations) == [("no-go-zone", "opened", 40, "b")]
    assert told(cities, elements).violations[0].started_ms == at(30)


def test_a_run_that_the_change_makes_meaningless_closes_at_the_next_fix() -> None:
    elements = driving([0, 30, 60, 90, 120, 150], loaded=True)
    cities = [(0, city()), (at(100), later(permits=(PERMIT,)))]
    outcome = told(cities, elements)
    assert events(outcome.violations) == [
        ("no-permit", "opened", 90, "a"),
        ("no-permit", "closed", 120, "b"),
    ]
    assert outcome.violations[-1].ended_ms == at(90)


def test_a_run_closes_where_a_version_forgets_sooner_than_the_one_before_let_it_last() -> None:
    old = city(state_overrides={"max_gap_s": 7200.0})
    cities = [(0, old), (at(100), later(state_overrides={"forget_s": 3600.0}))]
    elements = [position(s, FIELD, speed_kmh=80.0) for s in (0, 30, 60, 5000)]
    outcome = told(cities, elements)
    assert events(outcome.violations) == [
        ("speeding", "opened", 60, "a"),
        ("speeding", "closed", 5000, "a"),
    ]
    assert outcome.violations[-1].ended_ms == at(60)


def test_a_no_go_zone_that_is_gone_is_told_without_a_place() -> None:
    """And not by the site that the truck has come to."""
    zone = Zone("Z", "Z", "no_go", box(121.0, 29.0, 121.2, 29.2), None, ALWAYS)
    elements = [position(s, FIELD, speed_kmh=30.0) for s in (0, 30)]
    elements.append(position(1000, TIP, speed_kmh=30.0))
    cities = [(0, city(zones=(zone,), state_overrides={"max_gap_s": 7200.0})), (at(500), later())]
    closed = told(cities, elements).violations[-1]
    assert (closed.rule, closed.phase, closed.place) == ("no-go-zone", "closed", {})


def test_a_run_that_is_still_true_goes_on() -> None:
    elements = [*driving([0, 30, 60, 90, 120], loaded=True), position(150, FIELD, speed_kmh=0.0)]
    cities = [(0, city()), (at(45), later())]
    assert events(told(cities, elements).violations) == [
        ("no-permit", "opened", 90, "b"),
        ("no-permit", "closed", 150, "b"),
    ]


def test_what_falls_due_is_by_the_version_of_the_last_fix() -> None:
    """Silent across two changes, each with another idea of how long is too long."""
    elements = [*driving([0, 30], loaded=True), *driving([5_000], loaded=True)]
    cities = [
        (0, city()),
        (at(100), later(rule_overrides={"signal-lost": {"offline_s": 60}})),
        (at(2_000), city(version="c" * 64, state_overrides={"max_gap_s": 30})),
    ]
    assert events(told(cities, elements).violations) == [
        ("signal-lost", "opened", 630, "a"),
        ("signal-lost", "closed", 5_000, "c"),
    ]


def test_an_overload_may_end_where_no_limit_is_known() -> None:
    elements = driving([0, 30, 60, 90, 120, 150], loaded=True, load_kg=16_000.0)
    trucks = (Truck("浙B1", None, "甲", 15_000),)
    cities = [(0, city(trucks=trucks, permits=(PERMIT,))), (at(100), later(permits=(PERMIT,)))]
    opened, closed = told(cities, elements).violations
    assert (opened.rule, opened.threshold["max_load_kg"], opened.company) == (
        "overload", 15_000, "甲",
    )  # fmt: skip
    assert (closed.phase, closed.company) == ("closed", None)
    assert set(closed.threshold) == {"min_fixes", "min_s", "tolerance"}


def loading(start: float) -> list[Position]:
    return [position(start + 60 * n, PIT, speed_kmh=0.0, loaded=n > 0) for n in range(4)]


def test_a_dump_is_judged_by_the_version_of_its_dated_time() -> None:
    """Empty first said at a tip that is closed down before the second reading."""
    elements = [
        *loading(0),
        position(1_000, TIP, speed_kmh=0.0, loaded=False),
        position(1_200, TIP, speed_kmh=0.0),
        position(1_300, TIP, speed_kmh=0.0, loaded=False),
    ]
    pit = city().sites[:1]
    outcome = told([(0, city()), (at(1_100), later(sites=pit))], elements)
    assert outcome.violations == []
    assert [(trip.source_site, trip.dump_site) for trip in outcome.trips] == [("pit", "tip")]
    outcome = told([(0, city()), (at(900), later(sites=pit))], elements)
    assert events(outcome.violations) == [("illegal-dumping", "occurred", 1_300, "b")]


def test_a_change_may_be_dated_several_versions_ago() -> None:
    elements = [
        *loading(0),
        position(1_000, TIP, speed_kmh=0.0, loaded=False),
        *(position(1_000 + 500 * n, TIP, speed_kmh=0.0) for n in range(1, 5)),
        position(3_300, TIP, speed_kmh=0.0, loaded=False),
    ]
    pit = city().sites[:1]
    cities = [
        (0, city()),
        (at(1_100), later(sites=pit)),
        (at(2_000), city(version="c" * 64, sites=())),
        (at(3_000), city(version="d" * 64, sites=pit)),
    ]
    outcome = told(cities, elements)
    assert outcome.violations == []
    assert outcome.trips[0].dump_site == "tip"


def trips_of(cities: Cities, elements: Sequence[Element]) -> list[Trip]:
    return told(cities, elements).trips


def test_a_source_that_vanishes_is_still_named_and_shields_no_more() -> None:
    """A truck that lifts where it loaded does not dump there, while there is such a place."""
    lifting = [
        position(1_000, PIT, speed_kmh=0.0, lifted=False),
        position(1_060, PIT, speed_kmh=0.0, lifted=True),
    ]
    elements = [*loading(0), *lifting]
    tip = city().sites[1:]
    assert trips_of([(0, city()), (at(5_000), later(sites=tip))], elements) == []
    outcome = told([(0, city()), (at(900), later(sites=tip))], elements)
    assert events(outcome.violations) == [("illegal-dumping", "occurred", 1_060, "b")]
    assert [(trip.source_site, trip.dump_site) for trip in outcome.trips] == [("pit", None)]


def test_a_trip_from_a_vanished_source_is_still_undelivered() -> None:
    elements = [*loading(0), *driving([60 * n for n in range(5, 250)], loaded=True)]
    cities = [(0, city(permits=(PERMIT,))), (at(300), later(permits=(PERMIT,), sites=()))]
    assert ("undelivered", "occurred", 60 + 14_400, "b") in events(
        told(cities, elements).violations
    )


@pytest.mark.parametrize("kind", [None, "parking", "disposal"])
def test_a_stay_ends_with_its_site(kind: Any) -> None:
    """Gone, or no more a place to load; as a tip it is one to empty at."""
    elements = [position(60 * n, PIT, speed_kmh=0.0) for n in range(12)]
    first = city().sites[0]
    sites = (replace(first, kind=kind),) if kind else ()
    cities = [(0, city()), (at(200), later(sites=sites))]
    told(cities, elements)
    engine = Engine.offline(prepared_of(cities))
    engine.process(elements)
    assert engine.loads(["浙B1"]) == [False if kind == "disposal" else None]


def test_a_rejected_position_leaves_no_trace_of_its_version() -> None:
    """Its plane is another: the next one, of the old version's time, is late; the one after is
    judged as if it had never been."""
    far = District("999999", "far", box(122.0, 30.0, 122.1, 30.1))
    cities = [(0, city()), (at(100), later(districts=(*city().districts, far)))]
    standing = [position(s, FIELD, speed_kmh=0.0) for s in (0, 30, 60)]
    jumping = position(110, (120.0, 28.0), speed_kmh=0.0)
    outcome = told(cities, [*standing, jumping, *(position(s, FIELD) for s in (90, 120, 150))])
    assert outcome.rejected == [(3, "impossible_jump")]
    assert outcome.fixes == 6


def test_a_stop_goes_on_across_planes() -> None:
    """One of 50 m, while the middle of the city moves by a hundred kilometres."""
    far = District("999999", "far", box(122.0, 30.0, 122.1, 30.1))
    cities = [(0, city()), (at(100), later(districts=(*city().districts, far)))]
    elements = [
        *[position(30 * n, PIT, speed_kmh=0.0) for n in range(12)],
        *[position(600 + 30 * n, FIELD, speed_kmh=0.0) for n in range(12)],
    ]
    for from_s in (100, 640):
        cities[1] = (at(from_s), cities[1][1])
        outcome = told(cities, elements)
        assert [e[:3] for e in events(outcome.violations)] == [
            ("suspected-dumping", "occurred", 780)
        ]


def test_a_suspicion_is_told_by_the_place_and_the_limit_that_it_was_judged_by() -> None:
    elements = [
        *[position(30 * n, PIT, speed_kmh=0.0) for n in range(12)],
        *[position(600 + 30 * n, FIELD, speed_kmh=0.0) for n in range(12)],
    ]
    cities = [(0, city()), (at(640), later(state_overrides={"dump_dwell_s": 60}))]
    (violation,) = told(cities, elements).violations
    assert violation.city_version == "a" * 64
    assert violation.detected_ms == at(660)
    assert violation.threshold == {"dump_dwell_s": 60}


def test_positions_of_old_judged_again_under_the_versions_of_their_day() -> None:
    """A version that comes into force afterwards changes nothing."""
    for seed in range(6):
        _, prepared, elements = case(seed, live=False)
        end_ms = max(one.time_ms for one in elements if isinstance(one, Position))
        today = PreparedCity.of(later())
        starts = zip(prepared.from_ms[1:], prepared.cities[1:], strict=True)
        longer = Succession(prepared.cities[0], [*starts, (end_ms + 1, today)])
        again = judge(longer, elements)
        assert said(again, ordered=True) == said(judge(prepared, elements), ordered=True)


def test_two_versions_cannot_begin_at_one_time() -> None:
    prepared = PreparedCity.of(city())
    with pytest.raises(ValueError, match="at the same time"):
        Succession(prepared, [(5, prepared), (5, prepared)])


def test_a_version_that_comes_to_light_late_judges_what_comes_after() -> None:
    """The truck has been judged past its start already: nothing is lost, its metres move."""
    far = District("999999", "far", box(122.0, 30.0, 122.1, 30.1))
    engine = Engine.offline(PreparedCity.of(city()))
    outcome = engine.process(driving([0, 30, 60, 90], loaded=True))
    new = later(districts=(*city().districts, far), permits=(PERMIT,))
    engine.take_up(Succession(PreparedCity.of(city()), [(at(50), PreparedCity.of(new))]))
    rest = engine.process(driving([120], loaded=True))
    assert rest.rejected == []
    assert events([*outcome.violations, *rest.violations]) == [
        ("no-permit", "opened", 90, "a"),
        ("no-permit", "closed", 120, "b"),
    ]
