"""Frames written by hand decode to what they say, however they come, and back to the same bytes."""

import json
from typing import Any

import pytest
from jt808_cases import CASES, GOOD, IDS, is_in, wire

from producers.jt808.connection import Connection, PartReceived, Received
from producers.jt808.dump import Decoder, Encoder
from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version
from producers.jt808.message import decode
from producers.jt808.messages import MESSAGES
from producers.jt808.plain import to_plain


def version_of(case: dict[str, Any]) -> Version:
    version: Version = case.get("version", "2013")
    return version


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_says_what_was_written(case: dict[str, Any]) -> None:
    line = Decoder(version_of(case)).lines(wire(case))[0]
    assert is_in(case["expected"], line), line


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_items_without_a_meaning_have_no_name(case: dict[str, Any]) -> None:
    """An item without a name in the expectation has none in the line either."""
    body = Decoder(version_of(case)).lines(wire(case))[0].get("body", {})
    for expected, found in zip(
        case["expected"].get("body", {}).get("items", []), body.get("items", []), strict=False
    ):
        assert set(expected) == set(found)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_goes_back_to_the_same_bytes(case: dict[str, Any]) -> None:
    line = json.loads(json.dumps(Decoder(version_of(case)).lines(wire(case))[0]))
    if "error" in case["expected"]:
        with pytest.raises(ProtocolError, match="no message but an error"):
            Encoder().frames(line)
    else:
        assert Encoder().frames(line) == wire(case)


@pytest.mark.parametrize("flags", [True, False])
@pytest.mark.parametrize("case", GOOD, ids=[case["name"] for case in GOOD])
def test_decodes_with_flags_and_without(case: dict[str, Any], flags: bool) -> None:
    data = wire(case) if flags else wire(case)[1:-1]
    assert is_in(case["expected"], to_plain(decode(data, version_of(case))))


@pytest.mark.parametrize("case", GOOD, ids=[case["name"] for case in GOOD])
def test_comes_byte_by_byte_and_with_bytes_after_it(case: dict[str, Any]) -> None:
    whole, trailing = Connection(version_of=lambda _: version_of(case)), b"\x7e\x02\x00\x00"
    (expected,) = whole.receive(wire(case) + trailing, 0.0)
    assert isinstance(expected, Received | PartReceived)
    assert expected.frame == wire(case)
    assert is_in(case["expected"], to_plain(expected.message))
    pieces = Connection(version_of=lambda _: version_of(case))
    events = [event for byte in wire(case) for event in pieces.receive(bytes((byte,)), 0.0)]
    assert events == [expected]


def test_every_message_is_written_in_every_edition_it_has() -> None:
    """2011 reads what 2013 does but the registration."""
    found = {(case["expected"].get("message_id"), case["expected"].get("version")) for case in GOOD}
    # The terminal's request to send parts again is new in 2019.
    only_2019 = {"0x0005"}
    for message_id in OWN:
        for version in ("2013", "2019"):
            if version == "2019" or message_id not in only_2019:
                assert (message_id, version) in found
    assert {("0x0100", "2011"), ("0x0200", "2011")} <= found


OWN = [
    "0x0001", "0x0002", "0x0003", "0x0005", "0x0100", "0x0102", "0x0104", "0x0200", "0x0201",
    "0x0704", "0x8001", "0x8003", "0x8100", "0x8104", "0x8201",
]  # fmt: skip


def test_own_messages_are_in_the_table() -> None:
    assert {int(one, 16) for one in OWN} <= set(MESSAGES)
