"""The topics on a real broker."""

from contextlib import closing

import pytest
from kafka import KafkaAdminClient

from mucktrack.embedded import free_port
from mucktrack.topics import POSITIONS, TOPICS, TopicError, create_topics
from producers.publisher import Publisher
from streams.access import KafkaAccess
from streams.position import MAX_TIME_MS, MIN_TIME_MS, Position


def partitions_by_name(bootstrap: str) -> dict[str, int]:
    """Without the topics that Kafka makes for itself."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        return {
            topic["name"]: len(topic["partitions"])
            for topic in admin.describe_topics()
            if not topic["is_internal"]
        }


def test_all_topics_are_made_with_their_partitions(fresh_kafka):
    made = create_topics(KafkaAccess.plain(fresh_kafka), partitions=5)
    assert made == [topic.name for topic in TOPICS]
    expected = {topic.name: topic.partitions or 5 for topic in TOPICS}
    assert expected[POSITIONS] == 5
    assert partitions_by_name(fresh_kafka) == expected


def test_a_second_call_makes_nothing(fresh_kafka):
    create_topics(KafkaAccess.plain(fresh_kafka), partitions=4)
    before = partitions_by_name(fresh_kafka)
    assert create_topics(KafkaAccess.plain(fresh_kafka), partitions=4) == []
    assert partitions_by_name(fresh_kafka) == before


def test_only_what_is_missing_is_made(fresh_kafka):
    admin = KafkaAdminClient(bootstrap_servers=fresh_kafka)
    admin.create_topics({"gps.raw": {"num_partitions": 2, "replication_factor": 1}})
    admin.close()
    made = create_topics(KafkaAccess.plain(fresh_kafka), partitions=12)
    assert set(made) == {topic.name for topic in TOPICS} - {"gps.raw"}
    assert partitions_by_name(fresh_kafka)["gps.raw"] == 2


def test_another_partition_count_is_refused_and_nothing_is_made(fresh_kafka):
    admin = KafkaAdminClient(bootstrap_servers=fresh_kafka)
    admin.create_topics({POSITIONS: {"num_partitions": 3, "replication_factor": 1}})
    admin.close()
    with pytest.raises(TopicError, match=r"has 3 partitions, not 12.*MUCKTRACK_PARTITIONS=3"):
        create_topics(KafkaAccess.plain(fresh_kafka), partitions=12)
    assert partitions_by_name(fresh_kafka) == {POSITIONS: 3}


def test_records_of_clocks_that_are_wrong_are_taken(fresh_kafka):
    create_topics(KafkaAccess.plain(fresh_kafka), partitions=3)
    with Publisher(KafkaAccess.plain(fresh_kafka), POSITIONS, 3, array_size=1) as publisher:
        for time_ms in (MIN_TIME_MS, MAX_TIME_MS):
            publisher.publish(Position("浙B12345", time_ms, 121.5, 29.8))
            publisher.tick(time_ms)
        publisher.flush()
        assert publisher.counts.acknowledged == publisher.counts.records == 2 + 2 * 3


def test_a_broker_that_is_away_is_named():
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(TopicError, match=rf"Kafka at {address}: .*MUCKTRACK_KAFKA"):
        create_topics(KafkaAccess.plain(address), partitions=12)
