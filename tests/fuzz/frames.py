"""One round of hostile bytes through the codec of JT/T 808, and what must hold whatever they are.

Good frames come among garbage: frames with bytes changed, cut off, run together, parts that never
end, other protocols. A connection must read all good ones and remember little; dumps of the same
bytes must become lines, and lines frames, or errors. Called by `tests/fuzzing.py` and
`test_jt808_hostile.py`.
"""

import json
from collections import Counter
from random import Random

from fuzz.demands import demand
from producers.jt808.assembly import Limits
from producers.jt808.connection import Connection, Event, Received, Refused
from producers.jt808.dump import Decoder, Encoder
from producers.jt808.errors import ProtocolError
from producers.jt808.framing import MOST_BETWEEN_FLAGS, flagged
from producers.jt808.header import Part
from producers.jt808.items import write_items
from producers.jt808.location import Location, LocationBatch
from producers.jt808.message import Message, decode, encode
from producers.jt808.messages import MESSAGES, Unknown
from producers.jt808.queries import Parameter, Parameters, Resend
from producers.jt808.session import Authenticate, GeneralAnswer, Heartbeat, Register

PIECES = 120
"""Of good frames and garbage in a round."""
LIMITS = Limits(assemblies=4, parts=32, assembly_bytes=8192)
MOST_REMEMBERED = MOST_BETWEEN_FLAGS + LIMITS.assembly_bytes
_PROBES = (
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00",
    b"SSH-2.0-x\r\n", b"(740190311185,1,001,BASE,2,TIME)", b"$$", b"\x7e", b"\x7e" * 9, b"\x7d",
    b"\x7e\x7d", b"\x7e\x7d\x7e", b"\x5b\x00\x00\x5d", b"x" * 5_000, b"\x7d" * 5_000,
)  # fmt: skip


class FrameRound:
    """A stream from a seed."""

    def __init__(self, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self._rng = Random(f"frames {seed}")

    def run(self) -> Counter[str]:
        """Raises `BrokenError`, or whatever the code under test lets through."""
        good: list[tuple[Message, bytes]] = []
        stream = bytearray()
        for _ in range(PIECES):
            if self._rng.random() < 0.4:
                message = self._message()
                frame = encode(message)
                if frame.count(b"\x7e") == 2:
                    good.append((message, frame))
                stream += frame
            else:
                garbage = self._garbage()
                self._dump(garbage)
                stream += garbage
        self._stream(bytes(stream), good)
        self.counts["frames good"] += len(good)
        self.counts["frame bytes"] += len(stream)
        return self.counts

    def _stream(self, stream: bytes, good: list[tuple[Message, bytes]]) -> None:
        connection, events, at, now_s = Connection(LIMITS), list[Event](), 0, 0.0
        while at < len(stream):
            size = self._rng.choice((1, 2, 30, 500, 70_000))
            events += connection.receive(stream[at : at + size], now_s)
            at += size
            now_s += self._rng.choice((0.0, 0.0, 1.0, 20.0))
            for request in connection.due(now_s):
                demand(isinstance(decode(request).body, Resend), "no request for parts", request)
            demand(connection.size <= MOST_REMEMBERED, "too much is remembered", connection.size)
        found = iter(events)
        for message, frame in good:
            whole = Received(message, frame)
            demand(any(event == whole for event in found), "a good frame is lost", frame.hex())
        for event in events:
            self.counts[f"frames {type(event).__name__}"] += 1
            if isinstance(event, Refused):
                demand("\n" not in event.error, "an error of several lines", event.error)
                demand(len(event.frame) <= MOST_REMEMBERED, "a long refusal", len(event.frame))

    def _dump(self, data: bytes) -> None:
        """Lines are JSON, what is no error goes back to bytes that say the same."""
        decoder = Decoder()
        for line in decoder.lines(data):
            line = json.loads(json.dumps(line, allow_nan=False))
            self.counts["frame lines"] += 1
            if "error" not in line and "assembled_from" not in line:
                (again, *_) = Decoder().lines(Encoder().frames(line))
                demand(again == line, "another message after encoding", (line, again))
            self._broken_line(line)

    def _broken_line(self, line: dict[str, object]) -> None:
        """A value of another kind somewhere is an error of its own kind and nothing else."""
        odd = self._rng.choice(
            (None, -1, 2**70, 1e308, float("inf"), float("nan"), "\ud800", "zz", [], [[]], {}, True)
        )
        target = self._rng.choice([line, line.get("body")])
        if isinstance(target, dict) and target:
            target[self._rng.choice(sorted(target))] = odd
        try:
            Encoder().frames(line)
        except ProtocolError as error:
            demand("\n" not in str(error), "an error of several lines", str(error))
            self.counts["frame lines refused"] += 1

    def _garbage(self) -> bytes:
        kind = self._rng.randrange(6)
        if kind == 0:
            return self._rng.choice(_PROBES)
        if kind == 1:
            return self._rng.randbytes(self._rng.randrange(200))
        frame = bytearray(encode(self._message()))
        if kind == 2:
            return bytes(frame[: self._rng.randrange(len(frame))])
        if kind == 3:
            return bytes(frame[self._rng.randrange(len(frame)) :])
        if kind == 4:
            for _ in range(self._rng.randrange(1, 4)):
                frame[self._rng.randrange(len(frame))] = self._rng.choice((0x7E, 0x7D, 0, 0xFF, 7))
            return bytes(frame)
        return self._structured()

    def _structured(self) -> bytes:
        """A header that is right, and a body of any bytes, for a message that is known."""
        body = self._rng.randbytes(self._rng.choice((0, 1, 2, 3, 5, 24, 28, 29, 40, 76, 200)))
        message = Message(
            self._rng.choice(sorted(MESSAGES)), self._phone(), self._rng.randrange(65536), "2013",
            Unknown(body),
        )  # fmt: skip
        if self._rng.random() < 0.3:
            of = self._rng.choice((0, 1, 2, 3, 32, 33, 65535))
            message.part = Part(self._rng.choice((0, 1, 2, of)), of)
        frame = encode(message)
        if self._rng.random() < 0.2:
            # Escaped and summed up as it should be, with another length in the header.
            inner = bytearray(decode_inner(frame))
            inner[3] ^= 1
            inner[-1] ^= 1
            frame = flagged(bytes(inner))
        return frame

    def _phone(self) -> str:
        return f"{self._rng.choice((13900000001, 13900000002, 0)):012d}"

    def _message(self) -> Message:
        """One that is right; never a part. Its phone is no garbage's."""
        rng = self._rng
        body: object
        message_id, body = rng.choice(
            (
                (0x0002, Heartbeat()),
                (0x0001, GeneralAnswer(rng.randrange(65536), 0x8103, 0)),
                (0x0100, Register(33, 201, "70103", "MT", "A42", 2, "浙B12345")),
                (0x0102, Authenticate("f00dcafe")),
                (0x0104, Parameters(1, [Parameter(1, rng.randbytes(4))] * rng.randrange(9))),
                (0x0200, self._location()),
                (0x0704, LocationBatch(1, [self._location() for _ in range(rng.randrange(40))])),
            )
        )
        return Message(message_id, "013800000009", rng.randrange(65536), "2013", body)

    def _location(self) -> Location:
        rng = self._rng
        items = [(rng.randrange(256), rng.randbytes(rng.randrange(6))) for _ in range(4)]
        lon, lat = rng.randrange(180_000_000) / 1e6, rng.randrange(90_000_000) / 1e6
        return Location(
            0, 3, lat, lon, rng.randrange(9000), rng.randrange(900) / 10, rng.randrange(360),
            1_772_374_559_000 + 1000 * rng.randrange(10**6), write_items(items),
        )  # fmt: skip


def decode_inner(frame: bytes) -> bytes:
    """What is between the flags, without escapes."""
    return frame[1:-1].replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
