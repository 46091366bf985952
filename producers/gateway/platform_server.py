"""The TCP server for platforms: accepts connections, knows who is logged in, ends all of them.

`producers.gateway.platform_app` starts and stops it. What a connection does is `platform_link`'s
business.
"""

import asyncio
import secrets
import ssl
from collections.abc import Mapping

from producers.gateway.outbox import Outbox
from producers.gateway.platform_file import Platform
from producers.gateway.platform_intake import PlatformIntake
from producers.gateway.platform_limits import (
    GOODBYE_S,
    HANDSHAKE_S,
    READ_BYTES,
    ROOM_S,
    SWEEP_S,
    PlatformLimits,
)
from producers.gateway.platform_link import PlatformLink
from producers.gateway.platform_metrics import PlatformMetrics
from producers.jt809.cipher import Cipher
from streams.logs import get_log

log = get_log(__name__)


class PlatformServer:
    """All links of platforms."""

    def __init__(
        self,
        limits: PlatformLimits,
        platforms: Mapping[int, Platform],
        intake: PlatformIntake,
        outbox: Outbox,
        metrics: PlatformMetrics,
    ) -> None:
        """`platforms`: by access code."""
        self.limits = limits
        self.platforms = platforms
        self.intake = intake
        self.metrics = metrics
        self.buffer = memoryview(bytearray(READ_BYTES))
        """What is read from any connection comes here first."""
        self.links: set[PlatformLink] = set()
        self._outbox = outbox
        self._logged_in: dict[int, PlatformLink] = {}
        """By access code."""
        self._server: asyncio.Server | None = None
        self._empty = asyncio.Event()
        self._empty.set()
        self._closing = False

    @property
    def crowded(self) -> bool:
        """Whether nothing more should be read: Kafka is slow, or took something not."""
        return self._outbox.crowded or self.intake.behind

    def cipher_of(self, centre_id: int) -> Cipher | None:
        platform = self.platforms.get(centre_id)
        return None if platform is None else platform.cipher

    def verify_code(self) -> int:
        return secrets.randbits(32)

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen; the port taken, a free one for 0. Raises `OSError`."""
        server = self._server = await asyncio.get_running_loop().create_server(
            lambda: PlatformLink(self),
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=None if tls is None else HANDSHAKE_S,
        )
        taken: int = server.sockets[0].getsockname()[1]
        return taken

    def enter(self, link: PlatformLink) -> str | None:
        """Count a new connection; why it is refused, None = it is not."""
        self.links.add(link)
        self._empty.clear()
        self.metrics.connections.set(len(self.links))
        if self._closing:
            return "stopping"
        if len(self.links) > self.limits.connections:
            return "too_many"
        return None

    def leave(self, link: PlatformLink) -> None:
        """It is closed."""
        self.log_out(link)
        self.links.discard(link)
        if not self.links:
            self._empty.set()
        self.metrics.connections.set(len(self.links))

    def log_in(self, link: PlatformLink, platform: Platform) -> None:
        """Its link from now on; one that it had before ends."""
        before = self._logged_in.get(platform.centre_id)
        self._logged_in[platform.centre_id] = link
        self.metrics.platforms.set(len(self._logged_in))
        if before is link:
            return
        log.info("platform_logged_in", platform=platform.name, connection=link.name)
        if before is not None:
            log.warning(
                "platform_taken_over",
                platform=platform.name,
                connection=link.name,
                connection_before=before.name,
            )
            before.retire()

    def log_out(self, link: PlatformLink) -> None:
        platform = link.platform
        if platform is not None and self._logged_in.get(platform.centre_id) is link:
            del self._logged_in[platform.centre_id]
            self.metrics.platforms.set(len(self._logged_in))
            log.info("platform_gone", platform=platform.name, connection=link.name)

    async def sweep(self) -> None:
        """For ever: end what is idle."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_S)
            for link in list(self.links):
                link.look(loop.time())

    async def make_room(self) -> None:
        """For ever: read on when Kafka takes more, where links wait for it."""
        while True:
            await asyncio.sleep(ROOM_S)
            if not self.crowded:
                for link in self.links:
                    link.release("crowded")
            self.metrics.paused.set(sum(link.is_held for link in self.links))

    def stop_reading(self) -> None:
        """No new connections, and nothing more from those there are."""
        self._closing = True
        if self._server is not None:
            self._server.close()
        for link in self.links:
            link.hold("stopping")

    async def close(self) -> None:
        """Let the last answers go out, then end all connections."""
        for link in list(self.links):
            link.close("stopping")
        await self._gone()
        for link in list(self.links):
            link.abort()
        await self._gone()

    async def _gone(self) -> None:
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._empty.wait()
        except TimeoutError:
            log.warning("connections_remain", connections=len(self.links))
