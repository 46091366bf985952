"""Vendors' exports and tracks, invented ones: each folder of `exports` has a file as a vendor
writes it, the mapping of its columns, and what is to come out, written by hand."""

import json
import zipfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers import gpx_file
from producers.chunk import CHUNK_ELEMENTS, Chunk, InputFileError
from producers.exports import text_table, workbook
from producers.exports.parse import load_columns, parse_columns
from producers.exports.reading import AS_OURS, KINDS, Reading
from producers.files import check_file, open_positions, total_bytes
from producers.hints import watched
from streams.position import Malformed, Position, encode_position

EXPORTS = Path(__file__).parent / "exports"
TIMES = '[columns]\ntruck_id = "truck"\ntime_ms = "time"\nlon = "lon"\nlat = "lat"\n'
HEADER = ["truck", "time", "lon", "lat"]


def read(path: Path, reading: Reading) -> list[Chunk]:
    check_file(path, reading)
    return list(open_positions(path, reading))


def by(mapping: str, truck_id: str | None = None) -> Reading:
    return Reading(parse_columns(mapping.encode(), "map.toml"), truck_id)


def told(chunks: Sequence[Chunk]) -> list[tuple[int, Position | Malformed]]:
    return [pair for chunk in chunks for pair in zip(chunk.lines, chunk.elements, strict=True)]


def elements(chunks: Sequence[Chunk]) -> list[Position | Malformed]:
    return [element for _, element in told(chunks)]


def write(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", sorted(folder.name for folder in EXPORTS.iterdir()))
def test_golden(name: str) -> None:
    folder = EXPORTS / name
    mapping = folder / "map.toml"
    (file,) = (path for path in folder.iterdir() if path.suffix in KINDS)
    reading = Reading(load_columns(mapping)) if mapping.exists() else AS_OURS
    found = told(read(file, reading))
    expected = [json.loads(line) for line in (folder / "expected.jsonl").read_text().splitlines()]
    assert [line for line, _ in found] == [one["line"] for one in expected]
    for (_, element), one in zip(found, expected, strict=True):
        if "malformed" in one:
            assert element == Malformed(one["malformed"], one.get("truck_id"), one.get("time_ms"))
        else:
            position = Position(**one["position"])
            assert isinstance(element, Position), element
            # The published pairs of points of other datums have seven digits.
            assert (element.lon, element.lat) == pytest.approx(
                (position.lon, position.lat), abs=1e-7
            )
            element.lon, element.lat = position.lon, position.lat
            assert element == position


def xlsx(path: Path, sheet: str, shared: str = "") -> Path:
    """A workbook of one sheet, whose XML is given."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" '
        f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>'
        '<sheet name="轨迹" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" '
        f'Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs><xf numFmtId="0"/>'
        '<xf numFmtId="22"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'{shared}<worksheet xmlns="{main}"><sheetData>{sheet}'
        "</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    return path


def sheet_row(number: int, cells: Sequence[Any]) -> str:
    """A row of texts, numbers and, as `(days,)`, dates."""
    written = []
    for column, cell in zip("ABCDEFGH", cells, strict=False):
        at = f'r="{column}{number}"'
        if isinstance(cell, str):
            written.append(f'<c {at} t="inlineStr"><is><t>{cell}</t></is></c>')
        elif isinstance(cell, tuple):
            written.append(f'<c {at} s="1"><v>{cell[0]!r}</v></c>')
        elif cell is not None:
            written.append(f"<c {at}><v>{cell!r}</v></c>")
    return f'<row r="{number}">{"".join(written)}</row>'


def test_a_workbook(tmp_path: Path) -> None:
    """2026-05-01 is day 46143 of a workbook, and 21:30 is 43/48 of a day."""
    rows = [
        ["truck", "time", "lon", "lat", "note"],
        ["浙B12345", (46143.895833333336,), 121.55, 29.85, "x"],
        ["浙B12345", "2026-05-01 21:30:10", "121.55", "29.85"],
        ["浙B12345", True, 121.55],
        [20001.0, (46143.0,), 121.55, 29.85, None, "beyond the header"],
    ]
    body = "".join(sheet_row(number, cells) for number, cells in enumerate(rows, 1))
    path = xlsx(tmp_path / "e.xlsx", body)
    chunks = read(path, by('sheet = "轨迹"\n' + TIMES))
    first = Position("浙B12345", 1_777_642_200_000, 121.55, 29.85, source="file")
    found = elements(chunks)
    assert found[0] == first
    assert found[1] == Position("浙B12345", 1_777_642_210_000, 121.55, 29.85, source="file")
    assert isinstance(found[2], Malformed)
    assert found[3] == Position("20001", 1_777_564_800_000, 121.55, 29.85, source="file")
    assert [line for line, _ in told(chunks)] == [2, 3, 4, 5]
    assert json.loads(chunks[0].raw(0))["time"] == "2026-05-01 21:30:00"
    assert chunks[-1].bytes_read == total_bytes(path)
    lost_format = TIMES.replace('"time"', '{ column = "time", unit = "excel" }')
    path = xlsx(tmp_path / "f.xlsx", body.replace(' s="1"', ""))
    assert elements(read(path, by(lost_format)))[0] == first


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.xlsx", b"<html><table></table></html>", "not a readable workbook"),
        ("e.xls", "车牌\t时间\n".encode("gb18030"), "save as .xlsx or .csv"),
        ("e.xls", b"", "not a readable workbook"),
        ("e.xlsx", b"PK\x05\x06" + b"\0" * 18, "not a readable workbook"),
    ],
)
def test_what_is_no_workbook(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(InputFileError, match=message):
        read(write(tmp_path, name, content), by(TIMES))


def test_a_damaged_workbook_is_an_error_at_worst(tmp_path: Path) -> None:
    """The library ends its process over some of them."""
    folder = EXPORTS / "old-workbook"
    reading = Reading(load_columns(folder / "map.toml"))
    sound = (folder / "export.xls").read_bytes()
    random = Random(1)
    for _ in range(15):
        content = bytearray(sound)
        for _ in range(40):
            content[random.randrange(len(content))] = random.randrange(256)
        with suppress(InputFileError):
            read(write(tmp_path, "e.xls", bytes(content)), reading)
    with pytest.raises(InputFileError, match="it is damaged, or too large for memory"):
        read(write(tmp_path, "e.xls", sound[:4096]), reading)


def test_a_workbook_that_would_unfold_without_end(tmp_path: Path) -> None:
    far = sheet_row(1, [1]) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(InputFileError, match=f"spans {16384 * 1048576} cells"):
        read(xlsx(tmp_path / "far.xlsx", far), by(TIMES))
    path = xlsx(tmp_path / "big.xlsx", "")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/sharedStrings.xml", bytes(8 << 20))
    assert path.stat().st_size < 20_000
    workbook.refuse_bomb(path)
    with pytest.raises(InputFileError, match="unpacks to more than 8000000 bytes"):
        workbook.refuse_bomb(path, 8_000_000)


def test_a_workbook_whose_entities_would_unfold(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'
    cell = '<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row>'
    with pytest.raises(InputFileError):
        read(xlsx(tmp_path / "laughs.xlsx", cell, bomb), by(TIMES))


def test_parquet_of_any_columns(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    moment = datetime(2026, 5, 1, 21, 30)
    pq.write_table(
        pa.table(
            {
                "x": pa.array([0, 0]),
                "lat": pa.array([29.85, float("nan")]),
                "truck": pa.array(["浙B12345", "浙B12345"]).dictionary_encode(),
                "time": pa.array([moment, moment], pa.timestamp("ns")),
                "lon": pa.array([121550000, 121550000]),
                "box": pa.array([True, None]),
            }
        ),
        path,
    )
    mapping = TIMES.replace('lon = "lon"', 'lon = { column = "lon", unit = "1e-6 deg" }')
    mapping += 'covered = { column = "box", true = ["true"], false = ["false"] }\n'
    first, second = elements(read(path, by(mapping)))
    assert first == Position(
        "浙B12345", 1_777_642_200_000, 121.55, 29.85, covered=True, source="file"
    )
    assert isinstance(second, Malformed)
    with_zone = pa.array([moment], pa.timestamp("us", "UTC"))
    table = pa.table({"truck": ["A"], "time": with_zone, "lon": [1.0], "lat": [2.0]})
    pq.write_table(table, path)
    assert elements(read(path, by(TIMES))) == [
        Position("A", 1_777_671_000_000, 1.0, 2.0, source="file")
    ]
    days = {"truck": ["A"], "day": [date(2026, 5, 1)], "at": ["21:30"], "lon": [1.0], "lat": [2.0]}
    pq.write_table(pa.table(days), path)
    mapping = TIMES.replace('"time"', '["day", "at"]')
    assert elements(read(path, by(mapping))) == [
        Position("A", 1_777_642_200_000, 1.0, 2.0, source="file")
    ]


def csv_of(rows: Sequence[Sequence[object]]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in [HEADER, *rows])


def test_orders_hold_for_more_than_a_chunk(tmp_path: Path) -> None:
    count = 2 * CHUNK_ELEMENTS + 5
    rows = [("A", f"{1_777_642_200 + count - n}", 121.5, 29.8) for n in range(count)]
    path = write(tmp_path, "e.csv", csv_of(rows))
    seconds = TIMES.replace('"time"', '{ column = "time", unit = "s" }')
    for order in ("reversed", "sorted"):
        chunks = read(path, by(f'order = "{order}"\n{seconds}'))
        assert [line for line, _ in told(chunks)] == list(range(count + 1, 1, -1))
        assert chunks[0].lines[0] == count + 1
        assert json.loads(chunks[0].raw(0))["time"] == "1777642201"
        assert chunks[-1].bytes_read == total_bytes(path)
        assert max(len(chunk.elements) for chunk in chunks) == CHUNK_ELEMENTS


def test_sorted_keeps_the_order_of_equal_times(tmp_path: Path) -> None:
    rows = [
        ("B", "t", 1, 1),
        *((name, f"2026-05-01 21:30:0{n % 2}", 1, 1) for n, name in enumerate("ABCDEF")),
    ]
    path = write(tmp_path, "e.csv", csv_of(rows))
    found = elements(read(path, by('order = "sorted"\n' + TIMES)))
    assert [one.truck_id for one in found] == list("BACEBDF")


def test_the_truck_that_is_given_goes_before_all_others(tmp_path: Path) -> None:
    path = write(tmp_path, "e.csv", csv_of([("B", "2026-05-01 21:30", 1, 1)]))
    (found,) = elements(read(path, by(TIMES, "浙B1")))
    assert found.truck_id == "浙B1"
    without = TIMES.replace('truck_id = "truck"\n', "")
    with pytest.raises(InputFileError, match="says nothing of truck_id"):
        read(path, by(without))
    assert elements(read(path, by(without, "浙B1"))) == [found]


def test_what_is_not_in_the_encoding_spoils_its_own_row(tmp_path: Path) -> None:
    good = "浙B1,2026-05-01 21:30,1,1\n"
    for encoding in ("utf-8", "gb18030"):
        content = csv_of([]).encode() + good.encode(encoding) + b"\x81\xff,,,\xff\n"
        content += good.encode(encoding)
        path = write(tmp_path, "e.csv", content)
        chunks = read(path, by(f'encoding = "{encoding}"\n' + TIMES))
        first, bad, last = elements(chunks)
        assert first == last
        assert isinstance(bad, Malformed)
        assert json.loads(chunks[0].raw(1))["lat"] == "\\udcff"
    path = write(tmp_path, "e.csv", "车牌,t\n".encode("gb18030"))
    with pytest.raises(InputFileError, match=r'line 1 is not utf-8; set encoding .* "gb18030"'):
        read(path, by(TIMES))


@given(st.binary(max_size=300), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_behind_a_header(tmp_path: Path, content: bytes, encoding: str) -> None:
    path = write(tmp_path, "e.csv", csv_of([]).encode(encoding) + content)
    chunks = read(path, by(f'encoding = "{encoding}"\n' + TIMES))
    for chunk in chunks:
        for index in range(len(chunk.elements)):
            json.loads(chunk.raw(index))


@given(st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_an_error_at_worst(tmp_path: Path, content: bytes) -> None:
    for name in ("e.csv", "e.txt", "e.parquet", "e.gpx"):
        path = write(tmp_path, name, content)
        with suppress(InputFileError):
            read(path, by(TIMES))


def test_a_line_without_end(tmp_path: Path) -> None:
    good = "浙B1,2026-05-01 21:30,1,1\n"
    long = "x" * (3 * text_table.MAX_LINE) + "\n"
    chunks = read(write(tmp_path, "e.csv", csv_of([]) + good + long + good), by(TIMES))
    first, bad, last = elements(chunks)
    assert first == last
    assert isinstance(bad, Malformed)
    assert len(chunks[0].raw(1)) < 1000
    assert chunks[0].lines == (2, 3, 4)


def track(points: str) -> str:
    return f'<gpx version="1.1"><trk><name>A</name><trkseg>{points}</trkseg></trk></gpx>'


POINT = '<trkpt lat="29.85" lon="121.55"><time>2026-05-01T13:30:05Z</time></trkpt>\n'


def test_a_long_track_is_read_in_pieces(tmp_path: Path) -> None:
    path = write(tmp_path, "e.gpx", track(POINT * 25_000))
    chunks = read(path, AS_OURS)
    assert [len(chunk.elements) for chunk in chunks] == [10_000, 10_000, 5_000]
    assert chunks[0].bytes_read < chunks[-1].bytes_read == total_bytes(path)
    assert {one.truck_id for one in elements(chunks)} == {"A"}
    (found,) = {one.truck_id for one in elements(read(path, Reading(None, "浙B1")))}
    assert found == "浙B1"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no element found"),
        ("<kml></kml>", "its first element is 'kml'; expected is 'gpx'"),
        (track(POINT)[:-6], "not a readable GPX file"),
        (track("<trkpt>"), "mismatched tag"),
        (track("<a>" * 60 + "</a>" * 60), "more than 50 elements in each other"),
        ('<!DOCTYPE gpx [<!ENTITY a "x">]>' + track(POINT), "declares a document type"),
        ('<!DOCTYPE gpx SYSTEM "file:///etc/passwd">' + track(POINT), "declares a document type"),
        (track("&a;"), "undefined entity"),
        ('<?xml version="1.0" encoding="gb18030"?>' + track(POINT), "not a readable GPX file"),
        ('<?xml version="1.0" encoding="none"?>' + track(POINT), "not a readable GPX file"),
    ],
)
def test_what_is_no_gpx(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputFileError, match=message):
        read(write(tmp_path, "e.gpx", content), AS_OURS)


def test_a_text_without_end_in_a_track(tmp_path: Path) -> None:
    point = POINT.replace("2026", "2026" + "0" * 1_000_000)
    (found,) = elements(read(write(tmp_path, "e.gpx", track(point)), AS_OURS))
    assert isinstance(found, Malformed)
    chunk = gpx_file.read(tmp_path / "e.gpx", "A")
    assert len(next(chunk).raw(0)) < 2_000


FAULTS = {
    "x = ": "map.toml: is not TOML",
    'encodng = "x"\n'
    + TIMES: "map.toml: 'encodng' is no key here; allowed are encoding, delimiter",
    'encoding = "big5"\n'
    + TIMES: "encoding 'big5' is not known; allowed are 'utf-8', 'gb18030', 'utf-16'",
    'delimiter = "||"\n' + TIMES: "delimiter '||' is no delimiter; allowed is one character",
    'datum = "wgs"\n' + TIMES: "datum 'wgs' is not known; allowed are 'wgs84', 'gcj02', 'bd09'",
    'timezone = "Beijing"\n' + TIMES: "timezone 'Beijing' is not known; allowed are IANA names",
    'order = "down"\n'
    + TIMES: "order 'down' is not known; allowed are 'as_is', 'reversed', 'sorted'",
    "header = -1\n" + TIMES: "header -1 is out of range; allowed are 0 to 10000",
    "sheet = 0\n" + TIMES: "sheet 0 is no sheet; write its name, or its number from 1",
    'empty = "-"\n' + TIMES: "empty '-' is no list of texts",
    "columns = 1": "columns 1 is no table; write its keys under [columns]",
    TIMES + 'speed = "v"\n': "[columns]: 'speed' is no key here; allowed are truck_id, time_ms",
    TIMES + "speed_kmh = 4\n": "[columns.speed_kmh]: column 4 is no column; write its name",
    TIMES
    + 'speed_kmh = { column = "v", unit = "mph" }\n': "[columns.speed_kmh]: unit 'mph' is not "
    "known; allowed are 'km/h', '0.1 km/h', 'm/s', 'knots'",
    TIMES
    + 'speed_kmh = { column = "v", units = "m/s" }\n': "[columns.speed_kmh]: 'units' is no key",
    TIMES + 'loaded = "v"\n': "[columns.loaded]: true, false are missing; list the words",
    TIMES
    + 'loaded = { column = "v", true = ["重"], false = ["重"] }\n': "[columns.loaded]: true '重' "
    "is in `false` too; a word means one of them",
    TIMES + 'loaded = { column = "v", true = "重" }\n': "[columns.loaded]: true '重' is no list",
    TIMES + 'lon_lat = "p"\n': "[columns]: lon, lat are to be named both, or lon_lat instead",
    TIMES.replace('lat = "lat"\n', ""): "[columns]: lon, lat are to be named both",
    TIMES.replace('time_ms = "time"\n', ""): "[columns]: time_ms is missing",
    TIMES.replace('"time"', '["a", "b", "c"]'): "[columns.time_ms]: column ['a', 'b', 'c'] is no "
    'column; write its name, or ["date", "time"] of two',
    TIMES.replace('"time"', '{ column = "t", format = "yyyy-MM-dd" }'): "format 'yyyy-MM-dd' is no "
    "format; write e.g. %Y-%m-%d",
    TIMES.replace('"time"', '{ column = "t", unit = "us" }'): "unit 'us' is not known; allowed are "
    "'s', 'ms', 'excel'",
    TIMES.replace('"time"', '{ column = "t", unit = "s", format = "%s" }'): "are both given",
    TIMES.replace('"truck"', '{ fixed = "A", file_name = true }'): "[columns.truck_id]: column, "
    "fixed, file_name one of them is needed",
    TIMES.replace('"truck"', '{ file_name = "(" }'): "file_name '(' is no regular expression",
    TIMES.replace('"truck"', '{ column = "t", pattern = "(" }'): "pattern '(' is no regular",
}


@pytest.mark.parametrize("mapping", FAULTS)
def test_a_wrong_mapping_is_one_clear_error(mapping: str) -> None:
    with pytest.raises(InputFileError) as refused:
        by(mapping)
    assert FAULTS[mapping] in str(refused.value)
    assert str(refused.value).startswith("map.toml: ")
    assert "more)" not in str(refused.value)


def test_a_column_that_is_not_there_or_twice(tmp_path: Path) -> None:
    path = write(tmp_path, "e.csv", "truck,time,经度,lat\n")
    with pytest.raises(InputFileError) as refused:
        read(path, by(TIMES))
    assert str(refused.value) == (
        f"{path}: line 1: no column 'lon' (lon in map.toml); the file has 'truck', 'time', "
        "'经度', 'lat'"
    )
    path = write(tmp_path, "e.csv", "truck,time,lon,lon,lat\n")
    with pytest.raises(InputFileError, match=r"column 'lon' \(lon in map.toml\) is there 2 times"):
        read(path, by(TIMES))
    with pytest.raises(InputFileError, match=r"no sheet 'S' \(map.toml\); there are '轨迹'"):
        read(xlsx(tmp_path / "e.xlsx", ""), by('sheet = "S"\n' + TIMES))
    with pytest.raises(InputFileError, match=r"\[columns\] is missing or names none"):
        read(path, by(""))
    with pytest.raises(InputFileError, match="does not hold what the pattern looks for"):
        read(path, by(TIMES.replace('"truck"', '{ file_name = "^x" }')))


def test_an_ending_in_capitals(tmp_path: Path) -> None:
    content = csv_of([("A", "2026-05-01 21:30", 1, 1)])
    assert len(elements(read(write(tmp_path, "E.CSV", content), by(TIMES)))) == 1
    assert len(elements(read(write(tmp_path, "E.GPX", track(POINT)), AS_OURS))) == 1
    path = xlsx(tmp_path / "E.XLSX", sheet_row(1, HEADER))
    assert elements(read(path, by(TIMES))) == []


def test_files_that_a_mapping_is_not_for(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="--columns says others; give it without"):
        check_file(write(tmp_path, "e.jsonl", ""), by(TIMES))
    with pytest.raises(InputFileError, match="--truck says others"):
        check_file(write(tmp_path, "e.csv", ""), Reading(None, "A"))
    with pytest.raises(InputFileError, match=r"with --columns also in \.tsv, \.txt"):
        check_file(write(tmp_path, "e.txt", ""))


def test_the_example_of_the_docs_is_a_mapping() -> None:
    page = (ROOT / "docs" / "files.md").read_text()
    examples = [part for part in page.split("```")[1::2] if part.startswith("toml\n")]
    assert examples
    for example in examples:
        assert parse_columns(example.removeprefix("toml\n").encode(), "files.md").fields


def hints_of(path: Path, reading: Reading = AS_OURS) -> list[str]:
    hints: list[str] = []
    chunks = list(watched(path, open_positions(path, reading), reading.columns, hints.append))
    assert told(chunks) == told(list(open_positions(path, reading)))
    return hints


def times(path: Path, order: Sequence[int], trucks: str = "A") -> Path:
    rows = [(truck, f"{1_777_642_200 + second}", 1, 1) for truck in trucks for second in order]
    path.write_text(csv_of(rows))
    return path


def test_a_file_that_runs_backwards_is_told_once(tmp_path: Path) -> None:
    mapping = TIMES.replace('"time"', '{ column = "time", unit = "s" }')
    path = tmp_path / "e.csv"
    backwards = times(path, range(99, -1, -1), "AB")
    (hint,) = hints_of(backwards, by(mapping))
    assert hint == (
        f"{path}: 198 of 200 positions are older than one before of the same truck and are "
        'rejected as late: it runs backwards; write order = "reversed" in map.toml'
    )
    assert hints_of(backwards, by('order = "reversed"\n' + mapping)) == []
    assert hints_of(backwards, by('order = "sorted"\n' + mapping)) == []
    (hint,) = hints_of(times(path, range(30_000, 0, -1)), by(mapping))
    assert "9999 of 10000 positions" in hint
    forwards = times(path, range(100))
    assert hints_of(forwards, by(mapping)) == []
    (hint,) = hints_of(forwards, by('order = "reversed"\n' + mapping))
    assert hint.endswith('leave order = "reversed" out of map.toml')
    parts = times(path, [*range(60, 99), *range(40, 60), *range(40)])
    (hint,) = hints_of(parts, by(mapping))
    assert hint.endswith(
        'its parts are not in the order of time; write order = "sorted" in map.toml'
    )
    assert hints_of(times(path, [0, 3, 2, 5, 4, 7, 6]), by(mapping)) == []
    ours = [encode_position(Position("A", 1_777_642_200_000 - n, 1, 1)) for n in range(5)]
    (hint,) = hints_of(write(tmp_path, "e.jsonl", b"\n".join(ours)))
    assert 'read it by --columns with order = "sorted"' in hint


def test_a_file_that_is_misread_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "e.csv", csv_of([("A", "soon", 1, 1), ("A", "now", 1, 1)]))
    assert hints_of(path, by(TIMES)) == [
        f"{path}: 2 of 2 rows are malformed, the first in line 2: time_ms: 'soon' is no time; say "
        "its `format` or `unit`"
    ]
    assert hints_of(write(tmp_path, "e.csv", csv_of([])), by(TIMES)) == []


def test_plates_written_in_another_way_than_the_citys_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "e.csv", csv_of([("浙B·12345", "2026-05-01 08:00:00", 1, 1)]))
    reading = by(TIMES)

    def hints(trucks: Collection[str], reading: Reading = reading) -> list[str]:
        said: list[str] = []
        list(watched(path, open_positions(path, reading), reading.columns, said.append, trucks))
        return said

    (hint,) = hints({"浙B12345", "浙B00000"})
    assert "truck '浙B·12345' is unknown to the city, which has '浙B12345'" in hint
    assert hints({"浙B12345", "浙B·12345"}) == []
    assert hints({"浙B00000"}) == []
    pattern = TIMES.replace('"truck"', """{ column = "truck", pattern = '^(..)[^0-9A-Z]*(.+)$' }""")
    assert pattern != TIMES
    assert hints({"浙B12345"}, by(pattern)) == []
