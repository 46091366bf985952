"""What must make no difference: how a stream is cut into batches, stops and restarts, and what
other trucks do. And what must not matter to memory: room that runs out grows."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from one_district import one_district
from reference.agreement import trip_line, violation_line
from reference.judging import judge
from reference.tracks import in_arrival_order, random_case, with_ticks
from shapely import MultiPolygon, Point, box
from tally import tally

from geofences.city import City, District, Site, Truck
from geofences.hours import ALWAYS
from streams.detect import FIRST_RUNS, FIRST_TRUCKS, OUT_POSITIONS, Engine, Outcome, PreparedCity
from streams.events import EVENTS_A_POSITION
from streams.output import Trip, Violation, encode
from streams.position import Element, Position, Tick
from streams.snapshot import State, UnknownFormat

Said = tuple[list[bytes], list[bytes], list[tuple[int, str]], int]
EXAMPLES = 60
START_MS = 1_795_266_000_000


def said(outcome: Outcome, *, ordered: bool) -> Said:
    """Byte for byte; live, what falls due at one moment may come in any order."""
    violations = [encode(violation) for violation in outcome.violations]
    if not ordered:
        violations.sort()
    return violations, [encode(trip) for trip in outcome.trips], outcome.rejected, outcome.fixes


@cache
def case(seed: int) -> tuple[PreparedCity, list[list[Position]]]:
    city, tracks, _ = random_case(seed)
    return PreparedCity.of(city), tracks


def stream_of(seed: int, *, live: bool) -> tuple[PreparedCity, Sequence[Element]]:
    prepared, tracks = case(seed)
    rng = Random(seed)
    positions = in_arrival_order(rng, tracks)
    return prepared, with_ticks(rng, positions) if live else positions


@settings(derandomize=True, max_examples=EXAMPLES, deadline=None)
@given(
    seed=st.integers(0, 39),
    live=st.booleans(),
    cuts=st.lists(st.integers(0, 400), max_size=12),
    restarts=st.frozensets(st.integers(0, 12), max_size=6),
)
def test_batches_and_restarts_make_no_difference(
    seed: int, live: bool, cuts: list[int], restarts: frozenset[int]
) -> None:
    prepared, elements = stream_of(seed, live=live)
    plain = judge(prepared, elements, live=live)
    cut = judge(prepared, elements, live=live, cuts=cuts, restarts=restarts)
    assert said(cut, ordered=not live) == said(plain, ordered=not live)
    tally(
        "cut into batches, stopped and restored",
        examples=1,
        positions=len(elements),
        violations=len(plain.violations),
        cuts=len(cuts),
        restarts=len(restarts),
    )


@pytest.mark.parametrize("live", [False, True])
def test_one_by_one_with_a_restart_after_each(live: bool) -> None:
    prepared, elements = stream_of(12, live=live)
    everywhere = range(len(elements))
    single = judge(prepared, elements, live=live, cuts=everywhere, restarts=everywhere)
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
@given(seed=st.integers(0, 39), order=st.integers(0, 9))
def test_the_other_trucks_make_no_difference(seed: int, order: int) -> None:
    """Offline: any interleaving that keeps each truck's order, and each truck alone but for a last
    fix of another that ends the input at the same moment."""
    prepared, tracks = case(seed)
    together = by_truck(judge(prepared, in_arrival_order(Random(seed), tracks)))
    shuffled = in_arrival_order(Random(order), tracks, shuffle=True)
    assert by_truck(judge(prepared, shuffled)) == together
    track = tracks[order % len(tracks)]
    last_ms = max(p.time_ms for t in tracks for p in accepted(prepared, t))
    alone = judge(prepared, [*track, Position("the last", last_ms, 121.0, 29.0)])
    lines = by_truck(alone)
    truck_id = track[0].truck_id
    assert lines.get(truck_id, []) == together.get(truck_id, [])
    tally(
        "trucks interleaved and alone",
        examples=1,
        positions=len(shuffled),
        violations_and_trips=sum(map(len, together.values())),
    )


def accepted(prepared: PreparedCity, track: list[Position]) -> list[Position]:
    rejected = {index for index, _ in Engine.offline(prepared).process(track).rejected}
    return [position for i, position in enumerate(track) if i not in rejected]


@cache
def eventful() -> int:
    """The first seed whose longest track says much of one truck."""
    for seed in range(100):
        prepared, tracks = case(seed)
        outcome = judge(prepared, max(tracks, key=len))
        opened = sum(violation.phase == "opened" for violation in outcome.violations)
        if len(outcome.violations) > 8 and opened > 2 and len(outcome.trips) > 1:
            return seed
    raise LookupError("no seed under 100 is eventful")


def fleet(trucks: int) -> tuple[PreparedCity, list[Position]]:
    """One eventful track, driven by so many trucks at the same time."""
    city, tracks, _ = random_case(eventful())
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


def test_a_sweep_that_runs_out_of_room_forgets_nothing() -> None:
    """More falls due at one tick than there is room for; what the first truck still has due later
    comes all the same."""
    pit, field = (121.05, 29.05), (121.10, 29.10)
    city = City(
        name="one pit",
        admin_code="330200",
        timezone="Asia/Shanghai",
        version="0" * 64,
        speed_limit_kmh=None,
        state_overrides={},
        rule_overrides={},
        districts=(District("330201", "all", box(121.0, 29.0, 121.2, 29.2)),),
        sites=(Site("pit", "pit", "construction", Point(pit), 100, None, ALWAYS),),
    )
    trucks = OUT_POSITIONS * EVENTS_A_POSITION + 1
    elements: list[Element] = [
        Position(f"浙C{number:05}", START_MS + at_ms, *(field if number else pit), loaded=True)
        for at_ms in (0, 30_000)
        for number in range(trucks)
    ]
    engine = Engine.live(PreparedCity.of(city), 0, 1)
    engine.process(elements)
    lost = engine.process([Tick(START_MS + 1_000_000)])
    assert [v.rule for v in lost.violations] == ["signal-lost"] * (trucks - 1)
    late = engine.process([Tick(START_MS + 20_000_000)])
    assert [(v.rule, v.truck_id) for v in late.violations] == [("undelivered", "浙C00000")]


def anonymous(violation: Violation) -> Violation:
    return msgspec.structs.replace(
        violation, truck_id="", violation_id="", trip_id=None, permit_ids=[], company=None
    )


def test_a_state_survives_a_city_in_which_the_numbers_have_moved() -> None:
    """Sites, districts and trucks are found again by their ids."""
    for seed in range(12, 24):
        city, tracks, rng = random_case(seed)
        elements = in_arrival_order(rng, tracks)
        half = len(elements) // 2
        engine = Engine.offline(PreparedCity.of(city))
        engine.process(elements[:half])
        renumbered = Engine.offline(PreparedCity.of(with_others_in_front(city)))
        renumbered.restore(engine.export())
        expected = engine.process(elements[half:])
        told = renumbered.process(elements[half:])
        told.violations = [
            msgspec.structs.replace(violation, city_version=city.version)
            for violation in told.violations
        ]
        assert by_truck(told) == by_truck(expected)


def test_a_state_survives_a_city_whose_middle_has_moved() -> None:
    """Its plane has moved by kilometres: a truck that stands still has not."""
    city, _, _ = random_case(0)
    west, south, _, _ = city.districts[0].shape.bounds
    there = (west + 0.01, south + 0.01)
    standing = [
        Position("浙B1", START_MS + 30_000 * n, *there, speed_kmh=0.0, loaded=True)
        for n in range(8)
    ]
    jumping = [
        Position("浙B2", START_MS + 1_000 * n, there[0], there[1] + (0.1 if n else 0.0))
        for n in range(4)
    ]
    far = District("999999", "far", box(west + 0.4, south + 0.3, west + 0.5, south + 0.4))
    wider = replace(city, version="0" * 64, districts=(*city.districts, far))
    engine = Engine.offline(PreparedCity.of(city))
    engine.process([*standing[:4], *jumping[:3]])
    moved = Engine.offline(PreparedCity.of(wider))
    moved.restore(engine.export())
    rest = [*standing[4:], *jumping[3:]]
    assert moved.process(rest).rejected == engine.process(rest).rejected == []


def with_others_in_front(city: City) -> City:
    """Of sites, districts and trucks: far from every track, with lower ids than all."""
    corners = [district.shape.bounds for district in city.districts]
    west, south = min(c[0] for c in corners), min(c[1] for c in corners)
    east, north = max(c[2] for c in corners), max(c[3] for c in corners)
    middle_lon, middle_lat = (west + east) / 2, (south + north) / 2
    far = 0.06
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
    pack, unpack = zstandard.compress, zstandard.decompress
    head = msgspec.msgpack.decode(unpack(state.head))
    ids, records, due = msgspec.msgpack.decode(unpack(state.parts["trucks/0"]))
    assert "runs/0" in state.parts

    def with_head(**fields: Any) -> State:
        return State(pack(msgspec.msgpack.encode(head | fields)), state.parts)

    def with_part(name: str, part: bytes) -> State:
        return State(state.head, state.parts | {name: part})

    for wrong in (
        State(b"", {}),
        State(state.head, {}),
        State(state.head[:-1], state.parts),
        State(pack(b"\x00"), state.parts),
        State(pack(msgspec.msgpack.encode({"format": 2})), {}),
        with_head(format=head["format"] + 1),
        with_head(truck_layout="truck"),
        with_head(run_layout="[('fixes', '<i4')]"),
        with_head(trucks=head["trucks"] + 1),
        with_head(runs=0),
        with_part("trucks/0", b"x"),
        with_part("trucks/0", pack(msgspec.msgpack.encode([ids, records[:-1], due]))),
        with_part("trucks/0", pack(msgspec.msgpack.encode([ids, records, due[:-1]]))),
        with_part("trucks/0", pack(msgspec.msgpack.encode([[*ids, "more"], records, due]))),
        with_part("trucks/0", pack(msgspec.msgpack.encode([[ids[1], *ids[1:]], records, due]))),
        with_part("runs/0", pack(b"x")),
    ):
        with pytest.raises(UnknownFormat, match=r"state"):
            Engine.offline(prepared).restore(wrong)


def test_a_trip_is_told_once() -> None:
    city, tracks, rng = random_case(eventful())
    trips: list[Trip] = judge(PreparedCity.of(city), in_arrival_order(rng, tracks)).trips
    assert len({trip.trip_id for trip in trips}) == len(trips) > 0


def test_a_state_restored_under_other_thresholds_falls_due_by_those() -> None:
    """A silent truck is lost after `offline_s` of the city that goes on, not of the one before."""

    def city(offline_s: float) -> PreparedCity:
        return PreparedCity.of(
            one_district(
                version=f"{offline_s}",
                state_overrides={"watermark_delay_s": 0},
                rule_overrides={"signal-lost": {"offline_s": offline_s}},
            )
        )

    def drive(seconds: int) -> Position:
        return Position("浙B1", START_MS + seconds * 1000, 121.1, 29.1, speed_kmh=0.0, loaded=True)

    before = Engine.live(city(600), 0, 1)
    before.process([drive(0), drive(10)])
    after = Engine.live(city(60), 0, 1)
    after.restore(before.export())
    told = after.process([Tick(START_MS + 10_000 + 60_000)]).violations
    assert [(one.rule, one.detected_ms) for one in told] == [("signal-lost", START_MS + 70_000)]
