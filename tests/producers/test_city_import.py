"""A city out of an office's spreadsheets and maps (`mucktrack city new`)."""

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geofences.city import City
from geofences.datum import convert
from producers.chunk import InputFileError
from producers.city_import import words
from producers.city_import.build import Made, Plan, make
from producers.city_import.example import MIDDLE, NAME, example
from producers.city_import.headings import HEADINGS, Heading, Subject, field_of
from producers.city_import.kml import placemarks
from producers.city_import.sources import Source

GIVEN: dict[Subject, Sequence[str]] = {
    "districts": ["districts.geojson"],
    "sites": ["sites.kml", "sites.csv"],
    "routes": ["routes.kml"],
    "zones": ["zones.kml"],
    "trucks": ["trucks.xlsx"],
    "permits": ["permits.csv"],
}


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """The example's files."""
    for name, content in example().items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def made_of(folder: Path, radius_m: float | None = None, **changed: Sequence[str]) -> Made:
    sources = {
        subject: [Source(folder / name, None, "gcj02") for name in names]
        for subject, names in {**GIVEN, **changed}.items()
    }
    return make(Plan(NAME, None, "Asia/Shanghai", None, radius_m, sources))


def city_of(folder: Path, **changed: Sequence[str]) -> City:
    made = made_of(folder, **changed)
    assert made.city is not None, [one.render() for one in made.findings]
    assert made.findings == []
    return made.city


def faults(folder: Path, **changed: Sequence[str]) -> list[str]:
    made = made_of(folder, **changed)
    assert made.city is None
    return [one.render() for one in made.findings]


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def table(path: Path, rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path.name


def test_the_example_is_the_city_that_it_tells_of(office: Path) -> None:
    city = city_of(office)
    assert (city.name, city.admin_code) == (NAME, "990200")
    assert [(one.code, one.name) for one in city.districts] == [
        ("990201", "西岸区"), ("990202", "东岸区"),
    ]  # fmt: skip
    sites = {site.site_id: site for site in city.sites}
    assert {name: site.kind for name, site in sites.items()} == {
        "滨江花园工地": "construction", "北山消纳场": "disposal", "城南停车场": "parking",
    }  # fmt: skip
    tip = sites["北山消纳场"]
    assert (tip.radius_m, tip.district, tip.capacity_m3) == (200, "990201", 350_000)
    assert [(one.start_min, one.end_min) for one in tip.validity.windows] == [(18 * 60, 30 * 60)]
    assert city.routes[0].corridor_m == 60
    assert {zone.name: (zone.kind, zone.limit_kmh) for zone in city.zones} == {
        "老城禁行区": ("no_go", None), "学校限速区": ("speed_limit", 40),
    }  # fmt: skip
    assert [(one.truck_id, one.terminal_id, one.max_load_kg) for one in city.trucks] == [
        ("浙Y10001", "13800010001", 15_500),
        ("浙Y10002", "13800010002", 15_500),
        ("浙Y10003", "13800010003", 18_000),
    ]
    (permit,) = city.permits
    assert permit.truck_ids == ("浙Y10001", "浙Y10002")
    assert permit.source_site_ids == ("滨江花园工地",)
    assert permit.disposal_site_ids == ("北山消纳场",)
    assert permit.route_ids == ("滨江花园至北山",)
    assert str(permit.validity.last) == "2026-12-31"


def test_coordinates_are_converted(office: Path) -> None:
    """The districts' common corner, 6 km south of the middle."""
    west = shapely.get_coordinates(city_of(office).districts[0].shape)
    assert abs(west - (MIDDLE[0], MIDDLE[1] - 6_000 / 111_200)).sum(axis=1).min() < 2e-6


def test_a_datum_must_be_said(office: Path) -> None:
    sources = {"districts": [Source(office / "districts.geojson")]}
    made = make(Plan(NAME, None, "Asia/Shanghai", None, None, sources))  # type: ignore[arg-type]
    assert made.city is None
    assert len(made.findings) == 1, "once for the file, not for each of its features"
    assert (
        made.findings[0]
        .render()
        .startswith(
            "districts.geojson: feature 1: geometry has coordinates, and nobody has said of which "
            "datum: give --datum wgs84"
        )
    )


def test_points_in_a_table_are_sites(office: Path) -> None:
    lon, lat = convert(MIDDLE[0] - 0.02, MIDDLE[1], "wgs84", "gcj02")
    rows = [
        ["2026年消纳场所一览"],
        [],
        ["编号", "场所名称", "类别", "经度", "纬度", "半径（m）", "有效期起", "有效期止"],
        ["X01", "南岭弃土场", "弃土场", f"{lon:.7f}", f"{lat:.7f}", "150", "2026/1/1", "长期"],
    ]
    name = table(office / "more.csv", rows, "gb18030")
    city = city_of(office, sites=[*GIVEN["sites"], name])
    site = next(site for site in city.sites if site.site_id == "X01")
    assert (site.name, site.kind, site.radius_m) == ("南岭弃土场", "disposal", 150)
    assert (str(site.validity.first), site.validity.last) == ("2026-01-01", None)
    assert abs(shapely.get_x(site.shape) - (MIDDLE[0] - 0.02)) < 1e-6


def test_english_headings_and_lists(office: Path) -> None:
    rows = [
        ["Permit Number", "Trucks", "Source Sites", "Routes", "Valid From", "valid_to", "Hours"],
        ["P1", "浙Y10001;浙Y10003", "", "", "20260101", "2026.12.31", "06:00-11:30;13:00-24:00"],
        ["", "浙Y10002", "", "", "", "", ""],
    ]
    rows[0][2] = "Sources"
    city = city_of(office, permits=[table(office / "p.csv", rows)])
    (permit,) = city.permits
    assert permit.truck_ids == ("浙Y10001", "浙Y10003", "浙Y10002")
    assert len(permit.validity.windows) == 2


def test_kmz_closed_lines_and_several_shapes(office: Path) -> None:
    """An area drawn as a line that ends where it began; two areas in one placemark."""
    text = (office / "zones.kml").read_text(encoding="utf-8")
    line = text.replace("<Polygon><outerBoundaryIs><LinearRing>", "<LineString>").replace(
        "</LinearRing></outerBoundaryIs></Polygon>", "</LineString>"
    )
    both = line.replace("<LineString>", "<MultiGeometry><LineString>", 1)
    shape = both[both.index("<LineString>") : both.index("</LineString>") + len("</LineString>")]
    shifted = shape.replace("121.2", "121.1")
    both = both.replace("</LineString>", f"</LineString>{shifted}</MultiGeometry>", 1)
    with zipfile.ZipFile(office / "zones.kmz", "w") as packed:
        packed.writestr("doc.kml", both)
    zones = city_of(office, zones=["zones.kmz"]).zones
    assert {zone.name: zone.shape.geom_type for zone in zones} == {
        "老城禁行区": "MultiPolygon", "学校限速区": "Polygon",
    }  # fmt: skip


def test_rings_are_closed_and_geojson_names_the_kind_by_its_file(office: Path) -> None:
    document = json.loads((office / "districts.geojson").read_text(encoding="utf-8"))
    ring = document["features"][0]["geometry"]["coordinates"][0]
    area = {"type": "Polygon", "coordinates": [ring[:-1]]}
    document["features"] = [{"type": "Feature", "properties": {"名称": "全城"}, "geometry": area}]
    (office / "禁行区.geojson").write_text(json.dumps(document), encoding="utf-8")
    (zone,) = city_of(office, zones=["禁行区.geojson"]).zones
    assert (zone.zone_id, zone.kind) == ("全城", "no_go")


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "permits.csv", "浙Y·10002,滨江花园工地", "浙Y·10002,滨江花园二期",
            "permits.csv: row 3: 工地 '滨江花园二期' is not among the sites; did you mean "
            "'滨江花园工地'?",
        ),
        (
            "permits.csv", "浙Y·10002", "浙Y·90002",
            "permits.csv: row 3: 车牌号 '浙Y90002' is not among the trucks; did you mean",
        ),
        (
            "permits.csv", "浙Y·10001", "浙江Y1",
            "permits.csv: row 2: 车牌号 '浙江Y1' is no plate; write it as 浙B12345 or 浙B·12345",
        ),
        (
            "permits.csv", "2026年12月31日", "2026年13月31日",
            "permits.csv: row 2: 有效期 '2026年1月1日至2026年13月31日' is no date",
        ),
        (
            "permits.csv", "20:00至次日6:00", "夜间",
            "permits.csv: row 2: 运输时段 '夜间' is no time of day; write it as 20:00-06:00",
        ),
        (
            "permits.csv", "2026年12月31日,20:00至次日6:00\n临", "2027年1月1日,20:00至次日6:00\n临",
            "permits.csv: row 3: valid_to '2026-12-31' differs from '2027-01-01', which "
            "permits.csv row 2 has for the same permit",
        ),
        (
            "permits.csv", "核准文号", "文号",
            "permits.csv: row 2: permit_id is missing; write it in 核准文号, 核准证号",
        ),
        (
            "permits.csv", "核准文号,车牌号,工地,消纳场,运输路线,有效期,运输时段",
            "甲,乙,丙,丁,戊,己,庚",
            "permits.csv: has no heading that is known for permits in its first lines",
        ),
        (
            "permits.csv", "工地,消纳场", "工地,起点",
            "permits.csv: row 1: 起点 is read as source_site_ids, and so is '工地'; rename one",
        ),
        (
            "sites.csv", "西岸区,18:00", "北岸区,18:00",
            "sites.csv: row 2: 所属区 '北岸区' is not among the districts; did you mean",
        ),
        (
            "sites.csv", "容量(万方)", "容量(斤)",
            "sites.csv: row 2: 容量(斤) '35' has the unit '斤' in its heading; allowed are m3",
        ),
        (
            "sites.csv", "北山消纳场", "北山",
            "sites.csv: row 2: name '北山' is on no map, and the row has no longitude and latitude",
        ),
        (
            "sites.kml", "<name>工地</name>", "<name>一</name>",
            "sites.kml: feature 1: kind is missing, and neither folder nor file name says it; "
            "allowed are words that hold one of: construction: construction, worksite",
        ),
        (
            "sites.kml", "城南停车场", "北山消纳场",
            "sites.kml: feature 3: name '北山消纳场' is that of sites.kml feature 2 too; leave",
        ),
        (
            "zones.kml", 'name="限速"><value>40', 'name="限速"><value>慢',
            "zones.kml feature 2: '学校限速区': limit_kmh '慢' is not a finite number",
        ),
        (
            "routes.kml", "<LineString>", "<LineString><coordinates>1,2</coordinates>",
            "routes.kml feature 1: '滨江花园至北山': geometry has no length in the line",
        ),
        (
            "districts.geojson", "990201", "99020",
            "districts.geojson: feature 1: adcode '99020' is no code of GB/T 2260; write its 6",
        ),
        (
            "districts.geojson", '"features": [', '"features": 1, "x": [',
            "districts.geojson: is no GeoJSON FeatureCollection with a list of features",
        ),
        (
            "sites.kml", "<kml", "<!DOCTYPE kml><kml",
            "sites.kml: is no readable KML: it declares a document type, which is refused",
        ),
    ],
)  # fmt: skip
def test_faults_name_file_row_heading_and_value(
    office: Path, file: str, old: str, new: str, told: str
) -> None:
    change(office / file, old, new)
    found = [line.replace(f"{office}/", "") for line in faults(office)]
    assert any(line.startswith(told) for line in found), found


def test_a_table_of_a_regulator(office: Path) -> None:
    """Columns that say their datum, codes of towns, ids without names; the kind is in the file's
    name."""
    rows = [
        ["facility_id", "district_code", "lng_wgs84", "lat_wgs84", "start_date", "end_date"],
        ["38b0bfa4", "990201002000", str(MIDDLE[0] - 0.03), str(MIDDLE[1]), "2026-01-01", ""],
    ]
    name = table(office / "disposal_sample.csv", rows)
    made = made_of(office, 150, sites=[*GIVEN["sites"], name])
    assert made.city is not None, [one.render() for one in made.findings]
    site = next(one for one in made.city.sites if one.site_id == "38b0bfa4")
    assert (site.name, site.kind, site.district) == ("38b0bfa4", "disposal", "990201")
    assert abs(shapely.get_x(site.shape) - (MIDDLE[0] - 0.03)) < 1e-7


def test_a_table_without_coordinates_is_one_fault(office: Path) -> None:
    rows = [["name", "easting"], ["甲", "1"], ["乙", "2"]]
    told = faults(office, sites=[*GIVEN["sites"], table(office / "more.csv", rows)])
    assert told == [
        "more.csv: has no column that is read as longitude, nor a row whose name or id is on a "
        "map; call its columns 经度, lon, lng, longitude and 纬度, lat, latitude, or draw what it "
        "tells of"
    ]


def test_a_load_without_a_unit_is_not_guessed(office: Path) -> None:
    rows = [["车牌", "载重"], ["浙Y10001", "15.5"], ["浙Y10002", "15.5吨"], ["浙Y10003", ""]]
    told = faults(office, trucks=[table(office / "t.csv", rows)])
    assert told == [
        "t.csv: row 2: 载重 '15.5' is no load in kg; write the unit in the heading: "
        "核定载质量(吨), or (kg)"
    ]


def test_two_rows_of_one_truck(office: Path) -> None:
    rows = [["车牌"], ["浙Y10001"], ["浙Y·10001（黄）"], ["浙Y10002"]]
    told = faults(office, trucks=[table(office / "t.csv", rows)])
    assert told[0].startswith(
        "t.csv row 3: '浙Y10001': truck_id '浙Y10001' is the id of line 2 too"
    )


def test_a_radius_for_all(office: Path) -> None:
    rows = [["名称", "类型", "经度", "纬度"], ["甲工地", "工地", "121.3", "28.6"]]
    name = table(office / "more.csv", rows)
    told = faults(office, sites=[*GIVEN["sites"], name])
    assert told[0].startswith("more.csv: row 2: radius_m is missing; a point needs its radius")
    made = made_of(office, 120, sites=[*GIVEN["sites"], name])
    assert made.city is not None
    assert {site.site_id: site.radius_m for site in made.city.sites}["甲工地"] == 120


def test_files_that_are_none(office: Path) -> None:
    (office / "broken.xlsx").write_bytes(b"no workbook")
    (office / "s.shp").write_bytes(b"")
    told = [line.replace(f"{office}/", "") for line in faults(
        office, trucks=["broken.xlsx", "absent.csv"], routes=["s.shp"]
    )]  # fmt: skip
    assert told[0].startswith("s.shp: is no file that is read for routes; allowed are .geojson")
    assert told[1].startswith("broken.xlsx: not a readable workbook")
    assert told[2] == "absent.csv: cannot be read: No such file or directory"
    absent = faults(office, trucks=["absent.xlsx"], routes=["absent.kml"], zones=["absent.json"])
    assert sum("cannot be read: No such file or directory" in line for line in absent) == 3


@pytest.mark.parametrize(
    "feature",
    [
        {"properties": [1], "geometry": None},
        {"properties": {"name": "a"}, "geometry": "POINT (1 2)"},
        {"properties": {"name": "a"}, "geometry": {"type": "GeometryCollection"}},
        {"geometry": {"type": "GeometryCollection", "geometries": [{"type": "Polygon"}] * 2}},
    ],
)
def test_features_that_are_none(office: Path, feature: Any) -> None:
    document = {"type": "FeatureCollection", "features": [feature]}
    (office / "odd.geojson").write_text(json.dumps(document), encoding="utf-8")
    told = faults(office, sites=["odd.geojson"])
    assert any(line.startswith("odd.geojson: feature 1: ") for line in told)


@given(st.text(alphabet='<>/kmlPoint coordinates"=1,2 \n&;', max_size=200))
def test_any_kml_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, inner: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.kml"
    path.write_text(f"<kml><Placemark>{inner}</Placemark></kml>", encoding="utf-8")
    try:
        placemarks(path)
    except InputFileError as error:
        assert "is no readable KML" in str(error)  # noqa: PT017


def test_no_heading_stands_for_two_fields() -> None:
    for subject, fields in HEADINGS.items():
        for field, names in fields.items():
            for name in names:
                assert field_of(subject, Heading.of(name)) == field, (subject, name)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("20:00至次日6:00", "20:00-06:00"),
        ("9：30～16：30，20时—6时", "09:30-16:30;20:00-06:00"),
        ("全天", ""),
        ("8点30分-11:30;13:00-24:00", "08:30-11:30;13:00-24:00"),
    ],
)
def test_hours(text: str, hours: str) -> None:
    assert words.hours(text) == hours


@pytest.mark.parametrize("text", ["2026-03-09", "2026/3/9", "2026年3月9日", "20260309", 46090.0])
def test_days(text: str | float) -> None:
    assert words.day(text) == "2026-03-09"
