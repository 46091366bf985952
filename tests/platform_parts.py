"""What the tests of the gateway for platforms share: one that runs in the test's own loop, and a
lower platform that talks to it over real sockets."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from gateway_parts import PARTITIONS, PATIENCE_S, location

from producers.gateway.platform_app import PlatformGateway, PlatformGatewayConfig
from producers.gateway.platform_file import load_platforms
from producers.gateway.platform_limits import PlatformLimits
from producers.gateway.platform_metrics import PlatformMetrics
from producers.jt808.location import Location, write_location
from producers.jt809.cipher import Cipher
from producers.jt809.connection import Connection, Received
from producers.jt809.fields import Layout
from producers.jt809.header import Version
from producers.jt809.links import Empty, Login, Login2019
from producers.jt809.message import Message, OfVehicle
from producers.jt809.vehicles import Backfill2011, Backfill2019, Position2011, Position2019
from producers.profiles.profile import load_profiles
from streams.access import KafkaAccess

EAST, WEST = 86896940, 20180920
"""Access codes: of a platform of 2019 with a cipher, and of one of 2011 without."""
CIPHER = Cipher(56_107_078, 37_382_110, 50_361_430)
PLATFORMS = f"""
[[platform]]
name = "east"
centre_id = {EAST}
user_id = 1001
password = "secret-1"
m1 = {CIPHER.m1}
ia1 = {CIPHER.ia1}
ic1 = {CIPHER.ic1}

[[platform]]
name = "west"
centre_id = {WEST}
user_id = 1002
password = "secret-2"
version = "2011"
addresses = ["127.0.0.1"]
profile = "standard-2013"

[[platform]]
name = "elsewhere"
centre_id = 77
user_id = 1003
password = "secret-3"
addresses = ["10.0.0.0/8"]
"""
LIMITS = PlatformLimits(idle_s=60, connections=50, frame_bytes=4_096)
CREDENTIALS = {EAST: (1001, "secret-1"), WEST: (1002, "secret-2")}


@dataclass
class Running:
    """A gateway under test."""

    gateway: PlatformGateway
    metrics: PlatformMetrics
    port: int
    bugs: list[BaseException]

    def figure(self, name: str, **labels: str) -> float:
        full = f"mucktrack_gateway_{name}"
        return self.metrics.registry.get_sample_value(full, labels) or 0.0


@asynccontextmanager
async def running(
    kafka: str, folder: Path, platforms: str = PLATFORMS, **options: Any
) -> AsyncIterator[Running]:
    """A gateway; `options` are fields of its `PlatformGatewayConfig`."""
    file, port_file = folder / "platforms.toml", folder / f"port-{time.monotonic_ns()}"
    file.write_text(platforms)
    config = PlatformGatewayConfig(
        **{
            "kafka": KafkaAccess(kafka),
            "partitions": PARTITIONS,
            "host": "127.0.0.1",
            "port": 0,
            "limits": LIMITS,
            "platforms": load_platforms(file, load_profiles()),
            "port_file": port_file,
            **options,
        }
    )
    metrics = PlatformMetrics()
    bugs: list[BaseException] = []
    async with AsyncExitStack() as parts:
        gateway = await PlatformGateway.started(
            config, metrics, lambda bug=None: bugs.append(bug), parts
        )
        yield Running(gateway, metrics, int(port_file.read_text()), bugs)
    assert bugs == []


@dataclass
class LowerPlatform:
    """A lower platform, as simple as can be."""

    port: int
    centre_id: int = WEST
    version: Version = "2011"
    cipher: Cipher | None = None
    tls: ssl.SSLContext | None = None
    answers: list[Message] = field(default_factory=list)
    """All messages of the gateway."""

    async def __aenter__(self) -> Self:
        self._connection = Connection(cipher_of=lambda _: self.cipher, version=self.version)
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.tls
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def cut(self) -> None:
        """End the connection, in the middle of whatever was sent."""
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

    def wire(self, message_id: int, body: Any) -> bytes:
        return self._connection.send(
            message_id,
            body,
            self.centre_id,
            self.version,
            time_s=1_793_584_800,
            cipher=self.cipher,
            key=256_178,
        )

    def tell(self, message_id: int, body: Any) -> bytes:
        """Send a message; its frame."""
        wire = self.wire(message_id, body)
        self._writer.write(wire)
        return wire

    def tell_bytes(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self, message_id: int, body: Any, patience_s: float = PATIENCE_S) -> Message:
        """Send, and wait for the next message of the gateway."""
        before = len(self.answers)
        self.tell(message_id, body)
        async with asyncio.timeout(patience_s):
            while len(self.answers) == before:
                if self.is_cut:
                    raise ConnectionError("the gateway has ended the connection")
                await asyncio.sleep(0.005)
        return self.answers[before]

    async def log_in(self, user_id: int | None = None, password: str | None = None) -> int:
        """The result."""
        known_id, known_password = CREDENTIALS.get(self.centre_id, (1, "x"))
        said = {
            "user_id": known_id if user_id is None else user_id,
            "password": known_password if password is None else password,
            "down_link_ip": "127.0.0.1",
            "down_link_port": 809,
        }
        login: Layout = Login(**said)
        if self.version == "2019":
            login = Login2019(**said, centre_id=self.centre_id)
        answer = await self.answer(0x1001, login)
        assert answer.message_id == 0x1002
        assert answer.centre_id == self.centre_id
        assert answer.encrypted == (self.cipher is not None)
        return int(answer.body.result)

    async def keep_alive(self) -> Message:
        return await self.answer(0x1005, Empty())

    def tell_position(self, plate: str = "浙B12345", *, encrypted: int = 0, **said: Any) -> bytes:
        """Send a position (0x1202); its frame."""
        return self.tell(
            0x1200, OfVehicle(plate, 2, 0x1202, self.position(encrypted=encrypted, **said))
        )

    def tell_backfill(self, plate: str, times_ms: list[int]) -> bytes:
        positions = [self.position(time_ms=time_ms) for time_ms in times_ms]
        kind = Backfill2019 if self.version == "2019" else Backfill2011
        return self.tell(0x1200, OfVehicle(plate, 2, 0x1203, kind(positions=positions)))

    def position(self, *, encrypted: int = 0, **said: Any) -> Any:
        where = location(**said)
        if self.version == "2011":
            return position_2011(where, encrypted)
        return Position2019(
            encrypted=encrypted,
            location=write_location(where, "2019"),
            platform_1="JC2025PT047",
            alarm_1=0,
            platform_2="",
            alarm_2=0,
            platform_3="",
            alarm_3=0,
        )

    async def settled(self) -> None:
        """All that was sent has been taken: the gateway answers in order."""
        await self.keep_alive()

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(65_536):
                for event in self._connection.receive(data):
                    assert isinstance(event, Received), event
                    self.answers.append(event.message)
        except (ConnectionError, ssl.SSLError):
            pass


def position_2011(where: Location, encrypted: int = 0) -> Position2011:
    local = time.gmtime((where.time_ms or 0) / 1000 + 8 * 3600)
    return Position2011(
        encrypted=encrypted,
        day=local.tm_mday,
        month=local.tm_mon,
        year=local.tm_year,
        hour=local.tm_hour,
        minute=local.tm_min,
        second=local.tm_sec,
        lon=round(where.lon * 1e6),
        lat=round(where.lat * 1e6),
        speed_kmh=round(where.speed_kmh),
        recorder_speed_kmh=round(where.speed_kmh),
        mileage_km=1234,
        heading_deg=where.heading_deg,
        altitude_m=where.altitude_m,
        status_bits=where.status_bits,
        alarm_bits=where.alarm_bits,
    )
