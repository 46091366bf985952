"""One round of hostile bytes through the codec of JT/T 809, and what must hold whatever they are.

Good frames come among garbage: frames with bytes changed, cut off, run together, enciphered with
other constants, other protocols. A link must read every good frame that garbage has not run into,
and remember little; dumps of the same bytes must become lines. Called by `tests/fuzzing.py` and
`test_jt809_hostile.py`.
"""

import json
from collections import Counter
from random import Random

from fuzz.demands import demand
from producers.jt808.location import Location, write_location
from producers.jt809.cipher import Cipher
from producers.jt809.connection import Connection, Event, Received, Refused
from producers.jt809.dump import Decoder
from producers.jt809.framing import frame, unframe
from producers.jt809.header import Version
from producers.jt809.links import Empty, LoginAnswer
from producers.jt809.message import Message, OfVehicle, Raw, encode
from producers.jt809.table import MESSAGES, SUB_MESSAGES
from producers.jt809.vehicles import Position2019

PIECES = 120
"""Of good frames and garbage in a round."""
MOST_FRAME_BYTES = 4_096
CIPHER = Cipher(56_107_078, 37_382_110, 50_361_430)
CENTRE = 86_896_940
_PROBES = (
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00",
    b"\x5b", b"\x5d", b"\x5b\x5d", b"\x5b" * 9, b"\x5b\x5a\x5d", b"\x5b\x5e\x5d", b"\x7e\x00\x7e",
    b"x" * 5_000, b"\x5b" + b"x" * 5_000, b"\x5b" + b"\x5a" * 5_000 + b"\x5d",
)  # fmt: skip


class PlatformFrameRound:
    """A stream from a seed."""

    def __init__(self, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self._rng = Random(f"platform frames {seed}")
        self._version: Version = self._rng.choice(("2011", "2019"))

    def run(self) -> Counter[str]:
        """Raises `BrokenError`, or whatever the code under test lets through."""
        good: list[tuple[Message, bytes]] = []
        stream = bytearray()
        for _ in range(PIECES):
            if self._rng.random() < 0.4:
                message = self._message()
                wire = encode(message, CIPHER)
                good.append((message, wire))
                stream += wire
            else:
                garbage = self._garbage()
                self._dump(garbage)
                stream += garbage
        self._stream(bytes(stream), good)
        self.counts["platform frames good"] += len(good)
        return self.counts

    def _stream(self, stream: bytes, good: list[tuple[Message, bytes]]) -> None:
        link = Connection(MOST_FRAME_BYTES, self._cipher_of, self._version)
        events, at = list[Event](), 0
        while at < len(stream):
            size = self._rng.choice((1, 2, 30, 500, 70_000))
            events += link.receive(stream[at : at + size])
            at += size
            demand(link.size <= MOST_FRAME_BYTES, "too much is remembered", link.size)
        found = iter(events)
        for message, wire in good:
            whole = Received(message, wire)
            demand(any(event == whole for event in found), "a good frame is lost", wire.hex())
        for event in events:
            self.counts[f"platform frames {type(event).__name__}"] += 1
            if isinstance(event, Refused):
                demand("\n" not in event.error, "an error of several lines", event.error)
                demand(len(event.frame) <= MOST_FRAME_BYTES, "a long refusal", len(event.frame))

    def _dump(self, data: bytes) -> None:
        for cipher in (None, CIPHER):
            for line in Decoder(cipher=cipher).lines(data):
                json.dumps(line, allow_nan=False)
                self.counts["platform frame lines"] += 1

    def _garbage(self) -> bytes:
        kind = self._rng.randrange(6)
        if kind == 0:
            return self._rng.choice(_PROBES)
        if kind == 1:
            return self._rng.randbytes(self._rng.randrange(200))
        wire = bytearray(encode(self._message(), CIPHER))
        if kind == 2:
            return bytes(wire[: self._rng.randrange(len(wire))])
        if kind == 3:
            return bytes(wire[self._rng.randrange(1, len(wire)) :])
        if kind == 4:
            for _ in range(self._rng.randrange(1, 4)):
                at = self._rng.randrange(len(wire))
                wire[at] = self._rng.choice((0x5A, 0x5B, 0x5D, 0x5E, 0, 0xFF, 7))
            return bytes(wire)
        return self._structured()

    def _structured(self) -> bytes:
        """A frame that is right, with a body of any bytes, for a message that is known."""
        data = Raw(
            self._rng.randbytes(self._rng.choice((0, 1, 5, 21, 24, 36, 37, 46, 50, 73, 200)))
        )
        message = self._message()
        message.message_id = self._rng.choice(sorted(MESSAGES[self._version]))
        message.body = data
        if self._rng.random() < 0.7:
            sub_id = self._rng.choice(sorted(SUB_MESSAGES[self._version]))
            message.message_id = sub_id & 0xFF00
            message.body = OfVehicle("浙B12345", 2, sub_id, data)
        payload = bytearray(unframe(encode(message, CIPHER)))
        if self._rng.random() < 0.3:
            payload[self._rng.randrange(len(payload))] = self._rng.randrange(256)
        return frame(bytes(payload))

    def _cipher_of(self, centre_id: int) -> Cipher | None:
        return CIPHER if centre_id == CENTRE else None

    def _message(self) -> Message:
        rng = self._rng
        message_id, body = rng.choice(
            (
                (0x1005, Empty()),
                (0x1002, LoginAnswer(result=0, verify_code=rng.getrandbits(32))),
                (0x1200, OfVehicle("浙B12345", 2, 0x12FF, Raw(rng.randbytes(rng.randrange(300))))),
                (0x7777, Raw(rng.randbytes(20))),
            )
            + (((0x1200, self._position()),) if self._version == "2019" else ())
        )
        encrypted = rng.random() < 0.3
        return Message(
            message_id,
            body,
            serial=rng.getrandbits(32),
            centre_id=CENTRE,
            version=self._version,
            encrypted=encrypted,
            key=rng.getrandbits(32),
            time_s=1_793_584_800 if self._version == "2019" else None,
        )

    def _position(self) -> OfVehicle:
        rng = self._rng
        lon, lat = rng.randrange(180_000_000) / 1e6, rng.randrange(90_000_000) / 1e6
        where = Location(0, 3, lat, lon, 12, 36.5, 90, 1_793_584_800_000)
        position = Position2019(
            encrypted=rng.randrange(2),
            location=write_location(where),
            platform_1="33020000001",
            alarm_1=0,
            platform_2="",
            alarm_2=0,
            platform_3="",
            alarm_3=0,
        )
        return OfVehicle("浙B12345", 2, 0x1202, position)
