"""What the tests of running workers share: topics of their own, records in and out, processes."""

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import ConsumerRecord
from pages import figure

from geofences.loader import load_city
from streams.detect import Engine, PreparedCity
from streams.output import Violation
from streams.partition import partition_of
from streams.position import Position, encode_position, encode_tick
from streams.worker import Topics

HERE = Path(__file__).parent
PARTITIONS = 4
PATIENCE_S = 60.0
QUIET_S = 1.0
WATERMARK_DELAY_MS = 360_000
START_MS = 1_793_584_800_000
STEP_MS = 20_000
STEPS = 24
EMPTY_FROM = 16
"""Step from which the trucks say that they are empty, in the middle of nowhere."""


@dataclass(frozen=True)
class Record:
    """One to be put on the positions topic."""

    partition: int
    value: bytes | None
    key: bytes | None = None
    timestamp_ms: int | None = None


@dataclass
class Process:
    """A worker under test."""

    child: subprocess.Popen[bytes]
    log: Path
    port_file: Path

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.child.send_signal(number)
        return self.child.wait(PATIENCE_S)

    def said(self) -> str:
        return self.log.read_text()

    def metric(self, name: str) -> float:
        """The sum over the series of this name that have these labels; 0 = not there yet."""
        return figure(self.page("metrics")[1], name)

    def page(self, name: str) -> tuple[int, str]:
        """Status and body of one of its pages; 0 = there are none yet."""
        port = self.port_file.read_text().strip() if self.port_file.exists() else ""
        if not port:
            return 0, ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def ready(self) -> bool:
        return self.page("readyz")[0] == 200

    def waited_for(self) -> set[str]:
        """What /readyz says, such as "redis: checkpoint of partition 3"."""
        status, body = self.page("readyz")
        if status != 503:
            return set()
        return {f"{one['for']}: {one['what']}" for one in json.loads(body)["waiting"]}

    def rss_mb(self) -> float:
        """Memory the process has, in MB."""
        for line in Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1000
        raise AssertionError("no VmRSS")


def write_city(folder: Path) -> Path:
    """Into `folder`, a city of one district, no sites and no permits: whoever drives loaded
    offends."""
    (folder / "city.toml").write_text('name = "Test"\nadmin_code = "330200"\n')
    ring = [[121.0, 29.0], [121.3, 29.0], [121.3, 29.3], [121.0, 29.3], [121.0, 29.0]]
    district = {
        "type": "Feature",
        "properties": {"code": "330203", "name": "西"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    collection = {"type": "FeatureCollection", "features": [district]}
    (folder / "districts.geojson").write_text(json.dumps(collection))
    return folder


def drive(trucks: Iterable[str]) -> list[Position]:
    """The trucks drive east, loaded at first; all fixes in the order of time."""
    return [
        Position(
            truck_id=truck_id,
            time_ms=START_MS + step * STEP_MS,
            lon=121.05 + 0.0017 * step,
            lat=29.05 + 0.002 * lane,
            speed_kmh=30.0,
            heading_deg=90.0,
            loaded=step < EMPTY_FROM,
        )
        for step in range(STEPS)
        for lane, truck_id in enumerate(trucks)
    ]


def plates(count: int) -> list[str]:
    return [f"浙B{number:05d}" for number in range(count)]


def offline(city: Path, positions: list[Position]) -> list[Violation]:
    engine = Engine.offline(PreparedCity.of(load_city(city)))
    return engine.process(positions).violations + engine.finish().violations


async def make_topics(kafka: str, copies: int = 1) -> Topics:
    """Topics of their own for one test."""
    label = uuid.uuid4().hex[:8]
    topics = Topics(*(f"{name}.{label}" for name in dataclasses.astuple(Topics())))
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics(
            [NewTopic(name, PARTITIONS, copies) for name in dataclasses.astuple(topics)]
        )
    finally:
        await admin.close()
    return topics


def single(position: Position) -> Record:
    """A record as a simple producer writes it."""
    return Record(
        partition_of(position.truck_id, PARTITIONS),
        encode_position(position),
        position.truck_id.encode(),
        position.time_ms,
    )


def arrays(positions: Sequence[Position], size: int) -> list[Record]:
    """The positions of each partition in arrays, in order."""
    records = []
    for partition in range(PARTITIONS):
        own = [one for one in positions if partition_of(one.truck_id, PARTITIONS) == partition]
        for start in range(0, len(own), size):
            piece = own[start : start + size]
            value = b"[" + b",".join(map(encode_position, piece)) + b"]"
            records.append(Record(partition, value, b"test", piece[-1].time_ms))
    return records


def last_ticks(positions: Sequence[Position]) -> list[Record]:
    """Bring every watermark to the highest fix time, where the offline engine's ends."""
    tick_ms = max(one.time_ms for one in positions) + WATERMARK_DELAY_MS
    return [
        Record(partition, encode_tick(tick_ms), None, tick_ms) for partition in range(PARTITIONS)
    ]


async def publish(kafka: str, topic: str, records: Sequence[Record]) -> list[int]:
    """The offset each record got."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", compression_type="lz4")
    await producer.start()
    try:
        futures = [
            await producer.send(
                topic,
                record.value,
                key=record.key or (b"" if record.value is None else None),
                partition=record.partition,
                timestamp_ms=record.timestamp_ms,
            )
            for record in records
        ]
        return [(await future).offset for future in futures]
    finally:
        await producer.stop()


async def read(
    kafka: str, topic: str, enough: Callable[[list[ConsumerRecord]], bool]
) -> list[ConsumerRecord]:
    """What is on the topic, once it is `enough` and nothing more has come for a while."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, fetch_max_wait_ms=100)
    await consumer.start()
    records: list[ConsumerRecord] = []
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            got = await consumer.getmany(timeout_ms=int(QUIET_S * 1000))
            records += [record for some in got.values() for record in some]
            if not got and enough(records):
                return records
    finally:
        await consumer.stop()
    raise AssertionError(f"{topic} holds {len(records)} records, which is not enough")


def ids(records: Sequence[ConsumerRecord]) -> set[str]:
    return {dict(record.headers)["ce_id"].decode() for record in records}


async def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        await asyncio.sleep(0.1)


@contextmanager
def worker(
    folder: Path,
    city: Path,
    kafka: str,
    topics: Topics,
    redis: str | None,
    *bug: str,
    **config: Any,
) -> Iterator[Process]:
    """A worker process in `folder`, killed in the end if it still runs. `bug`: see
    `worker_process`. `config`: fields of its `WorkerConfig`."""
    folder.mkdir()
    config = {
        "kafka": kafka,
        "city": str(city),
        "redis": redis,
        "group": f"test-{topics.positions}",
        "partitions": PARTITIONS,
        "state_dir": str(folder / "state"),
        "metrics_host": "127.0.0.1",
        "metrics_port": 0,
        "session_timeout_s": 6,
        "most_trucks": None,
        "metrics_port_file": str(folder / "port"),
        "topics": dataclasses.asdict(topics),
        **config,
    }
    (folder / "config.json").write_text(json.dumps(config))
    working_folder = folder / "work"
    working_folder.mkdir()
    log = folder / "log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, str(HERE / "worker_process.py"), str(folder / "config.json"), *bug],
            cwd=working_folder,
            env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Process(child, log, folder / "port")
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        sys.stdout.write(log.read_text())
