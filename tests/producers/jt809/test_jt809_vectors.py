"""Frames and bodies with the values that another project's tests assert."""

import re
from typing import Any

import pytest
from vectors809 import CIPHERS, NAMES, attribute, cipher_of, found, leaves, load, name_of, same

from producers.jt808.errors import ProtocolError
from producers.jt809.cipher import Cipher
from producers.jt809.connection import Connection, Received, Refused
from producers.jt809.fields import write
from producers.jt809.framing import unframe
from producers.jt809.header import read_header, write_header
from producers.jt809.message import (
    Message,
    OfVehicle,
    decode,
    encode,
    read_body,
    write_body,
)
from producers.jt809.routes import route_in
from producers.jt809.table import wrapping_of
from producers.jt809.vehicles import Route

ROUTES_WRITTEN = ("Demo5-Test_2019_1", "JT809_0x1600_0x1602Test-Test_2019_1")
ABSENT = {
    (case, name): reason
    for case in ROUTES_WRITTEN
    for name, reason in {
        "StartTime": "the route's property says that it has no times",
        "EndTime": "the route's property says that it has no times",
        "SectionHighestSpeed": "the first section's property says that it has none",
        "SectionOverspeedDuration": "the first section's property says that it has none",
    }.items()
} | {
    ("JT809_0x9500_0x9505Test-Test1", "AuthenticationCode"): "given as 808, which fills up to 20",
    ("JT809_0x1300_0x1302Test-Test_2019_2", "InfoID"): "0 by default; 2019 has none on the wire",
}
"""Asserted values that are not in the bytes, with the reason."""

ROUTE_NAMES = {
    "RouteId": ("id", 1),
    "RouteProperty": ("attributes", 1),
    "InflectionPointId": ("id", 1),
    "InflectionPointLat": ("lat_abs", 1_000_000),
    "InflectionPointLng": ("lon_abs", 1_000_000),
    "SectionDrivingUnderThreshold": ("shortest_s", 1),
    "SectionHighestSpeed": ("top_speed_kmh", 1),
    "SectionId": ("section_id", 1),
    "SectionLongDrivingThreshold": ("longest_s", 1),
    "SectionOverspeedDuration": ("overspeed_s", 1),
    "SectionProperty": ("attributes", 1),
    "SectionWidth": ("width_m", 1),
}
"""Their names for the fields of a route, and ours; how many of theirs make one of ours."""

COUNTED = {"Count", "GNSSCount", "ItemNum"}
LENGTHS = {"DataLength", "InfoLength", "MsgLength", "WarnLength"}
"""Read and checked, and not kept: they say how much else there is."""

HELPER_WRONG = {
    "GuoJian001Test-GuoJian001_2019_7": "unescaped, though the frame is shown unescaped already",
    "GuoJian001Test-GuoJian001_2019_8": "the same frame",
}
"""Deciphered bodies, asserted by no test, that are not what the CRC says."""

REFUSED = {
    "GuoJian001Test-GuoJian001_2019_5": "a photo that was not taken, with 36 bytes for a position",
    "JT809MessagePackReaderTest-DecodeTest1": "a body of 2019 (no plate) under a header of 2011",
    "JT809MessagePackReaderTest-DecodeTest2": "made to have a wrong CRC",
    "JT809MessagePackReaderTest-DecodeTest3": "made to have a wrong CRC",
}
"""Frames that must not crash, and cannot be read."""


@pytest.fixture(scope="session")
def vectors(shared_dir: Any) -> dict[str, Any]:
    return load(shared_dir)


def test_frames_decode_to_the_asserted_values(vectors: dict[str, Any]) -> None:
    checked = 0
    for case in vectors["frames"]:
        wire = bytes.fromhex(case["hex"])
        message = decode(wire, cipher_of=cipher_of)
        assert message.version == case["protocol_version"], name_of(case)
        header, _ = read_header(unframe(wire))
        assert header.length == case["structure"]["declared_len"]
        checked += _compare(case, message, header.length)
        assert encode(message, cipher_of(message.centre_id)) == wire, name_of(case)
    assert checked > 60


def test_bodies_decode_to_the_asserted_values(vectors: dict[str, Any]) -> None:
    checked = encoded = 0
    for case in vectors["bodies"]:
        data = bytes.fromhex(case["hex"])
        if "JT809HeaderTest" in name_of(case):
            header, rest = read_header(data, "2011")
            assert not rest
            checked += _compare(case, header, header.length)
            assert write_header(header) == data
            continue
        message_id, wrapped = _message_of(case, data)
        body = read_body(message_id, case["protocol_version"], wrapped)
        checked += _compare(case, body, len(data))
        assert write_body(message_id, case["protocol_version"], body) == wrapped, name_of(case)
        encoded += "encode test" in case.get("note", "")
    assert checked > 400
    assert encoded > 30


def test_what_must_not_crash_is_a_message_or_a_protocol_error(vectors: dict[str, Any]) -> None:
    refused = set()
    for case in vectors["must_not_crash"]:
        try:
            message = decode(bytes.fromhex(case["hex"]), cipher_of=cipher_of)
        except ProtocolError:
            refused.add(name_of(case))
            continue
        assert message.version == case["protocol_version"], name_of(case)
        told = case.get("helper_decrypt_not_asserted") or {}
        if told.get("plate_gbk"):
            assert isinstance(message.body, OfVehicle)
            assert message.body.plate == told["plate_gbk"]
            assert f"{message.body.sub_id:04x}" == told["sub_type"]
        if told and name_of(case) not in HELPER_WRONG:
            body = write_body(message.message_id, message.version, message.body)
            assert body.hex() == told["body_hex"], name_of(case)
    assert refused == REFUSED.keys()


def test_ciphers(vectors: dict[str, Any]) -> None:
    for case in vectors["cipher_vectors"]:
        cipher = Cipher(case["M1"], case["IA1"], case["IC1"])
        plain, secret = bytes.fromhex(case["plain"]), bytes.fromhex(case["cipher"])
        assert cipher.apply(case["key"], plain) == secret
        assert cipher.apply(case["key"], secret) == plain
    told = {(one["M1"], one["IA1"], one["IC1"]) for one in vectors["encrypt_options"].values()}
    assert told == {(one.m1, one.ia1, one.ic1) for one in CIPHERS.values()}


def test_byte_by_byte_and_with_bytes_behind(vectors: dict[str, Any]) -> None:
    for case in [*vectors["frames"], *vectors["must_not_crash"]]:
        wire = bytes.fromhex(case["hex"])
        if b"\x5b" in wire[1:] or b"\x5d" in wire[:-1]:
            continue  # shown unescaped: on a wire its marks would cut it
        whole = Connection(cipher_of=cipher_of).receive(wire)
        assert len(whole) == 1
        assert isinstance(whole[0], Refused) == (name_of(case) in REFUSED)
        slow = Connection(cipher_of=cipher_of)
        events = [event for byte in wire for event in slow.receive(bytes([byte]))]
        assert events == whole
        assert slow.size == 0
        trailed = Connection(cipher_of=cipher_of)
        first, *others = trailed.receive(wire + wire + wire[:20])
        assert [first, *others] == whole * 2
        assert trailed.receive(wire[20:]) == whole
        if isinstance(first, Received):
            noisy = Connection(cipher_of=cipher_of).receive(wire[:-3] + wire)
            assert isinstance(noisy[0], Refused)
            assert noisy[1:] == whole


def _compare(case: dict[str, Any], body: object, length: int) -> int:
    checked = 0
    name = name_of(case)
    asserted = [(one["expr"], one["value"]) for one in case.get("asserts_raw", ())]
    for expression, value in asserted or case.get("expected", {}).items():
        last = attribute(expression)
        if (name, last) in ABSENT or last == "hex" or expression in ("ToString(", "ToByteValue("):
            continue  # a shortened name stands in full in the other list
        data = body.data if isinstance(body, OfVehicle) else None
        if isinstance(data, Route):
            checked += 1
            assert _is_in_route(data, expression, value, exact=bool(asserted)), (name, expression)
            continue
        if (last in COUNTED or last in LENGTHS) and not _is_kept(last, body):
            checked += 1
            assert _sizes(last, body, value, length), (name, expression, value)
            continue
        checked += 1
        ours = found(body, expression, exact=bool(asserted))
        fits = any if not asserted else all
        assert ours, (name, expression)
        assert fits(same(one, value) for one in ours), (name, expression, value, ours)
    return checked


def _is_in_route(data: Route, expression: str, value: int, *, exact: bool) -> bool:
    route = route_in(data.route)
    assert route is not None
    if attribute(expression) == "Count":
        return len(route["points"]) == value
    field, per_unit = ROUTE_NAMES[attribute(expression)]
    number = re.search(r"\[(\d+)\]", expression)
    records = [route["points"][int(number[1])]] if number else [route, *route["points"]]
    found_there = [round(one[field] * per_unit) for one in records if field in one]
    return (all if exact else any)(one == value for one in found_there[: 1 if exact else None])


def _is_kept(name: str, body: object) -> bool:
    return name in NAMES and bool(found(body, name))


def _sizes(name: str, body: object, value: int, length: int) -> bool:
    """Whether what was counted is as many as asserted."""
    kept = list(leaves(body))
    if name in COUNTED:
        lists = [one for _, _, one in kept if isinstance(one, list)]
        return [len(one) for one in lists] == [value]
    if name == "DataLength" and isinstance(body, Message):
        assert isinstance(body.body, OfVehicle)
        return len(write(body.body.data)) == value
    if name == "MsgLength" and isinstance(body, Message):
        return length == value
    (content,) = [one for field, _, one in kept if field == "content"]
    return len(content.encode("gbk")) == value


def _message_of(case: dict[str, Any], data: bytes) -> tuple[int, bytes]:
    """The message a body is of, by the name of the test, and the whole of it: most tests have the
    sub message alone."""
    name = "0x1600_0x1602" if "Demo5" in name_of(case) else name_of(case)
    message_id, *sub_ids = [int(found, 16) for found in re.findall(r"0x([0-9A-F]{4})", name)]
    wrapping = wrapping_of(message_id, case["protocol_version"])
    if not sub_ids or wrapping is None:
        return message_id, data
    sub = sub_ids[0].to_bytes(2) + len(data).to_bytes(4) + data
    return message_id, sub if wrapping == "platform" else bytes(22) + sub
