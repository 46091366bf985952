"""The queue of fixes that wait to be shown."""

import gc
import weakref

import numpy as np
import pytest
from one_district import one_district

from streams.detect import Engine, PreparedCity
from streams.position import Position
from streams.waiting import Waiting

START_MS = 1_793_584_800_000


@pytest.fixture(scope="module")
def city() -> PreparedCity:
    return PreparedCity.of(one_district())


def take_in(
    waiting: Waiting, engine: Engine, *trucks: str, at_s: int = 0, lat: float = 29.1
) -> int:
    time_ms = START_MS + 1_000 * at_s
    fixes = [Position(one, time_ms, 121.1, lat, 30.0 + at_s, heading_deg=9.0) for one in trucks]
    return waiting.note(engine, engine.process(fixes).judged)


def taken(waiting: Waiting, most: int) -> list[tuple[str, int]]:
    """Trucks and seconds, in the order in which they are given."""
    return [
        (engine.trucks.ids[fix["truck"]], int(fix["time_ms"] - START_MS) // 1000)
        for engine, fixes in waiting.take(most)
        for fix in fixes
    ]


def test_who_has_waited_longest_comes_first_with_the_newest_fix(city: PreparedCity) -> None:
    waiting, engine = Waiting(4), Engine.offline(city)
    assert take_in(waiting, engine, "a", "b", "c") == 0
    assert take_in(waiting, engine, "b", "a", at_s=9) == 0
    assert take_in(waiting, engine, "c", at_s=9, lat=99.0) == 0
    assert taken(waiting, 2) == [("a", 9), ("b", 9)]
    assert take_in(waiting, engine, "a", "d", "b", at_s=20) == 0
    assert take_in(waiting, engine, "e", "d", "f", at_s=30) == 2
    assert taken(waiting, 9) == [("c", 0), ("a", 20), ("d", 30), ("b", 20)]
    assert taken(waiting, 9) == []
    assert take_in(waiting, engine, "e", at_s=40) == 0
    assert taken(waiting, 9) == [("e", 40)]


def test_all_that_is_shown_is_kept(city: PreparedCity) -> None:
    waiting, engine = Waiting(2), Engine.offline(city)
    engine.process([Position("before", START_MS, 121.0, 29.0)])
    outcome = engine.process([Position("a", START_MS, 121.25, 29.5, heading_deg=44.5)])
    waiting.note(engine, outcome.judged)
    [(of, fixes)] = waiting.take(5)
    [(_, truck, *fix, speed_kmh, heading_deg)] = fixes.tolist()
    assert (of, truck) == (engine, 1)
    assert (*fix, heading_deg) == (START_MS, 121.25, 29.5, 44.5)
    assert np.isnan(speed_kmh)


def test_engines_are_told_apart_and_forgotten(city: PreparedCity) -> None:
    waiting, one, other = Waiting(3), Engine.offline(city), Engine.offline(city)
    take_in(waiting, one, "a")
    take_in(waiting, other, "b", "c", at_s=5)
    assert taken(waiting, 2) == [("a", 0), ("b", 5)]
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None
    take_in(waiting, other, "b", at_s=7)
    assert taken(waiting, 2) == [("c", 5), ("b", 7)]
