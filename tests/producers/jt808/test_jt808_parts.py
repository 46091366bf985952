"""Messages of several parts: put together in whatever order, asked for again, given up."""

from itertools import permutations

import pytest
from msgspec import structs

from producers.jt808.assembly import Limits
from producers.jt808.connection import (
    TERMINAL_RESEND,
    Connection,
    Event,
    PartReceived,
    Received,
    Refused,
)
from producers.jt808.header import Part, Version
from producers.jt808.message import Message, decode, encode
from producers.jt808.messages import Unknown
from producers.jt808.queries import Resend

PHONE = "013800138000"
UNKNOWN = 0x6FFF
"""A message that nobody reads, so that its bytes can be anything."""


def part(
    number: int,
    of: int,
    serial: int,
    body: bytes | None = None,
    phone: str = PHONE,
    version: Version = "2013",
) -> bytes:
    raw = b"%d" % number if body is None else body
    return encode(Message(UNKNOWN, phone, serial, version, Unknown(raw), part=Part(number, of)))


def take(connection: Connection, frames: list[bytes], now_s: float = 0.0) -> list[Event]:
    return [event for frame in frames for event in connection.receive(frame, now_s)]


def whole(events: list[Event]) -> list[tuple[int, bytes]]:
    return [
        (event.message.serial, event.message.body.raw)
        for event in events
        if isinstance(event, Received)
    ]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_any_order_over_the_end_of_the_serials(order: tuple[int, ...]) -> None:
    frames = [part(1, 3, 0xFFFF), part(2, 3, 0), part(3, 3, 1)]
    connection = Connection()
    events = take(connection, [frames[index] for index in order])
    assert [type(event) for event in events] == [PartReceived, PartReceived, Received]
    assert whole(events) == [(0xFFFF, b"123")]
    assert events[-1] == Received(
        structs.replace(decode(frames[0]), body=Unknown(b"123"), part=None),
        b"".join(frames),
        (0xFFFF, 0, 1),
    )
    assert connection.size == 0


def test_a_part_that_comes_twice_counts_once_and_as_it_came_last() -> None:
    connection = Connection()
    events = take(connection, [part(1, 2, 5), part(1, 2, 5, b"new"), part(2, 2, 6)])
    assert whole(events) == [(5, b"new2")]


def test_messages_run_side_by_side() -> None:
    """Of two terminals on one connection, and of one."""
    other = "013800138001"
    events = take(
        Connection(),
        [
            part(1, 2, 5), part(1, 2, 5, b"a", other), part(1, 2, 9, b"x"), part(2, 2, 10, b"y"),
            part(2, 2, 6, b"b", other), part(2, 2, 6),
        ],
    )  # fmt: skip
    assert whole(events) == [(9, b"xy"), (5, b"ab"), (5, b"12")]


def test_parts_that_all_have_the_serial_of_the_first() -> None:
    events = take(Connection(), [part(1, 3, 7), part(2, 3, 7), part(3, 3, 7)])
    assert whole(events) == [(7, b"123")]


def test_two_such_messages_one_after_the_other() -> None:
    frames = [part(1, 2, 7), part(2, 2, 7), part(1, 2, 8, b"a"), part(2, 2, 8, b"b")]
    assert whole(take(Connection(), frames)) == [(7, b"12"), (8, b"ab")]


def test_a_part_sent_again_with_a_serial_of_its_own() -> None:
    connection = Connection(Limits(resend_after_s=5))
    take(connection, [part(1, 3, 7), part(3, 3, 9)])
    assert len(connection.due(5.0)) == 1
    assert whole(take(connection, [part(2, 3, 40)], 6.0)) == [(7, b"123")]


def test_what_was_left_lying_is_not_mixed_with_the_next_message() -> None:
    """A terminal that answers no question for parts: its first part had been damaged, and its next
    message has as many."""
    connection = Connection(Limits(resend_after_s=5))
    take(connection, [part(2, 3, 8), part(3, 3, 9)])
    assert len(connection.due(5.0)) == 1
    following = [part(n, 3, 39 + n, b"new %d " % n) for n in (1, 2, 3)]
    assert whole(take(connection, following, 6.0)) == [(40, b"new 1 new 2 new 3 ")]


def test_a_part_of_a_complete_message_that_comes_again_spoils_nothing() -> None:
    """Nor is the rest of it asked for; when all of it comes again it is taken again."""
    connection = Connection(Limits(resend_after_s=5))
    frames = [part(number, 3, 6 + number) for number in (1, 2, 3)]
    assert whole(take(connection, frames)) == [(7, b"123")]
    take(connection, frames[2:], 1.0)
    assert connection.due(6.0) == []
    assert (connection.size, connection.given_up) == (0, 0)
    take(connection, frames[2:], 7.0)
    following = [part(n, 3, 39 + n, b"new %d " % n) for n in (1, 2, 3)]
    assert whole(take(connection, following, 8.0)) == [(40, b"new 1 new 2 new 3 ")]
    assert whole(take(connection, frames[:2], 9.0)) == [(7, b"123")]


def test_without_having_been_asked_for_it_belongs_to_another_message() -> None:
    connection = Connection()
    events = take(connection, [part(1, 3, 7), part(3, 3, 9), part(2, 3, 40)])
    assert whole(events) == []
    assert whole(take(connection, [part(2, 3, 8)])) == [(7, b"123")]


def test_missing_parts_are_asked_for_and_given_up() -> None:
    connection = Connection(Limits(resend_after_s=10, resends=2))
    take(connection, [part(2, 4, 8)], 100.0)
    assert connection.due(109.9) == []
    for now_s in (110.0, 120.0):
        (request,) = connection.due(now_s)
        message = decode(request)
        assert (message.message_id, message.phone) == (0x8003, PHONE)
        assert message.body == Resend(7, [1, 3, 4])
        assert connection.due(now_s) == []
    assert connection.given_up == 0
    assert connection.due(130.0) == []
    assert (connection.given_up, connection.size) == (1, 0)


def test_a_part_that_comes_puts_off_the_question() -> None:
    connection = Connection(Limits(resend_after_s=10))
    take(connection, [part(1, 3, 7)], 0.0)
    take(connection, [part(2, 3, 8)], 9.0)
    assert connection.due(18.9) == []
    (request,) = connection.due(19.0)
    assert decode(request).body == Resend(7, [3])


def test_in_2019_the_number_of_parts_is_a_word_and_a_terminal_asks_with_its_own_message() -> None:
    connection = Connection(resend_id=TERMINAL_RESEND)
    take(connection, [part(1, 2, 7, phone=PHONE.zfill(20), version="2019")])
    (request,) = connection.due(60.0)
    message = decode(request)
    assert (message.message_id, message.version) == (0x0005, "2019")
    assert message.body == Resend(7, [2], wide=True)


def test_many_missing_parts_are_asked_for_in_turns() -> None:
    connection = Connection(Limits(resend_parts=3))
    take(connection, [part(1, 9, 7)])
    (request,) = connection.due(60.0)
    assert decode(request).body == Resend(7, [2, 3, 4])


def test_the_oldest_has_to_go_for_the_next() -> None:
    connection = Connection(Limits(assemblies=2))
    take(connection, [part(1, 2, 10), part(1, 2, 20), part(1, 2, 30)])
    assert connection.given_up == 1
    events = take(connection, [part(2, 2, 31), part(2, 2, 21), part(2, 2, 11)])
    assert whole(events) == [(30, b"12"), (20, b"12")]


@pytest.mark.parametrize(("number", "of"), [(0, 2), (3, 2), (1, 0), (0, 0), (1, 1025)])
def test_numbers_that_cannot_be_are_refused(number: int, of: int) -> None:
    (event,) = take(Connection(), [part(number, of, 7)])
    assert isinstance(event, Refused)
    assert "1 to 1024 parts" in event.error


def test_a_message_of_one_part_is_whole() -> None:
    assert whole(take(Connection(), [part(1, 1, 7)])) == [(7, b"1")]


def test_a_whole_that_cannot_be_read_is_refused_with_all_its_frames() -> None:
    frames = [
        encode(Message(0x0200, PHONE, 7 + n, "2013", Unknown(b"\x00" * 9), part=Part(n + 1, 2)))
        for n in range(2)
    ]
    _, refused = take(Connection(), frames)
    assert isinstance(refused, Refused)
    assert refused.frame == b"".join(frames)
    assert refused.error == "18 bytes are too short for a location of 28"


def test_serials_of_what_is_sent() -> None:
    connection = Connection()
    long = Unknown(b"~" * 2_500)
    sent = b"".join(connection.send(UNKNOWN, PHONE, Unknown(b"")) for _ in range(2))
    sent += connection.send(UNKNOWN, PHONE, long)
    assert connection.sent_serial == 2
    sent += connection.send(UNKNOWN, PHONE, Unknown(b""))
    assert connection.sent_serial == 5
    events = Connection().receive(sent, 0.0)
    assert [event.message.serial for event in events if not isinstance(event, Refused)] == [
        0, 1, 2, 3, 2, 5,
    ]  # fmt: skip
    assert [event.message.body for event in events if isinstance(event, Received)][2] == long
