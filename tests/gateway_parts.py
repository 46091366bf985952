"""What the tests of the gateway share: one that runs in the test's own loop, terminals that talk to
it over real sockets, and what is on the topics afterwards."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from mucktrack.topics import create_topics
from producers.gateway.app import Gateway, GatewayConfig
from producers.gateway.entrance import ChosenProfiles
from producers.gateway.limits import Limits
from producers.gateway.metrics import GatewayMetrics
from producers.jt808.connection import Connection, Received
from producers.jt808.header import Version
from producers.jt808.location import BadLocation, Location, LocationBatch
from producers.jt808.message import Message
from producers.jt808.session import Authenticate, GeneralAnswer, Heartbeat, Register, RegisterAnswer
from producers.profiles.profile import load_profiles
from streams.access import KafkaAccess
from streams.position import Malformed, Position, Tick, decode_record
from streams.topics import POSITIONS, RAW, REJECTED

PARTITIONS = 4
COUNTS = {POSITIONS: PARTITIONS, RAW: 12, REJECTED: 3}
PATIENCE_S = 20.0
TIME_MS = 1_793_584_800_000
PLATE, PHONE = "浙B12345", "13800138000"
OTHER_PLATE, OTHER_PHONE = "浙B67890", "13900139000"
SPARE_PLATE = "浙B00001"
"""In the register, without a terminal."""
FLEET = {PLATE: PHONE, OTHER_PLATE: OTHER_PHONE, SPARE_PLATE: ""}
LIMITS = Limits(idle_s=60, connections=1_000, connections_an_address=1_000, phones=100)


def write_city(folder: Path, fleet: Mapping[str, str] = FLEET) -> Path:
    """A city of one district, with these trucks and their terminals."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "city.toml").write_text('name = "Test"\nadmin_code = "330200"\n')
    ring = [[121.0, 29.0], [121.3, 29.0], [121.3, 29.3], [121.0, 29.3], [121.0, 29.0]]
    district = {
        "type": "Feature",
        "properties": {"code": "330203", "name": "西"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    collection = {"type": "FeatureCollection", "features": [district]}
    (folder / "districts.geojson").write_text(json.dumps(collection))
    rows = [f"{plate},{phone},," for plate, phone in fleet.items()]
    (folder / "trucks.csv").write_text(
        "\n".join(["truck_id,terminal_id,company,max_load_kg", *rows, ""])
    )
    return folder


@pytest.fixture
def broker(fresh_kafka: str) -> str:
    """One with the topics."""
    create_topics(KafkaAccess(fresh_kafka), PARTITIONS)
    return fresh_kafka


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write_city(tmp_path / "city")


@dataclass
class Running:
    """A gateway under test."""

    gateway: Gateway
    metrics: GatewayMetrics
    port: int
    bugs: asyncio.Future[None]

    def figure(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"mucktrack_gateway_{name}", labels) or 0.0

    def waits_for(self) -> set[str]:
        return {wait.waiting_for for wait in self.metrics.health.waited_for()}


@asynccontextmanager
async def running(kafka: str, redis: str, city: Path, **options: Any) -> AsyncIterator[Running]:
    """A gateway; `options` are fields of its `GatewayConfig`."""
    port_file = city / f"port-{time.monotonic_ns()}"
    config = GatewayConfig(
        **{
            "kafka": KafkaAccess(kafka),
            "redis": redis,
            "city": city,
            "partitions": PARTITIONS,
            "host": "127.0.0.1",
            "port": 0,
            "limits": LIMITS,
            "profiles": ChosenProfiles(load_profiles(), None),
            "port_file": port_file,
            **options,
        }
    )
    metrics = GatewayMetrics()
    bugs = asyncio.get_running_loop().create_future()

    def end(bug: BaseException | None = None) -> None:
        if bug is not None and not bugs.done():
            bugs.set_exception(bug)

    async with AsyncExitStack() as parts:
        gateway = await Gateway.started(config, metrics, end, parts)
        yield Running(gateway, metrics, int(port_file.read_text()), bugs)
        if bugs.done():
            bugs.result()


@dataclass
class Terminal:
    """A terminal, as simple as can be."""

    port: int
    phone: str = PHONE
    version: Version = "2013"
    tls: ssl.SSLContext | None = None
    answers: list[Message] = field(default_factory=list)
    """All messages of the platform."""
    by_serial: dict[int, Any] = field(default_factory=dict)
    """Bodies of the answers, by the serial of what they answer."""

    async def __aenter__(self) -> Self:
        digits = 20 if self.version == "2019" else 12
        self._wire_phone = self.phone.zfill(digits)
        self._connection = Connection()
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.tls
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def cut(self) -> None:
        """End the connection."""
        self._reading.cancel()
        self._writer.close()
        await asyncio.gather(self._reading, return_exceptions=True)

    @property
    def is_cut(self) -> bool:
        """Whether the gateway has ended it."""
        return self._reading.done()

    async def until_cut(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([self._reading])

    def tell(self, message_id: int, body: Any, phone: str | None = None) -> int:
        """Send a message; its serial. `phone`: for forwarders."""
        digits = len(self._wire_phone)
        wire = self._wire_phone if phone is None else phone.zfill(digits)
        data = self._connection.send(message_id, wire, body, self.version)
        self._writer.write(data)
        return self._connection.sent_serial

    def tell_bytes(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer_to(self, serial: int, patience_s: float = PATIENCE_S) -> Any:
        """The body of the answer to the message of this serial."""
        async with asyncio.timeout(patience_s):
            while True:
                if serial in self.by_serial:
                    return self.by_serial[serial]
                if self.is_cut:
                    raise ConnectionError("the gateway has ended the connection")
                await asyncio.sleep(0.005)

    async def result_of(self, message_id: int, body: Any, phone: str | None = None) -> int:
        """Send, and wait for the result."""
        answer = await self.answer_to(self.tell(message_id, body, phone))
        if isinstance(answer, GeneralAnswer):
            assert answer.message_id == message_id
        return int(answer.result)

    async def register(self, plate: str = PLATE, phone: str | None = None, **said: Any) -> Any:
        return await self.answer_to(
            self.tell(0x0100, registration(plate, self.version, **said), phone)
        )

    async def enter(self, plate: str = PLATE, phone: str | None = None) -> str:
        """Register and authenticate; the code."""
        answer = await self.register(plate, phone)
        assert answer.result == 0, answer
        assert await self.authenticate(answer.code, phone) == 0
        return str(answer.code)

    async def authenticate(self, code: str, phone: str | None = None) -> int:
        body = Authenticate(code)
        if self.version == "2019":
            body = Authenticate(code, "860000000000001", "V1.0")
        return await self.result_of(0x0102, body, phone)

    async def beat(self, phone: str | None = None) -> int:
        return await self.result_of(0x0002, Heartbeat(), phone)

    async def locate(self, *args: Any, **said: Any) -> int:
        """Send a location; the result."""
        return await self.result_of(0x0200, location(*args, **said))

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(65_536):
                for event in self._connection.receive(data, time.monotonic()):
                    assert isinstance(event, Received), event
                    self.answers.append(event.message)
                    if isinstance(event.message.body, GeneralAnswer | RegisterAnswer):
                        self.by_serial[event.message.body.serial] = event.message.body
        except (ConnectionError, ssl.SSLError):
            pass


def registration(plate: str, version: Version = "2013", **said: Any) -> Register:
    values = {
        "province": 33,
        "city": 203,
        "maker": "70111",
        "model": "MT-1",
        "terminal_id": "D000001",
        "plate_colour": 2,
        "plate": plate,
        "layout": version,
    }
    return Register(**{**values, **said})


def location(time_ms: int = TIME_MS, **said: Any) -> Location:
    values = {"alarm_bits": 0, "status_bits": 0b11, "lat": 29.1, "lon": 121.1, "speed_kmh": 36.5}
    return Location(**{**values, "time_ms": time_ms, **said})


def batch(kind: int, *locations: Location | BadLocation) -> LocationBatch:
    return LocationBatch(kind, list(locations))


@dataclass(frozen=True)
class Kept:
    """What is on a topic."""

    key: bytes | None
    value: bytes
    headers: dict[str, bytes]


async def kept(kafka: str, topic: str) -> list[Kept]:
    """Everything on a topic, by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, fetch_max_wait_ms=50)
    await consumer.start()
    try:
        every = [TopicPartition(topic, number) for number in range(COUNTS[topic])]
        ends = await consumer.end_offsets(every)
        filled = [one for one in every if ends[one]]
        consumer.assign(filled)
        for one in filled:
            consumer.seek(one, 0)
        found: list[Kept] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(found) < sum(ends.values()):
                got = await consumer.getmany(timeout_ms=100)
                found += [
                    Kept(one.key, one.value, dict(one.headers))
                    for records in got.values()
                    for one in records
                ]
        return found
    finally:
        await consumer.stop()


async def positions(kafka: str) -> list[Position]:
    """In the order of their times."""
    elements: list[Position | Tick | Malformed] = []
    for record in await kept(kafka, POSITIONS):
        elements += decode_record(record.value)
    found = [one for one in elements if isinstance(one, Position)]
    assert not [one for one in elements if isinstance(one, Malformed)]
    return sorted(found, key=lambda one: (one.time_ms, one.truck_id))


async def rejects(kafka: str) -> list[dict[str, Any]]:
    return [json.loads(record.value) for record in await kept(kafka, REJECTED)]


async def frames(kafka: str) -> list[Kept]:
    return await kept(kafka, RAW)


async def until(true: Any, what: str, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        await asyncio.sleep(0.02)
