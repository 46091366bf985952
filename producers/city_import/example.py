"""A small city that does not exist, as an office would hand it over: spreadsheets with Chinese
headings, maps out of a map program (in GCJ-02), an export of a fleet platform (in WGS-84).

`mucktrack city new --example` writes it, to try and to copy from. One of its two trucks keeps to
its permit; the other leaves its route at night and tips in a field across the district's border.
"""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import pairwise
from math import atan2, ceil, cos, degrees, hypot, radians
from typing import Any

from geofences.datum import convert
from producers.exports.cells import Cell

NAME = "临江市"
MIDDLE = (121.3, 28.6)
DEGREE_M = 111_200.0
STEP_S = 10
SPEED_M_S = 10.0
BEGIN = datetime(2026, 3, 2, 21, 0)
"""Local time."""

Place = tuple[float, float]
"""East and north of the middle, in metres. The Lin river, at 0, is the border of the districts."""

SITE, TIP = (-4_000.0, -2_000.0), (-1_500.0, 3_500.0)
ROUTE: Sequence[Place] = (SITE, (-4_000, -500), (-2_500, 300), (-2_300, 2_000), TIP)
FIELD: Place = (2_600.0, 1_500.0)
WAY_TO_THE_FIELD: Sequence[Place] = (SITE, (-4_000, -500), (-2_500, 300), (600, 700), FIELD)
PLATES = ("浙Y·10001", "浙Y·10002", "浙Y·10003")

COMMAND = (
    "mucktrack city new CITY --name 临江市 --datum gcj02 --districts districts.geojson "
    "--sites sites.kml --sites sites.csv --routes routes.kml --zones zones.kml "
    "--trucks trucks.xlsx --permits permits.csv --speed-limit 60"
)
"""What makes a city of the example, run in its folder."""

_COLUMNS_TOML = """\
# What the columns of positions.csv mean: docs/files.md
order = "sorted"          # the platform exports truck by truck, newest first

[columns]
truck_id = { column = "车牌号", pattern = "^(..)·(.+)$" }
time_ms = "定位时间"
lon = "经度"
lat = "纬度"
speed_kmh = "速度(km/h)"
heading_deg = "方向"
loaded = { column = "载重状态", true = ["重车"], false = ["空车"] }
"""


def example() -> dict[str, bytes]:
    """The files by name."""
    west = [(-8_000, -6_000), (0, -6_000), (300, 0), (0, 6_000), (-8_000, 6_000)]
    east = [(0, -6_000), (8_000, -6_000), (8_000, 6_000), (0, 6_000), (300, 0)]
    town = [(-6_500, 1_500), (-4_500, 1_500), (-4_500, 3_500), (-6_500, 3_500)]
    school = [(-2_800, 800), (-1_900, 800), (-1_900, 1_500), (-2_800, 1_500)]
    yard = [(SITE[0] + x, SITE[1] + y) for x, y in ((-90, -70), (90, -70), (90, 70), (-90, 70))]
    return {
        "districts.geojson": _geojson(
            [
                ({"adcode": 990201, "name": "西岸区"}, west),
                ({"adcode": 990202, "name": "东岸区"}, east),
            ]
        ),
        "sites.kml": _kml(
            {
                "工地": [("滨江花园工地", {}, _area(yard))],
                "消纳场": [("北山消纳场", {}, _point(TIP))],
                "停车场": [("城南停车场", {}, _point((-6_000, -4_000)))],
            }
        ),
        "sites.csv": _csv(
            [
                ["场所名称", "半径(米)", "所属区", "开放时间", "容量(万方)", "联系人"],
                ["北山消纳场", "200", "西岸区", "18:00至次日6:00", "35", "张工"],
                ["城南停车场", "80", "西岸区", "全天", "", "李工"],
            ]
        ),
        "routes.kml": _kml(
            {"核准路线": [("滨江花园至北山", {"允许偏离(米)": "60"}, _line(ROUTE))]}
        ),
        "zones.kml": _kml(
            {
                "禁行区": [("老城禁行区", {"时段": "7:00-9:00；17:00-19:00"}, _area(town))],
                "限速区": [("学校限速区", {"限速": "40"}, _area(school))],
            }
        ),
        "trucks.xlsx": _xlsx(
            [
                ["临江市渣土运输车辆台账"],
                ["序号", "车牌号", "SIM卡号", "运输企业", "核定载质量(吨)"],
                [1, PLATES[0], 13800010001, "临江宏运渣土运输有限公司", 15.5],
                [2, PLATES[1], 13800010002, "临江宏运渣土运输有限公司", 15.5],
                [3, PLATES[2], 13800010003, "临江顺通运输有限公司", 18],
            ]
        ),
        "permits.csv": _csv(
            [
                ["核准文号", "车牌号", "工地", "消纳场", "运输路线", "有效期", "运输时段"],
                *(
                    ["临渣核〔2026〕001号", plate, "滨江花园工地", "北山消纳场", "滨江花园至北山",
                     "2026年1月1日至2026年12月31日", "20:00至次日6:00"]
                    for plate in PLATES[:2]
                ),
            ]
        ),
        "positions.csv": _csv(_positions()),
        "columns.toml": _COLUMNS_TOML.encode(),
    }  # fmt: skip


def _positions() -> list[Sequence[Cell]]:
    """As a platform exports them: each truck's newest first."""
    header = ["车牌号", "定位时间", "经度", "纬度", "速度(km/h)", "方向", "载重状态"]
    rows: list[Sequence[Cell]] = [header]
    for number, way in enumerate((ROUTE, WAY_TO_THE_FIELD)):
        begin = BEGIN + timedelta(minutes=20 * number)
        rows += reversed([_row(PLATES[number], begin, *one) for one in _haul(way)])
    return rows


def _haul(way: Sequence[Place]) -> list[tuple[int, Place, float, float, bool]]:
    """Seconds, place, speed, heading and load: waiting empty, loading, driving, tipping."""
    fixes: list[tuple[int, Place, float, float, bool]] = []
    second = 0

    def add(place: Place, speed_kmh: float, heading: float, loaded: bool) -> None:
        nonlocal second
        fixes.append((second, place, speed_kmh, heading, loaded))
        second += STEP_S

    for step in range(36):
        add(way[0], 0, 0, step >= 30)
    for (x, y), (to_x, to_y) in pairwise(way):
        steps = ceil(hypot(to_x - x, to_y - y) / (SPEED_M_S * STEP_S))
        heading = degrees(atan2(to_x - x, to_y - y)) % 360
        for step in range(1, steps + 1):
            share = step / steps
            add((x + share * (to_x - x), y + share * (to_y - y)), 36, heading, True)
    for step in range(24):
        add(way[-1], 0, 0, step < 12)
    return fixes


def _row(
    plate: str, begin: datetime, at: int, place: Place, speed: float, heading: float, loaded: bool
) -> Sequence[Cell]:
    lon, lat = _wgs84(place)
    moment = begin + timedelta(seconds=at)
    return [
        plate, f"{moment:%Y-%m-%d %H:%M:%S}", f"{lon:.6f}", f"{lat:.6f}",
        f"{speed:.1f}", f"{heading:.0f}", "重车" if loaded else "空车",
    ]  # fmt: skip


def _wgs84(place: Place) -> tuple[float, float]:
    lon, lat = MIDDLE
    return lon + place[0] / DEGREE_M / cos(radians(lat)), lat + place[1] / DEGREE_M


def _gcj02(place: Place) -> list[float]:
    lon, lat = convert(*_wgs84(place), "wgs84", "gcj02")
    return [round(float(lon), 6), round(float(lat), 6)]


def _geojson(areas: Sequence[tuple[Mapping[str, Any], Sequence[Place]]]) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": {
                "type": "Polygon",
                "coordinates": [[_gcj02(one) for one in (*ring, ring[0])]],
            },
        }
        for properties, ring in areas
    ]
    document = {"type": "FeatureCollection", "features": features}
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _coordinates(places: Sequence[Place]) -> str:
    text = " ".join(",".join(map(str, [*_gcj02(one), 0])) for one in places)
    return f"<coordinates>{text}</coordinates>"


def _point(place: Place) -> str:
    return f"<Point>{_coordinates([place])}</Point>"


def _line(places: Sequence[Place]) -> str:
    return f"<LineString>{_coordinates(places)}</LineString>"


def _area(ring: Sequence[Place]) -> str:
    inner = _coordinates([*ring, ring[0]])
    return f"<Polygon><outerBoundaryIs><LinearRing>{inner}</LinearRing></outerBoundaryIs></Polygon>"


def _kml(folders: Mapping[str, Sequence[tuple[str, Mapping[str, str], str]]]) -> bytes:
    """Placemarks with name, data and shape, in folders."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>',
    ]
    for folder, some in folders.items():
        lines.append(f"<Folder><name>{escape(folder)}</name>")
        for name, data, shape in some:
            told = "".join(
                f'<Data name="{escape(key)}"><value>{escape(value)}</value></Data>'
                for key, value in data.items()
            )
            lines.append(
                f"<Placemark><name>{escape(name)}</name><ExtendedData>{told}</ExtendedData>"
                f"{shape}</Placemark>"
            )
        lines.append("</Folder>")
    return ("\n".join([*lines, "</Document></kml>"]) + "\n").encode()


def _csv(rows: Sequence[Sequence[Cell]]) -> bytes:
    """With a byte order mark, by which Excel knows UTF-8."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def _xlsx(rows: Sequence[Sequence[Cell]]) -> bytes:
    """The least that is a workbook (ECMA-376): one sheet, texts in their cells."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    document = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{document}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{document}"><sheets>'
        '<sheet name="车辆" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{document}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>'
        + "".join(_sheet_row(number, row) for number, row in enumerate(rows, 1))
        + "</sheetData></worksheet>",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, part in parts.items():
            # A time of its own, so that the same example is the same bytes.
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, f'<?xml version="1.0" encoding="UTF-8"?>{part}')
    return content.getvalue()


def _sheet_row(number: int, row: Sequence[Cell]) -> str:
    cells = []
    for column, cell in zip("ABCDEFGH", row, strict=False):
        at = f'r="{column}{number}"'
        if isinstance(cell, str):
            cells.append(f'<c {at} t="inlineStr"><is><t>{escape(cell)}</t></is></c>')
        else:
            cells.append(f"<c {at}><v>{cell}</v></c>")
    return f'<row r="{number}">{"".join(cells)}</row>'
