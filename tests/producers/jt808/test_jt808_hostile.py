"""Garbage, and frames that are nearly right: errors of one kind, and the next frame is read."""

import contextlib
import random
from collections import Counter

import pytest
from fuzz.demands import BrokenError
from fuzz.frames import FrameRound
from jt808_cases import CASES, GOOD, wire
from tally import tally

from producers.jt808 import connection as connection_module
from producers.jt808.assembly import Limits
from producers.jt808.connection import Connection, Event, PartReceived, Received, Refused
from producers.jt808.errors import ProtocolError
from producers.jt808.framing import MOST_BETWEEN_FLAGS, flagged
from producers.jt808.message import Message, decode, encode
from producers.jt808.messages import Unknown
from producers.jt808.session import Heartbeat

NEXT = encode(Message(0x0002, "013800138000", 7, "2013", Heartbeat()))
ROUNDS = 25


def test_rounds_of_hostile_bytes() -> None:
    counts = sum((FrameRound(seed).run() for seed in range(ROUNDS)), Counter[str]())
    for what in ("frames Received", "frames Refused", "frames PartReceived", "frame lines refused"):
        assert counts[what] > 0, what
    tally("hostile frames", **{name.replace(" ", "_"): count for name, count in counts.items()})


class Deaf(FrameRound):
    """Its connection loses a frame now and then."""

    def _stream(self, stream: bytes, good: list[tuple[Message, bytes]]) -> None:
        super()._stream(stream.replace(good[7][1], b"", 1), good)


def test_a_connection_that_loses_frames_is_noticed() -> None:
    with pytest.raises(BrokenError, match="a good frame is lost"):
        Deaf(1).run()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_byte_changed_is_a_message_or_a_protocol_error(case: dict[str, str]) -> None:
    frame, rng = wire(case), random.Random(case["name"])
    for at in range(len(frame)):
        for byte in {0, 0x7D, 0x7E, 0xFF, frame[at] ^ 1 << rng.randrange(8)}:
            broken = frame[:at] + bytes((byte,)) + frame[at + 1 :]
            for strict in (True, False):
                with contextlib.suppress(ProtocolError):
                    assert isinstance(decode(broken, strict=strict), Message)
            assert Connection().receive(broken + NEXT, 0.0)[-1].frame == NEXT


@pytest.mark.parametrize("case", GOOD, ids=[case["name"] for case in GOOD])
def test_every_cut_is_refused_and_the_next_frame_is_read(case: dict[str, str]) -> None:
    frame = wire(case)
    for at in range(1, len(frame) - 1):
        for cut in (frame[:at], frame[at:]):
            *_, last = Connection().receive(cut + NEXT, 0.0)
            assert isinstance(last, Received)
            assert last.frame == NEXT
        with pytest.raises(ProtocolError):
            decode(frame[1:at])


def test_empty_frames_are_nothing() -> None:
    events = Connection().receive(b"\x7e" * 5 + NEXT + b"\x7e" * 4 + NEXT[1:] + NEXT, 0.0)
    assert [event.frame for event in events] == [NEXT] * 3


def test_bytes_before_the_first_flag_are_refused() -> None:
    """A terminal that sends `$$` before each frame, one that speaks text, a probe."""
    for probe in (b"$$", b"(740190311185,1,001,BASE,2,TIME)", b"GET / HTTP/1.1\r\n\r\n"):
        refused, received = Connection().receive(probe + NEXT, 0.0)
        assert isinstance(refused, Refused)
        assert refused.frame == probe
        assert isinstance(received, Received)


def test_a_frame_too_long_is_refused_once_however_it_comes() -> None:
    long = b"\x7e" + b"\x00" * 10_000
    for size in (1, 100, 100_000):
        connection, events = Connection(), list[Event]()
        for at in range(0, len(long), size):
            events += connection.receive(long[at : at + size], 0.0)
            assert connection.size <= MOST_BETWEEN_FLAGS
        events += connection.receive(NEXT, 0.0)
        assert [type(event) for event in events] == [Refused, Received]
        assert len(events[0].frame) <= 66


def test_a_frame_as_long_as_can_be_is_read() -> None:
    """Every byte of the body escaped; the header of a part of 2019."""
    body = b"\x7e" * 1023
    frame = encode(Message(0x6FFF, "7e" * 10, 0x7E7E, "2019", Unknown(body)))
    assert len(frame) > 2_000
    (event,) = Connection().receive(frame, 0.0)
    assert isinstance(event, Received)
    assert event.message.body == Unknown(body)


def test_a_wrong_checksum_is_told_with_the_right_one() -> None:
    (event,) = Connection().receive(NEXT[:-2] + b"\x00\x7e", 0.0)
    assert event == Refused(f"checksum 0x00; expected {NEXT[-2]:#04x}", NEXT[:-2] + b"\x00\x7e")


def test_a_wrong_body_is_refused_with_its_header() -> None:
    """So that a gateway can answer that the message is wrong."""
    frame = encode(Message(0x0200, "013800138000", 99, "2013", Unknown(b"\x00" * 27)))
    (event,) = Connection().receive(frame, 0.0)
    assert isinstance(event, Refused)
    assert event.header is not None
    assert (event.header.serial, event.header.message_id) == (99, 0x0200)


def test_parts_are_bounded_in_number_and_bytes() -> None:
    limits = Limits(assemblies=3, parts=10, assembly_bytes=5_000)
    connection = Connection(limits)
    kinds = Counter[str]()
    for serial in range(0, 3_000, 7):
        header = f"6fff{500 | 0x2000:04x}013800138000{serial:04x}{10:04x}{serial % 12:04x}"
        payload = bytes.fromhex(header) + b"x" * 500
        check = 0
        for byte in payload:
            check ^= byte
        (event,) = connection.receive(flagged(payload + bytes((check,))), 0.0)
        kinds[type(event).__name__] += 1
        assert connection.size <= 5_000
    assert kinds["PartReceived"] > 0
    assert kinds["Refused"] > 0
    assert connection.given_up > 0


def test_events_are_what_they_are_documented_to_be() -> None:
    assert connection_module.Event == Received | PartReceived | Refused
