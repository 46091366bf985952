"""The publisher against a real broker: order, partitions, timestamps, and nothing silently lost."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from brokers import MortalBroker
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from producers.arrays import MAX_RECORD_BYTES
from producers.publisher import Publisher, PublishError
from producers.replay import replay
from streams.access import KafkaAccess
from streams.partition import partition_of
from streams.position import (
    MAX_TIME_MS,
    MIN_TIME_MS,
    Malformed,
    Position,
    Tick,
    decode_record,
    encode_position,
)

PARTITIONS = 4
START_MS = 1_795_266_467_000
READ_WITHIN_S = 20.0


@pytest.fixture
def topic(kafka: str) -> Iterator[str]:
    name = f"positions-{uuid.uuid4().hex[:8]}"
    make_topic(kafka, name)
    yield name
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.delete_topics([name])


def make_topic(kafka: str, name: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.create_topics(
            {name: {"num_partitions": PARTITIONS, "replication_factor": 1}}, wait_for_metadata=True
        )


def read(kafka: str, topic: str, enough: Callable[[list[object]], bool]) -> list[object]:
    """The records of the topic, as they come, until there are enough."""
    records: list[object] = []
    deadline = time.monotonic() + READ_WITHIN_S
    with closing(
        KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False, api_version=(2, 5))
    ) as consumer:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        while not enough(records) and time.monotonic() < deadline:
            for some in consumer.poll(timeout_ms=100).values():
                records += some
    assert enough(records)
    return records


def position(truck: int, number: int, **fields: object) -> Position:
    place = {"lon": 121.0 + number / 1e4, "lat": 29.0, "speed_kmh": 30.5, "source": "test"}
    return Position(f"浙B{truck:05d}", START_MS + number * 1_000, **(place | fields))  # type: ignore[arg-type]


def test_arrays_reach_their_partitions_in_order(kafka: str, topic: str) -> None:
    chance = random.Random(1)
    sent = [position(chance.randrange(50), number) for number in range(3_000)]
    with Publisher(KafkaAccess.plain(kafka), topic, PARTITIONS, array_size=100) as publisher:
        for one in sent:
            publisher.publish(one)
        publisher.flush()
        assert publisher.counts.positions == 3_000
        assert publisher.counts.acknowledged == publisher.counts.records
    records = read(kafka, topic, lambda some: len(some) == publisher.counts.records)
    assert len(records) < 3_000 / 50
    got: dict[str, list[Position]] = {}
    for record in records:
        elements = decode_record(record.value)
        assert len(elements) <= 100
        for element in elements:
            assert isinstance(element, Position)
            assert partition_of(element.truck_id, PARTITIONS) == record.partition
            got.setdefault(element.truck_id, []).append(element)
    assert got == {
        truck_id: [one for one in sent if one.truck_id == truck_id]
        for truck_id in {one.truck_id for one in sent}
    }


def test_a_record_is_stamped_with_the_latest_reception(kafka: str, topic: str) -> None:
    with Publisher(KafkaAccess.plain(kafka), topic, PARTITIONS, linger_ms=5_000) as publisher:
        for number, received_ms in enumerate((None, START_MS + 77_000, START_MS + 5_000)):
            publisher.publish(position(1, number, received_ms=received_ms))
    (record,) = read(kafka, topic, lambda some: len(some) == 1)
    assert record.timestamp == START_MS + 77_000
    assert len(decode_record(record.value)) == 3


@pytest.mark.parametrize("received_ms", [-(2**63), -1, MIN_TIME_MS - 1, MAX_TIME_MS + 1, 2**63 - 1])
def test_a_reception_that_is_no_time_stamps_no_record(
    kafka: str, topic: str, received_ms: int
) -> None:
    with Publisher(KafkaAccess.plain(kafka), topic, PARTITIONS, linger_ms=5_000) as publisher:
        for number, one in enumerate((START_MS + 2_000, received_ms, None)):
            publisher.publish(position(1, number, received_ms=one))
    (record,) = read(kafka, topic, lambda some: len(some) == 1)
    assert record.timestamp == START_MS + 2_000
    assert [one.received_ms for one in decode_record(record.value)] == [
        START_MS + 2_000, received_ms, None,
    ]  # fmt: skip


def test_ticks_go_to_every_partition_behind_what_came_before(kafka: str, topic: str) -> None:
    with Publisher(KafkaAccess.plain(kafka), topic, PARTITIONS, linger_ms=60_000) as publisher:
        for truck in range(40):
            publisher.publish(position(truck, 0))
        publisher.tick(START_MS + 30_000)
    records = read(kafka, topic, lambda some: len(some) == 2 * PARTITIONS)
    for partition in range(PARTITIONS):
        first, second = (
            decode_record(record.value) for record in records if record.partition == partition
        )
        assert isinstance(first[0], Position)
        assert second == [Tick(START_MS + 30_000)]


def test_linger_sends_what_does_not_fill_an_array(kafka: str, topic: str) -> None:
    with Publisher(KafkaAccess.plain(kafka), topic, PARTITIONS, linger_ms=20) as publisher:
        publisher.publish(position(7, 0))
        (record,) = read(kafka, topic, lambda some: len(some) == 1)
    assert record.key == "浙B00007".encode()
    assert decode_record(record.value) == [position(7, 0)]


def test_values_too_long_for_a_record_are_split_or_cut(kafka: str, topic: str) -> None:
    long = [position(1, number, terminal_id="x" * 300_000) for number in range(8)]
    with Publisher(KafkaAccess.plain(kafka), topic, PARTITIONS) as publisher:
        for one in long:
            publisher.publish(one)
        publisher.publish(position(1, 8, terminal_id="x" * 2_000_000))
        publisher.publish_raw(b"y" * 5_000_000, None, None)
    records = read(kafka, topic, lambda some: len(some) == publisher.counts.records)
    assert max(len(record.value) for record in records) <= MAX_RECORD_BYTES
    elements = [element for record in records for element in decode_record(record.value)]
    assert [element for element in elements if isinstance(element, Position)] == long
    assert sum(isinstance(element, Malformed) for element in elements) == 2
    assert any(b'"length_bytes":5000000' in record.value for record in records)


def test_memory_in_flight_is_bounded(kafka: str, topic: str) -> None:
    with Publisher(
        KafkaAccess.plain(kafka), topic, PARTITIONS, array_size=10, in_flight_bytes=5_000
    ) as publisher:
        for number in range(5_000):
            publisher.publish(position(number % 9, number))
            assert publisher.in_flight_bytes <= 5_000
        publisher.flush()
        assert publisher.counts.acknowledged == publisher.counts.records >= 500


def test_threads_may_share_a_publisher(kafka: str, topic: str) -> None:
    with Publisher(KafkaAccess.plain(kafka), topic, PARTITIONS, array_size=37) as publisher:

        def work(truck: int) -> None:
            for number in range(500):
                publisher.publish(position(truck, number))

        threads = [threading.Thread(target=work, args=(truck,)) for truck in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    records = read(kafka, topic, lambda some: len(some) == publisher.counts.records)
    elements = [element for record in records for element in decode_record(record.value)]
    assert len(elements) == 2_000
    for truck in range(4):
        own = [e for e in elements if isinstance(e, Position) and e.truck_id == f"浙B{truck:05d}"]
        assert own == [position(truck, number) for number in range(500)]


def test_a_topic_that_is_not_there_or_has_other_partitions_is_refused(
    kafka: str, topic: str
) -> None:
    with pytest.raises(PublishError, match=f"{topic} has 4 partitions, not 12"):
        Publisher(KafkaAccess.plain(kafka), topic, 12)
    missing = f"missing-{uuid.uuid4().hex[:8]}"
    for _ in range(2):
        # Asking for it must not have made it.
        with pytest.raises(
            PublishError, match=f"no topic {missing}; make it with `mucktrack topics create`"
        ):
            Publisher(KafkaAccess.plain(kafka), missing, PARTITIONS)


def test_a_broker_that_goes_away_is_told(mortal_kafka: MortalBroker) -> None:
    address = mortal_kafka.address
    make_topic(address, "positions")
    publisher = Publisher(
        KafkaAccess.plain(address), "positions", PARTITIONS, delivery_timeout_ms=1_000
    )
    publisher.publish(position(1, 0))
    publisher.flush()
    mortal_kafka.stop()
    publisher.publish(position(1, 1))
    with pytest.raises(PublishError, match="1 records were not delivered"):
        publisher.flush()
    with pytest.raises(PublishError):
        publisher.publish(position(1, 2))
    assert (publisher.counts.acknowledged, publisher.counts.failed) == (1, 1)
    with pytest.raises(PublishError):
        publisher.close()
    with pytest.raises(PublishError, match="is it running"):
        Publisher(KafkaAccess.plain(address), "positions", PARTITIONS)


def test_what_cannot_be_handed_over_is_not_waited_for(kafka: str, topic: str) -> None:
    publisher = Publisher(KafkaAccess.plain(kafka), topic, PARTITIONS)
    publisher.publish_raw(b"1", None, START_MS)
    with pytest.raises(TypeError):
        publisher.publish_raw(b"2", None, "now")  # type: ignore[arg-type]
    with pytest.raises(PublishError, match="1 records were not delivered"):
        publisher.flush(READ_WITHIN_S)
    assert publisher.in_flight_bytes == 0
    with pytest.raises(PublishError):
        publisher.close()
    assert (publisher.counts.acknowledged, publisher.counts.failed) == (1, 1)


def test_a_bug_while_nobody_waits_is_told_at_the_next_call(kafka: str, topic: str) -> None:
    publisher = Publisher(KafkaAccess.plain(kafka), topic, PARTITIONS, linger_ms=10)
    publisher.publish(position(1, 0, source="\ud800"))
    time.sleep(0.5)
    for call in (lambda: publisher.publish(position(1, 1)), publisher.flush, publisher.close):
        with pytest.raises(RuntimeError, match="had waited") as raised:
            call()
        assert isinstance(raised.value.__cause__, UnicodeEncodeError)


def test_replay_of_a_file(kafka: str, topic: str, tmp_path: Path) -> None:
    sent = [position(number % 5, number) for number in range(200)]
    lines = [encode_position(one) for one in sent]
    lines[100:100] = [b"nonsense", b'{"truck_id":"c"}', b'{"tick_ms":1795266467000}']
    path = tmp_path / "p.jsonl"
    path.write_bytes(b"\n".join(lines))
    with Publisher(KafkaAccess.plain(kafka), topic, PARTITIONS) as publisher:
        done = replay([path], publisher, None)
    assert (done.positions, done.malformed) == (200, 3)
    records = read(kafka, topic, lambda some: len(some) == publisher.counts.records)
    elements = [element for record in records for element in decode_record(record.value)]
    got = [element for element in elements if isinstance(element, Position)]
    assert sorted(got, key=lambda one: one.time_ms) == sent
    assert sum(isinstance(element, Malformed) for element in elements) == 3
    ticks = [element.tick_ms for element in elements if isinstance(element, Tick)]
    assert len(ticks) == PARTITIONS * done.ticks
    assert max(ticks) == sent[-1].time_ms + 360_000
