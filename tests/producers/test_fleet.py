"""The simulated fleet behaves, and its offences are what their labels say."""

import itertools
import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from geofences.city import City
from geofences.loader import load_city
from producers.demo_city import DEMO_CITY, make_city
from producers.fleet import Fleet, SimulationError
from producers.labels import Label, read_labels
from producers.offences import OFFENCES
from producers.road_map import read_roads
from producers.score import Found, Score, score
from producers.simulate import (
    HOUR_MS,
    Simulation,
    file_start_ms,
    live_start_ms,
    simulate_to_files,
)
from producers.terrain import Terrain
from streams.catalogue import CATALOGUE
from streams.detect import Engine, PreparedCity
from streams.output import Violation
from streams.position import Position

RULES = {rule.id for rule in CATALOGUE}
ROADS = read_roads(DEMO_CITY)


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(DEMO_CITY)


@pytest.fixture(scope="module")
def prepared(city: City) -> PreparedCity:
    return PreparedCity.of(city)


def run(
    city: City, trucks: int, hours: float, **options: float
) -> tuple[list[Position], list[Label]]:
    """All positions and labels of so many hours; without noise where none is asked for."""
    start_ms = file_start_ms(city)
    fleet = Fleet(
        city,
        trucks=trucks,
        seed=int(options.get("seed", 1)),
        start_ms=start_ms,
        share=options.get("share", 0.1),
        roads=None if options.get("bare") else ROADS,
        noise=options.get("noise", 0),
    )
    end_ms = start_ms + round(hours * HOUR_MS)
    positions: list[Position] = []
    labels: list[Label] = []
    for event in fleet.events():
        if isinstance(event, Label):
            labels.append(event)
        elif event.time_ms > end_ms:
            break
        else:
            positions.append(event)
    return positions, labels + fleet.unfinished(end_ms)


def detect(prepared: PreparedCity, positions: list[Position]) -> list[Violation]:
    engine = Engine.offline(prepared)
    outcome = engine.process(positions)
    assert outcome.rejected == []
    return outcome.violations + engine.finish().violations


def test_demo_city_is_what_the_generator_makes() -> None:
    made = make_city()
    assert {path.name for path in DEMO_CITY.iterdir()} == set(made)
    for name, content in made.items():
        assert (DEMO_CITY / name).read_bytes() == content
    assert sum(map(len, made.values())) < 500_000
    assert make_city(1) != made


def test_every_rule_has_an_offence_and_each_its_own() -> None:
    rules = [offence.rule for offence in OFFENCES]
    assert sorted([*rules, "no-permit"]) == sorted(RULES)


def test_demo_city_has_all_that_the_rules_look_at(city: City) -> None:
    assert len(city.districts) == 6
    kinds = Counter(site.kind for site in city.sites)
    assert set(kinds) == {"construction", "disposal", "transfer", "parking"}
    assert {zone.kind for zone in city.zones} == {"no_go", "speed_limit"}
    assert len(city.trucks) == 500


def test_a_fleet_that_behaves_breaks_no_rule(city: City, prepared: PreparedCity) -> None:
    positions, labels = run(city, 25, 14, share=0)
    assert labels == []
    assert detect(prepared, positions) == []
    assert sum(one.speed_kmh == 0 for one in positions) < len(positions) * 0.8


def test_offences_are_found_and_nothing_else(city: City, prepared: PreparedCity) -> None:
    positions, labels = run(city, 90, 10, share=0.5)
    assert {label.rule for label in labels if not label.partial} == RULES
    for one in scored(labels, detect(prepared, positions)):
        assert one.recall in (None, 1), one
        assert one.precision in (None, 1), one


def scored(labels: list[Label], violations: list[Violation]) -> list[Score]:
    return score(
        labels,
        [
            Found(
                *(one.violation_id, one.rule, one.truck_id),
                *(one.started_ms, one.detected_ms, one.ended_ms),
            )
            for one in violations
        ],
    )


def test_where_a_city_states_no_roads_its_routes_are_all_there_are(
    city: City, prepared: PreparedCity
) -> None:
    positions, labels = run(city, 40, 5, share=0.5, bare=True)
    assert len({label.rule for label in labels}) > 8
    for one in scored(labels, detect(prepared, positions)):
        assert one.recall in (None, 1), one
        assert one.precision in (None, 1), one


def test_noise_costs_little(city: City, prepared: PreparedCity) -> None:
    positions, labels = run(city, 120, 8, share=0.2, noise=1)
    engine = Engine.offline(prepared)
    outcome = engine.process(positions)
    reasons = Counter(reason for _, reason in outcome.rejected)
    assert {"not_located", "few_satellites", "late", "impossible_jump"} <= set(reasons)
    assert sum(reasons.values()) < 0.03 * len(positions)
    *_, total = scored(labels, outcome.violations + engine.finish().violations)
    assert total.labels > 100
    assert (total.recall or 0) > 0.97
    assert (total.precision or 0) > 0.93


def test_positions_come_in_the_order_of_time_from_the_start(city: City) -> None:
    positions, _ = run(city, 20, 1)
    times = [one.time_ms for one in positions]
    assert times == sorted(times)
    assert 0 <= times[0] - file_start_ms(city) < 60_000
    per_truck = Counter(one.truck_id for one in positions)
    assert len(per_truck) == 20
    for truck_id in per_truck:
        own = [one.time_ms for one in positions if one.truck_id == truck_id]
        gaps = [later - earlier for earlier, later in itertools.pairwise(own)]
        assert min(gaps) >= 4_000
        assert max(gaps) <= 300_000


def test_same_seed_same_fleet(city: City) -> None:
    for noise in (0, 1):
        assert run(city, 10, 0.5, noise=noise) == run(city, 10, 0.5, noise=noise)
        assert run(city, 10, 0.5, noise=noise) != run(city, 10, 0.5, noise=noise, seed=2)


def test_trucks_are_under_way_when_it_begins(city: City) -> None:
    positions, _ = run(city, 100, 0.1)
    first = {one.truck_id: one for one in reversed(positions)}
    assert len(first) == 100
    moving = [one for one in first.values() if (one.speed_kmh or 0) > 5]
    assert 30 < len(moving) < 95
    assert {one.loaded for one in first.values()} == {True, False, None}
    assert any(one.loaded and one.lifted is None for one in first.values())


def test_violations_begin_within_five_minutes_of_event_time(
    city: City, prepared: PreparedCity
) -> None:
    positions, _ = run(city, 200, 1 / 12)
    assert detect(prepared, positions)


def test_the_share_of_offending_trips(city: City) -> None:
    _, labels = run(city, 150, 5, share=0.2)
    offending = {label.truck_id for label in labels}
    assert 40 < len(offending) < 150
    without_permit = {label.truck_id for label in labels if label.rule == "no-permit"}
    assert len(without_permit) == round(0.2 * 150 / len(RULES))


@pytest.mark.parametrize(("trucks", "share"), [(0, 0.1), (5_000, 0.1), (10, 1.5)])
def test_fleets_that_cannot_be(city: City, trucks: int, share: float) -> None:
    with pytest.raises(SimulationError) as caught:
        Fleet(city, trucks=trucks, seed=1, start_ms=file_start_ms(city), share=share)
    assert "\n" not in str(caught.value)


def test_files(city: City, tmp_path: Path) -> None:
    start_ms = file_start_ms(city)

    def write(name: str) -> Path:
        fleet = Fleet(city, trucks=10, seed=3, start_ms=start_ms, share=1)
        done = simulate_to_files(fleet, tmp_path / name, tmp_path / f"{name}.labels", start_ms, 0.5)
        lines = (tmp_path / name).read_text().splitlines()
        assert len(lines) == done.positions
        assert len(read_labels(tmp_path / f"{name}.labels")) == done.labels > 0
        times = [json.loads(line)["time_ms"] for line in lines]
        assert start_ms <= times[0] <= times[-1] <= start_ms + HOUR_MS / 2
        return tmp_path / name

    assert write("one").read_bytes() == write("two").read_bytes()
    fleet = Fleet(city, trucks=1, seed=3, start_ms=start_ms, share=0)
    with pytest.raises(SimulationError, match="cannot be written"):
        simulate_to_files(fleet, tmp_path, None, start_ms, 1)


def test_live_start_is_an_evening_in_the_past(city: City) -> None:
    terrain = Terrain(city)
    for hour in (0, 9, 21, 23):
        now = datetime(2026, 7, 3, hour, 15)
        begins = terrain.local(live_start_ms(city, terrain.epoch_ms(now)))
        assert (begins.hour, begins.minute) == (21, 30)
        assert timedelta(hours=36) <= now - begins <= timedelta(hours=60)


class Stopped(Exception):
    """Somebody ends the simulation."""


class StopAfter:
    """A sink that ends the simulation after so many positions."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.ticks: list[int] = []
        self.latest_ms = 0

    def publish(self, position: Position) -> None:
        self.left -= 1
        if self.left < 0:
            raise Stopped
        assert not self.ticks or position.time_ms - self.ticks[-1] < 31_000
        self.latest_ms = position.time_ms

    def publish_raw(self, value: bytes, truck_id: str | None, timestamp_ms: int | None) -> None:
        raise AssertionError("a simulated fleet sends positions only")

    def tick(self, tick_ms: int) -> None:
        self.ticks.append(tick_ms)

    def flush(self) -> None:
        """Nothing to send."""


def test_the_last_tick_takes_the_citys_delay_and_comes_after_positions_only(city: City) -> None:
    start_ms = file_start_ms(city)
    for delay_s in (60, 3_600):
        other = replace(city, state_overrides={"watermark_delay_s": delay_s})
        fleet = Fleet(other, trucks=5, seed=1, start_ms=start_ms, share=0)
        sink = StopAfter(1_000_000)
        done = Simulation(fleet, sink).run(speed=None, until_ms=start_ms + 600_000)
        assert done.positions
        assert sink.ticks[-1] == done.time_ms + delay_s * 1_000
    fleet = Fleet(city, trucks=5, seed=1, start_ms=start_ms, share=0)
    sink = StopAfter(1_000_000)
    assert Simulation(fleet, sink).run(speed=None, until_ms=start_ms - 1).positions == 0
    assert sink.ticks == []


def test_offences_under_way_are_labelled_however_a_run_ends(city: City, tmp_path: Path) -> None:
    fleet = Fleet(city, trucks=50, seed=1, start_ms=file_start_ms(city), share=1)
    sink = StopAfter(3_000)
    path = tmp_path / "labels.jsonl"
    with path.open("wb") as file, pytest.raises(Stopped):
        Simulation(fleet, sink, file).run(speed=None)
    labels = read_labels(path)
    under_way = [label for label in labels if label.to_ms == sink.latest_ms]
    assert under_way
    assert all(label.partial for label in under_way)
    assert len(sink.ticks) >= 10
