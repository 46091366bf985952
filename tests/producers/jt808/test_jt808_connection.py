"""A connection: frames out of a stream, whatever stands between them; parts; bounds."""

from producers.jt808.connection import Connection, Limits, PartReceived, Received, Refused
from producers.jt808.location import Location, LocationBatch
from producers.jt808.message import Message, decode, encode
from producers.jt808.queries import Resend
from producers.jt808.session import Heartbeat

PHONE = "013800138000"
HEARTBEAT = encode(Message(0x0002, PHONE, 7, "2013", Heartbeat()))
LOCATION = encode(
    Message(
        0x0200, PHONE, 8, "2013", Location(0, 3, 29.871_234, 121.554_321, time_ms=1_795_266_000_000)
    )
)


def test_frames_of_a_stream_whatever_its_pieces() -> None:
    stream = HEARTBEAT + LOCATION + HEARTBEAT[:-1] + LOCATION
    for size in (1, 2, 5, 17, len(stream)):
        connection, events = Connection(), []
        for at in range(0, len(stream), size):
            events += connection.receive(stream[at : at + size], 0.0)
        assert [type(event) for event in events] == [Received] * 4
        assert [event.frame for event in events] == [HEARTBEAT, LOCATION, HEARTBEAT, LOCATION]
        assert connection.size == 0


def test_garbage_is_refused_and_frames_after_it_are_read() -> None:
    probe = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    events = Connection().receive(probe + HEARTBEAT + b"\x7e\x7e" + probe + LOCATION, 0.0)
    assert [type(event) for event in events] == [Refused, Received, Refused, Received]


def test_a_stream_without_flags_is_refused_once_and_forgotten() -> None:
    connection = Connection()
    events = [e for _ in range(100) for e in connection.receive(b"x" * 1000, 0.0)]
    assert [type(event) for event in events] == [Refused]
    assert connection.size < 3000
    assert [type(event) for event in connection.receive(HEARTBEAT, 0.0)] == [Received]


def test_parts_are_put_together_and_asked_for_again() -> None:
    location = decode(LOCATION).body
    batch = LocationBatch(1, [location] * 100)
    frames = encode(Message(0x0704, PHONE, 65535, "2013", batch)).split(b"\x7e")[1::2]
    assert len(frames) == 3
    first, second, third = (b"\x7e%b\x7e" % frame for frame in frames)
    connection = Connection(Limits(resend_after_s=5, resends=1))
    for frame in (third, first):
        (event,) = connection.receive(frame, 0.0)
        assert isinstance(event, PartReceived)
    assert connection.due(4.9) == []
    (request,) = map(decode, connection.due(5.0))
    assert request.message_id == 0x8003
    assert request.body == Resend(65535, [2])
    (event,) = connection.receive(second, 6.0)
    assert isinstance(event, Received)
    assert event.message.body == batch
    assert event.message.serial == 65535
    assert connection.size == 0
