"""What is written is read again, whole, in pieces, in parts and as JSON."""

import json

from hypothesis import given
from hypothesis import strategies as st
from jt808_messages import locations, messages

from producers.jt808.clock import FIRST_MS, LAST_MS, read_time_bcd, write_time
from producers.jt808.connection import Connection, PartReceived, Received
from producers.jt808.dump import Decoder, Encoder
from producers.jt808.framing import checksum, escape, flagged, frame, unescape
from producers.jt808.items import find_item, read_items, write_items
from producers.jt808.location import read_location, write_location
from producers.jt808.message import Message, decode, encode
from producers.jt808.plain import from_plain, to_plain


def received(connection: Connection, data: bytes) -> list[Message]:
    events = connection.receive(data, 0.0)
    assert all(isinstance(event, Received | PartReceived) for event in events), events
    return [event.message for event in events if isinstance(event, Received)]


def is_one_frame(data: bytes) -> bool:
    return data.count(b"\x7e") == 2


@given(messages())
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    data = encode(message)
    connection = Connection(version_of=lambda _: message.version)
    assert received(connection, data) == [message]
    assert connection.size == 0
    if is_one_frame(data):
        assert decode(data, message.version) == message


@given(st.lists(messages(), max_size=4), st.data())
def test_a_stream_is_cut_anywhere(sent: list[Message], draw: st.DataObject) -> None:
    for message in sent:
        if message.version == "2011":
            message.version = "2013"
    stream = b"".join(map(encode, sent))
    cuts = draw.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    connection, found = Connection(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += received(connection, stream[start:end])
    alone = [one for message in sent for one in received(Connection(), encode(message))]
    assert found == alone
    assert len(found) == len(sent)


@given(messages())
def test_a_message_goes_through_json(message: Message) -> None:
    assert from_plain(json.loads(json.dumps(to_plain(message)))) == message


@given(messages())
def test_lines_give_the_same_bytes(message: Message) -> None:
    data = encode(message)
    lines = Decoder("2011" if message.version == "2011" else "2013").lines(data)
    encoder = Encoder()
    written = b"".join(encoder.frames(json.loads(json.dumps(line))) for line in lines)
    assert written == data
    if not is_one_frame(data):
        # The message that the parts make, given alone, is written in parts again.
        assert Encoder().frames(json.loads(json.dumps(lines[-1]))) == data


@given(st.binary(max_size=1200))
def test_escapes_and_checksum(data: bytes) -> None:
    assert unescape(escape(data)) == data
    assert b"\x7e" not in escape(data)
    expected = 0
    for byte in data:
        expected ^= byte
    assert checksum(data) == expected
    assert frame(data) == flagged(data + bytes((expected,)))


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=255)), max_size=30), st.binary())
def test_items_and_what_is_left_over(items: list[tuple[int, bytes]], rest: bytes) -> None:
    assert read_items(write_items(items)) == (items, b"")
    found, left = read_items(rest)
    assert write_items(found) + left == rest
    assert len(left) < 2 or len(left) < 2 + left[1]
    last = dict(found)
    assert all(find_item(rest, item_id) == last.get(item_id) for item_id in range(256))


@given(st.integers(FIRST_MS // 1000, LAST_MS // 1000))
def test_times(second: int) -> None:
    assert read_time_bcd(write_time(1000 * second)) == 1000 * second


@given(st.binary(min_size=6, max_size=6))
def test_bytes_that_are_a_time_are_written_the_same(data: bytes) -> None:
    time_ms = read_time_bcd(data)
    assert time_ms is None or write_time(time_ms) == data


@given(st.binary(min_size=28, max_size=400))
def test_any_bytes_are_a_location(data: bytes) -> None:
    location = read_location(data)
    assert read_location(write_location(location)) == location
    for item_id in location.items:
        location.reading(item_id)


@given(locations())
def test_readings_are_json(location: object) -> None:
    json.dumps(to_plain(Message(0x0200, "0" * 12, 0, "2013", location)), allow_nan=False)
