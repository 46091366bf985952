"""Shifts, queues, and how simulated trucks move."""

from datetime import datetime

import numpy as np
import pytest
from shapely import LineString, Point

from geofences.city import Permit
from geofences.hours import Validity, parse_hours
from geofences.loader import load_city
from producers.demo_city import DEMO_CITY
from producers.drives import drive, load, stand, tip
from producers.service import come_to
from producers.shifts import draw_shift
from producers.terrain import Terrain
from producers.ways import Way
from producers.yards import Yard


@pytest.fixture(scope="module")
def way() -> Way:
    terrain = Terrain(load_city(DEMO_CITY))
    return Way.along(terrain.in_metres(terrain.city.routes[0].shape), terrain)


def permit(hours: str) -> Permit:
    validity = Validity(None, None, parse_hours(hours))
    return Permit("P", ("T",), (), (), (), (), validity)


@pytest.mark.parametrize("bays", [1, 3])
def test_a_site_serves_so_many_at_a_time(bays: int) -> None:
    chance, yard, turns = np.random.default_rng(bays), Yard(bays), []
    for arrival_s in np.sort(chance.uniform(0, 9_000, 80)).tolist():
        lasts_s = float(chance.uniform(100, 500))
        turn = yard.turn(round(arrival_s * 1000), lasts_s)
        yard.book(turn, 0)
        assert turn.start_ms >= round(arrival_s * 1000)
        assert turn.end_ms - turn.start_ms == round(lasts_s * 1000)
        assert (turn.ahead > 0) == (turn.start_ms > round(arrival_s * 1000))
        turns.append(turn)
    for turn in turns:
        busy = sum(one.start_ms <= turn.start_ms < one.end_ms for one in turns)
        assert busy <= bays
    assert sum(turn.ahead > 0 for turn in turns) > 40


def test_a_gap_that_is_long_enough_is_taken_and_what_is_over_is_forgotten() -> None:
    yard = Yard(1)
    yard.book(yard.turn(600_000, 300), 0)
    assert yard.turn(200_000, 300).start_ms == 200_000
    assert yard.turn(400_000, 300).start_ms == 900_000
    assert yard.turn(300_000, 300).start_ms == 300_000, "up to the moment the next one comes"
    yard.book(yard.turn(2_000_000, 10), 1_000_000)
    assert yard.turn(700_000, 300).start_ms == 700_000


def test_who_must_wait_stands_in_line_before_the_place_and_moves_up(way: Way) -> None:
    chance, yard = np.random.default_rng(1), Yard(1)
    end = np.array(way.end.coords[0])
    for number in range(4):
        fixes, turn = come_to(way, 0, yard, 300, load=0.9, chance=chance)
        yard.book(turn, 0)
        away_m = np.hypot(fixes.east_m - end[0], fixes.north_m - end[1])
        standing = fixes.time_ms > fixes.time_ms[np.flatnonzero(fixes.speed_kmh > 0)[-1]]
        assert fixes.end_ms <= turn.start_ms
        assert away_m[-1] < 1
        assert (np.diff(fixes.time_ms) > 0).all()
        if number:
            assert standing.sum() > 3
            assert 5 < away_m[standing].max() < 120
            assert (np.diff(away_m[standing]) < 0.01).all()


def test_a_drive_keeps_to_its_way_and_its_limits(way: Way) -> None:
    for seed in range(5):
        fixes = drive(way, 1_000, load=0.8, chance=np.random.default_rng(seed))
        assert fixes.speed_kmh.max() <= way.kmh.max() + 0.01
        assert way.shortest_s() <= (fixes.end_ms - 1_000) / 1000 <= way.shortest_s() * 2.2
        assert np.diff(fixes.time_ms).min() > 7_000
        assert np.diff(fixes.time_ms).max() < 13_000
        assert LineString(np.column_stack([fixes.east_m, fixes.north_m])).within(
            way.line.buffer(60)
        )
        assert fixes.end.distance(way.end) < 0.01
        stops = np.flatnonzero(fixes.speed_kmh < 1)
        at_m = np.array([way.line.project(Point(fixes.east_m[i], fixes.north_m[i])) for i in stops])
        assert all(min(abs(at - one) for one, _ in way.stops) < 1 for at in at_m)


def test_a_hastened_way_is_fast_there_and_only_there(way: Way) -> None:
    fast = way.hastened(3_000, 5_000, 90)
    middles_m = (fast.marks_m[1:] + fast.marks_m[:-1]) / 2
    assert ((fast.kmh == 90) == ((middles_m > 3_000) & (middles_m < 5_000))).all()
    assert not any(3_000 <= at_m <= 5_000 for at_m, _ in fast.stops)
    assert fast.shortest_s() < way.shortest_s()


def test_a_load_comes_on_before_the_cover_and_a_tip_takes_it_off() -> None:
    place = Point(3, 4)
    loading = load(place, 0, 500, 0.9)
    assert not loading.loaded[0]
    assert loading.load[-1] == 0.9
    assert loading.covered.sum() < loading.loaded.sum()
    tipping = tip(place, 0, 150, 0.9)
    assert tipping.loaded[0]
    assert not tipping.loaded[-1]
    assert not tipping.lifted[-1]
    assert tipping.lifted.sum() >= 3
    assert stand(place, 0, 3_600, load=0, every_s=300).time_ms.tolist()[-1] == 3_600_000


def test_most_work_by_night_and_by_day_who_may() -> None:
    chance = np.random.default_rng(5)
    night, noon = datetime(2026, 4, 1, 23), datetime(2026, 4, 1, 14)
    always = [draw_shift([permit("")], chance) for _ in range(400)]
    by_day = sum(shift.works(noon) for shift in always)
    assert 25 < by_day < 80
    assert all(shift.works(night) != shift.works(noon) for shift in always)
    assert all(draw_shift([permit("20:00-06:00")], chance).works(night) for _ in range(100)), (
        "their permits do not hold by day"
    )
    assert any(draw_shift([permit("09:30-16:30;20:00-06:00")], chance).works(noon)
               for _ in range(100))  # fmt: skip
    for shift in always:
        start, _ = shift.meal.windows[0].start_min, shift.meal_s
        assert shift.works(datetime(2026, 4, 2, start // 60, start % 60))
