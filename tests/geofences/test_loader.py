"""City directories: what is read, and each fault by its rendered line."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from city_files import (
    PERMIT_HEADER,
    TOML,
    TRUCK_HEADER,
    Files,
    base,
    collection,
    districts,
    feature,
    permits,
    routes,
    sites,
    square,
    trucks,
    zones,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geofences.city import City
from geofences.datum import convert
from geofences.hours import ALWAYS, Validity, Window
from geofences.loader import (
    KNOWN_FILES,
    CityError,
    city_version,
    load_city,
    parse_city,
    read_city,
    read_files,
)


def write(path: Path, files: Files) -> Path:
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def parsed(files: Files) -> City:
    city, findings = parse_city(files)
    assert [finding.render() for finding in findings] == []
    assert city is not None
    return city


def lines(files: Files) -> list[str]:
    """The rendered errors; the city must not load."""
    city, findings = parse_city(files)
    assert city is None
    return [finding.render() for finding in findings if finding.severity == "error"]


def test_a_whole_city() -> None:
    city = parsed(base())
    assert (city.name, city.admin_code, city.timezone) == ("测试", "330200", "Asia/Shanghai")
    assert city.speed_limit_kmh is None
    assert [(d.code, d.name) for d in city.districts] == [("330203", "西"), ("330205", "东")]
    construction, disposal = city.sites
    assert (construction.kind, construction.radius_m) == ("construction", 80)
    assert construction.validity == ALWAYS
    assert (disposal.district, disposal.capacity_m3, disposal.radius_m) == ("330205", 1000, 0)
    assert disposal.validity.windows == (Window(1260, 1800),)
    assert [(r.route_id, r.corridor_m) for r in city.routes] == [("R1", 80)]
    assert [(z.zone_id, z.kind, z.limit_kmh) for z in city.zones] == [("Z1", "speed_limit", 40)]
    assert [(t.truck_id, t.terminal_id, t.company, t.max_load_kg) for t in city.trucks] == [
        ("浙B1", "139", "甲", 15000),
        ("浙B2", None, None, None),
    ]
    (permit,) = city.permits
    assert permit.truck_ids == ("浙B1", "浙B2")
    assert (permit.source_site_ids, permit.disposal_site_ids) == (("C1",), ("D1",))
    assert (permit.route_ids, permit.districts) == (("R1",), ("330203", "330205"))
    dates = (date(2026, 1, 1), date(2026, 12, 31))
    assert permit.validity == Validity(*dates, (Window(1200, 1740),))


def test_all_but_two_files_may_be_absent() -> None:
    files = {name: base()[name] for name in ("city.toml", "districts.geojson")}
    city = parsed(files)
    assert (city.sites, city.routes, city.zones, city.trucks, city.permits) == ((), (), (), (), ())


def test_defaults_and_overrides() -> None:
    toml = """
        name = "n"
        admin_code = 330200
        timezone = "Asia/Urumqi"
        [defaults]
        speed_limit_kmh = 60
        [state]
        max_gap_s = 900
        [rules.off-route]
        min_s = 90
        severe_s = 1200.5
    """
    city = parsed({**base(), "city.toml": toml.encode()})
    assert (city.admin_code, city.timezone, city.speed_limit_kmh) == ("330200", "Asia/Urumqi", 60)
    assert city.state_overrides == {"max_gap_s": 900}
    assert city.rule_overrides == {"off-route": {"min_s": 90, "severe_s": 1200.5}}


def test_ids_sort_and_may_be_whole_numbers() -> None:
    shapes = [
        feature("Polygon", square(121.0 + i / 10, 29.0), code=code, name="x", extra=[1])
        for i, code in enumerate([330205, "330203", " 330201 "])
    ]
    city = parsed(
        {"city.toml": TOML, "districts.geojson": collection(*shapes), "trucks.csv": trucks()}
    )
    assert [d.code for d in city.districts] == ["330201", "330203", "330205"]


def test_lenient_where_nothing_is_in_doubt() -> None:
    """Byte order marks, CRLF, blank lines, more columns, altitudes, nulls, repeated entries."""
    flat = sites()
    flat[0]["geometry"]["coordinates"] = [121.05, 29.05, 12.5]
    flat[0]["properties"].update(hours=None, valid_from="", district=None, radius_m="80")
    files = base()
    files["sites.geojson"] = b"\xef\xbb\xbf" + collection(*flat)
    files["city.toml"] = b"\xef\xbb\xbf" + TOML
    files["trucks.csv"] = (
        "\ufeffcolour, truck_id ,terminal_id,company,max_load_kg\r\n"
        "yellow,浙B1,,,\r\n,,,,\r\n\r\nblue,浙B2,,,1.5e4\r\n"
    ).encode()
    files["permits.csv"] = permits("P1,浙B1; 浙B2;;浙B1,C1 ;C1,D1,R1,,,,")
    city = parsed(files)
    assert city.sites[0].shape == shapely.Point(121.05, 29.05)
    assert [t.max_load_kg for t in city.trucks] == [None, 15000]
    assert city.permits[0].truck_ids == ("浙B1", "浙B2")
    assert city.permits[0].source_site_ids == ("C1",)
    assert city.permits[0].districts == ()


def test_without_a_truck_register_any_truck_may_hold_a_permit() -> None:
    files = base()
    del files["trucks.csv"]
    assert parsed(files).permits[0].truck_ids == ("浙B1", "浙B2")


@pytest.mark.parametrize("key", ["sites", "sites.geojson"])
@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_a_file_in_another_datum_is_converted(key: str, datum: Any) -> None:
    files = base()
    files["city.toml"] = TOML + f'[datum]\n"{key}" = "{datum}"\nroutes = "wgs84"\n'.encode()
    city, plain = parsed(files), parsed(base())
    assert city.districts == plain.districts
    assert city.routes == plain.routes
    for site, given_site in zip(city.sites, plain.sites, strict=True):
        given_lon, given_lat = shapely.get_coordinates(given_site.shape).T
        back = convert(*shapely.get_coordinates(site.shape).T, "wgs84", datum)
        assert back[0] == pytest.approx(given_lon, abs=2e-9)
        assert back[1] == pytest.approx(given_lat, abs=2e-9)
        assert site.shape.geom_type == given_site.shape.geom_type
        assert site.radius_m == given_site.radius_m


def test_borders_shared_in_the_file_stay_shared_after_conversion() -> None:
    files = {**base(), "city.toml": TOML + b'[datum]\ndistricts = "gcj02"\n'}
    west, east = (district.shape for district in parsed(files).districts)
    assert west.intersection(east).area == 0
    assert west.intersection(east).length == pytest.approx(0.1, abs=1e-3)


def test_version_is_the_hash_of_the_known_files() -> None:
    files = base()
    version = parsed(files).version
    assert len(version) == hashlib.sha256().digest_size * 2
    assert version == city_version(dict(reversed(files.items()))) == city_version(files)
    assert parsed({**files, "notes.txt": b"x"}).version == version
    changed = {**files, "city.toml": TOML + b"# a comment\n"}
    assert parsed(changed).version != version
    fewer = {name: files[name] for name in files if name != "zones.geojson"}
    assert parsed(fewer).version != version
    assert city_version({"trucks.csv": b"ab"}) != city_version({"permits.csv": b"ab"})


def district_with(coordinates: Any, kind: str = "Polygon") -> Files:
    shape = feature(kind, coordinates, code="330206", name="x")
    return {"districts.geojson": collection(*districts(), shape)}


def site_with(**properties: Any) -> Files:
    """The third site, of kind construction, with some properties changed or (None) dropped."""
    values: dict[str, Any] = {"site_id": "S3", "name": "s", "kind": "construction", "radius_m": 50}
    values.update(properties)
    values = {key: value for key, value in values.items() if value is not None}
    return {"sites.geojson": collection(*sites(), feature("Point", [121.06, 29.06], **values))}


def route_with(coordinates: Any, kind: str = "LineString", **properties: Any) -> Files:
    shape = feature(kind, coordinates, route_id="R2", name="r", **properties)
    return {"routes.geojson": collection(*routes(), shape)}


def zone_with(**properties: Any) -> Files:
    values = {"zone_id": "Z2", "name": "z", "kind": "no_go", **properties}
    shape = feature("Polygon", square(121.02, 29.05, 0.01), **values)
    return {"zones.geojson": collection(*zones(), shape)}


def toml(text: str) -> Files:
    return {"city.toml": TOML + text.encode()}


DISTRICT = "districts.geojson: feature 3 '330206': "
SITE = "sites.geojson: feature 3 'S3': "
ROUTE = "routes.geojson: feature 2 'R2': "
ZONE = "zones.geojson: feature 2 'Z2': "
PERMIT = "permits.csv: line 2 'P2': "

FAULTS: list[tuple[Files, str]] = [
    # city.toml
    (
        {"city.toml": b'admin_code = "1"'},
        "city.toml: name is missing or empty; fill it in",
    ),
    ({"city.toml": b'name = "x"'}, "city.toml: admin_code is missing or empty; fill it in"),
    (
        {"city.toml": b'name = 1.5\nadmin_code="1"'},
        "city.toml: name 1.5 is no text; write a string",
    ),
    (
        {"city.toml": b"name = x"},
        "city.toml: is not TOML: Invalid value (at line 1, column 8); repair it",
    ),
    ({"city.toml": b'\n# \xff\nname="x"'}, "city.toml: is not UTF-8 in line 2; save it as UTF-8"),
    (
        toml("speed_limit = 60"),
        "city.toml: key 'speed_limit' is not known; allowed are name, admin_code, timezone, datum, "
        "defaults, state, rules",
    ),
    (
        toml("[defaults]\nspeed_limit = 60"),
        "city.toml: [defaults] key 'speed_limit' is not known; allowed are speed_limit_kmh",
    ),
    (
        toml("[defaults]\nspeed_limit_kmh = 5"),
        "city.toml: [defaults]: speed_limit_kmh 5 is out of range; allowed is above 5",
    ),
    (
        toml("[defaults]\nspeed_limit_kmh = inf"),
        "city.toml: [defaults]: speed_limit_kmh inf is not a finite number; write a plain number",
    ),
    (
        toml("defaults = 60"),
        "city.toml: defaults 60 is not a table; write its keys under [defaults]",
    ),
    (
        toml('timezone = "Asia/Ningbo"'),
        "city.toml: timezone 'Asia/Ningbo' is not known; allowed are IANA names such as "
        "Asia/Shanghai",
    ),
    (
        toml('timezone = "../etc/passwd"'),
        "city.toml: timezone '../etc/passwd' is not known; allowed are IANA names such as "
        "Asia/Shanghai",
    ),
    (
        toml('[datum]\nsites = "GCJ-02"'),
        "city.toml: [datum]: sites 'GCJ-02' is not known; allowed are wgs84, gcj02, bd09",
    ),
    (
        toml('[datum]\ntrucks = "gcj02"'),
        "city.toml: [datum]: trucks is no file with coordinates; allowed are districts, sites, "
        "routes, zones",
    ),
    (
        toml('[datum]\nsites = "gcj02"\n"sites.geojson" = "wgs84"'),
        "city.toml: [datum]: sites.geojson is given twice, with and without .geojson; keep one of "
        "them",
    ),
    (
        toml('[state]\nmax_gap_s = "600"'),
        "city.toml: [state]: max_gap_s '600' is not a finite number; write a plain number",
    ),
    (
        toml("[rules.off-route]\nmin_s = nan"),
        "city.toml: [rules.off-route]: min_s nan is not a finite number; write a plain number",
    ),
    (
        toml("[rules.off-route]\nmin_s = true"),
        "city.toml: [rules.off-route]: min_s True is not a finite number; write a plain number",
    ),
    (
        toml("[rules]\noff-route = 3"),
        "city.toml: rules.off-route 3 is not a table; write its keys under [rules.off-route]",
    ),
    # files as a whole
    (
        {"sites.geojson": b"{"},
        "sites.geojson: is not JSON: Expecting property name enclosed in double quotes: line 1 "
        "column 2 (char 1); repair it or export it again",
    ),
    (
        {"sites.geojson": b"[]"},
        "sites.geojson: is no GeoJSON FeatureCollection with a list of features; export it so",
    ),
    (
        {"zones.geojson": b'{"type": "FeatureCollection"}'},
        "zones.geojson: is no GeoJSON FeatureCollection with a list of features; export it so",
    ),
    (
        {"routes.geojson": b"\xff\xfe"},
        "routes.geojson: is not UTF-8 in line 1; save it as UTF-8",
    ),
    (
        {"districts.geojson": collection()},
        "districts.geojson: holds no district; a city needs at least one",
    ),
    (
        {"zones.geojson": collection(*zones(), 7)},
        "zones.geojson: feature 2: 7 is no GeoJSON feature with properties; repair or remove it",
    ),
    ({"trucks.csv": b"\n"}, "trucks.csv: is empty; give it a header, or remove the file"),
    (
        {"trucks.csv": f'{TRUCK_HEADER}\n浙B1,,,\n浙B2,"x'.encode()},
        "trucks.csv: is not CSV in line 3: unexpected end of data; repair the line",
    ),
    (
        {"trucks.csv": b"truck_id,terminal_id,company\n"},
        "trucks.csv: header: column 'max_load_kg' is missing; expected are truck_id,terminal_id,"
        "company,max_load_kg, and cells may be empty",
    ),
    (
        {"trucks.csv": f"{TRUCK_HEADER},company\n".encode()},
        "trucks.csv: header: column 'company' is there twice; expected are truck_id,terminal_id,"
        "company,max_load_kg, and cells may be empty",
    ),
    (
        {"trucks.csv": trucks("浙B1,,,", "浙B2,1")},
        "trucks.csv: line 3: has 2 cells, the header 4; repair the line",
    ),
    # ids
    (
        {"districts.geojson": collection(*districts(), districts()[0])},
        "districts.geojson: feature 3 '330203': code '330203' is the id of feature 1 too; make "
        "ids unique",
    ),
    (
        {"trucks.csv": trucks("浙B1,,,", "浙B2,,,", " 浙B1,,,")},
        "trucks.csv: line 4 '浙B1': truck_id '浙B1' is the id of line 2 too; make ids unique",
    ),
    (site_with(site_id=""), "sites.geojson: feature 3: site_id is missing or empty; fill it in"),
    (
        site_with(site_id=1.5),
        "sites.geojson: feature 3: site_id 1.5 is no text; write a string",
    ),
    (
        site_with(site_id="\ud800"),
        "sites.geojson: feature 3 '\\ud800': site_id '\\ud800' holds half of a surrogate pair; "
        "write whole characters",
    ),
    # properties
    (site_with(name=None), SITE + "name is missing or empty; fill it in"),
    (
        site_with(kind="dumpsite"),
        SITE + "kind 'dumpsite' is not known; allowed are construction, disposal, transfer, "
        "parking",
    ),
    (site_with(radius_m=None), SITE + "radius_m is missing; a Point needs its radius in metres"),
    (
        site_with(radius_m=0),
        SITE + "radius_m 0 is out of range; allowed is above 0 and at most 50000",
    ),
    (
        site_with(radius_m=1e9),
        SITE + "radius_m 1000000000.0 is out of range; allowed is above 0 and at most 50000",
    ),
    (
        site_with(radius_m="80 m"),
        SITE + "radius_m '80 m' is not a finite number; write a plain number",
    ),
    (
        site_with(capacity_m3=-1),
        SITE + "capacity_m3 -1 is out of range; allowed is at least 0",
    ),
    (
        site_with(hours="6-20"),
        SITE + "hours '6-20' is not a window; allowed is HH:MM-HH:MM, several joined by ';', e.g. "
        "21:00-06:00",
    ),
    (
        site_with(hours="06:00-06:00"),
        SITE + "hours '06:00-06:00' has equal ends; write 00:00-24:00 or nothing for all day",
    ),
    (
        site_with(hours=["06:00-20:00"]),
        SITE + "hours ['06:00-20:00'] is no text; write a string",
    ),
    (
        site_with(valid_from="2026-02-30"),
        SITE + "valid_from '2026-02-30' is not a date; write it as 2026-11-22, or leave it empty",
    ),
    (
        site_with(valid_to="20261122"),
        SITE + "valid_to '20261122' is not a date; write it as 2026-11-22, or leave it empty",
    ),
    (
        site_with(district="330299"),
        SITE + "district '330299' is not in districts.geojson; add it there or correct the id",
    ),
    (
        route_with([[121.0, 29.0], [121.1, 29.1]], corridor_m=0),
        ROUTE + "corridor_m 0 is out of range; allowed is above 0 and at most 50000",
    ),
    (
        zone_with(kind="slow"),
        ZONE + "kind 'slow' is not known; allowed are no_go, speed_limit",
    ),
    (
        zone_with(kind="speed_limit"),
        ZONE + "limit_kmh is missing; a speed_limit zone needs it",
    ),
    (
        zone_with(kind="speed_limit", limit_kmh=5),
        ZONE + "limit_kmh 5 is out of range; allowed is above 5",
    ),
    (
        {"trucks.csv": trucks("浙B1,,,15t", "浙B2,,,")},
        "trucks.csv: line 2 '浙B1': max_load_kg '15t' is not a finite number; write a plain number",
    ),
    (
        {"trucks.csv": trucks("浙B1,,,0", "浙B2,,,")},
        "trucks.csv: line 2 '浙B1': max_load_kg '0' is out of range; allowed is above 0",
    ),
    # geometry
    (
        district_with(
            [[[121.4, 31.2], [121.5, 31.3], [121.5, 31.2], [121.4, 31.3], [121.4, 31.2]]]
        ),
        DISTRICT + "geometry crosses itself at (121.45, 31.25); repair the polygon",
    ),
    (district_with([]), DISTRICT + "geometry is empty; draw it, or remove the feature"),
    (district_with([[]]), DISTRICT + "geometry is empty; draw it, or remove the feature"),
    (
        district_with(None),
        DISTRICT + "geometry has coordinates None; expected a list of rings",
    ),
    (
        district_with([[[121.2, 29.0], [121.3, 29.0], [121.3, 29.1]]]),
        DISTRICT + "geometry has 3 positions in ring 1; at least 4 are needed, the last like the "
        "first",
    ),
    (
        district_with([[[121.2, 29.0], [121.3, 29.0], [121.3, 29.1], [121.2, 29.1]]]),
        DISTRICT + "geometry is not closed in ring 1; repeat its first position at its end",
    ),
    (
        district_with([square(121.2, 29.0), [square(121.3, 29.0)[0][:-1]]], "MultiPolygon"),
        DISTRICT + "geometry is not closed in ring 1 of polygon 2; repeat its first position at "
        "its end",
    ),
    (
        district_with([square(121.2, 29.0), square(121.25, 29.0)], "MultiPolygon"),
        DISTRICT + "geometry crosses itself at (121.25, 29.1); repair the polygon",
    ),
    (
        district_with([[[29.0, 121.0], [29.1, 121.0], [29.1, 121.1], [29.0, 121.0]]]),
        DISTRICT + "geometry has [29.0, 121.0] as position 1 of ring 1; allowed are degrees, "
        "longitude (-180 to 180) before latitude (-90 to 90)",
    ),
    (
        district_with([[[float("nan"), 29.0]] * 4]),
        DISTRICT + "geometry has nan in position 1 of ring 1; expected a finite number of degrees",
    ),
    (
        district_with([[[10**400, 29.0]] * 4]),
        DISTRICT
        + f"geometry has 1{'0' * 78}… in position 1 of ring 1; expected a finite number of "
        "degrees",
    ),
    (
        district_with([[["121", "29"]] * 4]),
        DISTRICT + "geometry has '121' in position 1 of ring 1; expected a number of degrees",
    ),
    (
        district_with([[[121.0]] * 4]),
        DISTRICT + "geometry has [121.0] as position 1 of ring 1; expected [longitude, latitude]",
    ),
    (
        district_with([121.0, 29.0], "Point"),
        DISTRICT + "geometry has type 'Point'; allowed are Polygon, MultiPolygon",
    ),
    (
        route_with([[121.0, 29.0]]),
        ROUTE + "geometry has no length in the line; at least 2 different positions are needed",
    ),
    (
        route_with([[[121.0, 29.0], [121.1, 29.0]], [[121.0, 29.0]] * 2], "MultiLineString"),
        ROUTE + "geometry has no length in line 2; at least 2 different positions are needed",
    ),
    (
        route_with(square(121.0, 29.0), "Polygon"),
        ROUTE + "geometry has type 'Polygon'; allowed are LineString, MultiLineString",
    ),
    (
        {
            "zones.geojson": collection(
                *zones(),
                {"type": "Feature", "properties": {"zone_id": "Z2", "name": "z", "kind": "no_go"}},
            )
        },
        ZONE + "geometry is missing; draw a Polygon or MultiPolygon",
    ),
    # references
    (
        {"permits.csv": permits("P2,浙B9,,,,,,,")},
        PERMIT + "truck_ids '浙B9' is not in trucks.csv; add it there or correct the id",
    ),
    (
        {"permits.csv": permits("P2,浙B1,C9,,,,,,")},
        PERMIT + "source_site_ids 'C9' is not in sites.geojson; add it there or correct the id",
    ),
    (
        {"permits.csv": permits("P2,浙B1,,C1;D9,,,,,")},
        PERMIT + "disposal_site_ids 'D9' is not in sites.geojson; add it there or correct the id",
    ),
    (
        {"permits.csv": permits("P2,浙B1,,,R9,,,,")},
        PERMIT + "route_ids 'R9' is not in routes.geojson; add it there or correct the id",
    ),
    (
        {"permits.csv": permits("P2,浙B1,,,,330299,,,")},
        PERMIT + "districts '330299' is not in districts.geojson; add it there or correct the id",
    ),
    (
        {"permits.csv": permits("P2,浙B1,,,,,2026/11/22,,")},
        PERMIT + "valid_from '2026/11/22' is not a date; write it as 2026-11-22, or leave it empty",
    ),
    (
        {"permits.csv": permits("P2,浙B1,,,,,,,24:00-06:00")},
        PERMIT + "hours '24:00-06:00' has no such start; allowed is 00:00 to 23:59",
    ),
]


@pytest.mark.parametrize(("changes", "line"), FAULTS)
def test_each_fault_is_one_error(changes: Files, line: str) -> None:
    assert lines({**base(), **changes}) == [line]


@pytest.mark.parametrize("name", ["city.toml", "districts.geojson"])
def test_a_missing_file_is_named(name: str) -> None:
    files = base()
    del files[name]
    assert lines(files) == [f"{name}: is missing; a city directory needs it"]


def test_references_into_an_absent_file_dangle() -> None:
    files = base()
    del files["routes.geojson"]
    expected = "permits.csv: line 2 'P1': route_ids 'R1' is not in routes.geojson; add it there or "
    assert lines(files) == [expected + "correct the id"]


def test_every_fault_is_found_in_one_reading() -> None:
    files = {
        **base(),
        **toml('timezone = "x"\n[defaults]\nspeed_limit_kmh = 0\n'),
        **site_with(kind="x", radius_m=-1, hours="x", valid_from="x", district="x", name=None),
        **zone_with(kind="speed_limit", limit_kmh="fast"),
        "trucks.csv": trucks("浙B1,,,x", "浙B1,,,y", "浙B2"),
    }
    found = lines(files)
    assert len(found) == len(set(found)) == 12, found
    fields = ("timezone", "speed_limit_kmh", "name", "kind", "radius_m", "hours", "valid_from")
    for field in (*fields, "limit_kmh", "max_load_kg 'x'", "max_load_kg 'y'", "truck_id '浙B1' is"):
        assert sum(f": {field} " in line for line in found) == 1, field


def test_a_fault_is_not_told_again_as_a_dangling_reference() -> None:
    """References to a faulty site, and to a file that cannot be read, are no further errors."""
    faulty = sites()
    faulty[0]["properties"]["kind"] = "x"
    assert len(lines({**base(), "sites.geojson": collection(*faulty)})) == 1
    assert len(lines({**base(), "sites.geojson": b"{"})) == 1
    assert len(lines({**base(), "trucks.csv": b"\xff"})) == 1


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (
            "P2,浙B1,D1,,,,,,",
            "source_site_ids 'D1' is a disposal site; expected is construction",
        ),
        (
            "P2,浙B1,,C1,,,,,",
            "disposal_site_ids 'C1' is a construction site; expected is disposal or transfer",
        ),
    ],
)
def test_sites_of_an_unfit_kind_are_warned_of(row: str, line: str) -> None:
    city, findings = parse_city({**base(), "permits.csv": permits(row)})
    assert city is not None
    assert [finding.severity for finding in findings] == ["warning"]
    assert findings[0].render() == PERMIT + line


def test_a_permit_that_can_never_hold_loads() -> None:
    city = parsed({**base(), "permits.csv": permits("P2,浙B1,,,,,2026-02-01,2026-01-01,")})
    assert not city.permits[0].validity.can_ever_hold()


def test_reading_a_directory(tmp_path: Path) -> None:
    write(tmp_path, base())
    (tmp_path / "notes.txt").write_text("not read")
    assert read_files(tmp_path) == base()
    assert load_city(tmp_path) == parsed(base())
    assert set(base()) == set(KNOWN_FILES)


def test_a_misnamed_file_is_warned_of(tmp_path: Path) -> None:
    write(tmp_path, base())
    (tmp_path / "route.geojson").write_bytes(base()["routes.geojson"])
    city, findings = read_city(tmp_path)
    assert city is not None
    assert [finding.render() for finding in findings] == [
        "route.geojson: is not read; a city's files are city.toml, districts.geojson, "
        "sites.geojson, routes.geojson, zones.geojson, trucks.csv, permits.csv"
    ]


def test_no_directory(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", write(tmp_path, base()) / "city.toml"):
        city, findings = read_city(path)
        assert city is None
        expected = f"{path}: is no directory; name the directory that holds city.toml"
        assert [finding.render() for finding in findings] == [expected]


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, base())
    (tmp_path / "sites.geojson").unlink()
    (tmp_path / "sites.geojson").mkdir()
    city, findings = read_city(tmp_path)
    assert city is None
    path = tmp_path / "sites.geojson"
    assert [f.render() for f in findings] == [f"{path.name}: cannot be read: Is a directory"]


def test_load_city_raises_with_all_errors(tmp_path: Path) -> None:
    write(tmp_path, {**base(), **site_with(kind="x"), "city.toml": b""})
    with pytest.raises(CityError) as caught:
        load_city(tmp_path)
    assert len(caught.value.findings) == 3
    assert str(caught.value).splitlines() == [f.render() for f in caught.value.findings]


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_the_scenarios_cities_load(shared_dir: Path, name: str) -> None:
    city, findings = read_city(shared_dir / "scenarios" / name / "city")
    assert [finding.render() for finding in findings] == []
    assert city is not None
    assert len(city.districts) == 15
    assert len(city.sites) == 40


JUNK = st.sampled_from(
    [None, True, -1, 0, 10**400, 1.5, float("nan"), float("inf"), "", "x", "\ud800", "\x00", [], {},
     [[]], [1, 2], {"type": "Point"}, "2026-01-01", "00:00-24:00", ";", "Polygon"]
)  # fmt: skip


def spoil(value: Any, data: st.DataObject) -> Any:
    """`value` with one node, at some depth, replaced by junk or dropped."""
    if isinstance(value, dict | list) and value and data.draw(st.integers(0, 5)) > 0:
        key = data.draw(
            st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value)))
        )
        copy = value.copy()
        if data.draw(st.integers(0, 5)) == 0:
            del copy[key]
        else:
            copy[key] = spoil(value[key], data)
        return copy
    return data.draw(JUNK)


@given(st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_spoilt_json_gives_findings_and_no_traceback(data: st.DataObject) -> None:
    files = base()
    name = data.draw(st.sampled_from([n for n in files if n.endswith(".geojson")]))
    files[name] = json.dumps(spoil(json.loads(files[name]), data)).encode()
    city, findings = parse_city(files)
    assert (city is None) == any(finding.severity == "error" for finding in findings)
    for finding in findings:
        assert finding.render().startswith(f"{finding.file}: ")
        assert "\n" not in finding.render()


@given(st.sampled_from(KNOWN_FILES), st.data())
@settings(deadline=None)
def test_spoilt_bytes_give_findings_and_no_traceback(name: str, data: st.DataObject) -> None:
    files = base()
    content = files[name]
    at = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 20))
    files[name] = content[:at] + data.draw(st.binary(max_size=8)) + content[at + length :]
    city, findings = parse_city(files)
    assert (city is None) == any(finding.severity == "error" for finding in findings)


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b'{"a":' * 100_000, b"", b"\x00" * 10, b"1e999", b"a = " + b"[" * 10_000],
    ids=["lists", "objects", "empty", "zeros", "huge", "toml"],
)
@pytest.mark.parametrize("name", KNOWN_FILES)
def test_hostile_content_is_an_error(name: str, content: bytes) -> None:
    assert lines({**base(), name: content})


def test_the_header_of_permits_is_the_designs() -> None:
    assert permits().decode().strip() == PERMIT_HEADER
