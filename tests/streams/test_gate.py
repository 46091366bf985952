"""The quality gate (design section 3), test by test and at the borders of each."""

import math
from typing import Any

import pytest
from one_district import one_district

from geofences.projection import to_metres
from streams.detect import Engine, PreparedCity
from streams.gate import kmh
from streams.partition import partition_of
from streams.position import Element, Malformed, Position, Tick, decode_record

START_MS = 1_795_266_000_000
HERE = (121.1, 29.1)
SECOND_DEG = 1 / 111_320 / 3.6
"""Degrees of latitude that a truck at 1 km/h covers in a second, roughly."""
PREPARED = PreparedCity.of(one_district())


def at(seconds: float, lat: float = HERE[1], truck_id: str = "浙B1", **fields: Any) -> Position:
    return Position(truck_id, START_MS + round(1000 * seconds), HERE[0], lat, **fields)


def reasons(
    *elements: Element, record_ms: list[int] | None = None, city: PreparedCity = PREPARED
) -> list[str]:
    """One for each element, "" for a fix."""
    outcome = Engine.offline(city).process(elements, record_ms)
    found = dict(outcome.rejected)
    return [found.get(i, "") for i in range(len(elements))]


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(0.0, 0.0), (180.001, 29.0), (-180.001, 29.0), (121.0, 90.001), (121.0, -90.001),
     (float("nan"), 29.0), (121.0, float("nan")), (float("inf"), 29.0), (121.0, float("-inf"))],
)  # fmt: skip
def test_coordinates_that_are_none(lon: float, lat: float) -> None:
    assert reasons(Position("浙B1", START_MS, lon, lat)) == ["bad_coordinates"]


@pytest.mark.parametrize(
    ("lon", "lat"), [(180.0, 90.0), (-180.0, -90.0), (0.0, 29.0), (121.0, 0.0), (0.0, -1e-9)]
)
def test_coordinates_at_the_border_of_what_is_allowed(lon: float, lat: float) -> None:
    assert reasons(Position("浙B1", START_MS, lon, lat)) == [""]


@pytest.mark.parametrize(
    ("satellites", "reason"),
    [(None, ""), (4, ""), (3, "few_satellites"), (0, "few_satellites"), (-5, "few_satellites"),
     (2**63 - 1, ""), (-(2**63), "few_satellites")],
)  # fmt: skip
def test_satellites(satellites: int | None, reason: str) -> None:
    assert reasons(at(0, satellites=satellites)) == [reason]


def test_a_position_from_the_future_is_measured_by_its_receipt_or_else_its_record() -> None:
    late = "future_time"
    assert reasons(at(300.0, received_ms=START_MS)) == [""]
    assert reasons(at(300.001, received_ms=START_MS)) == [late]
    assert reasons(at(300.001)) == [""], "nothing to measure by"
    assert reasons(at(300.0), record_ms=[START_MS]) == [""]
    assert reasons(at(300.001), record_ms=[START_MS]) == [late]
    received = at(300.001, received_ms=START_MS)
    assert reasons(received, record_ms=[START_MS + 1]) == [late], "the receipt goes first"
    received = at(300.001, received_ms=START_MS + 1)
    assert reasons(received, record_ms=[0]) == [""]


def test_the_first_test_that_fails_gives_the_reason() -> None:
    assert reasons(
        Position("浙B1", START_MS, 0, 0, located=False),
        at(0, located=False, satellites=0),
        at(301, satellites=0, received_ms=START_MS),
        at(0),
        at(0, satellites=0),
        at(0, lat=29.9),
        at(-1, lat=29.9),
    ) == ["bad_coordinates", "not_located", "few_satellites", "", "few_satellites", "duplicate",
          "late"]  # fmt: skip


def test_what_is_rejected_is_no_last_fix() -> None:
    assert reasons(at(0), at(10, satellites=0), at(5)) == ["", "few_satellites", ""]
    assert reasons(at(0), at(5), at(10), at(5), at(10), at(11)) == [
        "", "", "", "late", "duplicate", "",
    ]  # fmt: skip


def test_a_jump_is_faster_than_150_kmh() -> None:
    minute = 60 * SECOND_DEG
    assert reasons(at(0), at(60, HERE[1] + 149 * minute)) == ["", ""]
    assert reasons(at(0), at(60, HERE[1] + 151 * minute)) == ["", "impossible_jump"]


def allowing(max_speed_kmh: float) -> PreparedCity:
    return PreparedCity.of(one_district(state_overrides={"max_speed_kmh": max_speed_kmh}))


def test_as_fast_as_allowed_to_the_last_bit_is_no_jump() -> None:
    """Due north, where the way is the difference of two coordinates, without any rounding; so it
    is, too, from one position of a row to the next."""
    plane = PREPARED.compiled.index.plane[0]
    south, middle, north = (to_metres(plane, HERE[0], lat) for lat in (29.1, 29.15, 29.2))
    assert south[0] == middle[0] == north[0]
    fastest_kmh = kmh(middle[1] - south[1], 60_000)
    slower = allowing(math.nextafter(fastest_kmh, 0))
    assert reasons(at(0), at(60, 29.15), city=allowing(fastest_kmh)) == ["", ""]
    assert reasons(at(0), at(60, 29.15), city=slower) == ["", "impossible_jump"]

    row = (at(0), at(1, 29.15), at(61, 29.2), at(62, 29.2))
    jump, fastest_kmh = "impossible_jump", kmh(north[1] - middle[1], 60_000)
    slower = allowing(math.nextafter(fastest_kmh, 0))
    assert reasons(*row, city=allowing(fastest_kmh)) == ["", jump, jump, ""]
    assert reasons(*row, city=slower) == ["", jump, jump, jump]


def test_three_that_agree_are_where_they_say() -> None:
    there, jump = 29.2, "impossible_jump"
    near = there + 10 * SECOND_DEG
    assert reasons(at(0), at(1, there), at(2, near), at(3, there), at(4, near)) == [
        "", jump, jump, "", "",
    ]  # fmt: skip


def test_one_that_does_not_agree_begins_a_new_row() -> None:
    jump = "impossible_jump"
    assert reasons(
        at(0), at(1, 29.2), at(2, 29.2), at(3, 29.3), at(4, 29.3), at(5, 29.3), at(6, 29.3)
    ) == ["", jump, jump, jump, jump, "", ""]


def test_one_that_goes_back_in_time_begins_a_new_row() -> None:
    jump = "impossible_jump"
    assert reasons(at(0), at(2, 29.2), at(3, 29.2), at(1, 29.2), at(4, 29.2), at(5, 29.2)) == [
        "", jump, jump, jump, jump, "",
    ]  # fmt: skip


def test_a_repeat_neither_counts_nor_breaks_the_row_and_is_no_repeat_after_it() -> None:
    jump = "impossible_jump"
    assert reasons(at(0), at(1, 29.2), at(1, 29.2), at(1, 29.9), at(2, 29.2), at(3, 29.2)) == [
        "", jump, "duplicate", "duplicate", jump, "",
    ]  # fmt: skip
    assert reasons(at(0), at(1, 29.2), at(2), at(3, 29.2), at(3), at(4, 29.2)) == [
        "", jump, "", jump, "duplicate", jump,
    ]  # fmt: skip
    assert reasons(at(0), at(5, 29.2), at(2), at(5)) == ["", jump, "", ""]


def test_what_is_rejected_for_another_reason_does_not_break_the_row() -> None:
    jump = "impossible_jump"
    assert reasons(
        at(0), at(1, 29.2), at(1.5, 29.2, located=False), at(2, 29.2), at(-1), at(0), at(3, 29.2)
    ) == ["", jump, "not_located", jump, "late", "duplicate", ""]


def test_each_truck_has_its_own_last_fix() -> None:
    assert reasons(at(0), at(0, truck_id="浙B2"), at(0), at(1, 29.2, truck_id="浙B3")) == [
        "", "", "duplicate", "",
    ]  # fmt: skip


def test_what_is_malformed_does_not_spoil_its_neighbours() -> None:
    elements = decode_record(
        b'[{"truck_id":"A","time_ms":1795266000000,"lon":121.1,"lat":29.1},'
        b'{"truck_id":"A","time_ms":1795266000000,"lon":"x","lat":29.1},'
        b'{"truck_id":"A","time_ms":1,"lon":121.1,"lat":29.1},'
        b'{"truck_id":"A","time_ms":1795266001000,"lon":121.1,"lat":29.1}]'
    )
    assert reasons(*elements, Tick(START_MS), Malformed("no")) == [
        "", "malformed", "malformed", "", "", "malformed",
    ]  # fmt: skip


def test_a_truck_of_another_partition_is_refused_live() -> None:
    trucks = [f"浙B{number:05}" for number in range(60)]
    for number in (0, 5, 11):
        outcome = Engine.live(PREPARED, number, 12).process(
            [Malformed("no"), *(at(0, truck_id=truck_id) for truck_id in trucks)]
        )
        foreign = [
            (i + 1, "wrong_partition")
            for i, truck_id in enumerate(trucks)
            if partition_of(truck_id, 12) != number
        ]
        assert outcome.rejected == [(0, "malformed"), *foreign]
        assert outcome.fixes == len(trucks) - len(foreign) > 0


def test_wrong_partition_goes_before_all_that_is_wrong_with_the_position() -> None:
    truck_id = next(f"浙B{n}" for n in range(100) if partition_of(f"浙B{n}", 12) != 3)
    bad = Position(truck_id, START_MS, 0, 0, located=False)
    assert Engine.live(PREPARED, 3, 12).process([bad]).rejected == [(0, "wrong_partition")]
    assert Engine.offline(PREPARED).process([bad]).rejected == [(0, "bad_coordinates")]


def test_nothing_comes_of_nothing() -> None:
    engine = Engine.offline(PREPARED)
    for outcome in (engine.process([]), engine.process([Tick(START_MS)]), engine.finish()):
        assert (outcome.fixes, outcome.rejected, outcome.violations) == (0, [], [])
