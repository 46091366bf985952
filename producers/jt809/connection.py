"""One link between two platforms, without the socket: bytes in, events out, messages to bytes.

For the upper and the lower platform alike. A frame that cannot be read is one event and does not
touch those after it. What is remembered is bounded by the longest frame allowed. JT/T 809 has no
messages of several frames.
"""

from typing import Final

import msgspec

from producers.jt808.errors import ProtocolError
from producers.jt809.cipher import Cipher
from producers.jt809.header import Header, Version
from producers.jt809.message import Body, BodyError, CipherOf, Message, decode, encode

MOST_FRAME_BYTES: Final = 256 * 1024
"""As on the wire. Photos are the longest; the standard sets no limit."""
SHOWN: Final = 64
"""Bytes that are kept of what is longer than a frame can be, or is none."""


class Received(msgspec.Struct, gc=False):
    """A message."""

    message: Message
    frame: bytes
    """As on the wire."""


class Refused(msgspec.Struct, gc=False):
    """Bytes that are no message."""

    error: str
    frame: bytes
    header: Header | None = None
    """Where the frame is whole: its body is what is wrong."""


Event = Received | Refused


class Connection:
    """One side of one link.

    `version` is that of the link once it is known; until then each frame tells its own.
    `cipher_of` gives the cipher agreed with the platform of an access code.
    """

    def __init__(
        self,
        most_frame_bytes: int = MOST_FRAME_BYTES,
        cipher_of: CipherOf | None = None,
        version: Version | None = None,
    ) -> None:
        self.version = version
        self._most = most_frame_bytes
        self._cipher_of = cipher_of
        self._rest = b""
        """From the mark of a frame on that has not ended, else nothing."""
        self._looked = 0
        """Bytes of the rest in which there is no mark but the first."""
        self._serial = 0

    @property
    def size(self) -> int:
        """Bytes remembered."""
        return len(self._rest)

    def receive(self, data: bytes) -> list[Event]:
        """What `data`, and what came before it, hold. Raises nothing.

        A frame that begins before another has ended cuts that one off; bytes outside of frames are
        refused by themselves, but line ends and zero bytes are nothing.
        """
        events: list[Event] = []
        data = self._rest + data
        at, looked = 0, self._looked
        self._rest, self._looked = b"", 0
        while at < len(data):
            if data[at] != 0x5B:
                begin = data.find(b"\x5b", at)
                outside = data[at:] if begin < 0 else data[at:begin]
                if outside.strip(b"\r\n\0"):
                    events.append(Refused("bytes outside of a frame", outside[:SHOWN]))
                at += len(outside)
                continue
            end = data.find(b"\x5d", at + max(looked, 1))
            again = data.find(b"\x5b", at + max(looked, 1), len(data) if end < 0 else end)
            looked = 0
            if again >= 0:
                cut = data[at:again]
                events.append(Refused("a frame begins before this one has ended", cut[:SHOWN]))
                at = again
            elif end >= 0:
                events.append(self._read(data[at : end + 1]))
                at = end + 1
            else:
                self._keep(data[at:], events)
                break
        return events

    def send(
        self,
        message_id: int,
        body: Body,
        centre_id: int,
        version: Version,
        *,
        time_s: int | None = None,
        cipher: Cipher | None = None,
        key: int = 0,
    ) -> bytes:
        """The frame of a message, with this side's next serial; encrypted where there is a cipher.

        Raises `ProtocolError` where a value has no place.
        """
        message = Message(
            message_id,
            body,
            serial=self._serial,
            centre_id=centre_id,
            version=version,
            encrypted=cipher is not None,
            key=key,
            time_s=time_s if version == "2019" else None,
        )
        wire = encode(message, cipher)
        self._serial = (self._serial + 1) & 0xFFFF_FFFF
        return wire

    def _keep(self, rest: bytes, events: list[Event]) -> None:
        if len(rest) > self._most:
            error = f"no end of a frame in {self._most} bytes, the most it may have"
            events.append(Refused(error, rest[:SHOWN]))
        else:
            self._rest, self._looked = rest, len(rest)

    def _read(self, frame: bytes) -> Event:
        if len(frame) > self._most:
            return Refused(
                f"a frame of {len(frame)} bytes; {self._most} are allowed", frame[:SHOWN]
            )
        try:
            return Received(decode(frame, self.version, self._cipher_of), frame)
        except BodyError as error:
            return Refused(str(error), frame, error.header)
        except ProtocolError as error:
            return Refused(str(error), frame)
