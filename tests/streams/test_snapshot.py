"""States of engines: what has changed adds up to the whole, and states that another version wrote
are gone on from."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from one_district import one_district
from recorded_state import FOLDER, lines, new_engine, read_rest, read_state
from reference.tracks import in_arrival_order, random_case, with_ticks
from tally import tally

from geofences.city import City
from geofences.index import NONE
from streams.detect import FIRST_RUNS, Engine, PreparedCity
from streams.output import encode
from streams.position import Element, Position, Tick
from streams.snapshot import RULES, RUNS_A_PART, TRUCKS_A_PART, Snapshot, State, UnknownFormat
from streams.state import FIX, NEVER, RUN, TRUCK
from streams.succession import Succession

START_MS = 1_795_266_000_000


class Kept:
    """What a store has: the last head, and the last of each part."""

    def __init__(self) -> None:
        self.head = b""
        self.parts: dict[str, bytes] = {}

    def save(self, engine: Engine) -> int:
        """How many parts were written."""
        state = engine.changes().encode()
        self.head = state.head
        self.parts |= state.parts
        return len(state.parts)

    @property
    def state(self) -> State:
        return State(self.head, dict(self.parts))


def meaning(state: State) -> tuple[Any, ...]:
    """All that counts of a state: places for runs that nobody has hold what was there before."""
    snapshot = Snapshot.decode(state)
    runs = snapshot.rows.runs
    return (
        snapshot.head,
        snapshot.truck_ids,
        by_field(snapshot.rows),
        snapshot.due_ms.tobytes(),
        by_field(snapshot.pool.runs[runs[runs != NONE]]),
        snapshot.pool.free[: snapshot.pool.n_free[0]].tobytes(),
    )


def by_field(records: Any) -> dict[str, bytes]:
    """What is between the fields is left to chance by copying."""
    return {name: records[name].tobytes() for name in records.dtype.names}


def successions(city: City, elements: Sequence[Element], rng: Random) -> list[Succession]:
    """As they are published one after another: the same city again, and one without permits."""
    first = PreparedCity.of(city)
    again = PreparedCity.of(replace(city, version="1" * 64))
    stricter = PreparedCity.of(replace(city, version="2" * 64, permits=()))
    times = sorted(one.time_ms for one in elements if isinstance(one, Position))
    second_ms, third_ms = sorted(rng.sample(range(times[0], times[-1] + 2), 2))
    return [
        Succession(first),
        Succession(first, [(second_ms, again)]),
        Succession(first, [(second_ms, again), (third_ms, stricter)]),
    ]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 39), choices=st.integers(0, 2**32))
def test_what_has_changed_adds_up_to_the_whole(seed: int, choices: int) -> None:
    """Whenever it is saved, the engine restarted, a version of the city taken up."""
    rng = Random(choices)
    city, tracks, _ = random_case(seed)
    elements = with_ticks(rng, in_arrival_order(rng, tracks))
    known = successions(city, elements, rng)
    engine, plain = Engine.live(known[0], 0, 1), Engine.live(known[0], 0, 1)
    kept = Kept()
    start = saves = restarts = 0
    while start < len(elements):
        end = start + rng.randint(1, 1 + len(elements) // 6)
        piece = elements[start:end]
        assert sorted(map(encode, engine.process(piece).violations)) == sorted(
            map(encode, plain.process(piece).violations)
        )
        start = end
        if known[1:] and rng.random() < 0.2:
            del known[0]
            engine.take_up(known[0])
            plain.take_up(known[0])
        if rng.random() < 0.6:
            kept.save(engine)
            saves += 1
            whole = engine.export()
            assert meaning(kept.state) == meaning(whole)
            if rng.random() < 0.5:
                engine = Engine.live(known[0], 0, 1)
                engine.restore(kept.state)
                assert meaning(engine.export()) == meaning(whole)
                restarts += 1
    tally("saved bit by bit", examples=1, positions=len(elements), saves=saves, restarts=restarts)


def drive(truck: int, step: int, **fields: Any) -> Position:
    return Position(
        f"浙B{truck:05}", START_MS + 30_000 * step, 121.05 + 0.002 * step, 29.05 + 1e-5 * truck,
        speed_kmh=30.0, loaded=True, **fields,
    )  # fmt: skip


def test_only_blocks_with_a_change_are_written() -> None:
    """Also where trucks and runs have outgrown the first block, and the pool its first room."""
    trucks = 2 * TRUCKS_A_PART + 3
    city = PreparedCity.of(one_district())
    engine = Engine.live(city, 0, 1)
    kept = Kept()
    for step in range(4):
        engine.process([drive(truck, step) for truck in range(trucks)])
        written = kept.save(engine)
        assert meaning(kept.state) == meaning(engine.export())
    assert trucks > FIRST_RUNS
    assert written > 3 + trucks // RUNS_A_PART, "all trucks have a run"
    assert kept.save(engine) == 0
    engine.process([drive(trucks - 1, 4)])
    assert kept.save(engine) == 2, "the block of one truck, and that of its run"
    engine.process([Tick(START_MS)])
    assert kept.save(engine) == 0
    engine.process([drive(truck, 4, covered=False) for truck in range(trucks - 1)])
    kept.save(engine)
    assert meaning(kept.state) == meaning(engine.export())
    restored = Engine.live(city, 0, 1)
    restored.restore(kept.state)
    assert kept.save(restored) == 0
    engine.process([Tick(START_MS + 90_000_000)])
    restored.process([Tick(START_MS + 90_000_000)])
    kept.save(restored)
    assert meaning(kept.state) == meaning(engine.export())


def test_a_restored_engine_has_the_layout_that_the_core_is_compiled_for() -> None:
    """An equal one that is not aligned would be compiled for, for a minute, in the first batch."""
    engine = some_engine()
    restored = Engine.live(engine.succession, 0, 1)
    restored.restore(engine.export())
    for mine, its in ((TRUCK, restored._rows.dtype), (RUN, restored._pool.runs.dtype)):
        assert its.isalignedstruct == mine.isalignedstruct
        assert its == np.dtype((np.record, mine))


def some_engine() -> Engine:
    """With trucks on a run, in a trip, standing, and with readings in the making."""
    engine = Engine.live(PreparedCity.of(one_district(speed_limit_kmh=25)), 0, 1)
    for step in range(6):
        engine.process([drive(truck, step, covered=bool(truck % 2)) for truck in range(5)])
    engine.process([msgspec.structs.replace(drive(1, 6), loaded=False)])
    return engine


def rest() -> list[Element]:
    return [
        *(drive(truck, step) for step in range(7, 11) for truck in range(4)),
        Tick(START_MS + 20_000_000),
        *(drive(truck, 900) for truck in range(5)),
    ]


def before(state: State, truck: np.dtype[Any], run: np.dtype[Any], rules: list[str]) -> State:
    """`state`, as a version with these records and rules would have written it."""
    unpack = zstandard.ZstdDecompressor().decompress
    pack = zstandard.ZstdCompressor().compress

    def laid_out(packed: bytes, now: np.dtype[Any], then: np.dtype[Any]) -> bytes:
        count = len(packed) // now.itemsize
        by_record = np.frombuffer(packed, np.uint8).reshape(now.itemsize, count).T.copy()
        records, old = by_record.view(now).reshape(-1), np.zeros(count, then)
        copy_by_name(records, old)
        if "runs" in (then.names or ()):
            old["runs"] = NONE
            for number, rule in enumerate(rules):
                if rule in RULES:
                    old["runs"][:, number] = records["runs"][:, RULES.index(rule)]
        raw = np.frombuffer(old.tobytes(), np.uint8).reshape(count, then.itemsize)
        return np.ascontiguousarray(raw.T).tobytes()

    head = msgspec.msgpack.decode(unpack(state.head))
    head |= {
        "truck_layout": repr(np.lib.format.dtype_to_descr(truck)),
        "run_layout": repr(np.lib.format.dtype_to_descr(run)),
        "rules": rules,
    }
    parts = {}
    for name, part in state.parts.items():
        if name.startswith("trucks/"):
            ids, records, due = msgspec.msgpack.decode(unpack(part))
            old = [ids, laid_out(records, TRUCK, truck), due]
            parts[name] = pack(msgspec.msgpack.encode(old))
        else:
            parts[name] = pack(laid_out(unpack(part), RUN, run))
    return State(pack(msgspec.msgpack.encode(head)), parts)


def copy_by_name(new: Any, old: Any) -> None:
    for name in old.dtype.names:
        if name == "runs" or name not in new.dtype.names:
            continue
        if old[name].dtype.names:
            copy_by_name(new[name], old[name])
        else:
            old[name] = new[name]


def fields_of(dtype: np.dtype[Any]) -> list[Any]:
    assert dtype.names
    assert dtype.fields
    return [(name, dtype.fields[name][0]) for name in dtype.names]


FIX_BEFORE = np.dtype([("hdop", "f4"), *reversed(fields_of(FIX))])
"""One field more, the others in another order."""
RULES_BEFORE = ["a-rule-that-is-gone", *reversed(RULES)]


def other_layouts() -> tuple[np.dtype[Any], np.dtype[Any]]:
    own = {"runs": ("i4", len(RULES_BEFORE)), "recent": (FIX_BEFORE, TRUCK["recent"].shape)}
    truck = [(name, own.get(name, kind)) for name, kind in reversed(fields_of(TRUCK))]
    run = [
        (name, (FIX_BEFORE, RUN["track"].shape) if name == "track" else kind)
        for name, kind in reversed(fields_of(RUN))
    ]
    return (
        np.dtype([("gone", "i2"), *truck, ("also_gone", "f8", 3)], align=True),
        np.dtype([*run, ("gone", "?")]),
    )


def test_a_state_of_other_records_and_rules_leads_to_the_same_verdicts() -> None:
    engine = some_engine()
    old = before(engine.export(), *other_layouts(), RULES_BEFORE)
    restored = Engine.live(engine.succession, 0, 1)
    restored.restore(old)
    assert meaning(restored.export())[1:5] == meaning(engine.export())[1:5]
    kept = Kept()
    assert kept.save(restored) == 2, "all of it is to be written anew"
    again = Engine.live(engine.succession, 0, 1)
    again.restore(kept.state)
    expected = engine.process(rest())
    assert {one.rule for one in expected.violations} >= {"no-permit", "speeding", "signal-lost"}
    for other in (restored, again):
        told = other.process(rest())
        assert sorted(map(encode, told.violations)) == sorted(map(encode, expected.violations))
        assert sorted(map(encode, told.trips)) == sorted(map(encode, expected.trips))


def test_a_field_that_is_new_is_as_of_a_new_truck_and_a_new_rule_has_no_runs() -> None:
    engine = some_engine()
    new = {"lift_armed", "trip_source", "odometer_mm"}
    truck = np.dtype([field for field in fields_of(TRUCK) if field[0] not in new])
    truck = np.dtype(
        [
            (name, ("i4", len(RULES) - 1) if name == "runs" else kind)
            for name, kind in fields_of(truck)
        ]
    )
    rules = [rule for rule in RULES if rule != "no-permit"]
    restored = Engine.live(engine.succession, 0, 1)
    restored.restore(before(engine.export(), truck, RUN, rules))
    rows, was = restored._rows, engine._rows[: len(engine.trucks)]
    assert rows.lift_armed.all()
    assert (rows.trip_source == NONE).all()
    assert (rows.odometer_mm == 0).all()
    assert (rows.last_ms == was.last_ms).all()
    number = RULES.index("no-permit")
    assert (was.runs[:, number] != NONE).any()
    assert (rows.runs[:, number] == NONE).all()
    assert (rows.n_runs == (rows.runs != NONE).sum(axis=1)).all()
    assert (rows.n_runs > 0).any()
    in_use = (rows.runs != NONE).sum()
    assert restored._pool.n_free[0] == len(restored._pool.runs) - in_use
    expected = engine.process(rest())
    told = restored.process(rest())
    of_others = {"speeding", "uncovered-load"}
    for outcome in (expected, told):
        outcome.violations = [one for one in outcome.violations if one.rule in of_others]
    assert [one.violation_id for one in told.violations] == [
        one.violation_id for one in expected.violations
    ]


def test_an_array_of_another_length_is_refused() -> None:
    """Its meaning may have changed: the ring of the last fixes is found by its length."""
    engine = some_engine()
    fields = [
        (name, (FIX, (TRUCK["recent"].shape[0] * 2,)) if name == "recent" else kind)
        for name, kind in fields_of(TRUCK)
    ]
    state = engine.export()
    head = msgspec.msgpack.decode(zstandard.decompress(state.head))
    ids, records, due = msgspec.msgpack.decode(zstandard.decompress(state.parts["trucks/0"]))
    longer = np.dtype(fields)
    head["truck_layout"] = repr(np.lib.format.dtype_to_descr(longer))
    records = b"\x00" * longer.itemsize * len(ids)
    wrong = State(
        zstandard.compress(msgspec.msgpack.encode(head)),
        state.parts | {"trucks/0": zstandard.compress(msgspec.msgpack.encode([ids, records, due]))},
    )
    with pytest.raises(UnknownFormat, match=r"recent has another shape"):
        Engine.live(engine.succession, 0, 1).restore(wrong)


@pytest.mark.parametrize(
    "layout", ["[('x', '<i4')]", "[('runs', '|O')]", "'<i4'", "[('runs', '<i4', (2,))]", "1 +"]
)
def test_records_of_no_known_layout_are_refused(layout: str) -> None:
    engine = some_engine()
    state = engine.export()
    head = msgspec.msgpack.decode(zstandard.decompress(state.head)) | {"truck_layout": layout}
    wrong = State(zstandard.compress(msgspec.msgpack.encode(head)), state.parts)
    with pytest.raises(UnknownFormat, match="engine state"):
        Engine.live(engine.succession, 0, 1).restore(wrong)


def test_an_unknown_format_is_refused_with_what_to_do() -> None:
    engine = some_engine()
    state = engine.export()
    head = msgspec.msgpack.decode(zstandard.decompress(state.head)) | {"format": 99}
    wrong = State(zstandard.compress(msgspec.msgpack.encode(head)), state.parts)
    with pytest.raises(UnknownFormat, match=r"of format 99; this version reads"):
        Engine.live(engine.succession, 0, 1).restore(wrong)


def test_an_engine_that_has_seen_nothing_can_be_saved() -> None:
    engine = Engine.live(PreparedCity.of(one_district()), 0, 1)
    kept = Kept()
    assert kept.save(engine) == 0
    restored = Engine.live(engine.succession, 0, 1)
    restored.restore(kept.state)
    assert restored.highest_ms is None
    assert restored.process(rest()) == engine.process(rest())
    assert NEVER > (restored.highest_ms or 0) > START_MS


def without_sentences(told: list[bytes]) -> list[str]:
    """Sorted; a later version may say the same in other words."""
    verdicts = [json.loads(line) for line in told]
    return sorted(
        json.dumps({name: v[name] for name in v if not name.startswith("message")})
        for v in verdicts
    )


@pytest.mark.parametrize("folder", sorted(FOLDER.iterdir()), ids=lambda folder: folder.name)
def test_a_state_that_was_recorded_leads_to_the_verdicts_that_were_recorded(folder: Path) -> None:
    engine = new_engine(folder)
    engine.restore(read_state(folder))
    told = lines(engine.process(read_rest(folder)))
    recorded = (folder / "verdicts.jsonl").read_bytes().splitlines()
    assert without_sentences(told) == without_sentences(recorded)
    assert len({json.loads(line).get("rule") for line in told}) > 4


def test_the_present_records_are_among_the_recorded() -> None:
    """Record them anew, under another name, before they change again: see `recorded_state`."""
    recorded = {
        Snapshot.decode(read_state(folder)).head.truck_layout for folder in FOLDER.iterdir()
    }
    engine = some_engine()
    assert Snapshot.decode(engine.export()).head.truck_layout in recorded
