"""City directories: what is read, and how faults are reported. The faults themselves, one by one,
are in test_loader_faults.py."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely
from city_files import (
    PERMIT,
    PERMIT_HEADER,
    TOML,
    Files,
    base,
    collection,
    feature,
    lines,
    permits,
    site_with,
    sites,
    square,
    toml,
    trucks,
    zone_with,
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
