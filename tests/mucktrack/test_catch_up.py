"""Where a run of `mucktrack up` begins on servers that hold earlier ones."""

import time

import pytest
from kafka import KafkaConsumer, TopicPartition

from geofences.loader import load_city
from mucktrack.catch_up import DAY_MS, PAUSE_MS, catch_up, fleet_start_ms
from mucktrack.embedded import free_port
from mucktrack.failures import WorkFailedError
from mucktrack.scrape import WorkerFigures
from mucktrack.topics import create_topics
from producers.demo_city import DEMO_CITY
from producers.simulate import live_start_ms
from streams.access import KafkaAccess
from streams.position import MIN_TIME_MS, Tick, decode_record

PARTITIONS = 3
NOW_MS = 1_780_000_000_000


class TakingWorker:
    """Tells figures of a worker that comes to one partition more each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def figures(self) -> WorkerFigures | None:
        self.asked += 1
        if self.asked == 1:
            return None
        taken = range(min(self.asked - 2, PARTITIONS))
        return WorkerFigures(positions=self.asked, next_offsets=dict.fromkeys(taken, 1))


def test_it_waits_until_the_mark_is_taken_in_every_partition(fresh_kafka):
    worker = TakingWorker()
    create_topics(KafkaAccess.plain(fresh_kafka), PARTITIONS)
    figures = catch_up(KafkaAccess.plain(fresh_kafka), PARTITIONS, worker.figures)
    assert figures.next_offsets == {0: 1, 1: 1, 2: 1}
    assert figures.positions == worker.asked, "the figures are asked for once more"
    assert ticks_on(fresh_kafka) == [Tick(MIN_TIME_MS)] * PARTITIONS


def ticks_on(address: str) -> list[object]:
    consumer = KafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    consumer.assign([TopicPartition("gps.positions", one) for one in range(PARTITIONS)])
    found: list[object] = []
    deadline = time.monotonic() + 15
    while len(found) < PARTITIONS and time.monotonic() < deadline:
        for records in consumer.poll(timeout_ms=300).values():
            found += [element for record in records for element in decode_record(record.value)]
    consumer.close()
    return found


def test_a_broker_that_is_away_is_named():
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(WorkFailedError, match=f"Kafka at {address}"):
        catch_up(KafkaAccess.plain(address), PARTITIONS, WorkerFigures)


@pytest.fixture(scope="module")
def city():
    return load_city(DEMO_CITY)


def test_where_nothing_is_known_the_fleet_begins_as_ever(city):
    usual_ms = live_start_ms(city, NOW_MS)
    assert fleet_start_ms(city, NOW_MS, None) == usual_ms
    assert fleet_start_ms(city, NOW_MS, MIN_TIME_MS) == usual_ms
    assert fleet_start_ms(city, NOW_MS, usual_ms - PAUSE_MS) == usual_ms


@pytest.mark.parametrize("ran_ms", [1 - PAUSE_MS, 0, 1, DAY_MS - PAUSE_MS, 9 * DAY_MS + 1])
def test_after_an_earlier_fleet_it_begins_at_the_same_hour_later(city, ran_ms):
    usual_ms = live_start_ms(city, NOW_MS)
    start_ms = fleet_start_ms(city, NOW_MS, usual_ms + ran_ms)
    assert (start_ms - usual_ms) % DAY_MS == 0
    assert PAUSE_MS <= start_ms - (usual_ms + ran_ms) < PAUSE_MS + DAY_MS
