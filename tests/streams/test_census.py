"""The fleet at a moment, counted in columns, against the same counted one truck after the other."""

import numpy as np

from streams.census import SEEN_MS, SILENT_MS, Census, count
from streams.detect import Engine, PreparedCity
from streams.position import Position
from streams.state import EMPTY, LOADED, NO_TIME, RECENT, TRUCK, UNKNOWN
from streams.warm import CITY, START_MS


def by_hand(rows: np.ndarray, highest_ms: int) -> Census:
    census = Census()
    for row in rows:
        if row["last_ms"] == NO_TIME or row["last_ms"] < highest_ms - SEEN_MS:
            continue
        silent = bool(row["last_ms"] < highest_ms - SILENT_MS)
        speed_kmh = row["recent"][(row["fixes"] - 1) % RECENT]["speed_kmh"]
        census += Census(
            seen=1,
            moving=int(not silent and speed_kmh > 5.0),
            loaded=int(row["loaded"] == LOADED),
            silent=int(silent),
            trips=int(row["trip_ms"] != NO_TIME),
        )
    return census


def test_it_is_the_sum_over_all_trucks() -> None:
    random = np.random.default_rng(20_261_122)
    rows = np.zeros(2_000, TRUCK)
    ages_ms = random.choice([0, 1, SILENT_MS, SILENT_MS + 1, SEEN_MS, SEEN_MS + 1], len(rows))
    rows["last_ms"] = START_MS - ages_ms
    rows["last_ms"][:50] = NO_TIME
    rows["fixes"] = random.integers(1, 20, len(rows))
    rows["loaded"] = random.choice([UNKNOWN, EMPTY, LOADED], len(rows))
    rows["trip_ms"] = random.choice([NO_TIME, START_MS], len(rows))
    speeds = random.choice([np.nan, 0.0, 5.0, 5.1, 60.0], (len(rows), RECENT))
    rows["recent"]["speed_kmh"] = speeds
    found = count(rows, START_MS)
    assert found == by_hand(rows, START_MS)
    assert 0 < found.moving < found.seen
    assert count(rows[:500], START_MS) + count(rows[500:], START_MS) == found
    assert count(rows[:0], START_MS) == Census()


def test_it_is_what_an_engine_knows() -> None:
    engine = Engine.offline(PreparedCity.of(CITY))
    fixes = [
        Position(f"浙B{truck}", START_MS + 20_000 * step, 0.11, 0.11, speed_kmh=speed, loaded=True)
        for truck, speed in enumerate([0.0, 40.0, 40.0])
        for step in range(3 if truck < 2 else 1)
    ]
    last = Position("浙B9", START_MS + SILENT_MS + 20_000, 0.11, 0.11, speed_kmh=40.0)
    engine.process([*fixes, last])
    highest_ms = engine.highest_ms
    assert highest_ms is not None
    assert count(engine.rows(0, 100), highest_ms) == Census(4, 3 - 1, 2, 1, 2)
    assert count(engine.rows(0, 1), highest_ms) == Census(1, 0, 1, 0, 1)
    assert len(engine.rows(4, 8)) == 0
