"""Frames of other projects' tests: header, checksum, location, batch, and their way back.

What else those projects assert, of messages and of vendors' items, is asked elsewhere; here is what
every frame has. The material lies beside the checkout.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from producers.jt808.connection import Connection, PartReceived, Received, Refused
from producers.jt808.dump import Decoder, Encoder
from producers.jt808.framing import unescape
from producers.jt808.header import bare_phone
from producers.jt808.location import read_location
from producers.jt808.plain import to_plain

NO_MESSAGE = {
    "283734303139303331313138352c312c3030312c454c4f434b2c332c35323934333929": "text in brackets",
    "7e8100400001123456789012345620190001107e": "an answer to a registration without a body",
    "7e7e7d7e7d7e7e7d027d017d027d017e": "a writer's escapes, no frame",
    "7e12345678907e7e12345678907e": "flags and digits, no frame",
    "000000010000000200ba7f0e07e4f11c0028003c0000180715101010140400000064150400000064160400000064"
    "170200641803006458": "a body without its header",
    "010200050138123456780087": "a header cut short",
    "010264ff0200000000013812345678008700000000": "a header of a part, cut short",
    "7e2019061923232301231906192323237e": "a reader's dates, no frame",
    "7e0800407d0208010000000001727d0199841738ffff0000007b000007017d017e": "wrong sum and length",
    "7e08007d0240080100000000017299841738ffff0000007b000007017d017e": "wrong sum and length",
}
"""What is an error, and what it is."""

OTHER_SIGN = {
    # Its own test writes numbers at random; status bit 3 says west.
    "7e0201001e0123456789017fff686200002a5a000074280000a3e50000db4fbc732711012c2005121212595b7e",
}
"""Frames whose source asserts coordinates without looking at the bits for south and west."""


@pytest.fixture(scope="module")
def vectors(shared_dir: Path) -> dict[str, list[dict[str, Any]]]:
    path = shared_dir / "vectors" / "jt808_frames.json"
    vectors: dict[str, list[dict[str, Any]]] = json.loads(path.read_text())
    return vectors


@pytest.fixture(scope="module")
def frames(vectors: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    every = vectors["frames"] + vectors["must_not_crash"]
    found = [one for one in every if one.get("hex") and not one.get("body_of")]
    assert len(found) > 250
    return found


def lines_of(frame: dict[str, Any]) -> list[dict[str, Any]]:
    return Decoder().lines(bytes.fromhex(frame["hex"]))


def test_only_what_is_no_message_is_an_error(frames: list[dict[str, Any]]) -> None:
    refused = {frame["hex"].lower() for frame in frames if "error" in lines_of(frame)[0]}
    assert refused == set(NO_MESSAGE)


def test_headers(frames: list[dict[str, Any]]) -> None:
    asked = 0
    for frame in frames:
        lines = lines_of(frame)
        line, expected = lines[0], frame.get("expected", {})
        if "error" in line:
            continue
        asked += 1
        assert line["message_id"] == frame["message_id"]
        assert line["version"] == frame["version"]
        assert line["checksum_ok"] is frame["structure"]["checksum_ok"]
        # What are two frames run together has the wrong length as one.
        assert line.get("length_ok", True) is (frame["structure"]["length_ok"] or len(lines) == 2)
        assert line["phone"] == frame["header_bits"]["phone_bcd"]
        assert line["serial"] == frame["header_bits"]["serial"]
        assert ("part" in line) is frame["header_bits"]["subpackaged"]
        if "terminal_phone" in expected:
            assert bare_phone(line["phone"]) == bare_phone(expected["terminal_phone"])
        if "msg_id" in expected:
            assert int(line["message_id"], 16) == expected["msg_id"]
    assert asked > 200


def test_locations(frames: list[dict[str, Any]]) -> None:
    asked = 0
    for frame in frames:
        expected = frame.get("expected", {})
        if frame["message_id"] not in ("0x0200", "0x0201", "0x0704"):
            continue
        if "lat_raw" not in expected and "items" not in expected:
            continue
        (line, *_) = lines_of(frame)
        if "error" in line:
            continue
        pairs = [(expected, line["body"])]
        if "items" in expected:
            pairs = list(zip(expected["items"], line["body"]["locations"], strict=True))
        for wanted, found in pairs:
            asked += 1
            check_location(wanted, found, frame["hex"].lower())
    assert asked >= 15


def check_location(wanted: dict[str, Any], found: dict[str, Any], wire: str) -> None:
    for name in ("alarm_bits", "status_bits", "altitude_m"):
        assert found[name] == wanted.get(name, found[name])
    for name in ("lat", "lon"):
        degrees = wanted[f"{name}_raw"] / 1e6
        if wire in OTHER_SIGN:
            assert abs(found[name]) == degrees
        else:
            assert found[name] == degrees
    assert round(found["speed_kmh"] * 10) == wanted["speed_raw_0p1kmh"]
    if "course" in wanted:
        assert found["heading_deg"] == wanted["course"]
    time = datetime.fromisoformat(wanted["time_gmt8"] + "+08:00")
    assert found["time_ms"] == 1000 * time.timestamp()


def test_bodies_of_locations_without_their_frames(
    vectors: dict[str, list[dict[str, Any]]],
) -> None:
    bodies = [one for one in vectors["frames"] if one.get("body_of") == "0x0200"]
    asked = 0
    for one in bodies:
        location, wanted = read_location(bytes.fromhex(one["hex"])), one["expected"]
        if "lat_raw" in wanted and one.get("expected_matches_bytes"):
            asked += 1
            assert (location.lat, location.lon) == (wanted["lat"], wanted["lon"])
            assert location.speed_kmh == wanted["speed_kmh"]
    assert asked >= 4


def test_a_connection_takes_what_is_whole(frames: list[dict[str, Any]]) -> None:
    """Frames as on the wire with the right checksum and length, whole and byte by byte."""
    asked = 0
    for frame in frames:
        wire = bytes.fromhex(frame["hex"])
        lines = lines_of(frame)
        if wire.count(b"\x7e") != 2 or "error" in lines[0] or "length_ok" in lines[0]:
            continue
        if not lines[0]["checksum_ok"] or Encoder().frames(lines[0]) != wire:
            continue
        asked += 1
        (event,) = Connection().receive(wire + b"\x7e\x00", 0.0)
        if isinstance(event, Refused):
            # A part of more parts than a connection takes.
            assert "parts" in lines[0]
            continue
        assert isinstance(event, Received | PartReceived)
        # The line says the same, but for the frame where its fields alone are not enough.
        assert to_plain(event.message) == {k: v for k, v in lines[0].items() if k != "frame"}
        connection = Connection()
        pieces = [e for byte in wire for e in connection.receive(bytes((byte,)), 0.0)]
        assert pieces == [event]
    assert asked > 180


def test_every_frame_on_the_wire_goes_back_to_the_same_bytes(frames: list[dict[str, Any]]) -> None:
    asked = 0
    for frame in frames:
        wire = bytes.fromhex(frame["hex"])
        lines = lines_of(frame)
        undone = frame["structure"]["escaped_on_wire"] is False
        if len(lines) == 1 and "error" not in lines[0] and is_escaped(wire) and not undone:
            asked += 1
            assert Encoder().frames(json.loads(json.dumps(lines[0]))) == wire
    assert asked > 190


def is_escaped(wire: bytes) -> bool:
    inner = wire[1:-1]
    marks = inner.count(b"\x7d\x01") + inner.count(b"\x7d\x02")
    return wire[0] == wire[-1] == 0x7E and 0x7E not in inner and inner.count(b"\x7d") == marks


def test_framing(vectors: dict[str, list[dict[str, Any]]]) -> None:
    """Bytes before a frame are apart from it, and escapes are undone."""
    for vector in vectors["framing"]:
        before, frame = bytes.fromhex(vector["wire"]).split(b"\x7e")[:2]
        assert before == b"$$"
        assert b"\x7e%b\x7e" % unescape(frame) == bytes.fromhex(vector["unescaped_frame"])
        first, second = Connection().receive(bytes.fromhex(vector["wire"]), 0.0)
        assert (first.frame, second.frame) == (b"$$", b"\x7e%b\x7e" % frame)
