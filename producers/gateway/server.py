"""The TCP server of the gateway: accepts connections, looks after all of them, and ends them.

`producers.gateway.app` starts and stops it. What a connection does is `terminal_link`'s business.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Final

from producers.gateway.limits import BACKLOG, GOODBYE_S, HANDSHAKE_S, READ_BYTES, SWEEP_S, Limits
from producers.gateway.metrics import GatewayMetrics
from producers.gateway.outbox import Outbox
from producers.gateway.sessions import Sessions
from producers.gateway.talk import Talk
from producers.gateway.terminal_link import TerminalLink
from producers.jt808.header import Version
from streams.logs import get_log

log = get_log(__name__)

POLL_S: Final = 0.01
AT_A_TIME: Final = 10
"""Connections that go on in one turn of the loop when there is room again."""
SLICE: Final = 100
"""Connections looked through in one turn of the loop."""


class Server:
    """All connections of terminals."""

    def __init__(
        self,
        limits: Limits,
        talk: Talk,
        sessions: Sessions,
        outbox: Outbox,
        metrics: GatewayMetrics,
        default_version: Version,
    ) -> None:
        """`default_version`: of terminals that are not let in yet, and whose header does not
        tell."""
        self.default_version = default_version
        self.limits = limits
        self.talk = talk
        self.sessions = sessions
        self.outbox = outbox
        self.metrics = metrics
        self.buffer = memoryview(bytearray(READ_BYTES))
        """What is read from any connection comes here first: one at a time is read, and ten
        thousand idle ones need none of their own."""
        self.links: set[TerminalLink] = set()
        self.waiting: dict[TerminalLink, None] = {}
        """In turn, those that are not read until the outbox has room."""
        self._addresses: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._empty = asyncio.Event()
        self._empty.set()
        self.closing = False

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen; the port taken, a free one for 0. Raises `OSError`."""
        server = self._server = await asyncio.get_running_loop().create_server(
            lambda: TerminalLink(self),
            host,
            port,
            ssl=tls,
            backlog=BACKLOG,
            ssl_handshake_timeout=None if tls is None else HANDSHAKE_S,
        )
        taken: int = server.sockets[0].getsockname()[1]
        return taken

    def enter(self, link: TerminalLink) -> str | None:
        """Count a new connection; why it is refused, None = it is not."""
        self.links.add(link)
        self._empty.clear()
        self._addresses[link.host] += 1
        self.metrics.connections.set(len(self.links))
        if self.closing:
            return "stopping"
        if len(self.links) > self.limits.connections:
            return "too_many"
        if self._addresses[link.host] > self.limits.connections_an_address:
            return "too_many_of_address"
        return None

    def leave(self, link: TerminalLink) -> None:
        """It is closed."""
        self.links.discard(link)
        if not self.links:
            self._empty.set()
        self.waiting.pop(link, None)
        self._addresses[link.host] -= 1
        if not self._addresses[link.host]:
            del self._addresses[link.host]
        self.metrics.connections.set(len(self.links))

    async def sweep(self) -> None:
        """For ever: end what is idle, ask again for what is missing. A few connections at a time,
        since answers wait meanwhile."""
        while True:
            left = list(self.links)
            slices = len(left) // SLICE + 1
            for _ in range(slices):
                self._look(left[-SLICE:])
                # Not even this list is to keep what has ended meanwhile.
                del left[-SLICE:]
                await asyncio.sleep(SWEEP_S / slices)
            self.sessions.forget_moves(asyncio.get_running_loop().time())

    async def make_room(self) -> None:
        """For ever: read on where connections wait for the outbox."""
        while True:
            await self.outbox.room()
            self._go_on()
            await asyncio.sleep(0 if self.waiting else POLL_S)

    def _look(self, links: Iterable[TerminalLink]) -> None:
        now_s = asyncio.get_running_loop().time()
        for link in links:
            link.look(now_s)

    def _go_on(self) -> None:
        for link in list(islice(self.waiting, AT_A_TIME)):
            if not self.outbox.crowded:
                del self.waiting[link]
                link.go_on()
        self.metrics.paused.set(len(self.waiting))

    def stop_reading(self) -> None:
        """No new connections, and nothing more from those there are."""
        self.closing = True
        if self._server is not None:
            self._server.close()
        for link in self.links:
            link.stop_reading()

    async def close(self) -> None:
        """Let the last answers go out, then end all connections."""
        for link in list(self.links):
            link.close("stopping")
        await self._gone(GOODBYE_S)
        for link in list(self.links):
            link.abort()
        await self._gone(GOODBYE_S)

    async def _gone(self, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self._empty.wait()
        except TimeoutError:
            log.warning("connections_remain", connections=len(self.links))
