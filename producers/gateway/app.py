"""The gateway's process: its parts, chosen and wired, from start to stop.

`run_gateway` is what `mucktrack gateway` calls. This is the one place where the parts are chosen;
each of them can be read without it.
"""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from producers.gateway.conflicts import Conflicts
from producers.gateway.entrance import ChosenProfiles, Entrance
from producers.gateway.fleet_register import FleetRegister
from producers.gateway.lifetime import End, run_until_signal
from producers.gateway.limits import Limits
from producers.gateway.metrics import GatewayMetrics
from producers.gateway.outbox import MOST_BYTES, Outbox
from producers.gateway.process import allow_files, spare_the_collector
from producers.gateway.server import Server
from producers.gateway.sessions import Sessions
from producers.gateway.talk import Talk
from producers.gateway.tasks import Tasks
from producers.gateway.terminal_store import TerminalStore
from producers.ticks import TICK_MS
from streams.access import KafkaAccess
from streams.cities import RedisCities
from streams.logs import get_log

log = get_log(__name__)

BEAT_S: Final = 1.0


class AddressError(Exception):
    """The address cannot be listened on; the message is one line."""


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """All a gateway needs to know; `mucktrack.settings` has the defaults."""

    kafka: KafkaAccess
    redis: str = field(repr=False)
    """URL, secret: for the terminals' codes, and published cities."""
    city: Path
    """City directory: its trucks.csv is in force where no published version is."""
    partitions: int
    """Of the positions topic; must be what the topic has."""
    host: str
    port: int
    """0 = a free one."""
    limits: Limits
    profiles: ChosenProfiles
    tls: ssl.SSLContext | None = None
    is_open: bool = False
    """Terminals of the register are let in without authentication."""
    ask_location: bool = False
    """Of each terminal that is let in."""
    tick_s: float = TICK_MS / 1000
    """How often the clock's time goes to all partitions; 0 = never."""
    outbox_bytes: int = MOST_BYTES
    """On the way to Kafka; where it is more, terminals are not read."""
    port_file: Path | None = None
    """Where the port taken is written, for those who asked for a free one."""


def run_gateway(config: GatewayConfig, metrics: GatewayMetrics) -> None:
    """Serve terminals until a signal ends it.

    Then nothing more is read, what was read is delivered and answered, for some seconds at most,
    and the connections are closed. Raises `producers.broker.PublishError` where Kafka does not let
    in or lacks a topic, `UnusableRegister`, and `AddressError`; whatever else is a bug.
    """

    async def start(end: End, parts: AsyncExitStack) -> None:
        allow_files(config.limits.connections)
        await Gateway.started(config, metrics, end, parts)
        spare_the_collector()

    asyncio.run(run_until_signal(start))


class Gateway:
    """The parts that run."""

    def __init__(self, config: GatewayConfig, metrics: GatewayMetrics, tasks: Tasks) -> None:
        """Connects nowhere. Raises `UnusableRegister`."""
        loop = asyncio.get_running_loop()
        health = metrics.health
        self.sessions = Sessions()
        self.register = FleetRegister(config.city, RedisCities(config.redis), health)
        self.store = TerminalStore(config.redis)
        self.outbox = Outbox(
            config.kafka,
            config.partitions,
            health,
            tick_s=config.tick_s,
            most_bytes=config.outbox_bytes,
            note_delivery_s=metrics.delivery_seconds.observe,
        )
        metrics.tell_of(self.outbox)
        conflicts = Conflicts(self.store, metrics, tasks)
        entrance = Entrance(
            self.register,
            self.store,
            config.profiles,
            self.sessions,
            conflicts,
            metrics,
            is_open=config.is_open,
        )
        talk = Talk(
            entrance, self.outbox, metrics, tasks, loop.time, ask_location=config.ask_location
        )
        self.server = Server(
            config.limits, talk, self.sessions, self.outbox, metrics, config.profiles.version
        )
        self._metrics = metrics

    @classmethod
    async def started(
        cls,
        config: GatewayConfig,
        metrics: GatewayMetrics,
        end: End,
        parts: AsyncExitStack,
    ) -> "Gateway":
        """One that listens; `parts` ends it, and `end` is told of bugs."""
        with metrics.health.waiting("starting", "Kafka, and the terminals", after_s=0.0):
            tasks = Tasks(end)
            gateway = cls(config, metrics, tasks)
            parts.push_async_callback(gateway.store.close)
            await asyncio.to_thread(gateway.register.look)
            await gateway.outbox.start()
            parts.push_async_callback(gateway.stop)
            parts.push_async_callback(tasks.cancel)
            for name, work in gateway._works().items():
                tasks.start(work(), name)
            port = await gateway._listen(config)
        if config.port_file is not None:
            config.port_file.write_text(f"{port}\n")
        secured = "TLS" if config.tls else "plain"
        log.info("terminals_awaited", host=config.host, port=port, secured=secured)
        return gateway

    async def stop(self) -> None:
        """Deliver and answer what was read, and close the connections."""
        self.server.stop_reading()
        await self.outbox.close()
        await self.server.close()
        log.info("gateway_stopped", connections=len(self.server.links))

    async def _listen(self, config: GatewayConfig) -> int:
        try:
            return await self.server.start(config.host, config.port, config.tls)
        except OSError as error:
            raise AddressError(
                f"terminals cannot be awaited on {config.host}:{config.port} "
                f"({error.strerror or error}); choose another address or port, or 0 for a free one"
            ) from None

    def _works(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        return {
            "beat": self._beat,
            "outbox": self.outbox.watch,
            "sweep": self.server.sweep,
            "room": self.server.make_room,
            "register": self._follow,
        }

    async def _beat(self) -> None:
        while True:
            self._metrics.health.beat()
            await asyncio.sleep(BEAT_S)

    async def _follow(self) -> None:
        await self.register.follow(self._register_changed)

    def _register_changed(self) -> None:
        moved = self.sessions.drop_moved(self.register.terminals.truck_of.get)
        if moved:
            log.info("terminals_come_anew", terminals=moved)
