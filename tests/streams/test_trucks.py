"""The table of a partition's trucks, against a dict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.batch import Batch
from streams.partition import murmur2, partition_of
from streams.position import MAX_ID, Position
from streams.trucks import FIRST_BYTES, FIRST_SLOTS, TruckTable
from streams.trucks import murmur2 as compiled_murmur2

START_MS = 1_795_266_467_000
IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=MAX_ID)


def alike() -> TruckTable:
    """One in which all ids have the same hash."""
    trucks = TruckTable()
    trucks._table = trucks._table._replace(random=np.zeros_like(trucks._table.random))
    return trucks


@pytest.mark.parametrize("make", [TruckTable, alike])
@given(pieces=st.lists(st.lists(IDS | st.sampled_from(["a", "b", "ab", "ba", "浙B1"]), max_size=9)))
def test_rows_are_those_of_first_sight(make: type[TruckTable], pieces: list[list[str]]) -> None:
    trucks, expected = make(), dict[str, int]()
    for piece in pieces:
        rows = [expected.setdefault(one, len(expected)) for one in piece]
        assert trucks.rows_of(piece) == rows
    assert list(trucks.ids) == list(expected)
    assert len(trucks) == len(trucks.ids) == len(expected)


@pytest.mark.parametrize("make", [TruckTable, alike])
def test_it_grows(make: type[TruckTable]) -> None:
    count = FIRST_SLOTS + 77
    names = [f"{number}{'渣' * (number % 60)}" for number in range(count)]
    assert sum(len(name.encode()) for name in names) > FIRST_BYTES
    trucks = make()
    for start in range(0, count, 100):
        trucks.rows_of(names[start : start + 100])
    assert trucks.ids[:] == names
    assert [trucks.row(name) for name in names] == list(range(count))
    assert trucks.ids[5] == names[5] == trucks.ids[5 - count]
    assert trucks.ids[3:9:2] == names[3:9:2]
    assert trucks.ids[9:3] == []
    assert trucks.packed(7, 11).unpacked() == names[7:11]
    with pytest.raises(IndexError):
        trucks.ids[count]


def test_ids_longer_than_records_hold() -> None:
    trucks, names = TruckTable(), ["x" * 1_000, "x" * 1_001, "x" * 999 + "y"]
    assert trucks.rows_of([*names, *names]) == [0, 1, 2, 0, 1, 2]


def test_trucks_new_in_a_batch_have_a_row_at_once() -> None:
    """Also where the table must grow for them."""
    count = 2 * FIRST_SLOTS
    names = [f"浙B{number}" for number in range(count)]
    batch, trucks = Batch(), TruckTable()
    for _ in range(2):
        batch.extend([Position(name, START_MS, 121.0, 29.0) for name in names])
    assert batch.columns(trucks).truck.tolist() == 2 * list(range(count))
    assert trucks.ids[:] == names


def test_of_a_truck_that_is_refused_nothing_is_kept() -> None:
    own = [f"{n}" for n in range(50) if partition_of(f"{n}", 3) == 1]
    other = next(f"{n}" for n in range(50) if partition_of(f"{n}", 3) != 1)
    trucks = TruckTable((1, 3), most=2)
    positions = [
        Position(other, START_MS, 121.0, 29.0),
        Position(own[0], START_MS, 0.0, 0.0),
        Position(own[0], START_MS, 121.0, 29.0),
        Position(own[0], START_MS, 0.0, 0.0),
        Position(own[1], START_MS, 121.0, 29.0),
        Position(own[2], START_MS, 121.0, 29.0),
        Position(own[2], START_MS, 0.0, 0.0),
        Position(own[1], START_MS, 121.0, 29.0),
    ]
    batch = Batch()
    batch.extend(positions)
    rows = batch.columns(trucks)
    assert rows.truck.tolist() == [-2, -2, 0, 0, 1, -2, -2, 1]
    assert rows.reason.tolist() == [2, 3, 0, 0, 0, 10, 3, 0]
    assert trucks.ids[:] == own[:2]


@given(st.binary(max_size=70), st.integers(0, 3))
def test_murmur2_is_kafkas(data: bytes, start: int) -> None:
    text = np.frombuffer(data, np.uint8)
    first = min(start, len(data))
    assert compiled_murmur2(text, first, len(data)) == murmur2(data[first:]) & 0x7FFFFFFF
