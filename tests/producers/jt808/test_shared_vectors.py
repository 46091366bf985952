"""Frames of other projects' tests, with all that these assert of them (`shared_dir`).

Every claim is compared, or is in `vector_exceptions` with a reason; what has no name in the tables
of `vector_names` and is no exception is a failure, and so is an exception that holds after all.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from vector_claims import Claim, claim_of_expression, claims_of_json
from vector_exceptions import EXCEPTIONS, NO_FRAMES, NOT_THE_SAME_BYTES, UNREADABLE
from vector_names import EXPECTED, GO, LOCATION, YEZHIHAO, Names
from vector_names_smallchi import ITEMS, SMALLCHI
from vector_view import body_view, found, same, view

from producers.jt808.clock import FIRST_MS, LAST_MS
from producers.jt808.connection import Connection, PartReceived, Received, Refused
from producers.jt808.declared import Fields
from producers.jt808.dump import Decoder, Encoder
from producers.jt808.errors import ProtocolError
from producers.jt808.framing import flagged, unescape, unframed
from producers.jt808.header import bare_phone, read_header
from producers.jt808.location import Location, LocationBatch
from producers.jt808.message import Message, body_bytes, decode, encode, read_payload
from producers.jt808.messages import MESSAGES, Unknown
from producers.jt808.plain import to_plain

Vector = dict[str, Any]

BLOCKS = "235.[].value"
"""Item 0xEB: blocks by ids of their own."""
TRACCAR: Names = {
    "sat": "locations.[].items.49",
    "cardCode": "licence",
    "timezone": "locations.[].meanings.235",
    "result": ("waybill", "text"),
    "iccid": (f"meanings.{BLOCKS}|digits", "meanings.248.iccid"),
    "batteryLevel": (
        "meanings.228.percent",
        "meanings.212",
        "meanings.86.tenths*10",
        "percent",
    ),
    "battery": "meanings.105",
    "power": (f"locations.[].meanings.{BLOCKS}", "meanings.241"),
    "fuel2": f"meanings.{BLOCKS}|number",
    "charge": "meanings.247.state|charging",
    "imei": "meanings.246|int",
    "alarmLabel": "items.100.-16:",
    "steps": "meanings.248",
    "alarm": "alarm names",
    "temp1": "meanings.81.0|signed tenths",
    "dtcs": "meanings.160|spaced",
}
"""Where what traccar makes of a frame stands here."""

ALARM_BITS: dict[str, Callable[[Vector], bool]] = {
    "removing": lambda tree: not _block(tree, 0x89) & 1 << 12,
    "vibration": lambda tree: not _block(tree, 0xC5) & 1 << 6,
    "lowBattery": lambda tree: bool(tree["alarm_bits"] & 1 << 7),
}

BODY_OF = {147: "0x0200"}
"""Which they leave out."""
WITHOUT_KIND = {159: b"\xf7", 168: b"\xf7"}
"""Bodies of which their test leaves out the first byte."""
LENGTHS = {136: (29, 8), 156: (29, 47), 157: (29, 47)}
"""Items whose length is wrong, which their reader does not look at: where, and the right one."""
KNOT_KMH = 1.852
"""Their speeds are in knots."""
POSITIONS = 21
"""Two more are in a vendor's own content of 0x0900, which stays bytes."""
KNOWN = {*EXPECTED, "decoded_json", "attributes", "items", "fields", "additional"}


@dataclass(frozen=True, slots=True)
class Sample:
    """A vector that has been read: `tree` for its claims, `names` for their names."""

    tree: dict[str, Any]
    names: Names
    again: bytes
    """What is written of the message read, below flags and escapes."""
    came: bytes


@pytest.fixture(scope="module")
def vectors(shared_dir: Path) -> dict[str, list[Vector]]:
    text = (shared_dir / "vectors" / "jt808_frames.json").read_text("utf-8")
    loaded: dict[str, list[Vector]] = json.loads(text)
    return loaded


def source_of(vector: Vector) -> str:
    return str(vector["source"].get("repo")).partition("/")[2]


def bytes_of(vector: Vector) -> bytes:
    """Some are text, of other protocols."""
    return bytes.fromhex(vector["hex"]) if "hex" in vector else vector["ascii"].encode()


def payload_of(vector: Vector) -> bytes:
    """Without flags and escapes, which some have undone already."""
    inner = unframed(bytes_of(vector))
    undone = vector["structure"]["escaped_on_wire"] is False
    return inner if undone or source_of(vector) == "traccar" else unescape(inner)


def sample_of(number: int, vector: Vector) -> Sample:
    key = BODY_OF.get(number) or vector.get("body_of") or vector["message_id"]
    names = {"traccar": {}, "jt808-server": YEZHIHAO, "go-jt808": GO, "JT808": SMALLCHI}[
        source_of(vector)
    ]
    data = bytes.fromhex(vector["hex"])
    if key is None:
        header, _ = read_header(data)
        tree = {name: getattr(header, name) for name in header.__struct_fields__}
        tree |= {"bare_phone": bare_phone(header.phone)}
        return Sample({"header": tree}, names["header"], b"", b"")
    if "body_of" in vector or vector["message_id"] is None:
        data = bytearray(WITHOUT_KIND.get(number, b"") + data)
        if number in LENGTHS:
            at, right = LENGTHS[number]
            data[at] = right
        row = MESSAGES[int(key, 16)]
        body = row.read(bytes(data), "2013")
        return Sample(body_view(body), names[key], row.write(body, "2013"), bytes(data))
    payload = payload_of(vector)
    strict = False not in vector["structure"].values()
    message = read_payload(payload, strict=strict)
    _, start = read_header(payload[:-1])
    body = payload[start:-1]
    tree = view(message, int.from_bytes(payload[2:4], "big"), len(body))
    return Sample(tree, {**names.get("", {}), **names.get(key, {})}, body_bytes(message), body)


def claims_of(vector: Vector, names: Names) -> Iterator[tuple[Claim, Names]]:
    """All that is asserted, each with the names to look it up by."""
    expected = vector["expected"]
    for name, value in expected.items():
        if name in EXPECTED:
            yield Claim(name, (), value, f"expected.{name}"), EXPECTED
    for claim in claims_of_json(expected.get("decoded_json", {})):
        yield claim, names
    for claim in claims_of_json(expected.get("attributes", {})):
        yield replace(claim, name=f"attributes.{claim.name}"), names
    for claim in claims_of_json(expected.get("fields", {})):
        yield claim, names
    for claim in claims_of_json(expected.get("items") or {}):
        yield claim, {name: f"locations.[].{paths[0]}" for name, paths in LOCATION.items()}
    for name, value in expected.get("additional", {}).items():
        places = (ITEMS[name], f"location.{ITEMS[name]}")
        yield Claim(name, (), value, f"additional.{name}"), {name: places}
    for name, value in expected.get("traccar_attribute", {}).items():
        yield Claim(name, (), value, name), TRACCAR
    for asserted in vector["asserts_raw"]:
        if isinstance(asserted, dict):  # text repeats what `expected` has
            for claim in expressed(asserted):
                yield claim, names


def expressed(asserted: dict[str, Any]) -> Iterator[Claim]:
    """A whole item as JSON is a claim for each of its values."""
    claim = claim_of_expression(asserted["expr"], asserted["value"])
    if claim.name:
        yield claim
        return
    for one in claims_of_json(claim.value):
        yield replace(one, name=f"0x{claim.value['AttachInfoId']:02x}.{one.name}")


def holds(claim: Claim, names: Names, tree: dict[str, Any]) -> bool:
    paths = names.get(claim.name, ())
    if paths == "alarm names":
        names_of_alarms = claim.value.split(",")
        return all(name in ALARM_BITS and ALARM_BITS[name](tree) for name in names_of_alarms)
    claimed = claim.value
    if paths == "header.bare_phone":
        claimed = bare_phone(claimed)
    values = [
        value
        for path in ((paths,) if isinstance(paths, str) else paths)
        for value in found(tree, path, claim.indices)
    ]
    if claim.trimmed:
        values = [value.lstrip(claim.trimmed) for value in values]
    return any(same(claimed, value) for value in values)


def _block(tree: dict[str, Any], block: int) -> int:
    return int(next(one["value"] for one in tree["meanings"][0xEB] if one["id"] == block))


def test_every_claim_is_compared(
    vectors: dict[str, list[Vector]], record_property: Callable[[str, object], None]
) -> None:
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
    record_property("compared", compared)
    record_property("excepted", len(excepted))
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


def wire_of(vector: Vector) -> bytes:
    undone = vector.get("structure", {}).get("escaped_on_wire") is False
    if undone or (source_of(vector) == "traccar" and "hex" in vector):
        return flagged(payload_of(vector))
    return bytes_of(vector)


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


def test_framing(vectors: dict[str, list[Vector]]) -> None:
    """The bytes before the first flag are refused, the frame between the flags is unescaped."""
    for vector in vectors["framing"]:
        wire, expected = (bytes.fromhex(vector[name]) for name in ("wire", "unescaped_frame"))
        before, piece, behind = wire.split(b"\x7e")
        assert (before, behind) == (b"$$", b"")
        assert b"\x7e" + unescape(piece) + b"\x7e" == expected
