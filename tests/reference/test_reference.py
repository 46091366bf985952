"""The reference engine against the scenarios' verdicts, and by hand where they say nothing."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pyproj import Geod
from shapely import Point, box

from geofences.city import City, District, Site
from geofences.hours import ALWAYS
from geofences.loader import load_city
from reference.engine import ReferenceEngine
from streams.position import Malformed, Position, Tick, decode_record

START_MS = 1_795_266_000_000
PIT = (121.05, 29.05)
TIP = (121.15, 29.15)
FIELD = (121.10, 29.10)
CITY = City(
    name="by hand",
    admin_code="330200",
    timezone="Asia/Shanghai",
    version="0" * 64,
    speed_limit_kmh=60,
    state_overrides={},
    rule_overrides={},
    districts=(District("330201", "all", box(121.0, 29.0, 121.2, 29.2)),),
    sites=(
        Site("pit", "pit", "construction", Point(PIT), 100, None, ALWAYS),
        Site("tip", "tip", "disposal", Point(TIP), 100, None, ALWAYS),
    ),
)
DAY_S = 86_400


def position(at_s: float, place: tuple[float, float], **fields: Any) -> Position:
    return Position("浙B1", START_MS + round(1000 * at_s), *place, **fields)


def run(engine: ReferenceEngine, elements: Iterable[Position | Tick]) -> list[str | None]:
    return [engine.process(element) for element in elements]


def phases(engine: ReferenceEngine) -> list[tuple[str, str, float, float]]:
    """Rule, phase, seconds at which it started and was detected."""
    return [
        (
            v["rule"],
            v["phase"],
            (v["started_ms"] - START_MS) / 1000,
            (v["detected_ms"] - START_MS) / 1000,
        )
        for v in engine.violations
    ]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def verdict(violation: dict[str, Any]) -> tuple[Any, ...]:
    names = ("truck_id", "started_ms", "rule", "phase", "detected_ms", "violation_id")
    return (*(violation[name] for name in names), violation.get("ended_ms"))


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_reaches_the_verdicts_of_the_scenario(shared_dir: Path, name: str) -> None:
    folder = shared_dir / "scenarios" / name
    engine = ReferenceEngine(load_city(folder / "city"))
    rejected = []
    for line in (folder / "positions.jsonl").read_bytes().splitlines():
        (element,) = decode_record(line)
        assert isinstance(element, Position)
        reason = engine.process(element)
        if reason is not None:
            rejected.append((element.truck_id, element.time_ms, reason))
    engine.finish()
    expected = lines(folder / "expected_violations.jsonl")
    assert Counter(map(verdict, engine.violations)) == Counter(map(verdict, expected))
    assert Counter(rejected) == Counter(
        (r["truck_id"], r["time_ms"], r["reason"])
        for r in lines(folder / "expected_rejected.jsonl")
    )


def test_a_loaded_truck_that_falls_silent_is_judged_alike_by_a_tick_and_by_the_end() -> None:
    silent = [position(30 * n, FIELD, speed_kmh=20, loaded=True) for n in range(5)]
    live, offline = ReferenceEngine(CITY, live=True), ReferenceEngine(CITY)
    run(live, [*silent, Tick(START_MS + 1_080_000)])
    assert ("signal-lost", "opened", 120, 720) in phases(live)
    assert ("no-permit", "closed", 30, 720) not in phases(live), "silent for 600 s, not over it"
    run(live, [Tick(START_MS + 1_080_001)])
    run(offline, [*silent, Position("浙B2", START_MS + 720_001, *FIELD)])
    offline.finish()
    assert phases(live) == [
        ("no-permit", "opened", 30, 90),
        ("signal-lost", "opened", 120, 720),
        ("no-permit", "closed", 30, 720),
    ]
    assert sorted(phases(live)) == sorted(phases(offline))
    assert live.violations[-1]["ended_ms"] == START_MS + 120_000


def test_offline_a_tick_moves_nothing() -> None:
    engine = ReferenceEngine(CITY)
    loaded = [position(30 * n, FIELD, loaded=True) for n in range(3)]
    run(engine, [*loaded, Tick(START_MS + 9_000_000)])
    engine.finish()
    assert engine.violations == []


def test_a_truck_is_forgotten_after_thirty_days() -> None:
    engine = ReferenceEngine(CITY)
    run(engine, [position(30 * n, FIELD, loaded=True) for n in range(3)])
    run(engine, [position(60 + 30 * DAY_S + 0.001, FIELD, loaded=False)])
    back_s = 60 + 30 * DAY_S + 0.001
    assert phases(engine) == [
        ("signal-lost", "opened", 60, 660),
        ("signal-lost", "closed", 60, back_s),
    ]
    run(engine, [position(back_s + 30, FIELD, loaded=False)])
    assert engine.trips == [], "dropped without a record, and there was no dump"


def test_a_truck_is_remembered_for_thirty_days() -> None:
    engine = ReferenceEngine(CITY)
    run(engine, [position(30 * n, FIELD, loaded=True) for n in range(3)])
    run(engine, [position(60 + 30 * DAY_S + 30 * n, FIELD, loaded=False) for n in range(2)])
    assert [trip["dump_basis"] for trip in engine.trips] == ["sensor"]


def test_stays_make_a_trip() -> None:
    engine = ReferenceEngine(CITY)
    loading = [position(60 * n, PIT) for n in range(6)]
    way = [position(300 + 60 * n, (121.05 + n / 100, 29.05 + n / 100)) for n in range(1, 10)]
    tipping = [position(900 + 60 * n, TIP) for n in range(4)]
    assert run(engine, [*loading, *way, *tipping]) == [None] * 19
    (trip,) = engine.trips
    length_m = Geod(ellps="WGS84").inv(*PIT, *TIP)[2]
    assert trip["distance_m"] == pytest.approx(length_m, abs=2)
    assert {
        name: trip[name] for name in ("load_basis", "dump_basis", "started_ms", "ended_ms")
    } == {
        "load_basis": "inferred",
        "dump_basis": "inferred",
        "started_ms": START_MS,
        "ended_ms": START_MS + 900_000,
    }
    assert (trip["source_site"], trip["dump_site"]) == ("pit", "tip")
    assert (trip["start"], trip["end"]) == (list(PIT), list(TIP))


def test_loading_again_ends_the_trip_as_unknown() -> None:
    engine = ReferenceEngine(CITY)
    run(engine, [position(60 * n, PIT) for n in range(6)])
    run(engine, [position(600, FIELD), position(900, PIT), position(1200, PIT)])
    (trip,) = engine.trips
    assert (trip["dump_basis"], trip["dump_district"]) == ("unknown", None)
    assert trip["ended_ms"] == START_MS + 900_000
    assert phases(engine) == []


def test_an_undelivered_trip_occurs_four_hours_after_it_began() -> None:
    engine = ReferenceEngine(CITY)
    run(engine, [position(60 * n, PIT, loaded=True) for n in range(2)])
    run(engine, [position(4 * 3600, PIT, loaded=False)])
    assert phases(engine) == [("undelivered", "occurred", 0, 14_400)]


def test_the_third_agreeing_position_after_a_jump_is_taken() -> None:
    engine = ReferenceEngine(CITY)
    reasons = run(
        engine,
        [
            position(0, PIT),
            position(10, TIP),
            position(15, FIELD),
            position(15, TIP),
            position(12, FIELD),
            position(20, FIELD),
            position(21, FIELD, satellites=3),
            position(25, FIELD),
        ],
    )
    jump = "impossible_jump"
    assert reasons == [None, jump, jump, "duplicate", jump, jump, "few_satellites", None]


def test_what_is_wrong_with_a_position_by_itself() -> None:
    engine = ReferenceEngine(CITY, live=True)
    late = position(301, PIT)
    assert engine.process(Malformed("not JSON")) == "malformed"
    assert engine.process(position(0, (0, 0))) == "bad_coordinates"
    assert engine.process(position(0, (181, 0))) == "bad_coordinates"
    assert engine.process(position(0, (float("inf"), 0))) == "bad_coordinates"
    assert engine.process(position(0, PIT, located=False)) == "not_located"
    assert engine.process(position(0, PIT, satellites=3)) == "few_satellites"
    assert engine.process(late, record_ms=START_MS) == "future_time"
    assert engine.process(position(301, PIT, received_ms=START_MS)) == "future_time"
    assert engine.process(late, record_ms=START_MS + 1_000) is None
    assert engine.process(position(301, PIT)) == "duplicate"
    assert engine.process(position(300, PIT)) == "late"
