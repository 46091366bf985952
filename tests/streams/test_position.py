"""Whatever a record holds, it becomes positions, ticks and malformed elements: never an error."""

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.elements import MAX_ORIGINAL, original, originals
from streams.position import (
    MAX_ARRAY,
    Malformed,
    Position,
    Tick,
    convert,
    decode_position,
    decode_record,
    encode_array,
    encode_position,
    encode_tick,
)

FULL = Position(
    truck_id="浙B12345",
    time_ms=1_795_266_467_000,
    lon=121.5,
    lat=29.8,
    speed_kmh=31.5,
    heading_deg=44,
    altitude_m=7,
    mileage_km=1234.5,
    located=False,
    satellites=9,
    loaded=True,
    lifted=False,
    covered=True,
    load_kg=17_000,
    backfill=True,
    terminal_id="013912345678",
    source="jt808",
    received_ms=1_795_266_468_000,
)
GOOD = b'{"truck_id":"a","time_ms":1795266467000,"lon":121.5,"lat":29.8}'


def with_field(field: str, json_text: str) -> bytes:
    return GOOD[:-1] + f',"{field}":{json_text}}}'.encode()


def only(value: bytes) -> Any:
    elements = decode_record(value)
    assert len(elements) == 1
    return elements[0]


def test_what_is_written_is_read_again() -> None:
    assert decode_record(encode_position(FULL)) == [FULL]
    assert decode_record(encode_array([FULL, FULL])) == [FULL, FULL]
    assert decode_record(encode_tick(1_795_266_467_000)) == [Tick(1_795_266_467_000)]


def test_defaults() -> None:
    position = only(GOOD)
    assert (position.located, position.backfill) == (True, False)
    assert position.loaded is None
    assert position.speed_kmh is None


def test_unknown_fields_are_ignored_and_null_optionals_read() -> None:
    position = only(with_field("vendor", '{"deep":[1,2]}')[:-1] + b',"speed_kmh":null}')
    assert position == only(GOOD)


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b"", "not JSON"),
        (b" \n", "not JSON"),
        (b"[", "the array does not end"),
        (b"[}", "closes what is not open"),
        (GOOD + GOOD, "Extra data"),
        (b"[" + GOOD + b"] x", "something follows"),
        (b"[" + GOOD + b"][]", "something follows"),
        (b"[]", "an array of 0 positions"),
        (b"\xff\xfe\x00", "can't decode"),
        (GOOD.decode().encode("utf-16"), "can't decode"),
        (b"[" * 200_000, "the array does not end"),
        (with_field("lon", "NaN"), "NaN is not JSON"),
        (with_field("x", "[" * 5_000 + "]" * 5_000), "nested too deep"),
        (with_field("lon", "null"), "$.lon"),
        (with_field("lat", '"29.8"'), "$.lat"),
        (with_field("lat", "true"), "$.lat"),
        (with_field("time_ms", "1795266467000.5"), "$.time_ms"),
        (with_field("time_ms", "946684799999"), "$.time_ms"),
        (with_field("time_ms", "4102444800001"), "$.time_ms"),
        (with_field("time_ms", "1" * 5_000), "$.time_ms"),
        (with_field("truck_id", '""'), "$.truck_id"),
        (with_field("truck_id", '"' + "x" * 65 + '"'), "$.truck_id"),
        (with_field("truck_id", r'"\ud800"'), "surrogate pair - at `$.truck_id`"),
        (with_field("source", r'"\udfff"'), "surrogate pair - at `$.source`"),
        (with_field("loaded", "1"), "$.loaded"),
        (with_field("located", "null"), "$.located"),
        (with_field("satellites", "99999999999999999999"), "$.satellites"),
        (with_field("received_ms", "true"), "$.received_ms"),
        (with_field("speed_kmh", "1e999"), "finite number - at `$.speed_kmh`"),
        (b'{"tick_ms":true}', "tick: "),
        (rb'{"tick_ms":1795266467000,"\ud800":1}', "alone"),
        (b'"text"', "Expected `object`"),
        (b"null", "Expected `object`"),
    ],
)
def test_malformed_says_why(value: bytes, detail: str) -> None:
    element = only(value)
    assert isinstance(element, Malformed)
    assert detail in element.detail
    assert len(element.detail) < 400
    msgspec.json.encode(element)


def test_no_value() -> None:
    assert isinstance(decode_record(None)[0], Malformed)


def test_truck_and_time_of_a_malformed_are_kept_where_they_can_be_read() -> None:
    element = only(with_field("lon", '"east"'))
    assert (element.truck_id, element.time_ms) == ("a", 1_795_266_467_000)
    for broken in (rb'{"truck_id":"\ud800","time_ms":1}', b'{"truck_id":1,"time_ms":true}'):
        assert only(broken).truck_id is None
    assert only(b'{"truck_id":"b","time_ms":%d}' % 10**30).time_ms is None


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 400, "1" * 5_000, "-" + "1" * 5_000])
def test_coordinates_beyond_every_float_are_left_to_the_gate(number: str) -> None:
    position = only(with_field("lon", number))
    assert isinstance(position, Position)
    assert math.isinf(position.lon)
    assert (position.lon < 0) == number.startswith("-")


def test_repeated_keys_the_last_one_counts_on_either_path() -> None:
    assert only(b'{"lat":"x",' + GOOD[1:]) == only(GOOD)
    assert only(with_field("lat", "1")).lat == 1
    assert only(with_field("x", r'"\ud800"')[:-1] + b',"lat":1}').lat == 1


def test_byte_order_mark_is_passed_over() -> None:
    assert only(b"\xef\xbb\xbf" + GOOD) == only(GOOD)
    assert only(b"\xef\xbb\xbf[" + GOOD + b"]") == only(GOOD)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"nonsense",
        b'{"truck_id":"a"}',
        with_field("lon", "NaN"),
        with_field("x", "[" * 5_000 + "]" * 5_000),
        with_field("truck_id", r'"\ud800"'),
        with_field("truck_id", '"\xff"').replace("\xff".encode(), b"\xff"),
        with_field("time_ms", "1" * 5_000),
        GOOD + GOOD,
        b'{"truck_id":"],[}{","time_ms":0,"lon":1,"lat":2}',
        b"[" + GOOD + b"]",
        b'{"tick_ms":1795266467000}',
    ],
)
def test_a_bad_element_does_not_spoil_its_neighbours(bad: bytes) -> None:
    elements = decode_record(b"[" + GOOD + b", " + bad + b" ,\n" + GOOD + b"]")
    assert elements[0] == elements[2] == only(GOOD)
    assert isinstance(elements[1], Malformed)
    assert len(elements) == 3


def test_neighbours_do_not_change_the_verdict_of_an_odd_element() -> None:
    odd = with_field("x", '"\xff"').replace("\xff".encode(), b"\xff")
    assert isinstance(only(odd), Position)
    assert decode_record(b"[" + odd + b",1]")[0] == only(odd)


def test_arrays_longer_than_allowed_are_one_malformed() -> None:
    assert len(decode_record(b"[" + b",".join([GOOD] * MAX_ARRAY) + b"]")) == MAX_ARRAY
    assert isinstance(only(b"[" + b",".join([GOOD] * (MAX_ARRAY + 1)) + b"]"), Malformed)
    assert isinstance(only(b"[" + b",".join([b"0"] * (MAX_ARRAY + 1)) + b"]"), Malformed)


@pytest.mark.parametrize(
    "value",
    [
        b"x" * 10_000_000,
        b'"' + rb"\"" * 5_000_000,
        b"[" + rb"\"" * 5_000_000,
        b"[" + b"0," * 5_000_000,
        b"[" * 10_000_000,
        b"[" + b"[" * 3_000 + b"\xff" * 10_000_000,
    ],
    ids=["text", "quotes", "array-of-quotes", "zeros", "brackets", "bytes"],
)
def test_ten_megabytes_of_nonsense_are_one_malformed(value: bytes) -> None:
    assert isinstance(only(value), Malformed)
    assert len(msgspec.json.encode(originals(value, [0], MAX_ARRAY))) < 2 * MAX_ORIGINAL + 100


def test_a_long_field_is_read() -> None:
    assert only(with_field("vendor", '"' + "x" * 10_000_000 + '"')) == only(GOOD)


JSON_LIKE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from([1_795_266_467_000, "a", 121.5]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*Position.__struct_fields__, "tick_ms", "x", "\ud800"]),
            inner,
            max_size=8,
        )
    ),
    max_leaves=30,
)


def check_never_raises(value: bytes) -> None:
    elements = decode_record(value)
    assert elements
    shown = originals(value, range(len(elements)), MAX_ARRAY)
    assert len(shown) == len(elements)
    encoded = msgspec.json.encode(shown)
    assert b"\n" not in encoded
    json.loads(encoded)
    for element in elements:
        if isinstance(element, Malformed):
            json.loads(msgspec.json.encode(element))
        elif isinstance(element, Position):
            for text in (element.truck_id, element.terminal_id, element.source):
                assert text is None or text.encode()


@given(st.binary(max_size=200))
def test_any_bytes_never_raise(value: bytes) -> None:
    check_never_raises(value)


@given(st.lists(st.sampled_from([GOOD, b"[", b"]", b",", b'"', b"\\", b"{", b"}", b"\xff", b"0"])))
def test_any_pieces_of_json_never_raise(pieces: list[bytes]) -> None:
    check_never_raises(b"".join(pieces))


@given(JSON_LIKE, st.booleans())
def test_any_json_never_raises(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    check_never_raises(text.encode(errors="surrogatepass"))


@given(st.lists(JSON_LIKE, min_size=1, max_size=4))
def test_each_element_is_judged_as_if_alone(values: list[Any]) -> None:
    texts = [json.dumps(value).encode() for value in values]
    together = decode_record(b"[" + b",".join(texts) + b"]")
    assert repr(together) == repr([decode_position(text) for text in texts])


def test_lenient_conversion_reads_text() -> None:
    row = {"truck_id": "a", "time_ms": "1795266467000", "lon": "1.5", "lat": "2", "loaded": "1"}
    assert convert(row, strict=False) == Position("a", 1_795_266_467_000, 1.5, 2.0, loaded=True)
    assert isinstance(convert(row), Malformed)


def test_original_shows_json_as_it_was() -> None:
    assert (
        msgspec.json.encode(original(b'{"lon":1e999,\n "n":00}'))
        == rb'"{\"lon\":1e999,\n \"n\":00}"'
    )
    assert msgspec.json.encode(original(b'{"lon":1e999,\n "n":1}')) == b'{"lon":1e999,  "n":1}'
    half = rb'{"a":"\ud800"}'
    assert msgspec.json.decode(msgspec.json.encode(original(half))) == half.decode()
    assert original(b"nonsense") == "nonsense"
    assert original(b"\x00") == {"base64": "AA=="}
    assert original(b"\xff\x00") == {"base64": "/wA="}


def test_original_of_an_element() -> None:
    value = b"[" + GOOD + b', {"truck_id": 7}, NaN]'
    shown = originals(value, [1, 2], MAX_ARRAY)
    assert msgspec.json.encode(shown) == b'[{"truck_id": 7},"NaN"]'
    assert originals(None, [0], MAX_ARRAY) == [None]


def test_long_originals_are_cut_and_say_so() -> None:
    text = original("渣".encode() * 100_000)
    assert (text["cut"], text["length_bytes"]) == (True, 300_000)
    assert text["text"] == "渣" * (MAX_ORIGINAL // 3)
    binary = original(b"\xff" * 300_000)
    assert (binary["cut"], binary["length_bytes"]) == (True, 300_000)
    assert len(binary["base64"]) == -(-MAX_ORIGINAL // 3) * 4
