"""What receivers, sensors, networks and clocks make of the truth."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely import LineString, Point

from geofences.loader import load_city
from producers.coverage import Coverage
from producers.demo_city import DEMO_CITY
from producers.drives import drive, stand
from producers.fixes import Fixes
from producers.position_maker import PositionMaker
from producers.receiver import CANYON_M, OPEN_M, OPEN_TAU_S, Receiver
from producers.road_map import read_roads
from producers.sensors import Equipment, Sensors
from producers.terrain import Terrain
from producers.ways import Way

ALL = Equipment(sensors=True, lift=True, scales=True)
FAR_AWAY = Point(60_000, 60_000)


@pytest.fixture(scope="module")
def terrain() -> Terrain:
    return Terrain(load_city(DEMO_CITY), read_roads(DEMO_CITY))


def standing(place: Point, hours: float) -> Fixes:
    return stand(place, 0, hours * 3_600, load=0.9)


def errors_m(terrain: Terrain, fixes: Fixes, noise: float = 1, seed: int = 1) -> np.ndarray:
    received = Receiver(terrain, noise, np.random.default_rng(seed)).receive(fixes)
    error_m = np.array([received.east_m - fixes.east_m, received.north_m - fixes.north_m])
    return error_m[:, np.hypot(*error_m) < 150]  # without the jumps


def test_the_error_is_of_metres_and_changes_slowly(terrain: Terrain) -> None:
    error_m = errors_m(terrain, standing(FAR_AWAY, 100))
    assert error_m.std() == pytest.approx(OPEN_M, rel=0.1)
    for axis in error_m:
        alike = np.corrcoef(axis[1:], axis[:-1])[0, 1]
        assert alike == pytest.approx(np.exp(-10 / OPEN_TAU_S), abs=0.02)
    assert errors_m(terrain, standing(FAR_AWAY, 100), noise=2).std() == pytest.approx(
        2 * OPEN_M, rel=0.1
    )


def test_between_high_houses_it_wanders_and_satellites_are_few(terrain: Terrain) -> None:
    place = shapely.point_on_surface(terrain.built_up)
    error_m = errors_m(terrain, standing(place, 200))
    assert error_m.std() == pytest.approx(CANYON_M, rel=0.15)
    received = Receiver(terrain, 1, np.random.default_rng(2)).receive(standing(place, 200))
    assert 0.005 < (~received.located).mean() < 0.02
    assert 0.01 < (received.satellites == 3).mean() < 0.04
    assert received.satellites.max() <= 8
    outside = Receiver(terrain, 1, np.random.default_rng(2)).receive(standing(FAR_AWAY, 200))
    assert outside.located.all()
    assert outside.satellites.min() >= 8


def test_the_wander_ends_some_time_after_the_houses(terrain: Terrain) -> None:
    inside = standing(shapely.point_on_surface(terrain.built_up), 1)
    outside = standing(FAR_AWAY, 1)
    outside = replace(outside, time_ms=outside.time_ms + inside.end_ms)
    errors = []
    for seed in range(60):
        receiver = Receiver(terrain, 1, np.random.default_rng(seed))
        receiver.receive(inside)
        errors.append(receiver.receive(outside).east_m - outside.east_m)
    spread_m = np.std(errors, axis=0)
    assert spread_m[0] > 2 * OPEN_M
    assert spread_m[60:].mean() < 1.5 * OPEN_M + 2


def test_now_and_then_a_receiver_jumps(terrain: Terrain) -> None:
    fixes = standing(FAR_AWAY, 200)
    received = Receiver(terrain, 1, np.random.default_rng(3)).receive(fixes)
    away_m = np.hypot(received.east_m - fixes.east_m, received.north_m - fixes.north_m)
    jumps = np.flatnonzero(away_m > 150)
    assert 2 < len(jumps) < 40
    assert (np.diff(jumps) > 1).all()


def test_sensors_are_seldom_wrong_and_seldom_twice_in_a_row() -> None:
    fixes = standing(FAR_AWAY, 2_000)
    sensors = Sensors(ALL, 16_000, 1, np.random.default_rng(1))
    loaded, lifted, covered, load_kg = sensors.read(fixes)
    for readings, truth in ((loaded, True), (lifted, False), (covered, True)):
        wrong = np.flatnonzero([reading is (not truth) for reading in readings])
        silent = sum(reading is None for reading in readings)
        assert len(wrong) < 0.001 * len(fixes)
        assert (np.diff(wrong) == 1).sum() <= 0.2 * len(wrong)
        assert 0.0005 < silent / len(fixes) < 0.004
    assert any(reading is False for reading in loaded)
    assert np.std(load_kg) == pytest.approx(0.9 * 160, rel=0.2)
    exact = Sensors(ALL, 16_000, 0, np.random.default_rng(1)).read(fixes)
    assert [set(column) for column in exact] == [{True}, {False}, {True}, {14_400.0}]


def through_a_tunnel(terrain: Terrain) -> Fixes:
    """From 3 km before it to 3 km behind."""
    tunnel = max(shapely.get_parts(terrain.tunnels), key=lambda shape: shape.area)
    west, _, east, _ = tunnel.bounds
    y = shapely.centroid(tunnel).y
    line = LineString([(west - 3_000, y), *_spine(tunnel), (east + 3_000, y)])
    return drive(Way.along(line, terrain), 0, load=0.9, chance=np.random.default_rng(1))


def _spine(tunnel: shapely.Geometry) -> list[tuple[float, float]]:
    west, south, east, north = tunnel.bounds
    places = np.linspace(west + 1, east - 1, 20)
    cuts = [tunnel.intersection(LineString([(x, south), (x, north)])) for x in places]
    return [shapely.centroid(cut).coords[0] for cut in cuts]


def test_what_is_stored_without_network_is_sent_once_and_afterwards(terrain: Terrain) -> None:
    fixes = through_a_tunnel(terrain)
    kinds = set()
    for seed in range(40):
        sending = Coverage(terrain, 1, np.random.default_rng(seed)).sending(fixes)
        assert sorted(sending.order) == list(range(len(fixes)))
        assert sending.in_tunnel.sum() > 3
        assert set(np.flatnonzero(sending.in_tunnel)) <= set(sending.order[sending.stored])
        assert (np.diff(sending.sent_ms) >= 0).all()
        times_ms = fixes.time_ms[sending.order]
        assert (sending.sent_ms >= times_ms).all()
        assert (sending.sent_ms == times_ms)[~sending.stored].all()
        late = bool((np.diff(times_ms) < 0).any())
        kinds.add(late)
        if not late:
            first_new = np.flatnonzero(sending.stored)[-1] + 1
            stored_ms = sending.sent_ms[sending.stored]
            assert first_new == len(fixes) or stored_ms.max() <= times_ms[first_new]
    assert kinds == {True, False}
    exact = Coverage(terrain, 0, np.random.default_rng(1)).sending(fixes)
    assert not exact.stored.any()
    assert not exact.in_tunnel.any()


def test_a_terminal_tells_what_it_received(terrain: Terrain) -> None:
    fixes = through_a_tunnel(terrain)
    maker = PositionMaker(terrain, "T", None, ALL, np.random.default_rng(2), 1)
    sent = list(maker.positions(fixes))
    assert len(sent) == len(fixes)
    hidden = [position for _, position in sent if not position.located]
    assert len(hidden) > 3
    assert all(one.backfill and one.satellites == 0 and one.speed_kmh == 0 for one in hidden)
    latest = None
    for _, one in sorted(sent, key=lambda item: item[1].time_ms):
        latest = (one.lon, one.lat) if one.located else latest
        assert (one.lon, one.lat) == latest
    assert all(position.time_ms % 1_000 == 0 for _, position in sent)
    by_stamp = sorted(position.time_ms for _, position in sent)
    assert np.abs(np.array(by_stamp) - fixes.time_ms).max() <= 3_000
    exact = PositionMaker(terrain, "T", None, ALL, np.random.default_rng(2), 0)
    positions = [position for _, position in exact.positions(fixes)]
    assert [one.time_ms for one in positions] == fixes.time_ms.tolist()
    places = [terrain.in_metres(Point(one.lon, one.lat)) for one in positions]
    assert max(np.abs([p.x for p in places] - fixes.east_m)) < 0.1
