"""Messages read by tables: what is written of any value is read again, and what is refused."""

import json
from typing import Any, get_args

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from jt808_fields import fields

from producers.jt808.connection import Connection, Received
from producers.jt808.declared import LAYOUTS, Fields
from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version
from producers.jt808.message import Message, encode
from producers.jt808.messages import MESSAGES, Unknown
from producers.jt808.messages_page import page
from producers.jt808.plain import from_plain, to_plain

VERSIONS = st.sampled_from(get_args(Version))
PHONES = {"2011": "013912345678", "2013": "013912345678", "2019": "00000000013912345678"}
IDS = [f"{message_id:#06x}" for message_id in LAYOUTS]


@pytest.mark.parametrize("message_id", LAYOUTS, ids=IDS)
@settings(max_examples=30)
@given(st.data())
def test_what_is_written_is_read(message_id: int, data: st.DataObject) -> None:
    """In a frame, or in several, and as JSON."""
    version: Version = data.draw(VERSIONS)
    body = data.draw(fields(message_id, version))
    message = Message(message_id, PHONES[version], 7, version, body)
    *_, event = Connection(version_of=lambda _: version).receive(encode(message), 0.0)
    assert isinstance(event, Received)
    assert event.message == message
    assert from_plain(json.loads(json.dumps(to_plain(message), allow_nan=False))) == message


@pytest.mark.parametrize("message_id", LAYOUTS, ids=IDS)
@settings(max_examples=30)
@given(st.binary(max_size=200), VERSIONS)
def test_any_bytes_are_read_and_written_or_kept(
    message_id: int, data: bytes, version: Version
) -> None:
    row = MESSAGES[message_id]
    body = row.read(data, version)
    if isinstance(body, Unknown):
        assert (body.raw, "\n" in body.why) == (data, False)
        return
    again = row.read(row.write(body, version), version)
    assert again.values == body.values
    json.dumps(to_plain(Message(message_id, "0" * 12, 0, version, body)), allow_nan=False)


@pytest.mark.parametrize(
    ("message_id", "values", "wrong"),
    [
        (0x8202, {"interval_s": 70_000}, "interval_s: 70000; allowed are whole numbers 0 to 65535"),
        (0x8202, {"interval_s": "5"}, "interval_s: '5'; allowed are numbers"),
        (0x8202, {"interval_s": True}, "interval_s: True; allowed are numbers"),
        (0x8202, {"interval_s": 1.5}, "interval_s: 1.5; allowed are whole numbers 0 to 65535"),
        (
            0x8202,
            {"interval_s": float("nan")},
            "interval_s: nan; allowed are whole numbers 0 to 65535",
        ),
        (0x8202, {}, "interval_s is missing"),
        (0x8202, {"interval_s": 1, "hours": 2}, "'hours' is no field here; there are interval_s,"),
        (0x8004, {"time": "yesterday"}, "time: 'yesterday'; allowed are hexadecimal digits"),
        (0x8004, {"time": "2026-02-30T00:00:00+08:00"}, "allowed are times of this century"),
        (0x8004, {"time": 5}, "time: 5; allowed are times as 2026-07-07T19:23:59"),
        (0x8304, {"kind": 1, "text": "\ud800"}, "is not in GBK"),
        (0x8304, {"kind": 1, "text": 5}, "text: 5; allowed is text"),
        (0x0107, {"terminal_kind_bits": 1, "maker_id": "too long"}, "8 bytes; allowed are 5"),
        (0x8601, {"ids": 5}, "ids: 5; allowed are lists"),
        (0x8601, {"ids": list(range(256))}, "ids: 256; allowed are whole numbers 0 to 255"),
        (0x8A00, {"exponent": 1, "modulus": "00"}, "modulus: 1 bytes; allowed are 128"),
        (0x8A00, {"exponent": 1, "modulus": "xy"}, "modulus: 'xy'; allowed are hexadecimal"),
        (0x8600, {"action": 1, "areas": [{"id": 1}]}, "areas: attributes is missing"),
        (0x8600, {"action": 1, "areas": [1]}, "areas: 1; allowed are fields by name"),
        (0x0608, {"kind": 9, "areas": [1]}, "areas: [1]; allowed are hexadecimal digits"),
        (0x0500, {"answers_serial": 1, "location": 1}, "location: 1; allowed are locations"),
        (0x0500, {"answers_serial": 1, "location": {"lat": 1}}, "location.lon is None"),
        (0x8400, {"flag": 0, "phone": 5}, "phone: 5; allowed is text"),
        (0x0700, {"answers_serial": 1, "command": 2, "frame": {"mark": b""}}, "frame: allowed are"),
    ],
)
def test_what_cannot_be_written(message_id: int, values: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        MESSAGES[message_id].write(Fields(values), "2013")
    assert wrong in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("message_id", "data", "why"),
    [
        (0x8202, "00", "interval_s: 2 bytes wanted, 1 left"),
        (0x1205, "0001ffffffff01", "recordings: 4294967295 items said, 1 bytes left"),
        (0x8300, "", "flags: 1 bytes wanted, 0 left"),
        (0x0802, "000100010000000101020300", "found: location: 28 bytes wanted, 1 left"),
        (0x9208, "00", "none of its layouts fits 1 bytes"),
    ],
)
def test_what_cannot_be_read_stays(message_id: int, data: str, why: str) -> None:
    """By the layout of its own edition, where no other fits either."""
    assert MESSAGES[message_id].read(bytes.fromhex(data), "2019") == Unknown(
        bytes.fromhex(data), why
    )


def test_text_that_is_no_gbk_is_hex() -> None:
    body = MESSAGES[0x8304].read(bytes.fromhex("010002d4ff"), "2013")
    assert body.values == {"kind": 1, "text": {"hex": "d4ff"}}
    assert MESSAGES[0x8304].write(body, "2013").hex() == "010002d4ff"


def test_bytes_behind_the_last_field_are_kept() -> None:
    body = MESSAGES[0x8203].read(bytes.fromhex("000100000008aabb"), "2013")
    assert body == Fields({"alarm_serial": 1, "alarm_bits": 8, "rest": b"\xaa\xbb"})
    assert MESSAGES[0x8203].write(body, "2013").hex() == "000100000008aabb"


def test_the_layout_of_another_edition_is_told() -> None:
    """A header of 2013, and an area with a limit for the night and a name."""
    data = bytes.fromhex("00000001 0002 003c 14 0000")
    body = MESSAGES[0x8604].read(data, "2013")
    assert body.layout is None
    named = data + bytes.fromhex("0028 0001 41")
    body = MESSAGES[0x8604].read(named, "2013")
    assert body.layout == "2019"
    assert (body.values["night_top_speed_kmh"], body.values["name"]) == (40, "A")
    assert MESSAGES[0x8604].write(body, "2013") == named


def test_a_recorder_frame_with_a_wrong_checksum_stays_bytes() -> None:
    good = bytes.fromhex("0001 02 557a02000600 260323101010")
    check = 0
    for byte in good[3:]:
        check ^= byte
    read = MESSAGES[0x0700].read
    frame = read(good + bytes((check,)), "2013").values["frame"]
    assert frame["data"] == {"time": "2026-03-23T10:10:10+08:00"}
    assert read(good + bytes((check ^ 1,)), "2013").values["frame"] == good[3:] + bytes(
        (check ^ 1,)
    )


def test_the_page_is_current() -> None:
    written = (ROOT / "docs" / "jt808-messages.md").read_text("utf-8")
    assert written == page(), "run `make messages`"


def test_every_message_has_a_row() -> None:
    assert LAYOUTS.keys() <= MESSAGES.keys()
