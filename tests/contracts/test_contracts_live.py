"""What really flows, by the published contracts: every record of every topic, keys and headers
included, of all that writes, read from a broker by somebody who has only the schemas."""

import asyncio
import csv
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from contract_parts import ROOT, asyncapi, faults, schema
from gateway_parts import PHONE, PLATE, TIME_MS, Terminal, batch, location
from gateway_parts import running as terminal_gateway
from gateway_parts import write_city as write_fleet
from golden import FOLDER, SCENARIOS, golden
from platform_parts import CIPHER, EAST, LowerPlatform
from platform_parts import running as platform_gateway

sys.path.insert(0, str(ROOT / "tests" / "streams"))
from live_parts import PARTITIONS, Record, offline, publish, until, worker

from mucktrack.topics import TOPICS, create_topics
from producers.jt808.location import BadLocation
from streams.access import KafkaAccess
from streams.gate import REASONS
from streams.output import ce_id
from streams.partition import partition_of
from streams.position import Position, encode_position
from streams.topics import POSITIONS, RAW, REJECTED, TRIPS, VIOLATIONS
from streams.worker import Topics

MOST_TRUCKS = 300
"""That the worker remembers of a partition."""
PATIENCE_S = 60.0
QUIET_S = 1.0


def aliased_city(folder: Path) -> Path:
    """The city of the golden streams, with trucks of its own for each of them."""
    folder.mkdir()
    for file in (FOLDER / "city").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    with (FOLDER / "city" / "trucks.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    trucks = [[alias(row[0], name), *row[1:]] for row in rows[1:] for name in SCENARIOS]
    _write(folder / "trucks.csv", [rows[0], *trucks])
    with (FOLDER / "city" / "permits.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    for row in rows[1:]:
        row[1] = ";".join(alias(one, name) for one in row[1].split(";") for name in SCENARIOS)
    _write(folder / "permits.csv", rows)
    return folder


def _write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def alias(truck_id: str, scenario: str) -> str:
    return f"{truck_id}-{SCENARIOS.index(scenario)}"


def aliased_positions() -> list[Position]:
    """Of all golden streams, each in its order, as they would come together."""
    found = []
    for name in SCENARIOS:
        latest_ms = 0
        for one in golden(name).positions:
            latest_ms = max(latest_ms, one.time_ms)
            found.append((latest_ms, renamed(one, alias(one.truck_id, name))))
    return [one for _, one in sorted(found, key=lambda item: item[0])]


def renamed(one: Position, truck_id: str) -> Position:
    return msgspec.structs.replace(one, truck_id=truck_id)


def command(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mucktrack", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr


def hostile() -> list[Record]:
    """A stream with something of every reason, and worse."""
    truck = "浙H00001"
    home = partition_of(truck, PARTITIONS)
    start_ms = TIME_MS + 40 * 86_400_000

    def at(seconds: float, **said: Any) -> bytes:
        time_ms = start_ms + round(seconds * 1_000)
        return encode_position(Position(**{"truck_id": truck, "time_ms": time_ms, **WHERE, **said}))

    values: list[bytes | None] = [
        at(0),
        at(0),
        at(-60),
        at(30, lon=0.0, lat=0.0),
        at(31, lon=1e9),
        at(32, located=False),
        at(33, satellites=3),
        at(34, received_ms=start_ms - 3_600_000),
        at(35, lon=122.5),
        b'{"truck_id": "' + b"x" * 65 + b'"}',
        b"[" + at(40) + b',{"truck_id":7},null,"\\ud800"]',
        "no JSON \x00 浙".encode(),
        b"\xff\xfe\x00",
        b"[]",
        b'{"tick_ms": 1}',
        json.dumps({"truck_id": "a\u202e", "time_ms": start_ms, "lon": "1", "lat": []}).encode(),
        b"{" * 100_000,
    ]
    records = [Record(home, value, b"\xffno text", start_ms) for value in values]
    records.append(Record((home + 1) % PARTITIONS, at(41), truck.encode(), start_ms))
    crowd = (f"浙C{number:05d}" for number in range(10 * MOST_TRUCKS))
    crowd = [one for one in crowd if partition_of(one, PARTITIONS) == home][: MOST_TRUCKS + 50]
    return records + [Record(home, at(50, truck_id=one), None, start_ms) for one in crowd]


WHERE = {"lon": 121.05, "lat": 29.05, "speed_kmh": 30.0}


async def everything(kafka: str) -> dict[str, list[Any]]:
    """All records of all topics, once nothing more comes."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, fetch_max_wait_ms=100)
    await consumer.start()
    found: dict[str, list[Any]] = {topic.name: [] for topic in TOPICS}
    try:
        places = [
            TopicPartition(topic.name, number)
            for topic in TOPICS
            for number in range(topic.partitions or PARTITIONS)
        ]
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        while got := await consumer.getmany(timeout_ms=int(QUIET_S * 1_000)):
            for place, records in got.items():
                found[place.topic] += records
    finally:
        await consumer.stop()
    return found


async def terminals_report(kafka: str, redis_url: str, city: Path) -> None:
    async with terminal_gateway(kafka, redis_url, city) as gateway, Terminal(gateway.port) as one:
        await one.enter(PLATE)
        await one.locate()
        await one.result_of(0x0704, batch(1, location(TIME_MS + 10_000), BadLocation("cut", b"\1")))
        await one.locate(lon=0.0, lat=0.0, time_ms=TIME_MS + 20_000)
        await until(lambda: gateway.figure("positions_total") >= 2, "it has published")


async def platforms_report(kafka: str, folder: Path) -> None:
    async with (
        platform_gateway(kafka, folder) as gateway,
        LowerPlatform(gateway.port, EAST, "2019", CIPHER) as platform,
    ):
        assert await platform.log_in() == 0
        platform.tell_position(time_ms=TIME_MS)
        platform.tell_position(time_ms=TIME_MS + 1_000, encrypted=1)
        platform.tell_backfill("浙B12345", [TIME_MS + 2_000, TIME_MS + 3_000])
        await platform.settled()


async def test_all_that_flows_is_by_the_contracts(
    fresh_kafka: str, redis_url: str, tmp_path: Path
) -> None:
    kafka = fresh_kafka
    await asyncio.to_thread(create_topics, KafkaAccess(kafka), PARTITIONS)
    city = aliased_city(tmp_path / "city")
    positions = aliased_positions()
    (tmp_path / "golden.jsonl").write_bytes(b"\n".join(map(encode_position, positions)))
    expected = {ce_id(one) for one in offline(city, positions)}
    common = ("--kafka", kafka, "--partitions", str(PARTITIONS))
    reasons = set(schema("rejected")["properties"]["reason"]["enum"])
    assert reasons >= set(REASONS) - {""}
    with worker(
        tmp_path / "worker", city, kafka, Topics(), None, most_trucks=MOST_TRUCKS
    ) as process:
        replayed = ("replay", str(tmp_path / "golden.jsonl"), "--speed", "max", "--city", str(city))
        await asyncio.to_thread(command, *replayed, *common)
        await terminals_report(kafka, redis_url, write_fleet(tmp_path / "fleet"))
        await platforms_report(kafka, tmp_path)
        simulated = ("simulate", "--hours", "0.1", "--trucks", "20", "--speed", "max")
        await asyncio.to_thread(command, *simulated, *common)
        await publish(kafka, POSITIONS, hostile())
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            flowed = await everything(kafka)
            ids = {dict(one.headers)["ce_id"].decode() for one in flowed[VIOLATIONS]}
            seen = {json.loads(one.value)["reason"] for one in flowed[REJECTED]}
            if expected <= ids and reasons <= seen:
                break
            assert time.monotonic() < deadline_s, (expected - ids, reasons - seen)
        assert process.stop() == 0, process.said()
    check_positions(flowed[POSITIONS], flowed[REJECTED])
    check_rejects(flowed[REJECTED])
    check_violations(flowed[VIOLATIONS])
    check_frames(flowed[RAW])
    assert flowed[TRIPS]
    for record in flowed[TRIPS]:
        trip = json.loads(record.value)
        assert faults("trips", trip) == []
        assert record.key.decode() == trip["truck_id"]


def check_positions(records: Sequence[Any], rejected: Sequence[Any]) -> None:
    """A record is by the schema unless something in it was rejected as malformed."""
    malformed = {
        (one["partition"], one["offset"])
        for one in (json.loads(record.value) for record in rejected)
        if one["reason"] == "malformed" and "offset" in one
    }
    kinds: Counter[str] = Counter()
    for record in records:
        wrong = True
        try:
            value = json.loads(record.value)
            wrong = faults("positions", value) != []
        except (ValueError, RecursionError):
            value = None
        assert wrong == ((record.partition, record.offset) in malformed), record
        if wrong:
            continue
        kinds["array" if isinstance(value, list) else "tick" if "tick_ms" in value else "one"] += 1
        for position in value if isinstance(value, list) else [value]:
            kinds[str(position.get("source"))] += 1
    assert {"array", "tick", "one", "jt808", "jt809", "sim"} <= set(kinds), kinds


def check_rejects(records: Sequence[Any]) -> None:
    for record in records:
        assert faults("rejected", json.loads(record.value)) == [], record.value
    gateways = [one for one in records if "offset" not in json.loads(one.value)]
    assert {one.key.decode() for one in gateways} == {PHONE, PLATE}


def check_violations(records: Sequence[Any]) -> None:
    for record in records:
        violation = json.loads(record.value)
        headers = {name: text.decode() for name, text in record.headers}
        assert faults("violations", violation) == []
        assert faults("violation-headers", headers) == []
        assert headers["ce_id"] == f"{violation['violation_id']}/{violation['phase']}"
        assert record.key.decode() == violation["truck_id"]


def check_frames(records: Sequence[Any]) -> None:
    protocols = set()
    for record in records:
        headers = {name: text.decode() for name, text in record.headers}
        assert faults("raw-headers", headers) == []
        protocols.add(headers["protocol"])
        flags = {"jt808": b"\x7e\x7e", "jt809": b"[]"}[headers["protocol"]]
        assert record.value[:1] + record.value[-1:] == flags
    assert protocols == {"jt808", "jt809"}
    assert asyncapi()["channels"]["raw"]["address"] == RAW
