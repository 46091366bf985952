"""Kafka or Redis away, slow, frozen or full under running workers, and a group that never rests:
the worker says what it waits for, takes no more than it can hold, and in the end the violations are
those of `detect`."""

import asyncio
import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from live_parts import (
    PARTITIONS,
    Process,
    Record,
    ids,
    last_ticks,
    make_topics,
    publish,
    read,
    single,
    until,
    worker,
    write_city,
)
from servers.kafka_cluster import KafkaCluster
from servers.redis_server import RedisServer
from slow_proxy import SlowProxy

from geofences.loader import load_city
from streams.app import BUFFERED
from streams.consumer import MAX_RECORDS
from streams.detect import Engine, PreparedCity
from streams.output import ce_id
from streams.position import Position, encode_position
from streams.worker import Topics

START_MS = 1_793_584_800_000
STEP_MS = 20_000
STEPS = 24
TRUCKS = 40
OFTEN = {"checkpoint_s": 0.3}
FIXES = 'mucktrack_positions_total{outcome="fix"}'


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_city(tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="module")
def positions() -> list[Position]:
    """The trucks drive east, loaded at first, and are empty later, in the middle of nowhere."""
    return [
        Position(
            truck_id=f"浙B{truck:05d}",
            time_ms=START_MS + step * STEP_MS,
            lon=121.05 + 0.0017 * step,
            lat=29.05 + 0.002 * truck,
            speed_kmh=30.0,
            loaded=step < 16,
        )
        for step in range(STEPS)
        for truck in range(TRUCKS)
    ]


@pytest.fixture(scope="module")
def expected(city: Path, positions: list[Position]) -> set[str]:
    engine = Engine.offline(PreparedCity.of(load_city(city)))
    violations = engine.process(positions).violations + engine.finish().violations
    assert {violation.rule for violation in violations} == {"no-permit", "illegal-dumping"}
    return set(map(ce_id, violations))


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


async def publish_slowly(
    kafka: str, topics: Topics, positions: list[Position], seconds: float
) -> None:
    records = list(map(single, positions))
    size = 20
    for start in range(0, len(records), size):
        await publish(kafka, topics.positions, records[start : start + size])
        await asyncio.sleep(seconds * size / len(records))


async def all_found(kafka: str, topics: Topics, expected: set[str]) -> None:
    violations = await read(kafka, topics.violations, lambda some: ids(some) >= expected)
    assert ids(violations) == expected


async def until_it_waits(process: Process, waiting_for: str) -> None:
    await until(
        lambda: any(one.startswith(f"{waiting_for}: ") for one in process.waited_for()),
        f"it says that it waits for {waiting_for}",
    )
    assert process.metric(f'mucktrack_waiting{{for="{waiting_for}"}}') == 1
    assert process.page("healthz")[0] == 200


async def until_ready(process: Process) -> None:
    await until(process.ready, "it is ready")
    for name in ("kafka", "redis", "group", "loading", "city", "starting"):
        assert process.metric(f'mucktrack_waiting{{for="{name}"}}') == 0


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_redis_away(
    tmp_path: Path,
    city: Path,
    positions: list[Position],
    expected: set[str],
    kafka: str,
    own_redis: RedisServer,
    how: str,
) -> None:
    topics = await make_topics(kafka)
    with worker(tmp_path / "a", city, kafka, topics, own_redis.url, **OFTEN) as process:
        await until_ready(process)
        half = len(positions) // 2
        await publish_slowly(kafka, topics, positions[:half], 2)
        if how == "killed":
            own_redis.kill()
        else:
            own_redis.freeze()
        publishing = asyncio.create_task(publish_slowly(kafka, topics, positions[half:-40], 5))
        await until_it_waits(process, "redis")
        await publishing
        await asyncio.sleep(1)
        taken = process.metric(FIXES)
        await publish(kafka, topics.positions, list(map(single, positions[-40:])))
        await asyncio.sleep(2)
        assert process.metric(FIXES) == taken, "it goes on with what it cannot keep"
        assert process.metric("mucktrack_partitions_loaded") == PARTITIONS
        if how == "killed":
            own_redis.start()
        else:
            own_redis.thaw()
        await publish(kafka, topics.positions, last_ticks(positions))
        await all_found(kafka, topics, expected)
        await until_ready(process)
        assert process.metric(FIXES) == len(positions), "nothing was taken twice"
        assert "checkpoint_waits" in process.said()
        assert process.stop() == 0, process.said()


async def test_a_worker_that_waits_long_holds_little_and_stays_in_its_group(
    tmp_path: Path,
    city: Path,
    positions: list[Position],
    expected: set[str],
    kafka: str,
    own_redis: RedisServer,
) -> None:
    """Redis is away for several times what a worker may be idle in its group, and more than can be
    held lies in Kafka."""
    topics = await make_topics(kafka)
    idle_s = 4.0
    settings = OFTEN | {"hung_s": idle_s}
    padded_bytes, padded_count = 150_000, 3_000
    held = (2 * BUFFERED + 4) * MAX_RECORDS
    assert padded_count > 2 * held
    with worker(tmp_path / "a", city, kafka, topics, own_redis.url, **settings) as process:
        await until_ready(process)
        await publish(kafka, topics.positions, list(map(single, positions[:40])))
        await until(lambda: process.metric(FIXES) == 40, "it works")
        own_redis.kill()
        await publish(kafka, topics.positions, list(map(single, positions[40:80])))
        await until_it_waits(process, "redis")
        before_mb = process.rss_mb()
        await publish(kafka, topics.positions, _padded(positions[80:], padded_bytes, padded_count))
        grown_mb = 0.0
        until_s = time.monotonic() + 4 * idle_s
        while time.monotonic() < until_s:
            await asyncio.sleep(0.2)
            grown_mb = max(grown_mb, process.rss_mb() - before_mb)
            assert process.metric("mucktrack_partitions_loaded") == PARTITIONS
            assert process.page("healthz")[0] == 200
        bound_mb = held * padded_bytes / 1e6
        sys.stdout.write(f"grew by {grown_mb:.0f} MB; {held} records are {bound_mb:.0f} MB\n")
        assert grown_mb < bound_mb + 40
        # Read as they came, few at a time.
        assert padded_bytes / 1e6 * 10 < grown_mb, "the records have not come"
        own_redis.start()
        await publish(kafka, topics.positions, last_ticks(positions))
        await all_found(kafka, topics, expected)
        assert process.metric("mucktrack_fenced_total") == 0
        assert len(re.findall(r'"partition_loaded".*"partition": 0,', process.said())) == 1
        assert process.stop() == 0, process.said()


def _padded(positions: list[Position], size: int, count: int) -> Iterable[Record]:
    """Records of `size` bytes, as arrays of positions with room between them; the positions come
    again and again to make up `count`."""
    records = [single(positions[number % len(positions)]) for number in range(count)]
    return [
        Record(
            one.partition,
            b"[" + (one.value or b"").ljust(size - 2) + b"]",
            one.key,
            one.timestamp_ms,
        )
        for one in records
    ]


async def test_slow_redis(
    tmp_path: Path,
    city: Path,
    positions: list[Position],
    expected: set[str],
    kafka: str,
    own_redis: RedisServer,
) -> None:
    """Detection goes on beside slow checkpoints; slower than the time-outs is away."""
    topics = await make_topics(kafka)
    third = len(positions) // 3
    with (
        closing(SlowProxy(own_redis.port)) as proxy,
        worker(tmp_path / "a", city, kafka, topics, proxy.url, **OFTEN) as process,
    ):
        await until_ready(process)
        proxy.delay_s = 0.5
        await publish_slowly(kafka, topics, positions[:third], 4)
        await until(lambda: process.metric(FIXES) == third, "it works beside")
        await until(
            lambda: (
                sum(
                    process.metric(f'mucktrack_checkpoint_offset{{partition="{number}"}}')
                    for number in range(PARTITIONS)
                )
                >= third
            ),
            "all of it is saved",
        )
        proxy.delay_s = 30.0
        await publish_slowly(kafka, topics, positions[third : 2 * third], 2)
        await until_it_waits(process, "redis")
        proxy.delay_s = 0.0
        await publish_slowly(kafka, topics, positions[2 * third :], 2)
        await publish(kafka, topics.positions, last_ticks(positions))
        await all_found(kafka, topics, expected)
        await until_ready(process)
        assert process.metric(FIXES) == len(positions)
        assert process.stop() == 0, process.said()


async def test_a_rebalance_storm(
    tmp_path: Path,
    city: Path,
    positions: list[Position],
    expected: set[str],
    kafka: str,
    own_redis: RedisServer,
) -> None:
    """Another worker comes, takes half of the partitions, and goes, again and again."""
    topics = await make_topics(kafka)
    joined = 0
    with worker(tmp_path / "a", city, kafka, topics, own_redis.url, **OFTEN) as steady:
        await until_ready(steady)
        publishing = asyncio.create_task(publish_slowly(kafka, topics, positions, 30))
        while not publishing.done():
            folder = tmp_path / f"storm-{joined}"
            with worker(folder, city, kafka, topics, own_redis.url, **OFTEN) as other:
                await until(
                    lambda other=other: other.metric("mucktrack_partitions_assigned") == 2,
                    "it joins",
                )
                await asyncio.sleep(1)
                assert await asyncio.to_thread(other.stop) == 0, other.said()
            joined += 1
        await publishing
        assert joined >= 3
        await publish(kafka, topics.positions, last_ticks(positions))
        await all_found(kafka, topics, expected)
        await until_ready(steady)
        assert steady.stop() == 0, steady.said()


async def with_a_fault(
    tmp_path: Path,
    city: Path,
    positions: list[Position],
    expected: set[str],
    kafka: str,
    redis: str,
    fault: Callable[[Process, Topics, list[Position]], Awaitable[None]],
) -> None:
    """A worker in the middle of its work meets `fault`, which ends when Kafka works again, and may
    publish, and take away, some of the positions that are left."""
    topics = await make_topics(kafka, kafka.count(",") + 1)
    left = positions[len(positions) // 4 :]
    with worker(tmp_path / "a", city, kafka, topics, redis, **OFTEN) as process:
        await until_ready(process)
        await publish(kafka, topics.positions, list(map(single, positions[: -len(left)])))
        await fault(process, topics, left)
        await publish(kafka, topics.positions, list(map(single, left)))
        await publish(kafka, topics.positions, last_ticks(positions))
        await all_found(kafka, topics, expected)
        await until_ready(process)
        assert process.metric("mucktrack_partitions_loaded") == PARTITIONS
        assert process.stop() == 0, process.said()


@pytest.mark.usefixtures("apache_kafka")
@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_kafka_away(
    tmp_path: Path,
    city: Path,
    positions: list[Position],
    expected: set[str],
    own_redis: RedisServer,
    how: str,
) -> None:
    """For longer than the group's session."""
    with KafkaCluster(tmp_path / "kafka") as cluster:

        async def fault(process: Process, *_: object) -> None:
            if how == "killed":
                cluster.kill(0)
            else:
                cluster.freeze(0)
            await until_it_waits(process, "kafka")
            await asyncio.sleep(10)
            assert "kafka" in {one.partition(":")[0] for one in process.waited_for()}
            if how == "killed":
                await asyncio.to_thread(cluster.start, 0)
            else:
                cluster.thaw(0)

        await with_a_fault(
            tmp_path, city, positions, expected, cluster.bootstrap, own_redis.url, fault
        )


@pytest.mark.usefixtures("apache_kafka")
async def test_kafka_refuses_to_write(
    tmp_path: Path,
    city: Path,
    positions: list[Position],
    expected: set[str],
    own_redis: RedisServer,
) -> None:
    """The broker with the third copy is gone, and violations are acknowledged by three alone."""
    with KafkaCluster(tmp_path / "kafka", brokers=3) as cluster:

        async def fault(process: Process, topics: Topics, left: list[Position]) -> None:
            await _copies_in_step(cluster.bootstrap, topics.violations, 3)
            cluster.kill(2)
            await publish(cluster.bootstrap, topics.positions, list(map(single, left[:400])))
            del left[:400]
            await until_it_waits(process, "kafka")
            await asyncio.sleep(20)
            assert "outputs_not_taken" in process.said()
            assert process.metric("mucktrack_outputs_waiting") > 0
            assert process.metric("mucktrack_output_retries_total") > 0
            await asyncio.to_thread(cluster.start, 2)

        await with_a_fault(
            tmp_path, city, positions, expected, cluster.bootstrap, own_redis.url, fault
        )


async def _copies_in_step(kafka: str, topic: str, count: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic, {"min.insync.replicas": str(count)})]
        )
    finally:
        await admin.close()


@pytest.mark.usefixtures("apache_kafka")
async def test_the_disk_of_kafka_is_full(
    tmp_path: Path,
    city: Path,
    positions: list[Position],
    expected: set[str],
    own_redis: RedisServer,
) -> None:
    """Apache Kafka ends itself then. Once there is room, it is started again."""
    with _small_disk(tmp_path / "disk") as disk, KafkaCluster(disk / "kafka") as cluster:

        async def fault(process: Process, topics: Topics, left: list[Position]) -> None:
            _fill(disk / "ballast")
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(20):
                    await publish(cluster.bootstrap, topics.positions, list(map(single, left)) * 20)
            await until_it_waits(process, "kafka")
            (disk / "ballast").unlink()
            cluster.stop()
            await asyncio.to_thread(cluster.start)

        await with_a_fault(
            tmp_path, city, positions, expected, cluster.bootstrap, own_redis.url, fault
        )


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a disk to be filled cannot be mounted: only root can")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while ballast.write(bytes(4096)):
            pass


def test_a_position_may_have_room_around_it() -> None:
    """What the padded records above rest on."""
    from streams.position import decode_record

    position = Position(truck_id="A", time_ms=START_MS, lon=121.0, lat=29.0)
    assert decode_record(b"[" + encode_position(position).ljust(1_000) + b"]") == [position]
