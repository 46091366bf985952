"""Files of positions are read whole, fast, and never with a traceback."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers import csv_file, jsonl_file
from producers.chunk import CHUNK_ELEMENTS, Chunk, InputFileError
from producers.files import check_file, open_positions, total_bytes
from streams.elements import MAX_ORIGINAL
from streams.position import Malformed, Position, decode_position, encode_position

GOOD = Position("浙B12345", 1_795_266_467_000, 121.5, 29.8, speed_kmh=31.5, loaded=True)
LINE = encode_position(GOOD)
HEADER = "truck_id,time_ms,lon,lat,speed_kmh,loaded,located,satellites\n"
ROW = "浙B12345,1795266467000,121.5,29.8,31.5,true,,\n"


def read(path: Path) -> list[Chunk]:
    return list(open_positions(path))


def elements(chunks: Sequence[Chunk]) -> list[Position | Malformed]:
    return [element for chunk in chunks for element in chunk.elements]


def lines(chunks: Sequence[Chunk]) -> list[int]:
    return [line for chunk in chunks for line in chunk.lines]


def originals(chunks: Sequence[Chunk]) -> list[Any]:
    return [
        msgspec.json.decode(msgspec.json.encode(chunk.original(index)))
        for chunk in chunks
        for index in range(len(chunk.elements))
    ]


def write(tmp_path: Path, name: str, content: bytes | str) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_jsonl_of_good_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "p.jsonl", (LINE + b"\n") * 25_000)
    chunks = read(path)
    assert elements(chunks) == [GOOD] * 25_000
    assert lines(chunks) == list(range(1, 25_001))
    assert chunks[-1].bytes_read == total_bytes(path)
    assert chunks[-1].raw(len(chunks[-1].elements) - 1) == LINE


@pytest.mark.parametrize("end", [b"\n", b"", b"\r\n", b"\n\n \n"])
@pytest.mark.parametrize("separator", [b"\n", b"\r\n", b"\n\n", b"\n \r\n\t\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_jsonl_blank_lines_and_line_ends(
    tmp_path: Path, start: bytes, separator: bytes, end: bytes
) -> None:
    other = LINE.replace(b"12345", b"99999")
    content = start + LINE + separator + b"broken" + separator + other + end
    chunks = read(write(tmp_path, "p.jsonl", content))
    found = elements(chunks)
    step = separator.count(b"\n")
    assert found[0] == GOOD
    assert isinstance(found[1], Malformed)
    assert isinstance(found[2], Position)
    assert found[2].truck_id == "浙B99999"
    assert lines(chunks) == [1, 1 + step, 1 + 2 * step]
    assert originals(chunks)[1].strip() == "broken"


def test_jsonl_objects_that_do_not_keep_to_their_lines(tmp_path: Path) -> None:
    content = LINE[:-1] + b"\n}\n" + LINE + LINE + b"\n" + LINE + b"\n"
    found = elements(read(write(tmp_path, "p.jsonl", content)))
    assert [type(element) for element in found] == [Malformed, Malformed, Malformed, Position]


def test_jsonl_holds_objects_only(tmp_path: Path) -> None:
    content = b"[" + LINE + b'{"tick_ms":1795266467000}\n'
    found = elements(read(write(tmp_path, "p.jsonl", content)))
    assert all(isinstance(element, Malformed) for element in found)


def test_jsonl_long_lines(tmp_path: Path) -> None:
    ten_megabytes = LINE[:-1] + b',"x":"' + b"y" * 10_000_000 + b'"}'
    too_long = LINE[:-1] + b',"x":"' + b"y" * 40_000_000 + b'"}'
    content = b"\n".join([LINE, ten_megabytes, LINE, too_long, LINE, b"z" * 300_000, too_long])
    path = write(tmp_path, "p.jsonl", content)
    chunks = read(path)
    found = elements(chunks)
    assert lines(chunks) == [1, 2, 3, 4, 5, 6, 7]
    assert found[0] == found[1] == found[2] == found[4] == GOOD
    assert isinstance(found[3], Malformed)
    assert str(len(too_long) + 1) in found[3].detail
    shown = originals(chunks)
    assert shown[3]["length_bytes"] == len(too_long) + 1
    assert shown[5] == {"text": "z" * MAX_ORIGINAL, "cut": True, "length_bytes": 300_000}
    assert shown[6]["cut"] is True
    assert chunks[-1].bytes_read == total_bytes(path)


def test_jsonl_chunks_of_faulty_lines_are_bounded(tmp_path: Path) -> None:
    chunks = read(write(tmp_path, "p.jsonl", b"0\n" * 50_000))
    assert max(len(chunk.elements) for chunk in chunks) == CHUNK_ELEMENTS
    assert lines(chunks) == list(range(1, 50_001))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from([LINE, b"\n", b"\r\n", b"{", b"}", b"x", b'"', b"\xff", b" "])))
def test_jsonl_in_blocks_is_what_it_is_line_by_line(tmp_path: Path, pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    chunks = read(write(tmp_path, "p.jsonl", content))
    expected = [
        (number, decode_position(line))
        for number, line in enumerate(content.split(b"\n"), 1)
        if line.strip(b" \t\r\n")
    ]
    assert list(zip(lines(chunks), elements(chunks), strict=True)) == expected


def test_csv(tmp_path: Path) -> None:
    chunks = read(write(tmp_path, "p.csv", "\ufeff" + HEADER + ROW * 10_001))
    assert elements(chunks) == [GOOD] * 10_001
    assert lines(chunks) == list(range(2, 10_003))
    assert [len(chunk.elements) for chunk in chunks] == [10_000, 1]
    assert originals(chunks)[0]["speed_kmh"] == "31.5"


def test_csv_reads_what_other_programs_write(tmp_path: Path) -> None:
    content = (
        "  truck_id , time_ms,lon,lat,loaded,satellites,driver\r\n"
        '"沪A,""1""",1795266467000.0, 121.5 ,29.8,False,12.0,x\r\n'
        "\r\n"
        "沪B,1795266467000,nan,-inf,0,,y"
    )
    chunks = read(write(tmp_path, "p.csv", content))
    first, second = elements(chunks)
    assert first == Position('沪A,"1"', 1_795_266_467_000, 121.5, 29.8, loaded=False, satellites=12)
    assert isinstance(second, Position)
    assert second.lon != second.lon
    assert second.loaded is False
    assert lines(chunks) == [2, 4]


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ("a,1795266467000,121.5", "3 cells; the header has 8"),
        ("a,1795266467000,121.5,29.8,,,,,,", "10 cells"),
        ('a,1795266467000,121.5,29.8,"x,,,', "not CSV"),
        ("a,,121.5,29.8,,,,", "time_ms"),
        (",1795266467000,121.5,29.8,,,,", "truck_id"),
        ("a,today,121.5,29.8,,,,", "$.time_ms"),
        ("a,1795266467000,121.5,29.8,,maybe,,", "$.loaded"),
        ("a,nan,121.5,29.8,,,,", "time_ms"),
        ("nan,1795266467000,121.5,29.8,inf,,,", "finite number"),
        ("a,1795266467000,121.5,29.8,,nan,,", "$.loaded"),
        ("a,1795266467000,121.5,29.8,,,,7.5", "$.satellites"),
        ("a" * 100_000, "a line of more than"),
        ("a,1795266467000,121.5,29.8," + "0" * 100_000, "a line of more than"),
    ],
)
def test_csv_bad_rows_are_malformed_and_the_rest_is_read(
    tmp_path: Path, row: str, detail: str
) -> None:
    chunks = read(write(tmp_path, "p.csv", HEADER + ROW + row + "\n" + ROW))
    first, bad, last = elements(chunks)
    assert first == last == GOOD
    assert isinstance(bad, Malformed)
    assert detail in bad.detail
    assert bad.time_ms in (None, GOOD.time_ms)
    assert lines(chunks) == [2, 3, 4]
    assert originals(chunks)[1]


@pytest.mark.parametrize("nan", ["nan", "NaN", " -NAN "])
def test_csv_nan_is_null_but_for_coordinates(tmp_path: Path, nan: str) -> None:
    header = "truck_id,time_ms,lon,lat,speed_kmh,load_kg,satellites,source\n"
    row = f"nan,1795266467000,{nan},29.8,{nan},{nan},{nan},nan\n"
    (element,) = elements(read(write(tmp_path, "p.csv", header + row)))
    assert isinstance(element, Position)
    assert element.lon != element.lon
    assert (element.speed_kmh, element.load_kg, element.satellites) == (None, None, None)
    assert (element.truck_id, element.source) == ("nan", "nan")


def test_tables_are_read_alike_and_json_strictly(tmp_path: Path) -> None:
    """Whole numbers as programs write a column of integers with gaps, and NaN."""
    content = "truck_id,time_ms,lon,lat,satellites,speed_kmh\n" + (
        "浙B12345,1795266467000.0,121.5,29.8,12.0,nan\nb,1795266468000.0,121,29,nan,3.5\n"
    )
    path = tmp_path / "p.parquet"
    columns = {
        "time_ms": pa.array([1_795_266_467_000.0, 1_795_266_468_000.0]),
        "satellites": pa.array([12.0, float("nan")]),
        "speed_kmh": pa.array([float("nan"), 3.5]),
    }
    pq.write_table(table(**columns), path)
    from_csv = elements(read(write(tmp_path, "p.csv", content)))
    assert from_csv == elements(read(path))
    assert [type(element) for element in from_csv] == [Position, Position]
    strict = encode_position(GOOD).replace(b"1795266467000", b"1795266467000.0")
    (element,) = elements(read(write(tmp_path, "p.jsonl", strict)))
    assert isinstance(element, Malformed)


def test_csv_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    content = HEADER.encode() + ROW.encode("gbk") + ROW.encode()
    chunks = read(write(tmp_path, "p.csv", content))
    bad, good = elements(chunks)
    assert isinstance(bad, Malformed)
    assert good == GOOD
    assert originals(chunks)[0]["truck_id"] == r"\xd5\xe3B12345"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200))
def test_csv_any_bytes_never_raise(tmp_path: Path, content: bytes) -> None:
    chunks = read(write(tmp_path, "p.csv", HEADER.encode() + content))
    assert len(originals(chunks)) == len(elements(chunks)) == len(lines(chunks))


def table(**columns: Any) -> pa.Table:
    start = {
        "truck_id": pa.array(["浙B12345", "b"]),
        "time_ms": pa.array([1_795_266_467_000, 1_795_266_468_000]),
        "lon": pa.array([121.5, 121]),
        "lat": pa.array([29.8, 29]),
    }
    return pa.table(start | columns)


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    columns = {
        "truck_id": pa.array(["浙B12345"] * 25_000).dictionary_encode(),
        "time_ms": pa.array([1_795_266_467_000] * 25_000),
        "lon": pa.array([121.5] * 25_000),
        "lat": pa.array([29.8] * 25_000),
        "speed_kmh": pa.array([31.5] * 25_000, pa.float32()),
        "loaded": pa.array([True] * 25_000),
        "located": pa.nulls(25_000, pa.bool_()),
        "terminal_id": pa.nulls(25_000),
        "vendor": pa.array([{"any": 1}] * 25_000),
    }
    pq.write_table(pa.table(columns), path)
    chunks = read(path)
    assert elements(chunks) == [GOOD] * 25_000
    assert lines(chunks) == list(range(1, 25_001))
    assert max(len(chunk.elements) for chunk in chunks) <= CHUNK_ELEMENTS
    assert chunks[-1].bytes_read == total_bytes(path)


def test_parquet_nan_is_null_but_for_coordinates(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    nan = float("nan")
    columns = {
        "speed_kmh": pa.array([nan, 3]),
        "satellites": pa.array([nan, 12.0]),
        "lon": pa.array([nan, 121]),
    }
    pq.write_table(table(**columns), path)
    chunks = read(path)
    first, second = elements(chunks)
    assert isinstance(first, Position)
    assert first.lon != first.lon
    assert (first.speed_kmh, first.satellites) == (None, None)
    assert isinstance(second, Position)
    assert (second.speed_kmh, second.satellites) == (3, 12)
    assert originals(chunks)[0]["lon"] is None


def test_parquet_bad_values_are_malformed(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    not_utf8 = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xd5\xe3", b"ok"]).buffers())
    columns = {"truck_id": not_utf8, "time_ms": pa.array([1_795_266_467_000, None])}
    pq.write_table(table(**columns), path)
    chunks = read(path)
    first, second = elements(chunks)
    assert isinstance(first, Malformed)
    assert isinstance(second, Malformed)
    assert "surrogate" in first.detail
    assert second.truck_id == "ok"
    assert originals(chunks)[0]["truck_id"] == r"\xd5\xe3"


def test_parquet_wrong_columns(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    for columns, message in (
        (table().drop_columns(["lat", "lon"]), "no column lon, lat"),
        (table(time_ms=pa.array([0, 1], pa.timestamp("ms"))), "column time_ms holds timestamp"),
        (table(loaded=pa.array([0, 1])), "column loaded holds int64; expected truth values"),
    ):
        pq.write_table(columns, path)
        with pytest.raises(InputFileError, match=message):
            open_positions(path)


def test_parquet_damaged(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(table(), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[4:60] = b"\x00" * 56
    path.write_bytes(content)
    with pytest.raises(InputFileError, match="not a readable Parquet file"):
        read(path)
    with pytest.raises(InputFileError, match="not a readable Parquet file"):
        read(write(tmp_path, "q.parquet", b"nonsense"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.txt", b"", "files of positions end in .jsonl, .csv, .parquet"),
        ("p.csv", b"", "no column truck_id, time_ms, lon, lat"),
        ("p.csv", b"\xff\xfet\x00r\x00", "no column truck_id"),
        ("p.csv", b'"truck_id', "line 1 is no header"),
        ("p.csv", b"truck_id,time_ms,lon\n", "no column lat"),
        ("p.csv", b"truck_id,time_ms,lon,lat,lon\n", "column lon is there more than once"),
        ("p.parquet", b"", "not a readable Parquet file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(InputFileError, match=message) as caught:
        check_file(path)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_missing_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="there is no such file"):
        open_positions(tmp_path / "p.jsonl")
    (tmp_path / "q.jsonl").mkdir()
    with pytest.raises(InputFileError, match="is a directory"):
        open_positions(tmp_path / "q.jsonl")


def test_empty_files_hold_nothing(tmp_path: Path) -> None:
    assert read(write(tmp_path, "p.jsonl", b"")) == []
    assert read(write(tmp_path, "q.jsonl", b"\xef\xbb\xbf")) == []
    assert read(write(tmp_path, "p.csv", HEADER)) == []


def test_limits_leave_room_for_what_terminals_send() -> None:
    assert jsonl_file.MAX_LINE_BYTES > 10_000_000
    assert 100 * len(ROW) < csv_file.MAX_LINE_BYTES


def test_shared_scenarios_are_read(shared_dir: Path) -> None:
    for path in sorted(shared_dir.glob("scenarios/*/positions.jsonl")):
        content = path.read_text().splitlines()
        found = elements(read(path))
        assert len(found) == len(content)
        for element, line in zip(found, content, strict=True):
            assert isinstance(element, Position) == ("time_ms" in json.loads(line))


def test_csv_with_bytes_where_a_number_is_wanted(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, at the end of what begins like a number."""
    row = ROW.encode()
    path = write(tmp_path, "p.csv", HEADER.encode() + row.replace(b"31.5", b"31.5\xc0") + row)
    bad, good = elements(read(path))
    assert isinstance(bad, Malformed)
    assert isinstance(good, Position)


def test_parquet_whose_columns_have_no_names(tmp_path: Path) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table(extra=pa.array([1, 2])), sink, store_schema=False)
    content = sink.getvalue().to_pybytes()
    assert b"extra" in content
    path = write(tmp_path, "p.parquet", content.replace(b"extra", b"\xff\xfe\x93\x00x"))
    with pytest.raises(InputFileError, match="not a readable Parquet file") as error:
        read(path)
    assert "\n" not in str(error.value)
