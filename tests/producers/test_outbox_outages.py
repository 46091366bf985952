"""Kafka killed or frozen under an outbox: what was not delivered is said to be so, what was said to
be kept is there, and it goes on when Kafka is back."""

import asyncio
import time
from pathlib import Path

import pytest
from outbox_parts import PARTITIONS, TRUCKS, Fleet, fleet, read, until
from servers.kafka_cluster import KafkaCluster
from servers.tansu_server import TansuServer

from mucktrack.topics import create_topics
from streams.access import KafkaAccess
from streams.health import GRACE_S
from streams.position import Position, decode_record
from streams.topics import POSITIONS, RAW

Breakable = KafkaCluster | TansuServer
DELIVER_S = 3.0
MOST_BYTES = 4 * 1024 * 1024


@pytest.fixture
def kafka(breakable_kafka: Breakable) -> str:
    make_topics(breakable_kafka)
    return breakable_kafka.bootstrap


def make_topics(broker: Breakable) -> None:
    create_topics(KafkaAccess.plain(broker.bootstrap), PARTITIONS)


def check_kept(kafka: str, trucks: Fleet) -> None:
    """Everything that was said to be kept is in Kafka, each truck's in the order it was put."""
    kept = set(trucks.kept)
    first: dict[int, None] = {}

    def all_kept(records: list) -> bool:
        first.clear()
        for record in records:
            for one in decode_record(record.value):
                if type(one) is Position:
                    first.setdefault(int(one.mileage_km))
        return kept <= first.keys()

    read(kafka, POSITIONS, PARTITIONS, all_kept)
    last: dict[int, int] = {}
    for number in first:
        if number in kept:
            assert last.get(number % TRUCKS, -1) < number
            last[number % TRUCKS] = number
    read(kafka, RAW, 12, lambda records: kept <= {int(record.value) for record in records})


async def goes_on(trucks: Fleet) -> None:
    """Kafka is back: after a while nothing is lost any more, and the health says so."""
    deadline = time.monotonic() + 40
    while True:
        lost = len(trucks.lost)
        await trucks.drive(1)
        await trucks.settled()
        if len(trucks.lost) == lost:
            break
        assert time.monotonic() < deadline, "it does not go on"
    await until(lambda: trucks.waits_for() == [])
    assert not trucks.outbox.crowded
    assert trucks.outbox.held_bytes == 0


async def test_a_short_stop_is_ridden_out(kafka: str, breakable_kafka: Breakable) -> None:
    async with fleet(kafka, deliver_s=10) as trucks:
        await trucks.drive(1)
        breakable_kafka.freeze(0)
        await trucks.drive(GRACE_S + 1)
        assert trucks.waits_for() == ["kafka"]
        breakable_kafka.thaw(0)
        await goes_on(trucks)
        assert trucks.lost == []
        await asyncio.to_thread(check_kept, kafka, trucks)


async def test_a_long_stop_is_answered(kafka: str, breakable_kafka: Breakable) -> None:
    async with fleet(kafka, deliver_s=DELIVER_S, most_bytes=MOST_BYTES, tick_s=0.5) as trucks:
        await trucks.drive(1)
        breakable_kafka.freeze(0)
        await trucks.drive(4 * DELIVER_S)
        assert trucks.lost
        assert trucks.waits_for() == ["kafka"]
        assert trucks.outbox.held_bytes < 2 * MOST_BYTES + 10_000
        breakable_kafka.thaw(0)
        await goes_on(trucks)
        assert trucks.slowest_s < 3 * DELIVER_S + 2
        await asyncio.to_thread(check_kept, kafka, trucks)


async def test_a_broker_that_dies_and_comes_back(kafka: str, breakable_kafka: Breakable) -> None:
    async with fleet(kafka, deliver_s=DELIVER_S) as trucks:
        await trucks.drive(1)
        if not breakable_kafka.keeps:
            await trucks.settled()
            trucks.kept.clear()
        breakable_kafka.kill(0)
        await trucks.drive(3 * DELIVER_S)
        assert trucks.lost
        assert trucks.waits_for() == ["kafka"]
        await asyncio.to_thread(breakable_kafka.start, 0)
        if not breakable_kafka.keeps:
            await asyncio.to_thread(make_topics, breakable_kafka)
        await goes_on(trucks)
        assert max(trucks.kept) == trucks.put - 1
        await asyncio.to_thread(check_kept, kafka, trucks)


async def test_closing_while_kafka_is_away(kafka: str, breakable_kafka: Breakable) -> None:
    async with fleet(kafka) as trucks:
        await trucks.drive(1)
        breakable_kafka.freeze(0)
        await trucks.drive(1)
        begun_s = time.monotonic()
        await trucks.outbox.close()
        assert time.monotonic() - begun_s < 12
        assert trucks.pending == 0
        assert trucks.lost
    breakable_kafka.thaw(0)
    await asyncio.to_thread(check_kept, kafka, trucks)


async def test_the_start_waits_for_kafka(kafka: str, breakable_kafka: Breakable) -> None:
    breakable_kafka.freeze(0)
    thawing = asyncio.get_running_loop().call_later(4, breakable_kafka.thaw, 0)
    async with fleet(kafka, deliver_s=1) as trucks:
        assert thawing.when() <= asyncio.get_running_loop().time()
        await trucks.drive(0.5)
        await goes_on(trucks)
        await asyncio.to_thread(check_kept, kafka, trucks)


async def test_one_of_three_brokers_dies(tmp_path: Path, apache_kafka: None) -> None:
    """Another takes over within the time that a batch is tried: nothing is refused."""
    with KafkaCluster(tmp_path / "kafka", brokers=3) as cluster:
        create_topics(KafkaAccess.plain(cluster.bootstrap), PARTITIONS, replication=3)
        async with fleet(cluster.bootstrap, deliver_s=25) as trucks:
            await trucks.drive(1)
            cluster.kill(0)
            await trucks.drive(15)
            await trucks.settled()
            assert trucks.lost == []
            assert trucks.waits_for() == []
            await asyncio.to_thread(check_kept, cluster.bootstrap, trucks)
