"""Frames of other projects' tests, with all that these assert of them (`shared_dir`).

Every claim is compared, or is in `vector_exceptions` with a reason; what has no name in the tables
of `vector_names` and is no exception is a failure, and so is an exception that holds after all.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from tally import tally
from vector_claims import claims_of
from vector_exceptions import EXCEPTIONS, NO_FRAMES, NOT_THE_SAME_BYTES, UNREADABLE
from vector_holds import holds
from vector_names import EXPECTED
from vector_samples import BODY_OF, Vector, bytes_of, payload_of, sample_of, wire_of

from producers.jt808.clock import FIRST_MS, LAST_MS
from producers.jt808.connection import Connection, PartReceived, Received, Refused
from producers.jt808.declared import Fields
from producers.jt808.dump import Decoder, Encoder
from producers.jt808.errors import ProtocolError
from producers.jt808.framing import unescape, unframed
from producers.jt808.location import Location, LocationBatch
from producers.jt808.message import Message, decode, encode, read_payload
from producers.jt808.messages import MESSAGES, Unknown
from producers.jt808.plain import to_plain

KNOT_KMH = 1.852
"""Their speeds are in knots."""
POSITIONS = 22
"""Two more are in a vendor's own content of 0x0900, which stays bytes."""
KNOWN = {*EXPECTED, "decoded_json", "attributes", "items", "fields", "additional"}


@pytest.fixture(scope="module")
def vectors(shared_dir: Path) -> dict[str, list[Vector]]:
    text = (shared_dir / "vectors" / "jt808_frames.json").read_text("utf-8")
    loaded: dict[str, list[Vector]] = json.loads(text)
    return loaded


def test_every_claim_is_compared(vectors: dict[str, list[Vector]]) -> None:
    compared, excepted, wrong = 0, set(), []
    for number, vector in enumerate(vectors["frames"]):
        assert vector["expected"].keys() <= KNOWN | {"traccar_attribute"}
        if number in UNREADABLE:
            excepted |= {(number, claim.name) for claim, _ in claims_of(vector, {})}
            continue
        sample = sample_of(number, vector)
        for claim, names in claims_of(vector, sample.names):
            exception = (number, claim.name) in EXCEPTIONS
            if holds(claim, names, sample.tree) == exception:
                wrong.append(f"{number} {claim.source}: {claim.value} {names.get(claim.name)}")
            elif exception:
                excepted.add((number, claim.name))
            else:
                compared += 1
    tally("shared frames of JT/T 808", compared=compared, excepted=len(excepted))
    assert not wrong, "\n".join(wrong)
    assert excepted == EXCEPTIONS.keys()
    assert compared > 3000


def test_what_is_read_is_written_as_it_was(vectors: dict[str, list[Vector]]) -> None:
    """So the encode tests hold: what their hex says comes back as their hex."""
    for number, vector in enumerate(vectors["frames"]):
        if number in UNREADABLE:
            continue
        sample = sample_of(number, vector)
        assert (sample.again == sample.came) != (number in NOT_THE_SAME_BYTES), number
        if vector.get("body_of") or not vector["message_id"]:
            continue
        if vector["structure"]["checksum_ok"] and vector["structure"]["length_ok"]:
            message = read_payload(payload_of(vector), strict=False)
            if number not in NOT_THE_SAME_BYTES and message.checksum_ok:
                assert unescape(unframed(encode(message))) == payload_of(vector), number


def framed(vectors: dict[str, list[Vector]]) -> list[bytes]:
    """All frames, or what is taken for them, as on the wire."""
    wires = [wire_of(vector) for kind in ("frames", "must_not_crash") for vector in vectors[kind]]
    return [wire for wire in wires if wire.startswith(b"\x7e") and wire.endswith(b"\x7e")]


def whole(frame: bytes) -> list[Any]:
    return Connection().receive(frame, 0.0)


def test_every_frame_byte_by_byte(vectors: dict[str, list[Vector]]) -> None:
    for frame in framed(vectors):
        connection = Connection()
        events = [
            event for at in range(len(frame)) for event in connection.receive(frame[at : at + 1], 0)
        ]
        assert events == whole(frame), frame.hex()
        assert connection.size == 0 or any(isinstance(event, PartReceived) for event in events)


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        (b"", b"\x00\x01\x02"),
        (b"GET / HTTP/1.1\r\n", b""),
        (b"\x7d\x7d", b"\x7e\x7e\x7e"),
        (b"\xff" * 30, b"\x02\x00\x7d"),
    ],
)
def test_every_frame_with_garbage_around(
    vectors: dict[str, list[Vector]], before: bytes, behind: bytes
) -> None:
    """What is before a frame is refused by itself; what is behind it does not touch it."""
    for frame in framed(vectors):
        events = Connection().receive(before + frame + behind, 0.0)
        alone = whole(frame)
        if before:
            assert isinstance(events.pop(0), Refused)
        assert events[: len(alone)] == alone, frame.hex()
        following = Connection()
        following.receive(before + frame + behind, 0.0)
        assert Received in map(type, following.receive(b"\x7e" + HEARTBEAT, 0.0)), frame.hex()


HEARTBEAT = encode(Message(0x0002, "013912345678", 7, "2013", MESSAGES[0x0002].body()))


def test_bodies_with_bytes_behind_and_cut_anywhere(vectors: dict[str, list[Vector]]) -> None:
    """Nothing but `ProtocolError`."""
    refused = 0
    for number, vector in enumerate(vectors["frames"]):
        if number in UNREADABLE:
            continue
        came = sample_of(number, vector).came
        key = BODY_OF.get(number) or vector.get("body_of") or vector["message_id"]
        row = None if key is None else MESSAGES.get(int(key, 16))
        if row is None:
            continue
        for data in (came + b"\x00", came + b"\xff" * 9, *(came[:at] for at in range(len(came)))):
            for version in ("2011", "2013", "2019"):
                try:
                    body = row.read(data, version)
                    if not isinstance(body, Unknown):
                        row.write(body, version)
                except ProtocolError:
                    refused += 1
    assert refused


def test_frames_that_crash_others(vectors: dict[str, list[Vector]]) -> None:
    """The decode command tells all of them, and the encode command takes what it tells."""
    wrong = {}
    for number, vector in enumerate(vectors["must_not_crash"]):
        lines = Decoder().lines(bytes_of(vector))
        errors = [str(line["error"]) for line in lines if "error" in line]
        if errors:
            wrong[number] = errors
        for line in lines:
            if "error" not in line and "assembled_from" not in line:
                again = Encoder().frames(json.loads(json.dumps(line)))
                assert to_plain(decode(again, strict=False)) | {"frame": 0} == line | {"frame": 0}
    assert wrong.keys() == NO_FRAMES.keys(), wrong


def test_positions_are_on_earth(vectors: dict[str, list[Vector]]) -> None:
    """What is asserted of all of traccar's positions."""
    checked = 0
    for vector in vectors["must_not_crash"]:
        if "generic_asserts" not in (vector.get("expected") or {}):
            continue
        body = read_payload(payload_of(vector)).body
        for place in places_in(body):
            assert place.time_ms is not None
            assert FIRST_MS < place.time_ms < LAST_MS
            assert abs(place.lat) <= 90
            assert abs(place.lon) <= 180
            assert -12262 <= place.altitude_m <= 18000
            assert 0 <= place.speed_kmh <= 869 * KNOT_KMH
            assert 0 <= place.heading_deg <= 360
            checked += 1
    assert checked == POSITIONS


def places_in(value: Any) -> list[Location]:
    if isinstance(value, Location):
        return [value]
    if isinstance(value, LocationBatch):
        return [place for one in value.locations for place in places_in(one)]
    if isinstance(value, Fields):
        return [place for one in value.values.get("locations", ()) for place in places_in(one)]
    return []
