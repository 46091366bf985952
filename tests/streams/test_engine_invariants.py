"""What must make no difference: how a stream is cut into batches, stops and restarts, and what
other trucks do. And what must not matter to memory: room that runs out grows."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.agreement import trip_line, violation_line
from reference.tracks import in_arrival_order, random_case, with_ticks
from shapely import MultiPolygon, Point, box

from geofences.city import City, District, Site, Truck
from geofences.hours import ALWAYS
from streams.detect import FIRST_RUNS, FIRST_TRUCKS, OUT_POSITIONS, Engine, Outcome, PreparedCity
from streams.output import Trip, Violation, encode
from streams.position import Element, Position
from streams.snapshot import UnknownFormat

Said = tuple[list[bytes], list[bytes], list[tuple[int, str]], int]
EXAMPLES = 60


def new_engine(prepared: PreparedCity, live: bool) -> Engine:
    return Engine.live(prepared, 0, 1) if live else Engine.offline(prepared)


def judge(
    prepared: PreparedCity,
    elements: Sequence[Element],
    *,
    live: bool = False,
    cuts: Sequence[int] = (),
    restarts: frozenset[int] = frozenset(),
) -> Outcome:
    """All of `elements`, in batches that end at `cuts`; a new engine goes on at `restarts`."""
    engine, whole = new_engine(prepared, live), Outcome()
    edges = sorted({0, *(cut % (len(elements) + 1) for cut in cuts), len(elements)})
    for number, (start, end) in enumerate(zip(edges, edges[1:], strict=False)):
        outcome = engine.process(elements[start:end])
        whole.fixes += outcome.fixes
        whole.rejected += [(start + index, reason) for index, reason in outcome.rejected]
        whole.violations += outcome.violations
        whole.trips += outcome.trips
        if number in restarts:
            state = engine.export()
            engine = new_engine(prepared, live)
            engine.restore(state)
            assert engine.export() == state
    if not live:
        ended = engine.finish()
        whole.violations += ended.violations
        whole.trips += ended.trips
    return whole


def said(outcome: Outcome, *, ordered: bool) -> Said:
    """Byte for byte; live, what falls due at one moment may come in any order."""
    violations = [encode(violation) for violation in outcome.violations]
    if not ordered:
        violations.sort()
    return violations, [encode(trip) for trip in outcome.trips], outcome.rejected, outcome.fixes


@settings(derandomize=True, max_examples=EXAMPLES, deadline=None)
@given(
    seed=st.integers(0, 400),
    live=st.booleans(),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    restarts=st.frozensets(st.integers(0, 12), max_size=6),
)
def test_batches_and_restarts_make_no_difference(
    seed: int, live: bool, cuts: list[int], restarts: frozenset[int]
) -> None:
    city, tracks, rng = random_case(seed)
    elements: Sequence[Element] = in_arrival_order(rng, tracks)
    if live:
        elements = with_ticks(rng, in_arrival_order(rng, tracks))
    prepared = PreparedCity.of(city)
    plain = judge(prepared, elements, live=live)
    cut = judge(prepared, elements, live=live, cuts=cuts, restarts=restarts)
    assert said(cut, ordered=not live) == said(plain, ordered=not live)


@pytest.mark.parametrize("live", [False, True])
def test_one_by_one_with_a_restart_after_each(live: bool) -> None:
    city, tracks, rng = random_case(12)
    elements: Sequence[Element] = in_arrival_order(rng, tracks)
    if live:
        elements = with_ticks(rng, in_arrival_order(rng, tracks))
    prepared = PreparedCity.of(city)
    everywhere = range(len(elements))
    single = judge(prepared, elements, live=live, cuts=everywhere, restarts=frozenset(everywhere))
    assert said(single, ordered=not live) == said(
        judge(prepared, elements, live=live), ordered=not live
    )


def by_truck(outcome: Outcome) -> dict[str, list[str]]:
    """In the order in which they were said of each truck."""
    lines: dict[str, list[str]] = {}
    for violation in outcome.violations:
        lines.setdefault(violation.truck_id, []).append(violation_line(violation))
    for trip in outcome.trips:
        lines.setdefault(trip.truck_id, []).append(trip_line(trip))
    return lines


@settings(derandomize=True, max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 400), order=st.integers(0, 9))
def test_the_other_trucks_make_no_difference(seed: int, order: int) -> None:
    """Offline: any interleaving that keeps each truck's order, and each truck alone but for a last
    fix of another that ends the input at the same moment."""
    city, tracks, rng = random_case(seed)
    prepared = PreparedCity.of(city)
    together = by_truck(judge(prepared, in_arrival_order(rng, tracks)))
    shuffled = in_arrival_order(Random(order), tracks, shuffle=True)
    assert by_truck(judge(prepared, shuffled)) == together
    track = tracks[order % len(tracks)]
    last_ms = max(p.time_ms for t in tracks for p in accepted(prepared, t))
    alone = judge(prepared, [*track, Position("the last", last_ms, 121.0, 29.0)])
    lines = by_truck(alone)
    truck_id = track[0].truck_id
    assert lines.get(truck_id, []) == together.get(truck_id, [])


def accepted(prepared: PreparedCity, track: list[Position]) -> list[Position]:
    rejected = {index for index, _ in Engine.offline(prepared).process(track).rejected}
    return [position for i, position in enumerate(track) if i not in rejected]


def fleet(trucks: int) -> tuple[PreparedCity, list[Position]]:
    """One eventful track, driven by so many trucks at the same time."""
    city, tracks, _ = random_case(7)
    track = max(tracks, key=len)
    return PreparedCity.of(city), [
        msgspec.structs.replace(position, truck_id=f"浙C{number:05}")
        for position in track
        for number in range(trucks)
    ]


def test_rows_runs_and_room_for_what_happens_grow() -> None:
    """Far more trucks, runs at a time and events in a batch than an engine begins with."""
    trucks = 2 * FIRST_TRUCKS + 7
    prepared, elements = fleet(trucks)
    assert len(elements) > OUT_POSITIONS
    engine = Engine.offline(prepared)
    outcome = engine.process(elements)
    ended = engine.finish()
    one = judge(prepared, [p for p in elements if p.truck_id == "浙C00000"])
    assert len(one.violations) > 3
    open_at_once = sum(violation.phase == "opened" for violation in one.violations)
    assert open_at_once * trucks > FIRST_RUNS
    violations = [anonymous(violation) for violation in outcome.violations + ended.violations]
    assert len(violations) == trucks * len(one.violations)
    assert {encode(v) for v in violations} == {encode(anonymous(v)) for v in one.violations}
    assert len(outcome.trips) == trucks * len(one.trips)
    pieces = [len(elements) * k // 5 for k in range(5)]
    restarts = frozenset(range(5))
    again = judge(prepared, elements, cuts=pieces, restarts=restarts)
    assert said(again, ordered=True)[0] == [
        encode(violation) for violation in outcome.violations + ended.violations
    ]


def anonymous(violation: Violation) -> Violation:
    return msgspec.structs.replace(
        violation, truck_id="", violation_id="", trip_id=None, permit_ids=[], company=None
    )


def test_a_state_survives_a_city_in_which_the_numbers_have_moved() -> None:
    """Sites, districts and trucks are found again by their ids."""
    for seed in range(30):
        city, tracks, rng = random_case(seed)
        elements = in_arrival_order(rng, tracks)
        half = len(elements) // 2
        engine = Engine.offline(PreparedCity.of(city))
        engine.process(elements[:half])
        renumbered = Engine.offline(PreparedCity.of(with_others_in_front(city)))
        renumbered.restore(engine.export())
        expected = engine.process(elements[half:])
        assert by_truck(renumbered.process(elements[half:])) == by_truck(expected)


def with_others_in_front(city: City) -> City:
    """Of sites, districts and trucks: far from every track, with lower ids than all."""
    corners = [district.shape.bounds for district in city.districts]
    west, south = min(c[0] for c in corners), min(c[1] for c in corners)
    east, north = max(c[2] for c in corners), max(c[3] for c in corners)
    middle_lon, middle_lat = (west + east) / 2, (south + north) / 2
    far = 0.5
    # On both sides, so that the middle of the city, and with it its plane, stays where it is.
    beyond = MultiPolygon(
        [
            box(middle_lon + side * far, middle_lat + side * far,
                middle_lon + side * (far + 0.01), middle_lat + side * (far + 0.01))
            for side in (-1, 1)
        ]
    )  # fmt: skip
    return replace(
        city,
        version="0" * 64,
        districts=(District("000000", "far", beyond), *city.districts),
        sites=(
            Site("0", "far", "disposal", Point(east + 2, north + 2), 9, None, ALWAYS),
            *city.sites,
        ),
        trucks=(Truck("0", None, None, None), *city.trucks),
    )


def test_what_is_no_state_is_refused() -> None:
    city, tracks, rng = random_case(3)
    prepared = PreparedCity.of(city)
    engine = Engine.offline(prepared)
    engine.process(in_arrival_order(rng, tracks))
    state = engine.export()
    fields = msgspec.msgpack.decode(state)
    for wrong in (
        b"",
        b"\x00",
        state[:-1],
        state[: len(state) // 2],
        msgspec.msgpack.encode(fields | {"format": fields["format"] + 1}),
        msgspec.msgpack.encode(fields | {"layout": "truck 1 run 1"}),
        msgspec.msgpack.encode({"format": 1}),
    ):
        with pytest.raises(UnknownFormat, match=r"state"):
            Engine.offline(prepared).restore(wrong)


def test_a_trip_is_told_once() -> None:
    city, tracks, rng = random_case(7)
    trips: list[Trip] = judge(PreparedCity.of(city), in_arrival_order(rng, tracks)).trips
    assert len({trip.trip_id for trip in trips}) == len(trips) > 0
