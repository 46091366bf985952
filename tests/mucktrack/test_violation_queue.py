"""Reading the enforcement queue of a real broker."""

import json
from contextlib import closing

from kafka import KafkaProducer

from mucktrack.topics import create_topics
from mucktrack.violation_queue import LATEST, Tally, ViolationQueue
from streams.access import KafkaAccess


def violation(number: int, phase: str = "opened", rule: str = "off-route") -> bytes:
    return json.dumps(
        {
            "violation_id": f"id-{number}",
            "phase": phase,
            "rule": rule,
            "severity": "minor",
            "title": "偏离核准路线",
            "message": "偏离 83 米",
            "message_en": "83 m off the route",
            "truck_id": "浙B12345",
            "detected_ms": 1_700_000_000_000,
            "and": "more",
        }
    ).encode()


def test_a_record_that_comes_twice_counts_once():
    tally = Tally()
    assert len(tally.add([violation(1), violation(2), violation(1)])) == 2
    assert tally.add([violation(2)]) == []
    assert len(tally.add([violation(2, "closed")])) == 1
    assert tally.violations == 3
    assert tally.records == 5
    assert tally.by_rule == {"off-route": {"opened": 2, "closed": 1}}
    assert tally.titles == {"off-route": "偏离核准路线"}


def test_what_is_no_violation_is_passed_over():
    tally = Tally()
    assert len(tally.add([b"no violation", b"{}", b"\xff", violation(1)])) == 1
    assert tally.records == tally.violations == 1


def test_the_newest_are_kept_for_show():
    tally = Tally()
    tally.add(violation(number) for number in range(LATEST + 3))
    assert [seen.violation_id for seen in tally.latest] == [
        f"id-{number}" for number in range(3, LATEST + 3)
    ]


def test_what_is_there_can_be_passed_over(fresh_kafka):
    create_topics(KafkaAccess.plain(fresh_kafka), 3)
    producer = KafkaProducer(bootstrap_servers=fresh_kafka)

    def put(numbers: range) -> None:
        for number in numbers:
            producer.send("enforcement.violations", violation(number), partition=number % 5)
        producer.flush()

    put(range(2_000))
    with closing(ViolationQueue(KafkaAccess.plain(fresh_kafka))) as queue:
        assert queue.skip_to_end(30)
        put(range(2_000, 2_003))
        read: list[bytes] = []
        for _ in range(20):
            read += queue.poll(0.1)
    producer.close()
    assert sorted(read) == [violation(number) for number in range(2_000, 2_003)]


def test_all_partitions_are_read_from_their_start(fresh_kafka):
    create_topics(KafkaAccess.plain(fresh_kafka), 3)
    producer = KafkaProducer(bootstrap_servers=fresh_kafka)
    values = [violation(number) for number in range(30)]
    for number, value in enumerate(values):
        producer.send("enforcement.violations", value, partition=number % 12)
    producer.flush()
    with closing(ViolationQueue(KafkaAccess.plain(fresh_kafka))) as queue:
        read: list[bytes] = []
        for _ in range(100):
            read += queue.poll(0.2)
            if len(read) >= len(values):
                break
    producer.close()
    assert sorted(read) == sorted(values)
