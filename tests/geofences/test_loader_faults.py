"""Each fault of a city directory, one a row, by its rendered line."""

import pytest
from city_files import (
    DISTRICT,
    PERMIT,
    ROUTE,
    SITE,
    TRUCK_HEADER,
    ZONE,
    Files,
    base,
    collection,
    district_with,
    districts,
    lines,
    permits,
    route_with,
    site_with,
    square,
    toml,
    trucks,
    zone_with,
    zones,
)

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
