"""One TCP connection of a terminal, or of a forwarder with many: bytes in, answers out, limits.

Made by `producers.gateway.server` for each connection. Whatever a peer sends costs no more than
`limits` says, and never concerns another connection. What messages mean is `talk`'s business, how
they are read the codec's.
"""

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, cast

from producers.gateway.limits import (
    BYTES_BEFORE_A_FRAME,
    FAULT_FORGIVEN,
    FAULTS,
    FIRST_FRAME_S,
    LET_IN_S,
    UNANSWERED,
    UNSENT_BYTES,
    UNSENT_S,
)
from producers.gateway.sessions import Session
from producers.gateway.talk import Result
from producers.jt808.connection import Connection, PartReceived, Received, Refused
from producers.jt808.header import Version, bare_phone
from producers.jt808.message import Message

if TYPE_CHECKING:
    from producers.gateway.server import Server


class TerminalLink(asyncio.BufferedProtocol):
    """The protocol of one connection; all of it runs on the event loop."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._sessions: dict[str, Session] = {}
        """By the phone as on the wire."""
        # Not a method: a connection that has ended is to be forgotten without the collector.
        self._connection = Connection(
            version_of=partial(_version_of, self._sessions, server.default_version)
        )
        self._transport: asyncio.Transport | None = None
        self.host = self.name = ""
        self._began_s = self._heard_s = self._loop.time()
        self._bytes = 0
        """Before the first whole frame; after it they are not counted."""
        self._has_frame = False
        self._faults = 0.0
        self._unanswered = 0
        self._out: list[bytes] = []
        """Answers to be written at the end of this turn of the loop, in one go."""
        self._unsent_since_s: float | None = None
        """Since when the terminal does not fetch its answers."""
        self._holds: set[str] = set()
        """Why it is not read at the moment."""
        self._kept: list[tuple[bytes, int]] = []
        """What was read while the outbox was crowded, and when (Unix milliseconds)."""
        self._closed_s: float | None = None
        self._reason = ""
        """Why it is closed."""

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = self._transport = cast("asyncio.Transport", transport)
        transport.set_write_buffer_limits(UNSENT_BYTES)
        peer = transport.get_extra_info("peername") or ("", 0)
        self.host, self.name = str(peer[0]), f"{peer[0]}:{peer[1]}"
        if refused := self._server.enter(self):
            self._reason = refused
            transport.abort()
        elif self._server.outbox.crowded:
            self._wait_for_room()

    def connection_lost(self, exc: Exception | None) -> None:
        for session in list(self._sessions.values()):
            self._end(session)
        self._transport = None
        self._server.leave(self)
        self._server.metrics.closed.labels(self._reason or "by_peer").inc()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._server.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._reason:
            return
        server = self._server
        server.metrics.received_bytes.inc(nbytes)
        data, received_ms = bytes(server.buffer[:nbytes]), time.time_ns() // 1_000_000
        if server.outbox.crowded or self._kept:
            # Of ten thousand connections each has been read once before all of them are stopped.
            self._kept.append((data, received_ms))
            self._wait_for_room()
        else:
            self._read(data, received_ms)

    def pause_writing(self) -> None:
        self._unsent_since_s = self._loop.time()
        self._hold("unsent")

    def resume_writing(self) -> None:
        self._unsent_since_s = None
        self._release("unsent")

    # What the rest of the gateway calls.

    def send(self, data: bytes) -> None:
        if self._reason:
            return
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)

    def unanswered(self, change: int) -> None:
        """So many messages more await Kafka, or fewer."""
        self._unanswered += change
        if self._unanswered >= UNANSWERED:
            self._hold("unanswered")
        elif self._unanswered <= UNANSWERED // 2:
            self._release("unanswered")

    def drop(self, session: Session, reason: str) -> None:
        """End the session, and the connection where it was the last on it."""
        self._end(session)
        if not self._sessions:
            self.close(reason)

    def look(self, now_s: float) -> None:
        """Once in a while: end what has been silent, or has not fetched its answers; ask again for
        parts that are missing."""
        # A closed one is there until its answers have been fetched.
        since_s = self._closed_s or self._unsent_since_s
        if since_s is not None and now_s - since_s > UNSENT_S:
            self.abort("unsent")
        if self._reason or self._holds:
            return
        self._ask_for_parts(now_s)
        idle_s = self._server.limits.idle_s
        for session in list(self._sessions.values()):
            if now_s - session.last_s > idle_s:
                self.drop(session, "idle")
        if now_s - self._heard_s > (idle_s if self._has_frame else min(FIRST_FRAME_S, idle_s)):
            self.close("idle" if self._has_frame else "no_frame")
        elif now_s - self._began_s > LET_IN_S and not self._has_let_in():
            self.close("not_let_in")

    def go_on(self) -> None:
        """The outbox has room."""
        kept, self._kept = self._kept, []
        for data, received_ms in kept:
            if not self._reason:
                self._read(data, received_ms)
        if not self._server.outbox.crowded:
            self._release("crowded")

    def stop_reading(self) -> None:
        self._hold("stopping")

    def close(self, reason: str) -> None:
        """Answers that are written go out first."""
        if self._transport is not None and not self._transport.is_closing():
            self._flush()
            self._reason = self._reason or reason
            self._closed_s = self._loop.time()
            self._transport.close()

    def abort(self, reason: str = "stopping") -> None:
        if self._transport is not None:
            self._reason = self._reason or reason
            self._transport.abort()

    # Its own.

    def _read(self, data: bytes, received_ms: int) -> None:
        now_s = self._loop.time()
        for event in self._connection.receive(data, now_s):
            if isinstance(event, Received):
                self._take(event, now_s, received_ms)
            elif isinstance(event, PartReceived):
                self._take_part(event.message, now_s)
            else:
                self._refuse(event)
            if self._reason:
                return
        if not self._has_frame:
            self._bytes += len(data)
            if self._bytes > BYTES_BEFORE_A_FRAME:
                self.close("no_frame")
        if self._server.outbox.crowded:
            self._wait_for_room()

    def _take(self, received: Received, now_s: float, received_ms: int) -> None:
        self._is_good(now_s)
        message = received.message
        session = self._sessions.get(message.phone) or self._begin(message, now_s)
        if session is not None:
            session.last_s = now_s
            self._server.talk.take(session, received, received_ms)

    def _take_part(self, message: Message, now_s: float) -> None:
        """Only who is let in may make the gateway keep parts."""
        session = self._sessions.get(message.phone)
        if session is None or session.seat is None:
            self._server.metrics.refused.labels("not_let_in").inc()
            self._server.talk.answer_stranger(self, message, Result.FAILED)
            self._fault()
            return
        self._is_good(now_s)
        session.last_s = now_s

    def _begin(self, message: Message, now_s: float) -> Session | None:
        """A session for a phone that is new here; None where there are too many."""
        if len(self._sessions) >= self._server.limits.phones:
            self._server.metrics.refused.labels("too_many_phones").inc()
            self._server.talk.answer_stranger(self, message, Result.FAILED)
            return None
        phone = message.phone
        session = Session(phone, bare_phone(phone), message.version, self, now_s)
        self._sessions[phone] = session
        return session

    def _refuse(self, refused: Refused) -> None:
        """A bad frame: answered where its header can be read, borne for so many times."""
        self._server.metrics.refused.labels("wrong" if refused.header else "no_frame").inc()
        if refused.header is not None:
            session = self._sessions.get(refused.header.phone)
            self._server.talk.take_wrong(self, session, refused.header, refused)
        self._fault()

    def _fault(self) -> None:
        self._faults += 1
        if self._faults > FAULTS:
            self.close("faults")

    def _is_good(self, now_s: float) -> None:
        self._has_frame = True
        self._heard_s = now_s
        if self._faults:
            self._faults = max(0.0, self._faults - FAULT_FORGIVEN)

    def _end(self, session: Session) -> None:
        if self._sessions.get(session.phone) is session:
            del self._sessions[session.phone]
        self._server.sessions.remove(session)
        self._server.metrics.sessions.set(len(self._server.sessions))

    def _ask_for_parts(self, now_s: float) -> None:
        before = self._connection.given_up
        for data in self._connection.due(now_s):
            self.send(data)
        if self._connection.given_up > before:
            given_up = self._connection.given_up - before
            self._server.metrics.refused.labels("parts_missing").inc(given_up)

    def _has_let_in(self) -> bool:
        return any(session.seat is not None for session in self._sessions.values())

    def _flush(self) -> None:
        if self._out and self._transport is not None:
            data = b"".join(self._out)
            self._server.metrics.sent_bytes.inc(len(data))
            self._transport.write(data)
        self._out.clear()

    def _wait_for_room(self) -> None:
        self._server.waiting[self] = None
        self._server.metrics.paused.set(len(self._server.waiting))
        self._hold("crowded")

    def _hold(self, why: str) -> None:
        if not self._holds and self._transport is not None:
            self._transport.pause_reading()
        self._holds.add(why)

    def _release(self, why: str) -> None:
        if why not in self._holds:
            return
        self._holds.discard(why)
        if self._holds:
            return
        # Its silence was the gateway's doing.
        now_s = self._heard_s = self._loop.time()
        for session in self._sessions.values():
            session.last_s = now_s
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()


def _version_of(sessions: dict[str, Session], default: Version, phone: str) -> Version:
    """Of a terminal whose header does not tell."""
    session = sessions.get(phone)
    return default if session is None or session.seat is None else session.seat.profile.version
