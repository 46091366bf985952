"""A worker process on a real broker: what it writes, what it leaves, how it ends."""

import asyncio
import base64
import json
import shutil
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from aiokafka import AIOKafkaConsumer, TopicPartition
from live_parts import (
    EMPTY_FROM,
    PARTITIONS,
    START_MS,
    STEP_MS,
    Process,
    Record,
    arrays,
    drive,
    ids,
    last_ticks,
    make_topics,
    offline,
    plates,
    publish,
    read,
    single,
    until,
    worker,
    write_city,
)
from pages import check_page

from geofences.loader import load_city, read_files
from streams.cities import RedisCities
from streams.detect import Engine, PreparedCity
from streams.output import Violation, ce_id, encode
from streams.partition import partition_of
from streams.position import Position, encode_position
from streams.succession import Succession
from streams.worker import Topics


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One district, no sites and no permits: whoever drives loaded offends."""
    return write_city(tmp_path_factory.mktemp("city"))


async def committed(kafka: str, group: str, topic: str) -> dict[int, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        offsets = {
            number: await consumer.committed(TopicPartition(topic, number))
            for number in range(PARTITIONS)
        }
    finally:
        await consumer.stop()
    return {number: offset for number, offset in offsets.items() if offset is not None}


def _check_told(process: Process, positions: list[Position], expected: list[Violation]) -> None:
    """The page, when all has been taken and the watch has looked."""
    check_page(process.page("metrics")[1], "worker")
    metric = process.metric
    for stage in ("received", "judged", "queued"):
        count = f'mucktrack_stage_seconds_count{{stage="{stage}"}}'
        assert metric(count) == len(positions)
    assert metric("mucktrack_violation_latency_seconds_count") >= len(expected)
    assert metric('mucktrack_positions_total{source="none"}') == len(positions) + 7
    assert metric("mucktrack_trucks_moving") + metric("mucktrack_trucks_silent") <= 9
    assert metric("mucktrack_trips_open") == metric("mucktrack_trucks_loaded") == 0
    assert metric("mucktrack_lag_records") == metric("mucktrack_lag_seconds") == 0
    assert 'mucktrack_lag_records{partition="0"} 0.0' in process.page("metrics")[1]
    assert metric("mucktrack_rebalances_total") >= 1
    assert metric("mucktrack_partition_load_seconds_count") >= PARTITIONS
    assert metric("mucktrack_city_info") == metric("mucktrack_build_info") == 1
    assert 0 < metric("mucktrack_city_start_time_seconds") <= time.time()
    assert metric('mucktrack_server_up{server="kafka"}') == 1
    assert metric('mucktrack_server_up{server="redis"}') == 1


async def test_everything_that_comes_in_comes_out(
    tmp_path: Path, city: Path, kafka: str, redis_url: str
) -> None:
    topics = await make_topics(kafka)
    trucks = plates(9)
    positions = drive(trucks)
    own = partition_of(trucks[0], PARTITIONS)
    bad = [
        Record(own, b"{not JSON", b"label", START_MS),
        Record(own, None, b"a tombstone", START_MS),
        Record(own, b"\xff\xfe", None, START_MS),
        Record(own, b'[{"truck_id":"X"},{"truck_id":"Y","time_ms":1}]', b"two", START_MS),
        Record(own, b"\x01" * 400_000, b"k" * 5_000, START_MS),
        Record((own + 1) % PARTITIONS, encode_position(positions[0]), b"astray", START_MS),
    ]
    expected = offline(city, positions)
    assert {violation.rule for violation in expected} == {"no-permit", "illegal-dumping"}

    with worker(tmp_path / "a", city, kafka, topics, redis_url) as process:
        bad_offsets = await publish(kafka, topics.positions, bad)
        singles = [one for one in positions if one.truck_id in trucks[:3]]
        rest = [one for one in positions if one.truck_id not in trucks[:3]]
        await publish(kafka, topics.positions, list(map(single, singles)))
        await publish(kafka, topics.positions, arrays(rest, 50) + last_ticks(positions))
        violations = await read(
            kafka, topics.violations, lambda records: len(ids(records)) >= len(expected)
        )
        trips = await read(kafka, topics.trips, lambda records: len(records) >= len(trucks))
        rejected = await read(kafka, topics.rejected, lambda records: len(records) >= 7)
        await until(
            lambda: process.metric("mucktrack_ticks_total") == PARTITIONS, "all ticks are counted"
        )
        assert process.metric('mucktrack_positions_total{outcome="fix"}') == len(positions)
        assert process.metric('mucktrack_positions_total{outcome="wrong_partition"}') == 1
        assert process.metric('mucktrack_positions_total{outcome="malformed"}') == 6
        assert process.metric("mucktrack_partitions_loaded") == PARTITIONS
        assert process.metric("mucktrack_trips_total") == len(trucks)
        await until(lambda: _is_live(redis_url, trucks), "every truck is on the live map")
        _check_live(redis_url, positions[-1])
        await until(lambda: process.metric("mucktrack_trucks_seen") == len(trucks), "a census")
        await until(lambda: process.metric("mucktrack_checkpoint_size_bytes") > 0, "checkpoints")
        _check_told(process, positions, expected)
        listening = _listening(process.child.pid)
        assert process.stop() == 0, process.said()

    assert sorted(dict(record.headers)["ce_id"].decode() for record in violations) == sorted(
        map(ce_id, expected)
    )
    by_id = {ce_id(violation): encode(violation) for violation in expected}
    for record in violations:
        assert record.value == by_id[dict(record.headers)["ce_id"].decode()]
    first = violations[0]
    headers = dict(first.headers)
    value = json.loads(first.value)
    assert first.key == value["truck_id"].encode()
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"] == f"mucktrack.violation.{value['phase']}".encode()
    assert headers["content-type"] == b"application/json"
    assert {record.key.decode() for record in trips} == set(trucks)

    told = {
        (value["partition"], value["offset"], value["index"]): (value, record.key)
        for record in rejected
        for value in [json.loads(record.value)]
    }
    assert len(told) == 7
    broken, tombstone, binary, two, large, astray = bad_offsets
    assert told[own, broken, 0][0]["value"] == "{not JSON"
    assert told[own, broken, 0][1] == b"label"
    assert told[own, tombstone, 0][0]["value"] is None
    assert told[own, binary, 0][0]["value"] == {"base64": "//4="}
    assert told[own, two, 1][0]["value"] == {"truck_id": "Y", "time_ms": 1}
    assert told[own, two, 1][0]["truck_id"] == "Y"
    cut, key = told[own, large, 0]
    assert key == b"k" * 1_024
    assert (cut["value"]["cut"], cut["value"]["length_bytes"]) == (True, 400_000)
    assert set(base64.b64decode(cut["value"]["base64"])) == {1}
    elsewhere = told[(own + 1) % PARTITIONS, astray, 0][0]
    assert elsewhere["reason"] == "wrong_partition"
    assert elsewhere["topic"] == topics.positions
    assert elsewhere["truck_id"] == trucks[0]

    assert list((tmp_path / "a" / "work").iterdir()) == [], "something is in the working folder"
    assert listening == {int((tmp_path / "a" / "port").read_text())}, "only metrics are served"
    ends = await committed(kafka, f"test-{topics.positions}", topics.positions)
    assert sum(ends.values()) == len(bad) + len(singles) + len(arrays(rest, 50)) + PARTITIONS


def _is_live(redis_url: str, trucks: list[str]) -> bool:
    with redis.Redis.from_url(redis_url) as client:
        return all(client.geopos("mucktrack:live:geo", *trucks))


def _check_live(redis_url: str, last: Position) -> None:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        key = f"mucktrack:live:truck:{last.truck_id}"
        assert client.hgetall(key) == {
            "time_ms": str(last.time_ms),
            "lon": str(last.lon),
            "lat": str(last.lat),
            "speed_kmh": "30.0",
            "heading_deg": "90.0",
            "loaded": "0",
            "district": "330203",
        }
        assert 86_000 < client.ttl(key) <= 86_400


def _listening(pid: int) -> set[int]:
    """The TCP ports a process listens on."""
    inodes = {
        link.name
        for entry in Path(f"/proc/{pid}/fd").iterdir()
        if (link := Path(entry.readlink())).name.startswith("socket:")
    }
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and f"socket:[{columns[9]}]" in inodes:
                ports.add(int(columns[1].rsplit(":", 1)[1], 16))
    return ports


async def test_workers_share_the_partitions(
    tmp_path: Path, city: Path, kafka: str, redis_url: str
) -> None:
    """Two together, and one alone after the other has gone: the same violations, each once."""
    topics = await make_topics(kafka)
    positions = drive(plates(40))
    # In the order of time, so that either half has some for whichever partitions one is given.
    records = sorted(arrays(positions, 20), key=lambda record: record.timestamp_ms or 0)
    expected = set(map(ce_id, offline(city, positions)))
    with (
        worker(tmp_path / "a", city, kafka, topics, redis_url) as first,
        worker(tmp_path / "b", city, kafka, topics, redis_url) as second,
    ):
        await until(
            lambda: (
                [process.metric("mucktrack_partitions_loaded") for process in (first, second)]
                == [PARTITIONS / 2] * 2
            ),
            "both have as many",
        )
        await publish(kafka, topics.positions, records[: len(records) // 2])
        await until(
            lambda: first.metric('mucktrack_positions_total{outcome="fix"}') > 0, "one works"
        )
        assert first.stop(signal.SIGINT) == 0, first.said()
        await publish(kafka, topics.positions, records[len(records) // 2 :] + last_ticks(positions))
        violations = await read(
            kafka, topics.violations, lambda some: len(ids(some)) >= len(expected)
        )
        assert second.stop() == 0, second.said()
    assert ids(violations) == expected
    assert len(violations) == len(expected)


async def test_workers_that_freeze_or_are_killed_lose_nothing(
    tmp_path: Path, city: Path, kafka: str, redis_url: str
) -> None:
    """While records keep coming, one is frozen until the group gives its partitions away, and
    goes on; then the other is killed."""
    topics = await make_topics(kafka)
    positions = drive(plates(40))
    expected = set(map(ce_id, offline(city, positions)))
    records = list(map(single, positions))

    async def keep_publishing() -> None:
        for start in range(0, len(records), 20):
            await publish(kafka, topics.positions, records[start : start + 20])
            await asyncio.sleep(0.4)
        await publish(kafka, topics.positions, last_ticks(positions))

    with (
        worker(tmp_path / "a", city, kafka, topics, redis_url) as first,
        worker(tmp_path / "b", city, kafka, topics, redis_url) as second,
    ):
        await until(
            lambda: (
                first.metric("mucktrack_partitions_loaded") == PARTITIONS / 2
                and second.metric("mucktrack_partitions_loaded") == PARTITIONS / 2
            ),
            "both have as many",
        )
        publishing = asyncio.create_task(keep_publishing())
        await asyncio.sleep(4)
        first.child.send_signal(signal.SIGSTOP)
        await until(
            lambda: second.metric("mucktrack_partitions_loaded") == PARTITIONS,
            "the other has taken over",
        )
        first.child.send_signal(signal.SIGCONT)
        await until(
            lambda: first.metric("mucktrack_partitions_loaded") == PARTITIONS / 2, "it is back"
        )
        second.child.kill()
        await publishing
        violations = await read(
            kafka, topics.violations, lambda some: len(ids(some)) >= len(expected)
        )
        assert first.stop() == 0, first.said()
    assert ids(violations) == expected


async def test_a_bug_ends_the_process_and_loses_nothing(
    tmp_path: Path, city: Path, kafka: str
) -> None:
    topics = await make_topics(kafka)
    trucks = plates(6)
    positions = drive(trucks)
    expected = set(map(ce_id, offline(city, positions)))
    records = list(map(single, positions))
    await publish(kafka, topics.positions, records + last_ticks(positions))
    with worker(tmp_path / "a", city, kafka, topics, None, trucks[2]) as process:
        await until(lambda: process.child.poll() is not None, "the process ends")
        assert process.child.returncode == 1
        assert "ZeroDivisionError: a bug" in process.said()
    ends = await committed(kafka, f"test-{topics.positions}", topics.positions)
    partition = partition_of(trucks[2], PARTITIONS)
    own = [one for one in positions if partition_of(one.truck_id, PARTITIONS) == partition]
    first = next(n for n, one in enumerate(own) if one.truck_id == trucks[2])
    assert (ends.get(partition) or 0) <= first, "what the bug met is not acknowledged"
    with worker(tmp_path / "b", city, kafka, topics, None) as process:
        violations = await read(
            kafka, topics.violations, lambda some: len(ids(some)) >= len(expected)
        )
        assert process.stop() == 0, process.said()
    assert ids(violations) == expected


async def test_a_city_published_under_a_running_worker(
    tmp_path: Path, city: Path, kafka: str, redis_url: str
) -> None:
    """What comes out is what `detect` finds with both versions; nothing lost, nothing twice. A
    version that cannot be read stops nothing."""
    topics = await make_topics(kafka)
    trucks = plates(9)
    positions = drive(trucks)
    from_ms = START_MS + (EMPTY_FROM + 1) * STEP_MS
    known, later = positions[: 2 * len(trucks)], positions[2 * len(trucks) :]
    assert from_ms - known[-1].time_ms >= 300_000
    permitted = tmp_path / "permitted"
    shutil.copytree(city, permitted)
    (permitted / "permits.csv").write_text(
        "permit_id,truck_ids,source_site_ids,disposal_site_ids,route_ids,districts,"
        "valid_from,valid_to,hours\n" + f"P1,{';'.join(trucks[:5])},,,,,,,\n"
    )
    both = Succession(
        PreparedCity.of(load_city(city)), [(from_ms, PreparedCity.of(load_city(permitted)))]
    )
    engine = Engine.offline(both)
    expected = engine.process(positions).violations + engine.finish().violations
    assert len({violation.city_version for violation in expected}) == 2
    own_redis = urlsplit(redis_url)._replace(path="/7").geturl()
    store = RedisCities(own_redis)
    try:
        with worker(tmp_path / "a", city, kafka, topics, own_redis) as process:
            await publish(kafka, topics.positions, arrays(known, 50))
            fixes = 'mucktrack_positions_total{outcome="fix"}'
            await until(lambda: process.metric(fixes) == len(known), "the first are judged")
            assert process.metric("mucktrack_city_versions") == 1
            assert store.publish(read_files(permitted), from_ms)
            await until(lambda: process.metric("mucktrack_city_versions") == 2, "it is taken up")
            with redis.Redis.from_url(own_redis) as client:
                client.zadd("mucktrack:city:versions", {f"{from_ms + 1}@gone": from_ms + 1})
            failures = 'mucktrack_city_failures_total{reason="broken"}'
            await until(lambda: process.metric(failures) > 0, "the missing one is noticed")
            await publish(kafka, topics.positions, arrays(later, 7) + last_ticks(positions))
            violations = await read(
                kafka, topics.violations, lambda records: len(ids(records)) >= len(expected)
            )
            trips = await read(kafka, topics.trips, lambda records: len(records) >= len(trucks))
            assert process.metric(fixes) == len(positions)
            assert process.stop() == 0, process.said()
            assert "mucktrack:city:gone is missing in Redis" in process.said()
    finally:
        with redis.Redis.from_url(own_redis) as client:
            client.flushdb()
    assert sorted(record.value for record in violations) == sorted(map(encode, expected))
    assert sorted(record.key.decode() for record in trips) == trucks


async def test_topics_that_do_not_fit_are_named(tmp_path: Path, city: Path, kafka: str) -> None:
    topics = await make_topics(kafka)
    with worker(tmp_path / "a", city, kafka, topics, None, partitions=7) as process:
        assert process.child.wait(60) == 2
        assert "set MUCKTRACK_PARTITIONS=4" in process.said()
        assert "Traceback" not in process.said()


async def test_a_worker_that_waits_for_kafka_can_be_stopped(tmp_path: Path, city: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
    topics = Topics()
    with worker(tmp_path / "a", city, address, topics, None) as process:
        await until(lambda: "kafka_away" in process.said(), "it waits")
        assert process.stop() == 0
