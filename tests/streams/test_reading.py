"""Records read by compiled code: to the bit what decoding makes of them, or left to it."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.tracks import in_arrival_order, random_case
from tally import tally

from geofences.jit import records
from streams.batch import Batch
from streams.detect import Engine, PreparedCity
from streams.output import encode
from streams.passage import POSITION
from streams.position import (
    MAX_ARRAY,
    MAX_TIME_MS,
    MIN_TIME_MS,
    Position,
    decode_record,
    encode_array,
    encode_position,
)
from streams.reading.record import FIELDS, LONGEST_ID_BYTES, read_record
from streams.reading.tokens import EXACT_EXPONENT, EXACT_MANTISSA, ODD, is_exact, to_float
from streams.trucks import TruckTable

GOOD = '{"truck_id":"a","time_ms":1795266467000,"lon":121.5,"lat":29.8}'
FULL = (
    '{"truck_id":"浙B12345","time_ms":1795266467000,"lon":121.5,"lat":-29.805,"speed_kmh":31.5,'
    '"heading_deg":44,"altitude_m":7.25e1,"mileage_km":1234.5,"located":true,"satellites":9,'
    '"loaded":true,"lifted":false,"covered":null,"load_kg":17000,"backfill":true,'
    '"terminal_id":"013912345678","source":"jt808","received_ms":1795266468000}'
)
ARRAY = f" [{FULL} ,\n{GOOD}\t,\r{FULL}] "
BEFORE = f"[{GOOD},{FULL}]".encode()
NUMBERS = (
    "0", "-0", "0.0", "-0.0", "-0e5", "00", "01", "-01", "0.", ".5", "+1", "-", "1e", "1e+", "1e-",
    "1e5", "1E5", "1e+5", "1e-5", "1.5e22", "1e22", "1e23", "1e-22", "1e-23", "1e308", "1e309",
    "1e999", "1e-999", "1e0000", "1e00005", "5e-324", "2.2250738585072011e-308",
    "9007199254740991", "9007199254740992", "9007199254740993", "900719925474099.3",
    "9007199254740993e1", "123456789012345678", "1234567890123456789", "12345678901234567890",
    "0.123456789012345678", "0.12345678901234567", "121.54321098765432", "1.7976931348623157e308",
    "0.1", "0.30000000000000004", "8.5", "100000000000000000e-17", "1" * 30, "1." + "0" * 30,
    "0x1", "1_0", "1,0", "Infinity", "NaN", "-Infinity", "1 2", "1.2.3", "--1", "1-", "1e5.5",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-5", "99", "100",
    f"{MIN_TIME_MS - 1}", f"{MIN_TIME_MS}", f"{MAX_TIME_MS}", f"{MAX_TIME_MS + 1}",
    "1795266467000.0", "1.795266467e12", "true", "false", "null", "nul", "nulll", "True", "[]",
    "{}", '"1"', '""', '"a"',
)  # fmt: skip
NUMBER = r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?"
TEXTS: tuple[bytes, ...] = (
    b"", b" ", b"x" * 64, b"x" * 65, "渣".encode() * 64, "渣".encode() * 65,
    "\U0001f69b".encode() * 64, b"\\u0041", b"\\\\", b'\\"', b"\x00", b"\x1f", b"\x7f", b"a\nb",
    b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xc2\x80", b"\xc2", b"\xc2\x7f", b"\xc2\xc0",
    b"\xdf\xbf", b"\xe0\x9f\xbf", b"\xe0\xa0\x80", b"\xe0\xa0", b"\xe0\xa0\x7f", b"\xe0\xa0\xc0",
    b"\xe1\x80\x80", b"\xec\xbf\xbf", b"\xed\x9f\xbf", b"\xed\xa0\x80", b"\xee\x80\x80",
    b"\xef\xbf\xbf", b"\xef\xbb\xbfa", b"\xf0\x8f\xbf\xbf", b"\xf0\x90\x80\x80", b"\xf0\x90\x80",
    b"\xf1\x80\x80\x80", b"\xf3\xbf\xbf\xbf", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xff", b"\xf0\x90\x80\x7f", b"\xf0\x90\x7f\x80",
    b"\xe1\x80\xc0", b"\xf1\x80\xc0\x80", b"\xf1\x80\x80\xc0",
)  # fmt: skip


def columns(batch: Batch) -> tuple[list[str], list[bytes]]:
    """Ids in the order of first sight, and the bits of each column."""
    trucks = TruckTable()
    rows = batch.columns(trucks)
    return list(trucks.ids), [rows[name].tobytes() for name in POSITION.names or ()]


def is_read(value: bytes, record_ms: int = 7) -> bool:
    """Whether compiled code reads the record; what comes of it is in any case what is decoded.
    Others come before it and behind it, so that what it leaves behind would show."""
    read, decoded = Batch(), Batch()
    found = []
    for one in (BEFORE, value, GOOD.encode()):
        found.append(read.read(one, record_ms) is None)
        decoded.extend(decode_record(one), record_ms)
    assert (found[0], found[2]) == (True, True)
    assert len(read) == len(decoded)
    assert columns(read) == columns(decoded)
    return found[1]


def with_field(field: str, text: str) -> bytes:
    """A position with all fields, this one as said."""
    written = {name: json.dumps(one, ensure_ascii=False) for name, one in json.loads(FULL).items()}
    written[field] = text
    return ("{" + ",".join(f'"{name}":{one}' for name, one in written.items()) + "}").encode()


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        FULL,
        ARRAY,
        f"[{GOOD}]",
        f"  {GOOD}\n",
        GOOD.replace(",", " ,\n\t").replace(":", "\r: "),
    ],
)
def test_plain_records_are_read(text: str) -> None:
    assert is_read(text.encode())
    assert is_read(text.encode(), record_ms=MAX_TIME_MS)


def test_fields_may_come_in_any_order() -> None:
    random, fields = Random(1), list(json.loads(FULL).items())
    for _ in range(50):
        random.shuffle(fields)
        assert is_read(json.dumps(dict(fields), ensure_ascii=False).encode())
        some = dict(fields[: random.randrange(len(fields))])
        needed = {"truck_id", "time_ms", "lon", "lat"}
        assert is_read(json.dumps(some, ensure_ascii=False).encode()) == (needed <= set(some))


@pytest.mark.parametrize(
    "value",
    [
        b"", b" ", b"[]", b"{}", b"[{}]", b"null", b"0", b'"a"', b"[1]",
        b'{"tick_ms":1795266467000}',
        b"\xef\xbb\xbf" + GOOD.encode(), GOOD.encode() + b"x", GOOD.encode() + b"\x00",
        (GOOD + GOOD).encode(), f"[{GOOD}]]".encode(), f"[{GOOD},]".encode(), f"[,{GOOD}]".encode(),
        f"[{GOOD} {GOOD}]".encode(), f"[[{GOOD}]]".encode(), f"[{GOOD}}}".encode(),
        f"{{{GOOD}}}".encode(), GOOD.replace("}", ",}").encode(), GOOD.replace("{", "{,").encode(),
        GOOD.replace("}", ',"unknown":1}').encode(), GOOD.replace("}", ',"lat":29.8}').encode(),
        GOOD.replace("}", ',"lat":29.9}').encode(), GOOD.replace("}", ',"lon":null}').encode(),
        GOOD.replace("lat", "la").encode(), GOOD.replace("lat", "latt").encode(),
        GOOD.replace("lat", "la\\u0074").encode(), GOOD.replace('"lat"', "lat").encode(),
        GOOD.replace('"lat":', '"lat"').encode(), GOOD.replace('"lat":', '"lat"::').encode(),
        GOOD.replace('"lat"', "'lat'").encode(), GOOD.replace("}", "]").encode(),
        GOOD.replace('"a"', "null").encode(), GOOD.replace('"a"', "1").encode(),
        GOOD.replace('"a"', '""').encode(), GOOD.encode("utf-16"),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left(value: bytes) -> None:
    assert not is_read(value)


@pytest.mark.parametrize("field", FIELDS)
def test_each_value_in_each_field(field: str) -> None:
    read = [text for text in NUMBERS if is_read(with_field(field, text))]
    assert read or field in ("time_ms", "truck_id")


@pytest.mark.parametrize("field", ["truck_id", "terminal_id", "source", "loaded"])
def test_texts(field: str) -> None:
    shell = with_field(field, '"TEXT"')
    for text in TEXTS:
        is_read(shell.replace(b"TEXT", text))
        is_read(shell.replace(b"TEXT", b"a" + text + b"b"))
    assert is_read(shell.replace(b"TEXT", "浙B\U0001f69bé".encode())) == (field != "loaded")


@given(st.sampled_from(["truck_id", "source"]), st.binary(max_size=12))
def test_any_bytes_as_text(field: str, text: bytes) -> None:
    is_read(with_field(field, '"TEXT"').replace(b"TEXT", text))


@given(
    st.sampled_from(FIELDS),
    st.from_regex(r"-?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,4})?", fullmatch=True),
)
def test_any_number_in_any_field(field: str, text: str) -> None:
    is_read(with_field(field, text))


@given(st.integers(-EXACT_MANTISSA, EXACT_MANTISSA), st.integers(-EXACT_EXPONENT, EXACT_EXPONENT))
def test_floats_are_the_nearest(mantissa: int, exponent: int) -> None:
    assert is_exact(mantissa, exponent)
    if mantissa:
        assert to_float(mantissa, exponent) == float(f"{mantissa}e{exponent}")


def test_what_might_be_rounded_twice_is_not_read() -> None:
    assert not is_exact(EXACT_MANTISSA + 1, 0)
    assert not is_exact(-EXACT_MANTISSA - 1, 0)
    assert not is_exact(1, EXACT_EXPONENT + 1)
    assert not is_exact(1, -EXACT_EXPONENT - 1)


def test_nothing_is_read_past_the_end() -> None:
    """A record that is cut short is followed, in memory, by what it was cut from."""
    for text in (ARRAY.strip(), FULL, with_field("source", '"é渣\U0001f69b"').decode()):
        whole = np.frombuffer(text.encode(), np.uint8)
        for end in range(len(whole)):
            assert read(whole[:end])[0] == ODD
            is_read(bytes(whole[:end]))
        assert read(whole)[0] > 0


def read(value: Any, first: int = 0) -> tuple[int, Any, Any]:
    """The row behind the last, the rows and the ids, with room behind them that must stay."""
    rows = records(np.zeros(first + MAX_ARRAY + 1, POSITION))
    rows["truck"] = 5
    ids = np.zeros(MAX_ARRAY * LONGEST_ID_BYTES + 1, np.uint8)
    ends = np.zeros(len(rows) + 1, np.int64)
    row = read_record(value, rows, ids, ends, first, 0)
    assert (rows["truck"][first + MAX_ARRAY :] == 5).all()
    assert (rows["truck"][:first] == 5).all()
    return row, rows, ids


def test_arrays_up_to_the_longest() -> None:
    for count in (1, MAX_ARRAY - 1, MAX_ARRAY, MAX_ARRAY + 1):
        value = b"[" + b",".join([GOOD.encode()] * count) + b"]"
        row, _, _ = read(np.frombuffer(value, np.uint8), first=3)
        assert row == (3 + count if count <= MAX_ARRAY else ODD)
        assert is_read(value) == (count <= MAX_ARRAY)
    longest = GOOD.replace('"a"', '"' + "\U0001f69b" * 64 + '"').encode()
    row, _, ids = read(np.frombuffer(b"[" + b",".join([longest] * MAX_ARRAY) + b"]", np.uint8))
    assert row == MAX_ARRAY
    assert ids[-1] == 0


INTERESTING = b'"},0\xe6'


def test_every_byte_changed() -> None:
    value = FULL.encode()
    read = 0
    for place in range(len(value)):
        for byte in INTERESTING:
            read += is_read(value[:place] + bytes([byte]) + value[place + 1 :])
        is_read(value[:place] + value[place + 1 :])
        is_read(value[: place + 1] + value[place:])
    tally("records with a byte changed", read_all_the_same=read)
    assert read


@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_bytes_changed_at_random(random: Random, changes: int) -> None:
    value = bytearray(random.choice((FULL, ARRAY, GOOD)).encode())
    for _ in range(changes):
        place = random.randrange(len(value))
        kind = random.randrange(3)
        if kind == 0:
            value[place] = random.randrange(256)
        elif kind == 1:
            value[place : place + random.choice((1, 2, 20))] = b""
        else:
            value[place:place] = bytes(random.choices(INTERESTING, k=random.choice((1, 2, 8))))
        if not value:
            break
    is_read(bytes(value))


@given(st.binary(max_size=60))
def test_any_bytes(value: bytes) -> None:
    is_read(value)


@pytest.mark.parametrize("seed", range(6))
def test_an_engine_is_told_the_same(seed: int) -> None:
    """However positions are cut into records, some of them with a field that is not known."""
    city, tracks, random = random_case(seed)
    prepared = PreparedCity.of(city)
    positions = in_arrival_order(random, tracks)
    apart, together = Engine.live(prepared, 0, 1), Engine.live(prepared, 0, 1)
    expected = apart.process(positions, [MAX_TIME_MS] * len(positions))
    violations, rejected = [], []
    start = told = decoded = 0
    while start < len(positions):
        batch = Batch()
        for _ in range(random.randrange(1, 4)):
            size = random.choice((1, 1, 7, 100))
            piece = positions[start : start + size]
            start += len(piece)
            if piece:
                decoded += batch.read(_written(random, piece), MAX_TIME_MS) is not None
        outcome = together.process_batch(batch)
        violations += outcome.violations
        rejected += [(told + i, why) for i, why in outcome.rejected]
        told += len(batch)
    assert decoded
    assert list(map(encode, violations)) == list(map(encode, expected.violations))
    assert rejected == expected.rejected
    assert together.export() == apart.export()


def _written(random: Random, piece: Sequence[Position]) -> bytes:
    value = encode_position(piece[0]) if len(piece) == 1 else encode_array(list(piece))
    if random.random() < 0.3:
        return value.replace(b"{", b'{"unknown":[],', 1)
    return value
