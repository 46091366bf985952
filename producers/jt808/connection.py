"""One TCP connection of JT/T 808, without the socket: bytes in, events out, messages to bytes.

For the server's side and the terminal's alike. A frame that cannot be read is one event and does
not touch those after it. What is remembered is bounded: the bytes behind the last flag by the
longest frame there can be, unfinished messages by `Limits`. Time is an argument.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import structs

from producers.jt808.assembly import Assemblies, Limits
from producers.jt808.errors import ProtocolError
from producers.jt808.framing import FLAG_BYTE, MOST_BETWEEN_FLAGS, checked, unescape
from producers.jt808.header import Header, Part, Version, read_header
from producers.jt808.message import Message, encode, with_body
from producers.jt808.queries import Resend

PLATFORM_RESEND = 0x8003
TERMINAL_RESEND = 0x0005
SHOWN = 64
"""Bytes that are kept of what is longer than a frame can be."""


class Received(msgspec.Struct, gc=False):
    """A whole message."""

    message: Message
    frame: bytes
    """As on the wire, with its flags; of a message of several parts their frames in order."""
    serials: tuple[int, ...] = ()
    """Of a message of several parts: theirs, in order. Each awaits an acknowledgement."""


class PartReceived(msgspec.Struct, gc=False):
    """A part of a message that is not complete yet; its body is `Unknown`."""

    message: Message
    frame: bytes


class Refused(msgspec.Struct, gc=False):
    """Bytes between two flags, or before the first, that are no message."""

    error: str
    frame: bytes
    header: Header | None = None
    """Where it could be read and the checksum is right: the body is what is wrong, and 0x8001 can
    say so."""


Event = Received | PartReceived | Refused


def default_version(phone: str) -> Version:
    """What terminals speak whose header does not tell."""
    return "2013"


class Connection:
    """One side of one connection; `limits` bound what the other side makes it remember.

    `version_of` tells the edition of a terminal, by its phone, whose header does not. `resend_id`
    asks for parts that are missing: the platform's 0x8003, or the terminal's 0x0005.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        version_of: Callable[[str], Version] = default_version,
        resend_id: int = PLATFORM_RESEND,
    ) -> None:
        self._resend_id = resend_id
        self._version_of = version_of
        self._limits = limits or Limits()
        self._assemblies = Assemblies(self._limits)
        self._rest = b""
        """Behind the last flag."""
        self._in_frame = False
        """Whether a flag has come at all."""
        self._overlong = False
        """Whether what comes before the next flag has been refused already."""
        self._serial = 0
        self.sent_serial = 0
        """Of the message sent last; of its first part where it had several."""

    @property
    def given_up(self) -> int:
        """Messages of several parts that never became complete."""
        return self._assemblies.given_up

    @property
    def size(self) -> int:
        """Bytes remembered."""
        return len(self._rest) + self._assemblies.size

    def receive(self, data: bytes, now_s: float) -> list[Event]:
        """What `data`, and what came before it, hold. Raises nothing.

        Any flag may end a frame and begin the next: two flags with nothing between them are
        nothing, and whatever stands between two frames is refused by itself.
        """
        *pieces, self._rest = (self._rest + data).split(FLAG_BYTE)
        events: list[Event] = []
        for piece in pieces:
            if self._overlong:
                self._overlong = False
            elif piece:
                events.append(self._read(piece, now_s))
            self._in_frame = True
        if len(self._rest) > MOST_BETWEEN_FLAGS:
            if not self._overlong:
                error = f"no flag 0x7E in {MOST_BETWEEN_FLAGS} bytes, the most a frame can have"
                events.append(Refused(error, self._rest[:SHOWN]))
            self._overlong, self._rest = True, b""
        return events

    def due(self, now_s: float) -> list[bytes]:
        """Requests for parts that are missing for long; what is missing for too long is
        given up. To be asked about every second or so."""
        return [
            self.send(
                self._resend_id,
                first.phone,
                Resend(first.serial, missing, wide=first.version == "2019"),
                first.version,
            )
            for first, missing in self._assemblies.due(now_s)
        ]

    def send(self, message_id: int, phone: str, body: Any, version: Version = "2013") -> bytes:
        """The bytes of a message, with this side's next serial: `sent_serial`, afterwards.

        Raises `ProtocolError` where a value has no room.
        """
        message = Message(message_id, phone, self._serial, version, body)
        data = encode(message)
        self.sent_serial = self._serial
        frames = data.count(FLAG_BYTE) // 2
        self._serial = (self._serial + frames) & 0xFFFF
        return data

    def _read(self, piece: bytes, now_s: float) -> Event:
        if len(piece) > MOST_BETWEEN_FLAGS:
            return Refused(f"{len(piece)} bytes between two flags", piece[:SHOWN])
        frame = b"\x7e%b\x7e" % piece if self._in_frame else piece
        header = None
        try:
            payload = checked(unescape(piece))
            header, start = read_header(payload)
            if header.version == "2013" and self._version_of(header.phone) == "2011":
                header = structs.replace(header, version="2011")
            body = payload[start:]
            if len(body) != header.length:
                raise ProtocolError(f"a body of {len(body)} bytes; the header says {header.length}")
            if header.part is not None:
                return self._part(header, header.part, body, frame, now_s)
            return Received(with_body(header, body), frame)
        except ProtocolError as error:
            return Refused(str(error), frame, header)

    def _part(self, header: Header, part: Part, body: bytes, frame: bytes, now_s: float) -> Event:
        complete = self._assemblies.add(header, part, body, frame, now_s)
        if complete is None:
            return PartReceived(with_body(header, body), frame)
        try:
            message = with_body(structs.replace(complete.first, part=None), complete.body)
        except ProtocolError as error:
            return Refused(str(error), complete.frames, header)
        return Received(message, complete.frames, complete.serials)
