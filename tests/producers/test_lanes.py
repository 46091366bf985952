"""What waits for a partition becomes batches: nothing is lost, nothing changes places."""

import random
from collections.abc import Callable

from aiokafka.producer.message_accumulator import BatchBuilder
from kafka.record import MemoryRecords

from producers.arrays import MAX_RECORD_BYTES
from producers.gateway.lanes import ARRAY_SIZE, Lane, PositionLane, RecordLane
from producers.gateway.records import RawFrame, RejectRecord
from streams.output import Reject
from streams.position import Position, Tick, decode_record

START_MS = 1_795_266_467_000
LZ4 = 3


def position(number: int, **fields: object) -> Position:
    return Position(f"浙B{number % 7:05d}", START_MS + number, 121.0, 29.0, **fields)  # type: ignore[arg-type]


def answer(told: list[tuple[int, bool]], number: int) -> Callable[[bool], None]:
    return lambda delivered: told.append((number, delivered))


def batch(lane: Lane, size: int = 512 * 1024) -> tuple[list[object], list[object]]:
    """The records of the lane's next batch, and the answers to it."""
    builder = BatchBuilder(size, LZ4)
    filled = lane.fill(builder)
    records = MemoryRecords(bytes(builder._build()))
    return [one for some in iter(records.next_batch, None) for one in some], list(filled.answers)


def batches(lane: Lane, size: int) -> tuple[list[object], list[int]]:
    records, counts = [], []
    while lane.is_ready:
        some, answers = batch(lane, size)
        assert answers or lane.waiting_bytes == 0
        records += some
        counts.append(len(answers))
    return records, counts


def test_positions_become_arrays_in_order() -> None:
    lane = PositionLane("positions", 0)
    sent = [position(number) for number in range(2 * ARRAY_SIZE + 1)]
    for one in sent:
        lane.put(one, print)
    records, counts = batches(lane, 512 * 1024)
    assert [element for one in records for element in decode_record(one.value)] == sent
    assert [len(decode_record(one.value)) for one in records] == [ARRAY_SIZE, ARRAY_SIZE, 1]
    assert [one.key for one in records] == [None, None, sent[-1].truck_id.encode()]
    assert counts == [len(sent)]
    assert lane.waiting_bytes == 0


def test_a_record_is_stamped_with_its_highest_arrival() -> None:
    lane = PositionLane("positions", 0)
    for number in (5, 9, 2):
        lane.put(position(number, received_ms=START_MS + 1_000 * number), print)
    (record,), _ = batch(lane)
    assert record.timestamp == START_MS + 9_000


def test_what_does_not_fit_into_a_batch_goes_into_the_next() -> None:
    chance = random.Random(3)
    for _ in range(30):
        lane = PositionLane("positions", 0)
        sent = [
            position(number, source="x" * chance.choice((1, 40, 4_000)))
            for number in range(chance.randrange(1, 3_000))
        ]
        for one in sent:
            lane.put(one, print)
        records, counts = batches(lane, chance.choice((1_000, 60_000, 512 * 1024)))
        assert [element for one in records for element in decode_record(one.value)] == sent
        assert max(len(one.value) for one in records) <= MAX_RECORD_BYTES
        assert sum(counts) == len(sent)


def test_a_batch_is_answered_by_those_that_are_in_it() -> None:
    told: list[tuple[int, bool]] = []
    lane = RecordLane("raw", 0)
    for number in range(100):
        lane.put(RejectRecord(b"%d" % number + bytes(500), "key", START_MS), answer(told, number))
    seen = 0
    while lane.is_ready:
        builder = BatchBuilder(10_000, 0)
        filled = lane.fill(builder)
        told.clear()
        for done in filled.answers:
            done(True)
        assert told == [(number, True) for number in range(seen, seen + builder.record_count())]
        seen += len(told)
    assert seen == 100


def test_a_tick_comes_behind_what_waits_and_once() -> None:
    lane = PositionLane("positions", 0)
    for number in range(10):
        lane.put(position(number, source="x" * 1_000), print)
    lane.tick(START_MS)
    lane.tick(START_MS + 1)
    records, _ = batches(lane, 5_000)
    elements = [element for one in records for element in decode_record(one.value)]
    assert elements[-1] == Tick(START_MS + 1)
    assert len(elements) == 11
    assert not lane.is_ready


def test_nothing_is_ready_while_a_batch_is_on_its_way() -> None:
    lane = PositionLane("positions", 0)
    lane.put(position(1), print)
    lane.on_its_way = lane.fill(BatchBuilder(10_000, 0))
    lane.put(position(2), print)
    lane.tick(START_MS)
    assert not lane.is_ready
    lane.on_its_way = None
    assert lane.is_ready


def test_what_is_given_up_is_gone() -> None:
    lane = PositionLane("positions", 0)
    size = sum(lane.put(position(number), print) for number in range(5))
    lane.tick(START_MS)
    given_up = lane.clear()
    assert (len(given_up.answers), given_up.size_bytes) == (5, size)
    assert not lane.is_ready
    assert lane.waiting_bytes == 0


def test_a_frame_as_a_record() -> None:
    frame = RawFrame(b"\x7e\x02\x7e", "13800000001", START_MS, "10.0.0.7:51234", "jt808")
    lane = RecordLane("raw", 0)
    lane.put(frame, print)
    (record,), _ = batch(lane)
    assert (record.key, record.value) == (b"13800000001", b"\x7e\x02\x7e")
    assert record.timestamp == START_MS
    assert dict(record.headers) == {
        "received_ms": b"%d" % START_MS,
        "connection": b"10.0.0.7:51234",
        "protocol": b"jt808",
    }


def test_an_original_that_is_too_long_is_cut() -> None:
    reject = Reject("malformed", {"hex": "7e" * 600_000}, truck_id="浙B00001")
    record = RejectRecord.of(reject, "13800000001", START_MS)
    assert len(record.value) <= MAX_RECORD_BYTES
    assert b'"cut":true' in record.value
    assert b'"length_bytes":1200010' in record.value
