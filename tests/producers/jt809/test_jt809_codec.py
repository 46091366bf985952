"""Everything that is written is read again as it was; garbage gives protocol errors only."""

from contextlib import suppress
from functools import cache
from typing import Annotated, Any, get_args

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from producers.jt808.errors import ProtocolError
from producers.jt809.cipher import Cipher
from producers.jt809.connection import Connection, Received, Refused
from producers.jt809.fields import (
    Bcd,
    Counted,
    Kind,
    Layout,
    Raw,
    Record,
    Rest,
    RestText,
    Sized,
    Text,
    UInt,
    fields_of,
    read,
    write,
)
from producers.jt809.framing import frame, unframe
from producers.jt809.header import Version
from producers.jt809.message import (
    Message,
    OfPlatform,
    OfVehicle,
    decode,
    encode,
)
from producers.jt809.message import Raw as RawBody
from producers.jt809.numeral import Numeral
from producers.jt809.table import MESSAGES, SUB_MESSAGES, names_request_first, wrapping_of
from producers.jt809.vehicles import Position2011

PARENTS = {sub_id: sub_id & 0xFF00 for subs in SUB_MESSAGES.values() for sub_id in subs}
"""The message of each sub message: the ids differ in the last byte."""


@cache
def texts(size: int | None) -> st.SearchStrategy[str]:
    """What has bytes in GB 18030, fits, and neither begins nor ends in zero bytes."""
    most = 30 if size is None else size
    return st.text("aZ09 -粤京测汉\u3000é😀\0ǿ", max_size=most).map(
        lambda text: _fitting(text.strip("\0"), most)
    )


def _fitting(text: str, most: int) -> str:
    while len(text.encode("gb18030")) > most:
        text = text[:-1].strip("\0")
    return text


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Values of one field."""
    match kind:
        case UInt():
            return st.integers(0, 256**kind.size - 1)
        case Text():
            return texts(kind.size)
        case RestText():
            return texts(None)
        case Bcd():
            return st.binary(min_size=kind.size, max_size=kind.size).map(bytes.hex)
        case Raw():
            return st.binary(min_size=kind.size, max_size=kind.size)
        case Rest():
            return st.binary(max_size=40)
        case Sized():
            return values(kind.inner)
        case Record():
            return bodies(kind.layout)
        case Counted():
            return st.lists(bodies(kind.record.layout), max_size=4)
        case Numeral():
            return st.one_of(
                st.just(""), st.integers(1, 10**11 - 1).map(str), st.integers(1, 9).map(str)
            )
    raise AssertionError(kind)


@cache
def bodies(layout: type[Layout]) -> st.SearchStrategy[Layout]:
    return st.builds(layout, **{name: values(kind) for name, kind in fields_of(layout)})


@st.composite
def messages(draw: st.DrawFn) -> Message:
    version: Version = draw(st.sampled_from(get_args(Version)))
    kind = draw(st.sampled_from(("message", "sub", "unknown")))
    if kind == "message":
        message_id, layout = draw(st.sampled_from(sorted(MESSAGES[version].items(), key=str)))
        body: Any = draw(bodies(layout))
    elif kind == "sub":
        sub_id, layouts = draw(st.sampled_from(sorted(SUB_MESSAGES[version].items(), key=str)))
        message_id = PARENTS[sub_id]
        data = draw(bodies(layouts[-1] if sub_id == 0x1201 else layouts[0]))
        body = _wrapped(draw, message_id, sub_id, version, data)
    else:
        message_id = draw(st.sampled_from((0x1200, 0x1300, 0x1400, 0x9400, 0x7777)))
        data = RawBody(draw(st.binary(max_size=60)))
        body = _wrapped(draw, message_id, 0x7777, version, data)
    return Message(
        message_id,
        body,
        serial=draw(st.integers(0, 2**32 - 1)),
        centre_id=draw(st.integers(0, 2**32 - 1)),
        version=version,
        protocol=draw(st.tuples(*[st.integers(0, 255)] * 3)),
        encrypted=draw(st.booleans()),
        key=draw(st.integers(0, 2**32 - 1)),
        time_s=draw(st.integers(0, 2**64 - 1)) if version == "2019" else None,
    )


def _wrapped(draw: st.DrawFn, message_id: int, sub_id: int, version: Version, data: Any) -> Any:
    wrapping = wrapping_of(message_id, version)
    if wrapping is None:
        return data
    behind = st.one_of(st.just(b""), st.binary(max_size=5))
    surplus = b"" if names_request_first(message_id, sub_id, version) else draw(behind)
    if wrapping == "platform":
        return OfPlatform(sub_id, data, surplus)
    return OfVehicle(draw(texts(21)), draw(st.integers(0, 255)), sub_id, data, surplus)


ciphers = st.builds(Cipher, *[st.integers(0, 2**32 - 1)] * 3)


@given(messages(), ciphers)
def test_what_is_written_is_read_again(message: Message, cipher: Cipher) -> None:
    wire = encode(message, cipher)
    assert wire[0] == 0x5B
    assert wire[-1] == 0x5D
    assert b"\x5b" not in wire[1:]
    assert b"\x5d" not in wire[:-1]
    assert decode(wire, message.version, lambda _: cipher) == message


LAYOUTS = sorted(
    {one for subs in SUB_MESSAGES.values() for some in subs.values() for one in some}
    | {one for some in MESSAGES.values() for one in some.values()},
    key=lambda layout: layout.__name__,
)


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=10)
@given(data=st.data())
def test_every_layout_is_read_as_written(layout: type[Layout], data: st.DataObject) -> None:
    body = data.draw(bodies(layout))
    assert read(layout, write(body)) == body


def test_what_follows_the_fields_is_kept() -> None:
    data = bytes(range(40))
    body = read(Position2011, data)
    assert body.extra == data[36:]
    assert write(body) == data


@given(st.binary(max_size=80))
@example(b"\x5b\x5d")
@example(b"\x5b\x5a\x5d")
def test_garbage_is_a_protocol_error(garbage: bytes) -> None:
    for wire in (garbage, b"\x5b" + garbage + b"\x5d", frame(garbage)):
        for version in (None, *get_args(Version)):
            with suppress(ProtocolError):
                decode(wire, version, lambda _: Cipher(1, 2, 3))


@given(messages(), st.data())
def test_a_damaged_frame_is_a_protocol_error_or_says_something_else(
    message: Message, data: st.DataObject
) -> None:
    cipher = Cipher(10, 20, 30)
    payload = bytearray(unframe(encode(message, cipher)))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(payload)))
    for damaged in (bytes(payload), bytes(payload[:cut])):
        with suppress(ProtocolError):
            decode(frame(damaged), cipher_of=lambda _: cipher)


@given(st.lists(messages(), max_size=4), st.lists(st.binary(max_size=20), max_size=5), st.data())
def test_a_link_reads_the_same_however_the_bytes_are_cut(
    sent: list[Message], noise: list[bytes], data: st.DataObject
) -> None:
    cipher = Cipher(10, 20, 30)
    stream = b""
    for number, message in enumerate(sent):
        message.version = "2011"
        message.time_s = None
        assume(not isinstance(message.body, Layout) or message.message_id != 0x1001)
        stream += noise[number].replace(b"\x5b", b"") if number < len(noise) else b""
        try:
            stream += encode(message, cipher)
        except ProtocolError:
            assume(False)
    whole = Connection(cipher_of=lambda _: cipher, version="2011").receive(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = Connection(cipher_of=lambda _: cipher, version="2011")
    events = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        events += pieces.receive(stream[begin:end])
    assert _frames(events) == _frames(whole)
    assert pieces.size == 0


def _frames(events: list[Any]) -> list[Any]:
    return [one for one in events if isinstance(one, Received) or one.header is not None]


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_a_link_survives_garbage_and_stays_small(pieces: list[bytes]) -> None:
    link = Connection(most_frame_bytes=100)
    for piece in pieces:
        for event in link.receive(piece):
            if isinstance(event, Refused):
                assert len(event.frame) <= 100
        assert link.size <= 100


@pytest.mark.parametrize("m1", [0, 1])
def test_a_cipher_of_nothing_divides_by_nothing(m1: int) -> None:
    cipher = Cipher(m1, 0, 0xFFF00000)
    assert cipher.apply(0, b"\0\1") == b"\xff\xfe"


def test_the_key_overflows_in_32_bits() -> None:
    cipher = Cipher(0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF)
    key = 0x1234_5678
    expected = []
    for _ in range(4):
        key = (0xFFFF_FFFF * key + 0xFFFF_FFFF) % 2**32
        expected.append(key >> 20 & 0xFF)
    assert list(cipher.apply(0x1234_5678, bytes(4))) == expected


@pytest.mark.parametrize("value", [-1, 2**32])
def test_constants_have_32_bits(value: int) -> None:
    with pytest.raises(ValueError, match=f"ia1 {value}; allowed are 0 to 4294967295"):
        Cipher(1, value, 1)


class Small(Layout):
    count: Annotated[int, UInt(1)]
    name: Annotated[str, Text(4)]
    digits: Annotated[str, Bcd(2)]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"count": 256}, "Small.count: 256; allowed are 0 to 255"),
        ({"count": -1}, "Small.count: -1; allowed are 0 to 255"),
        ({"name": "汉字汉"}, "Small.name: '汉字汉' has 6 bytes; allowed are 4"),
        ({"digits": "12"}, "Small.digits: '12'; allowed are 4 digits"),
        ({"digits": "12x4"}, "Small.digits: '12x4'; allowed are 4 digits"),
    ],
)
def test_what_has_no_place_is_named(change: dict[str, Any], error: str) -> None:
    body = msgspec.structs.replace(Small(count=1, name="a", digits="1234"), **change)
    with pytest.raises(ProtocolError) as raised:
        write(body)
    assert str(raised.value) == error


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ProtocolError, match=r"^Small.name: 2 bytes left; expected 4$"):
        read(Small, b"\1ab")
    with pytest.raises(ProtocolError, match=r"^Small.name: ff808182 is no GBK text$"):
        read(Small, b"\1\xff\x80\x81\x82\0\0")
