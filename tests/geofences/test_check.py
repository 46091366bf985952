"""The warnings of the city check, on small cities made to have them."""

from pathlib import Path
from typing import Any

import pytest
from city_files import TOML, Files, base, collection, districts, feature, permits, sites, square
from hypothesis import given, settings
from hypothesis import strategies as st

from geofences.check import MAX_OF_A_KIND, check_city
from geofences.check_borders import check_borders
from geofences.city import City
from geofences.datum import DATUMS, Datum, convert
from geofences.findings import Report
from geofences.loader import load_city, parse_city

SQUARE_KM2 = 9.727 * 11.08
"""0.1 by 0.1 degree at latitude 29.05."""


def loaded(files: Files) -> City:
    city, findings = parse_city(files)
    assert city is not None, [finding.render() for finding in findings]
    return city


def warnings(files: Files) -> list[str]:
    findings = check_city(loaded(files))
    assert all(finding.severity == "warning" for finding in findings)
    return [finding.render() for finding in findings]


def of_districts(*shapes: tuple[str, Any]) -> Files:
    """A city of nothing but districts, each a code and polygon coordinates."""
    features = [feature("Polygon", shape, code=code, name=code) for code, shape in shapes]
    return {"city.toml": TOML, "districts.geojson": collection(*features)}


def rectangle(west: float, south: float, east: float, north: float) -> list[list[list[float]]]:
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def area_m2(line: str, before: str) -> float:
    return float(line.split(before)[1].split(" m²")[0].replace(",", ""))


def test_a_faultless_city() -> None:
    assert warnings(base()) == []


def test_an_overlap_is_told_with_area_and_place() -> None:
    (line,) = warnings(of_districts(("1", square(121.0, 29.0)), ("2", square(121.09, 29.0))))
    assert line.startswith("districts.geojson: '1' and '2': overlap of ")
    assert line.endswith("at (121.09500, 29.05000); '1' wins there: correct the border")
    assert area_m2(line, "overlap of ") == pytest.approx(SQUARE_KM2 * 1e5, rel=0.01)


def test_a_district_drawn_twice() -> None:
    (line,) = warnings(of_districts(("1", square(121.0, 29.0)), ("2", square(121.0, 29.0))))
    assert area_m2(line, "overlap of ") == pytest.approx(SQUARE_KM2 * 1e6, rel=0.01)


def test_an_enclosed_gap() -> None:
    """Four districts round a square that none of them has; long borders meet short ones."""
    files = of_districts(
        ("1", rectangle(121.0, 29.0, 121.3, 29.1)),
        ("2", rectangle(121.0, 29.1, 121.1, 29.2)),
        ("3", rectangle(121.2, 29.1, 121.3, 29.2)),
        ("4", rectangle(121.0, 29.2, 121.3, 29.3)),
    )
    (line,) = warnings(files)
    assert line.startswith("districts.geojson: '1' and '2' and '3' and '4': gap of ")
    assert "at (121.15000, 29.15000); extend a district over it" in line
    assert area_m2(line, "gap of ") == pytest.approx(SQUARE_KM2 * 1e6, rel=0.01)


def test_a_sliver_between_two_districts_open_at_both_ends() -> None:
    """15 m between them for 11 km."""
    files = of_districts(
        ("1", rectangle(121.0, 29.0, 121.1, 29.1)), ("2", rectangle(121.10015, 29.0, 121.2, 29.1))
    )
    (line,) = warnings(files)
    assert line.startswith("districts.geojson: '1' and '2': gap of ")
    assert area_m2(line, "gap of ") == pytest.approx(14.6 * 11_080, rel=0.02)


@pytest.mark.parametrize("shift", [0.000004, -0.000004, 0.0, 0.001])
def test_coarse_borders_and_districts_apart_are_no_finding(shift: float) -> None:
    """40 cm of gap or overlap along a border is drawing; 100 m may be a river."""
    second = rectangle(121.1 + shift, 29.0, 121.2, 29.1)
    assert warnings(of_districts(("1", square(121.0, 29.0)), ("2", second))) == []


def test_many_gaps_are_summed_up() -> None:
    holes = [rectangle(121.01 + i / 1000, 29.05, 121.0105 + i / 1000, 29.06)[0] for i in range(30)]
    lines = warnings(of_districts(("1", [*square(121.0, 29.0), *holes])))
    assert len(lines) == MAX_OF_A_KIND + 1
    assert lines[-1].startswith("districts.geojson: has 10 smaller gaps more, ")


@settings(deadline=None)
@given(st.integers(2, 5), st.integers(2, 4), st.data())
def test_a_partition_has_neither_overlaps_nor_gaps(
    columns: int, rows: int, data: st.DataObject
) -> None:
    """Quadrilaterals over shared, jittered corners; taking one out of the middle shows."""
    jitter = st.floats(-0.01, 0.01)
    corner = {
        (i, j): [121 + 0.05 * i + data.draw(jitter), 29 + 0.05 * j + data.draw(jitter)]
        for i in range(columns + 1)
        for j in range(rows + 1)
    }
    cells = {
        f"{i}{j}": [[corner[c] for c in [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)]]]
        for i in range(columns)
        for j in range(rows)
    }
    report = Report()
    check_borders(loaded(of_districts(*cells.items())).districts, report)
    assert report.findings == []
    if columns > 2 and rows > 2:
        del cells["11"]
        check_borders(loaded(of_districts(*cells.items())).districts, report)
        (finding,) = report.findings
        assert "gap of" in finding.message


def test_places_outside_every_district() -> None:
    outside = feature("Point", [121.3, 29.05], site_id="X", name="x", kind="parking", radius_m=9)
    line = feature("LineString", [[121.3, 29.0], [121.4, 29.0]], route_id="R9", name="r")
    across = feature("LineString", [[121.05, 29.0], [121.4, 29.0]], route_id="R8", name="r")
    zone = feature("Polygon", square(120.5, 29.0), zone_id="Z9", name="z", kind="no_go")
    files = {
        "city.toml": TOML,
        "districts.geojson": collection(*districts()),
        "sites.geojson": collection(*sites(), outside),
        "routes.geojson": collection(across, line),
        "zones.geojson": collection(zone),
    }
    tail = ": geometry lies outside every district; correct it, or its datum in city.toml"
    assert warnings(files) == [
        f"sites.geojson: 'X'{tail}",
        f"routes.geojson: 'R9'{tail}",
        f"zones.geojson: 'Z9'{tail}",
    ]


def test_many_places_outside_are_summed_up() -> None:
    far = [
        feature("Point", [100, 30], site_id=f"S{i:02}", name="s", kind="parking", radius_m=9)
        for i in range(MAX_OF_A_KIND + 7)
    ]
    lines = warnings(
        {
            "city.toml": TOML,
            "districts.geojson": collection(*districts()),
            "sites.geojson": collection(*far),
        }
    )
    assert len(lines) == MAX_OF_A_KIND + 1
    assert lines[-1] == "sites.geojson: has 7 more features outside every district"


def test_what_can_never_hold() -> None:
    dated = {"valid_from": "2026-02-01", "valid_to": "2026-01-31"}
    site = feature(
        "Point", [121.05, 29.05], site_id="S", name="s", kind="parking", radius_m=9, **dated
    )
    zone = feature(
        "Polygon", square(121.0, 29.0, 0.01), zone_id="Z", name="z", kind="no_go", **dated
    )
    row = "P1,浙B1,,,,,2026-02-01,2026-01-31,06:00-20:00"
    same_day = "P2,浙B1,,,,,2026-02-01,2026-02-01,"
    files = {
        "city.toml": TOML,
        "districts.geojson": collection(*districts()),
        "sites.geojson": collection(site),
        "zones.geojson": collection(zone),
        "permits.csv": permits(row, same_day, "P3,,,,,,,,"),
    }
    tail = "valid_from 2026-02-01 is after valid_to 2026-01-31, so it can never hold; correct the "
    assert warnings(files) == [
        f"sites.geojson: 'S': {tail}dates",
        f"zones.geojson: 'Z': {tail}dates",
        f"permits.csv: 'P1': {tail}dates",
        "permits.csv: 'P3': truck_ids is empty, so the permit covers no truck; list its trucks",
    ]


def test_a_misplaced_district_stretches_the_city() -> None:
    (line,) = warnings(of_districts(("1", square(121.0, 29.0)), ("2", square(112.1, 29.0))))
    assert line.startswith("districts.geojson: spans 877 by ")
    assert line.endswith("km, too much for one city; look for a misplaced district")


def stating_sites(source: Datum, target: Datum) -> Files:
    """Twelve sites 300 m inside the district they state, moved as by mistaking datums."""
    places = [(121.0 + 0.2 * i / 13, 29.003 + 0.094 * (i % 2)) for i in range(1, 13)]
    places += [(x, 29.01 + 0.008 * i) for x in (121.097, 121.103, 121.197) for i in range(10)]
    features = []
    for number, (lon, lat) in enumerate(places):
        x, y = convert(lon, lat, source, target)
        features.append(
            feature(
                "Point",
                [float(x), float(y)],
                site_id=f"S{number:02}",
                name="s",
                kind="disposal",
                radius_m=50,
                district="330203" if lon < 121.1 else "330205",
            )
        )
    return {
        "city.toml": TOML,
        "districts.geojson": collection(*districts()),
        "sites.geojson": collection(*features),
    }


@pytest.mark.parametrize("target", DATUMS)
@pytest.mark.parametrize("source", DATUMS)
def test_sites_that_miss_their_districts_hint_at_the_datum(source: Datum, target: Datum) -> None:
    found = [line for line in warnings(stating_sites(source, target)) if "datum is" in line]
    if source == target:
        assert found == []
        return
    (line,) = found
    assert line.startswith("sites.geojson: datum is likely wrong: ")
    assert "of 42 sites lie in the district they state, but 42 would if the sites were" in line
    assert line.endswith("check the datums of sites and districts in city.toml")


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_the_hint_names_the_move_that_mends_it(datum: Datum) -> None:
    (line,) = [s for s in warnings(routed_sites("wgs84", datum)) if "datum is" in s]
    assert line == (
        "sites.geojson: datum is likely wrong: 0 of 8 pairs of a permit's site and its routes lie "
        f"together, but 8 would if the sites were moved from {datum} to wgs84; check the datums "
        "of sites and routes in city.toml"
    )


def routed_sites(source: Datum, target: Datum) -> Files:
    """Eight permits, each with a route that ends at its site."""
    shapes, lines, rows = [], [], []
    for i in range(8):
        lon, lat = 121.02 + 0.02 * i, 29.03 + 0.005 * i
        x, y = convert(lon, lat, source, target)
        properties = {"site_id": f"S{i}", "name": "s", "kind": "disposal", "radius_m": 30}
        shapes.append(feature("Point", [float(x), float(y)], **properties))
        line = [[lon, lat], [lon, lat + 0.02]]
        lines.append(feature("LineString", line, route_id=f"R{i}", name="r"))
        rows.append(f"P{i},浙B{i},,S{i},R{i},,,,")
    return {
        "city.toml": TOML,
        "districts.geojson": collection(*districts()),
        "sites.geojson": collection(*shapes),
        "routes.geojson": collection(*lines),
        "permits.csv": permits(*rows),
    }


def test_sites_on_their_routes_are_no_finding() -> None:
    assert warnings(routed_sites("wgs84", "wgs84")) == []


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_the_scenarios_cities_have_no_doubtful_borders_or_datum(
    shared_dir: Path, name: str
) -> None:
    for finding in check_city(load_city(shared_dir / "scenarios" / name / "city")):
        assert finding.file != "districts.geojson"
        assert finding.field != "datum"
