"""The process of the gateway for platforms: its parts, chosen and wired, from start to stop.

`run_platform_gateway` is what `mucktrack gateway809` calls.
"""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from producers.gateway.app import BEAT_S, AddressError
from producers.gateway.lifetime import End, run_until_signal
from producers.gateway.outbox import Outbox
from producers.gateway.platform_file import Platform
from producers.gateway.platform_intake import PlatformIntake
from producers.gateway.platform_limits import PlatformLimits
from producers.gateway.platform_metrics import PlatformMetrics
from producers.gateway.platform_server import PlatformServer
from producers.gateway.tasks import Tasks
from streams.access import KafkaAccess
from streams.logs import get_log

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class PlatformGatewayConfig:
    """All it needs to know; `mucktrack.settings` has the defaults."""

    kafka: KafkaAccess
    partitions: int
    """Of the positions topic; must be what the topic has."""
    host: str
    port: int
    """0 = a free one."""
    limits: PlatformLimits
    platforms: Mapping[int, Platform] = field(repr=False)
    """By access code."""
    tls: ssl.SSLContext | None = None
    port_file: Path | None = None
    """Where the port taken is written, for those who asked for a free one."""


def run_platform_gateway(config: PlatformGatewayConfig, metrics: PlatformMetrics) -> None:
    """Serve platforms until a signal ends it.

    Then nothing more is read, what was read is delivered, for some seconds at most, and the links
    are closed. Raises `producers.broker.PublishError` where Kafka does not let in or lacks a topic,
    and `AddressError`; whatever else is a bug.
    """
    asyncio.run(
        run_until_signal(lambda end, parts: PlatformGateway.started(config, metrics, end, parts))
    )


class PlatformGateway:
    """The parts that run."""

    def __init__(self, config: PlatformGatewayConfig, metrics: PlatformMetrics) -> None:
        """Connects nowhere."""
        self.outbox = Outbox(
            config.kafka,
            config.partitions,
            metrics.health,
            note_delivery_s=metrics.delivery_seconds.observe,
        )
        metrics.tell_of(self.outbox)
        self.intake = PlatformIntake(self.outbox, metrics)
        self.server = PlatformServer(
            config.limits, config.platforms, self.intake, self.outbox, metrics
        )
        self._metrics = metrics

    @classmethod
    async def started(
        cls,
        config: PlatformGatewayConfig,
        metrics: PlatformMetrics,
        end: End,
        parts: AsyncExitStack,
    ) -> "PlatformGateway":
        """One that listens; `parts` ends it, and `end` is told of bugs."""
        with metrics.health.waiting("starting", "Kafka", after_s=0.0):
            tasks = Tasks(end)
            gateway = cls(config, metrics)
            tasks.start(gateway._beat(), "beat")
            parts.push_async_callback(tasks.cancel)
            await gateway.outbox.start()
            parts.push_async_callback(gateway.stop)
            tasks.start(gateway.server.sweep(), "sweep")
            tasks.start(gateway.server.make_room(), "room")
            tasks.start(gateway.intake.put_again(), "again")
            port = await gateway._listen(config)
        if config.port_file is not None:
            config.port_file.write_text(f"{port}\n")
        secured = "TLS" if config.tls else "plain"
        log.info("platforms_awaited", host=config.host, port=port, secured=secured)
        return gateway

    async def stop(self) -> None:
        """Deliver what was read, and close the links."""
        self.server.stop_reading()
        self.intake.end()
        await self.outbox.close()
        await asyncio.sleep(0)  # for answers that were put off to the next turn of the loop
        if self.intake.lost:
            log.error("records_lost", records=self.intake.lost)
        await self.server.close()
        log.info("gateway_stopped", connections=len(self.server.links))

    async def _listen(self, config: PlatformGatewayConfig) -> int:
        try:
            return await self.server.start(config.host, config.port, config.tls)
        except OSError as error:
            raise AddressError(
                f"platforms cannot be awaited on {config.host}:{config.port} "
                f"({error.strerror or error}); choose another address or port, or 0 for a free one"
            ) from None

    async def _beat(self) -> None:
        while True:
            self._metrics.health.beat()
            await asyncio.sleep(BEAT_S)
