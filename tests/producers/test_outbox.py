"""The outbox against a real broker: what it says was kept is there, in order and in its place, and
what it holds is bounded."""

import asyncio
from itertools import pairwise

import pytest
from outbox_parts import PARTITIONS, START_MS, TRUCKS, fleet, frame, phone, position, read, until

from mucktrack.topics import create_topics
from producers.broker import PublishError
from producers.gateway.outbox import Outbox
from streams.access import KafkaAccess
from streams.health import Health
from streams.output import Reject
from streams.partition import partition_of
from streams.position import Position, Tick, decode_record
from streams.topics import POSITIONS, RAW, REJECTED

RAW_PARTITIONS = 12
REJECTED_PARTITIONS = 3


@pytest.fixture
def kafka_with_topics(fresh_kafka: str) -> str:
    create_topics(KafkaAccess.plain(fresh_kafka), PARTITIONS)
    return fresh_kafka


async def test_what_is_kept_is_in_its_partition_and_in_order(kafka_with_topics: str) -> None:
    kafka = kafka_with_topics
    count = 5_000
    async with fleet(kafka) as trucks:
        while trucks.put < count:
            for _ in range(50):
                trucks.message()
            await asyncio.sleep(0.005)
        await trucks.settled()
        assert (len(trucks.kept), trucks.lost) == (count, [])
        assert (trucks.outbox.held_bytes, trucks.outbox.acknowledged) == (0, 2 * count)
        assert trucks.waits_for() == []
    records = await asyncio.to_thread(read, kafka, POSITIONS, PARTITIONS, holds(count))
    last: dict[str, int] = {}
    for record in records:
        elements = decode_record(record.value)
        assert record.timestamp == max(one.time_ms for one in elements)
        for one in elements:
            assert record.partition == partition_of(one.truck_id, PARTITIONS)
            assert last.get(one.truck_id, -1) < one.time_ms
            last[one.truck_id] = one.time_ms
    assert len(records) < count / 2, "arrays are gathered"
    raw = await asyncio.to_thread(
        read, kafka, RAW, RAW_PARTITIONS, lambda records: len(records) >= count
    )
    assert sorted(int(record.value) for record in raw) == list(range(count))
    for record in raw:
        number = int(record.value)
        assert record.key == phone(number % TRUCKS).encode()
        assert record.partition == partition_of(record.key.decode(), RAW_PARTITIONS)
        assert record.timestamp == START_MS + number
        assert dict(record.headers)["received_ms"] == b"%d" % (START_MS + number)


async def test_rejects_are_as_the_worker_writes_them(kafka_with_topics: str) -> None:
    answers: list[bool] = []
    async with fleet(kafka_with_topics) as trucks:
        reject = Reject("encrypted_coordinates", {"hex": "7e02"}, "浙B00001", START_MS)
        trucks.outbox.put_rejected(reject, answers.append, "13800000001")
        trucks.outbox.put_rejected(reject, answers.append)
        await until(lambda: len(answers) == 2)
    assert answers == [True, True]
    records = await asyncio.to_thread(
        read, kafka_with_topics, REJECTED, REJECTED_PARTITIONS, lambda records: len(records) >= 2
    )
    assert {record.key for record in records} == {b"13800000001", "浙B00001".encode()}
    assert {record.value for record in records} == {
        b'{"reason":"encrypted_coordinates","value":{"hex":"7e02"},'
        + f'"truck_id":"浙B00001","time_ms":{START_MS}'.encode()
        + b"}"
    }


async def test_ticks_go_to_every_partition(kafka_with_topics: str) -> None:
    async with fleet(kafka_with_topics, tick_s=0.1):
        await asyncio.sleep(0.6)
    ticks = await asyncio.to_thread(
        read, kafka_with_topics, POSITIONS, PARTITIONS, lambda records: len(records) >= 8
    )
    assert {record.partition for record in ticks} == set(range(PARTITIONS))
    for number in range(PARTITIONS):
        elements = [
            element
            for record in ticks
            if record.partition == number
            for element in decode_record(record.value)
        ]
        assert all(type(one) is Tick for one in elements)
        assert all(one.tick_ms < other.tick_ms for one, other in pairwise(elements))


async def test_it_is_crowded_until_there_is_room(kafka_with_topics: str) -> None:
    async with fleet(kafka_with_topics, most_bytes=200_000) as trucks:
        assert not trucks.outbox.crowded
        await asyncio.wait_for(trucks.outbox.room(), 1)
        while not trucks.outbox.crowded:
            trucks.message()
        held = trucks.outbox.held_bytes
        assert held > 200_000
        await asyncio.wait_for(trucks.outbox.room(), 20)
        assert trucks.outbox.held_bytes < held
        # Whoever puts all the same is answered, and nothing more is held.
        for _ in range(5_000):
            trucks.message()
        assert trucks.outbox.held_bytes < 500_000
        await trucks.settled()
        assert trucks.lost
        assert len(trucks.kept) + len(trucks.lost) == trucks.put
        trucks.message()
        await trucks.settled()
        assert max(trucks.kept) == trucks.put - 1


async def test_closing_sends_what_waits(kafka_with_topics: str) -> None:
    async with fleet(kafka_with_topics) as trucks:
        for _ in range(500):
            trucks.message()
        await trucks.outbox.close()
        assert len(trucks.kept) == 500
        trucks.message()
        await trucks.settled()
        assert trucks.lost == [500]
    await asyncio.to_thread(read, kafka_with_topics, POSITIONS, PARTITIONS, holds(500))


async def test_a_bug_in_an_answer_hurts_no_other(kafka_with_topics: str) -> None:
    def buggy(_: bool) -> None:
        raise ZeroDivisionError

    answers: list[bool] = []
    async with fleet(kafka_with_topics) as trucks:
        for number in range(3):
            trucks.outbox.put(position(0), buggy if number == 1 else answers.append)
        trucks.outbox.put_raw(frame(0), answers.append)
        await until(lambda: len(answers) == 3)
    assert answers == [True] * 3


async def test_a_bug_in_it_is_told_and_nothing_is_taken_any_more(kafka_with_topics: str) -> None:
    unwritable = Position("浙B00001", START_MS, 121.0, 29.0, source=object())  # type: ignore[arg-type]
    answers: list[bool] = []
    async with fleet(kafka_with_topics) as trucks:
        watching = asyncio.create_task(trucks.outbox.watch())
        trucks.outbox.put(unwritable, answers.append)
        with pytest.raises(TypeError, match="object"):
            await asyncio.wait_for(watching, 10)
        assert trucks.health.ailment() is not None
        trucks.message()
        await trucks.settled()
        assert trucks.lost == [0]
    assert answers == [False]


async def test_topics_that_are_not_as_they_must_be(fresh_kafka: str) -> None:
    access = KafkaAccess.plain(fresh_kafka)
    with pytest.raises(PublishError, match=r"no topic gps.positions, gps.raw, gps.rejected"):
        await Outbox(access, PARTITIONS, Health()).start()
    create_topics(access, PARTITIONS)
    with pytest.raises(PublishError, match="has 4 partitions, not 5"):
        await Outbox(access, PARTITIONS + 1, Health()).start()


def holds(count: int):
    """Whether the records hold so many positions."""

    def enough(records: list[object]) -> bool:
        elements = (one for record in records for one in decode_record(record.value))
        return sum(type(one) is Position for one in elements) >= count

    return enough
