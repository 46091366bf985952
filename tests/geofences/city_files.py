"""A small faultless city as file contents, for tests to spoil, and what is said of spoilt ones."""

import json
from typing import Any

from geofences.loader import parse_city

Files = dict[str, bytes]


def square(lon: float, lat: float, side: float = 0.1) -> list[list[list[float]]]:
    """Polygon coordinates of a square with its south-west corner at (lon, lat), degrees."""
    east, north = lon + side, lat + side
    return [[[lon, lat], [east, lat], [east, north], [lon, north], [lon, lat]]]


def feature(kind: str, coordinates: Any, /, **properties: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: Any) -> bytes:
    content = {"type": "FeatureCollection", "features": list(features)}
    return json.dumps(content).encode()


TOML = b'name = "\xe6\xb5\x8b\xe8\xaf\x95"\nadmin_code = "330200"\n'
TRUCK_HEADER = "truck_id,terminal_id,company,max_load_kg"
PERMIT_HEADER = (
    "permit_id,truck_ids,source_site_ids,disposal_site_ids,route_ids,districts,"
    "valid_from,valid_to,hours"
)


def districts() -> list[dict[str, Any]]:
    return [
        feature("Polygon", square(121.0, 29.0), code="330203", name="西"),
        feature("Polygon", square(121.1, 29.0), code="330205", name="东"),
    ]


def sites() -> list[dict[str, Any]]:
    return [
        feature("Point", [121.05, 29.05], site_id="C1", name="c", kind="construction", radius_m=80),
        feature(
            "Polygon",
            square(121.15, 29.05, 0.002),
            site_id="D1",
            name="d",
            kind="disposal",
            district="330205",
            hours="21:00-06:00",
            capacity_m3=1000,
        ),
    ]


def routes() -> list[dict[str, Any]]:
    line = [[121.05, 29.05], [121.15, 29.05]]
    return [feature("LineString", line, route_id="R1", name="r", corridor_m=80)]


def zones() -> list[dict[str, Any]]:
    area = square(121.02, 29.02, 0.01)
    return [feature("Polygon", area, zone_id="Z1", name="z", kind="speed_limit", limit_kmh=40)]


def base() -> Files:
    """All seven files, without a finding."""
    return {
        "city.toml": TOML,
        "districts.geojson": collection(*districts()),
        "sites.geojson": collection(*sites()),
        "routes.geojson": collection(*routes()),
        "zones.geojson": collection(*zones()),
        "trucks.csv": f"{TRUCK_HEADER}\n浙B1,139,甲,15000\n浙B2,,,\n".encode(),
        "permits.csv": (
            f"{PERMIT_HEADER}\nP1,浙B1;浙B2,C1,D1,R1,330203;330205,2026-01-01,2026-12-31,20:00-05:00\n"
        ).encode(),
    }


def permits(*rows: str) -> bytes:
    return "\n".join([PERMIT_HEADER, *rows, ""]).encode()


def trucks(*rows: str) -> bytes:
    return "\n".join([TRUCK_HEADER, *rows, ""]).encode()


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


def lines(files: Files) -> list[str]:
    """The rendered errors; the city must not load."""
    city, findings = parse_city(files)
    assert city is None
    return [finding.render() for finding in findings if finding.severity == "error"]


DISTRICT = "districts.geojson: feature 3 '330206': "
SITE = "sites.geojson: feature 3 'S3': "
ROUTE = "routes.geojson: feature 2 'R2': "
ZONE = "zones.geojson: feature 2 'Z2': "
PERMIT = "permits.csv: line 2 'P2': "
