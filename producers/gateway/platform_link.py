"""One TCP connection of a lower platform, its main link: bytes in, answers out, limits.

Made by `producers.gateway.platform_server` for each connection. Nothing is taken before the login
(0x1001), and a platform has one main link: a login on another takes over, since a link that broke
on its way looks alive for minutes here, and whoever takes over has the password. JT/T 809 has no
answer to positions: what the link before had sent is still read.
"""

import asyncio
import time
from typing import TYPE_CHECKING, Final, cast

from producers.gateway.platform_file import Platform
from producers.gateway.platform_intake import MALFORMED
from producers.gateway.platform_limits import (
    BYTES_BEFORE_LOGIN,
    DRAIN_S,
    FAULT_FORGIVEN,
    FAULTS,
    LOGIN_S,
    UNSENT_BYTES,
    UNSENT_S,
)
from producers.gateway.platform_login import judge
from producers.jt809.connection import Connection, Received, Refused
from producers.jt809.fields import Layout
from producers.jt809.links import OK, Empty, Login, Login2019, LoginAnswer
from producers.jt809.message import Message, OfVehicle
from streams.logs import get_log

if TYPE_CHECKING:
    from producers.gateway.platform_server import PlatformServer

log = get_log(__name__)

LOGIN: Final = 0x1001
LOGIN_ANSWER: Final = 0x1002
LOGOUT: Final = 0x1003
LOGOUT_ANSWER: Final = 0x1004
KEEP_ALIVE: Final = 0x1005
KEEP_ALIVE_ANSWER: Final = 0x1006
CLOSING: Final = 0x1008
VEHICLE: Final = 0x1200
KINDS: Final = {
    0x1201: "registration",
    0x1202: "position",
    0x1203: "backfill",
}
"""Of the sub messages of 0x1200, as the metrics name them."""


class PlatformLink(asyncio.BufferedProtocol):
    """The protocol of one connection; all of it runs on the event loop."""

    def __init__(self, server: "PlatformServer") -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._connection = Connection(server.limits.frame_bytes, server.cipher_of)
        self._transport: asyncio.Transport | None = None
        self.host = self.name = ""
        self.platform: Platform | None = None
        """Once it is logged in."""
        self._began_s = self._heard_s = self._loop.time()
        self._bytes = 0
        """Before the login."""
        self._faults = 0.0
        self._unsent_since_s: float | None = None
        self._holds: set[str] = set()
        """Why it is not read at the moment."""
        self._retired_s: float | None = None
        """Since when another link has its place, and it could be read."""
        self._reason = ""
        """Why it is closed."""

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = self._transport = cast("asyncio.Transport", transport)
        transport.set_write_buffer_limits(UNSENT_BYTES)
        peer = transport.get_extra_info("peername") or ("", 0)
        self.host, self.name = str(peer[0]), f"{peer[0]}:{peer[1]}"
        if refused := self._server.enter(self):
            self.abort(refused)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.leave(self)
        by_peer = "by_peer" if self._retired_s is None else "taken_over"
        self._server.metrics.closed.labels(self._reason or by_peer).inc()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._server.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._reason:
            return
        server = self._server
        server.metrics.received_bytes.inc(nbytes)
        received_ms = time.time_ns() // 1_000_000
        for event in self._connection.receive(bytes(server.buffer[:nbytes])):
            if isinstance(event, Received):
                self._take(event, received_ms)
            else:
                self._refuse(event)
            if self._reason:
                return
        if self.platform is None:
            self._bytes += nbytes
            if self._bytes > BYTES_BEFORE_LOGIN:
                self.close("no_login")
        if server.crowded:
            self.hold("crowded")

    def pause_writing(self) -> None:
        self._unsent_since_s = self._loop.time()
        self.hold("unsent")

    def resume_writing(self) -> None:
        self._unsent_since_s = None
        self.release("unsent")

    # What the server calls.

    def look(self, now_s: float) -> None:
        """Once in a while: end what is silent, or does not fetch its answers."""
        if self._reason:
            return
        if self._unsent_since_s is not None and now_s - self._unsent_since_s > UNSENT_S:
            self.abort("unsent")
        elif self._holds:
            return
        elif self._retired_s is not None and now_s - self._retired_s > DRAIN_S:
            self.close("taken_over")
        elif self.platform is None and now_s - self._began_s > LOGIN_S:
            self.close("no_login")
        elif now_s - self._heard_s > self._server.limits.idle_s:
            self.close("idle")

    def retire(self) -> None:
        """Another link of the platform has taken its place. What the platform had sent on this one
        may wait here unread, as while Kafka is away, and it does not send it again: it is read to
        its end, or for a while."""
        self._retired_s = self._loop.time()

    def hold(self, why: str) -> None:
        """Read nothing."""
        if not self._holds and self._transport is not None:
            self._transport.pause_reading()
        self._holds.add(why)

    def release(self, why: str) -> None:
        if why not in self._holds:
            return
        self._holds.discard(why)
        if self._holds:
            return
        # Its silence was the gateway's doing.
        self._heard_s = self._loop.time()
        if self._retired_s is not None:
            self._retired_s = self._heard_s
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    @property
    def is_held(self) -> bool:
        return bool(self._holds)

    def close(self, reason: str) -> None:
        """Answers that are written go out first."""
        if self._transport is not None and not self._transport.is_closing():
            self._reason = self._reason or reason
            self._transport.close()

    def abort(self, reason: str = "stopping") -> None:
        if self._transport is not None:
            self._reason = self._reason or reason
            self._transport.abort()

    # Its own.

    def _take(self, received: Received, received_ms: int) -> None:
        self._heard_s = self._loop.time()
        self._faults = max(0.0, self._faults - FAULT_FORGIVEN)
        message = received.message
        if message.message_id == LOGIN and isinstance(message.body, Login | Login2019):
            self._log_in(message, message.body)
        elif self.platform is None:
            self._count_refused("not_logged_in")
            self._fault()
        elif message.centre_id != self.platform.centre_id:
            self._count_refused("other_access_code")
            self._fault()
        elif message.message_id == VEHICLE and isinstance(message.body, OfVehicle):
            kind = KINDS.get(message.body.sub_id, "vehicle")
            self._server.metrics.messages.labels(kind).inc()
            if kind in ("position", "backfill"):
                self._server.intake.take(
                    self.platform, message.body, received.frame, received_ms, self.name
                )
        else:
            self._converse(message)

    def _converse(self, message: Message) -> None:
        """What manages the link. Whatever is not answered is counted."""
        match message.message_id:
            case 0x1005:
                kind = "keep_alive"
                self._answer(message, KEEP_ALIVE_ANSWER, Empty())
            case 0x1003:
                kind = "logout"
                self._answer(message, LOGOUT_ANSWER, Empty())
                self.close("logout")
            case 0x1008:
                kind = "closing"
                self.close("by_peer")
            case _:
                kind = "other"
        self._server.metrics.messages.labels(kind).inc()

    def _log_in(self, message: Message, login: Login | Login2019) -> None:
        result, platform = judge(message, login, self.host, self._server.platforms)
        self._server.metrics.messages.labels("login").inc()
        self._server.metrics.logins.labels(str(result)).inc()
        verify_code = self._server.verify_code() if result == OK else 0
        self._answer(message, LOGIN_ANSWER, LoginAnswer(result=result, verify_code=verify_code))
        if result != OK or platform is None:
            name = "a stranger" if platform is None else f"platform {platform.name}"
            log.warning("platform_refused", platform=name, connection=self.name, result=result)
            self.close("login_refused")
            return
        if self.platform is not None and self.platform is not platform:
            self._server.log_out(self)
        self.platform, self._retired_s = platform, None
        self._connection.version = message.version
        self._server.log_in(self, platform)

    def _answer(self, message: Message, message_id: int, body: Layout) -> None:
        """As the message came: of its version, encrypted with its key where it was."""
        cipher = self._server.cipher_of(message.centre_id) if message.encrypted else None
        wire = self._connection.send(
            message_id,
            body,
            message.centre_id,
            message.version,
            time_s=int(time.time()),
            cipher=cipher,
            key=message.key,
        )
        if self._transport is not None and not self._reason:
            self._transport.write(wire)

    def _refuse(self, refused: Refused) -> None:
        """A bad frame. What is whole but cannot be read in its body is no fault of the line: of a
        platform that is logged in and for vehicles it is kept among the rejects."""
        header = refused.header
        if header is not None and header.message_id == LOGIN:
            # What is wrong with it is not told: it may quote the password.
            log.warning(
                "platform_login_unreadable",
                connection=self.name,
                centre_id=header.centre_id,
                encrypted=header.encrypted,
            )
            self._count_refused("wrong")
            self.close("login_refused")
            return
        if header is None or self.platform is None:
            self._count_refused("no_frame")
            self._fault()
            return
        self._heard_s = self._loop.time()
        self._count_refused("wrong")
        if header.message_id == VEHICLE and header.centre_id == self.platform.centre_id:
            self._server.intake.reject(self.platform, MALFORMED, refused.error, refused.frame, None)

    def _fault(self) -> None:
        self._faults += 1
        if self._faults > FAULTS:
            self.close("faults")

    def _count_refused(self, reason: str) -> None:
        self._server.metrics.refused.labels(reason).inc()
