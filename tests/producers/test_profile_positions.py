"""A terminal's location to a position: datum, speed, satellites, and what is quarantined."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geofences.datum import Datum, convert
from producers.jt808.errors import ProtocolError
from producers.jt808.items import write_items
from producers.jt808.location import Location, LocationBatch
from producers.jt808.message import decode
from producers.profiles.positions import Quarantined, position_of
from producers.profiles.profile import Profile, load_profiles
from streams.position import Malformed, Position, decode_position, encode_position

TIME_MS = 1_795_266_467_000
RECEIVED_MS = TIME_MS + 4_000
STANDARD = load_profiles().standard("2013")


def location(
    *,
    status_bits: int = 0x003,
    lat: float = 29.81,
    lon: float = 121.52,
    altitude_m: int = 12,
    speed_kmh: float = 31.4,
    heading_deg: int = 270,
    time_ms: int | None = TIME_MS,
    items: Mapping[int, bytes] | None = None,
) -> Location:
    additional = write_items(items or {})
    return Location(
        *(0, status_bits, lat, lon, altitude_m, speed_kmh, heading_deg, time_ms, additional)
    )


def read(location: Location, profile: Profile = STANDARD) -> Position | Quarantined:
    return position_of(location, profile, "浙B12345", "13800001111", RECEIVED_MS, False)


def position(location: Location, profile: Profile = STANDARD) -> Position:
    told = read(location, profile)
    assert isinstance(told, Position)
    return told


def in_datum(datum: Datum) -> Profile:
    return dataclasses.replace(STANDARD, datum=datum)


def test_every_field() -> None:
    items = {0x01: bytes.fromhex("0003 0d40"), 0x03: bytes.fromhex("0141"), 0x31: b"\x0b"}
    sent = location(status_bits=0x303, items=items)
    assert position_of(sent, STANDARD, "浙B12345", "13800001111", RECEIVED_MS, True) == Position(
        truck_id="浙B12345",
        time_ms=TIME_MS,
        lon=121.52,
        lat=29.81,
        speed_kmh=31.4,
        heading_deg=270,
        altitude_m=12,
        mileage_km=20_000.0,
        located=True,
        satellites=11,
        loaded=True,
        backfill=True,
        terminal_id="13800001111",
        source="jt808",
        received_ms=RECEIVED_MS,
    )


def test_what_is_absent_is_null() -> None:
    told = position(location(status_bits=0x200))
    assert not told.located
    assert (told.satellites, told.mileage_km) == (None, None)
    assert (told.loaded, told.lifted, told.covered, told.load_kg) == (None,) * 4


@pytest.mark.parametrize("length", [0, 1, 2, 3, 5])
def test_an_item_of_another_length_is_not_the_standards(length: int) -> None:
    value = b"\x01" * length
    told = position(location(speed_kmh=6553.5, items={0x01: value, 0x03: value, 0x31: value}))
    assert told.mileage_km is None
    assert told.speed_kmh == (25.7 if length == 2 else None)
    assert told.satellites == (1 if length == 1 else None)


def test_the_recorders_speed_stands_in_for_none() -> None:
    recorder = {0x03: bytes.fromhex("0141")}
    assert position(location(items=recorder)).speed_kmh == 31.4
    assert position(location(speed_kmh=0.0, items=recorder)).speed_kmh == 0.0
    assert position(location(speed_kmh=6553.5, items=recorder)).speed_kmh == 32.1
    assert position(location(speed_kmh=6553.5)).speed_kmh is None
    assert position(location(speed_kmh=6553.5, items={0x03: b"\xff\xff"})).speed_kmh is None


@pytest.mark.parametrize(("heading", "expected"), [(0, 0), (360, 360), (361, None), (65535, None)])
def test_a_heading_that_is_none(heading: int, expected: int | None) -> None:
    assert position(location(heading_deg=heading)).heading_deg == expected


def test_encrypted_coordinates_are_quarantined() -> None:
    told = read(location(status_bits=0x023, time_ms=None))
    assert told == Quarantined(
        "encrypted_coordinates", "status bit 5: the coordinates are encrypted"
    )


@pytest.mark.parametrize("time_ms", [None, 946_684_799_999, 946_656_000_000])
def test_a_time_that_is_none_is_malformed(time_ms: int | None) -> None:
    """946,656,000,000 is 2000-01-01 00:00 in GMT+8, where terminals begin that have no fix yet."""
    told = read(location(time_ms=time_ms))
    assert isinstance(told, Quarantined)
    assert told.reason == "malformed"
    assert "time" in told.detail


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
@given(lon=st.floats(74, 134), lat=st.floats(4, 53))
def test_another_datum_is_converted(datum: Datum, lon: float, lat: float) -> None:
    reported = [float(one) for one in convert(lon, lat, "wgs84", datum)]
    told = position(location(lon=reported[0], lat=reported[1]), in_datum(datum))
    assert (told.lon, told.lat) == pytest.approx((lon, lat), abs=6e-8)


def test_the_shared_vectors(shared_dir: Path) -> None:
    vectors = json.loads((shared_dir / "vectors" / "gcj_vectors.json").read_bytes())["vectors"]
    for vector in vectors:
        source, _, target = vector["op"].partition("->")
        if target == "wgs84" and source in ("gcj02", "bd09"):
            given_, expected = vector["in"], vector["expect"]
            sent = location(lon=given_["lng"], lat=given_["lat"])
            told = position(sent, in_datum(source))
            assert (told.lon, told.lat) == pytest.approx(
                (expected["lng"], expected["lat"]), abs=1e-5
            )


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize(
    ("lon", "lat"), [(0.0, 0.0), (-181.0, 30.0), (121.5, 91.0), (2147.483647, -2147.483648)]
)
def test_the_quality_gate_sees_what_it_is_to_reject(datum: Datum, lon: float, lat: float) -> None:
    told = position(location(lon=lon, lat=lat), in_datum(datum))
    assert (told.lon, told.lat) == (lon, lat)


@given(
    st.builds(
        location,
        status_bits=st.integers(0, 2**32 - 1),
        lat=st.integers(-(2**31), 2**31 - 1).map(lambda raw: raw / 1e6),
        lon=st.integers(-(2**31), 2**31 - 1).map(lambda raw: raw / 1e6),
        altitude_m=st.integers(0, 65535),
        speed_kmh=st.integers(0, 65535).map(lambda raw: raw / 10),
        heading_deg=st.integers(0, 65535),
        time_ms=st.none() | st.integers(946_656_000_000, 4_102_415_999_000),
        items=st.dictionaries(st.integers(0, 255), st.binary(max_size=6)),
    ),
    st.sampled_from(list(load_profiles())),
    st.sampled_from(["wgs84", "gcj02", "bd09"]),
)
def test_whatever_a_terminal_sends_is_a_position_that_a_worker_reads(
    sent: Location, profile: Profile, datum: Datum
) -> None:
    told = read(sent, dataclasses.replace(profile, datum=datum))
    if isinstance(told, Position):
        again = decode_position(encode_position(told))
        assert not isinstance(again, Malformed), again
        assert again == told
    else:
        assert told.reason in ("encrypted_coordinates", "malformed")


def test_the_locations_of_the_shared_frames(shared_dir: Path) -> None:
    """Real ones, by every profile: each a position, or a time that is none."""
    frames = json.loads((shared_dir / "vectors" / "jt808_frames.json").read_bytes())["frames"]
    profiles = list(load_profiles())
    count = 0
    for told in frames:
        try:
            body = decode(bytes.fromhex(told["hex"]), strict=False).body
        except ProtocolError:
            continue
        batch = body.locations if isinstance(body, LocationBatch) else [body]
        for sent in batch:
            if isinstance(sent, Location):
                count += 1
                for profile in profiles:
                    result = read(sent, profile)
                    assert isinstance(result, Position) or sent.time_ms is None or sent.encrypted
    assert count > 40
