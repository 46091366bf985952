"""The four GeoJSON files of a city directory (design section 4).

The loader calls one function a file. Faults go into the report, one finding each; references
between files are checked elsewhere.
"""

import json
from collections.abc import Callable, Iterator
from typing import TypeVar

from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon

from geofences.city import SITE_KINDS, SLOWEST_LIMIT_KMH, ZONE_KINDS, District, Route, Site, Zone
from geofences.datum import Datum
from geofences.fields import Fields, as_text
from geofences.findings import Report, shown
from geofences.parse_geometry import Shape, read_geometry
from geofences.records import Parsed, Record, collect, decode

DEFAULT_CORRIDOR_M = 50.0
MAX_REACH_M = 50_000.0
"""No radius or corridor in a city is wider: a wider one is a slip of the unit."""

_Item = TypeVar("_Item")


def parse_districts(content: bytes, datum: Datum, report: Report) -> Parsed[District]:
    """Polygons with `code` and `name`; at least one."""

    def read(record: Record) -> District | None:
        name = record.fields.text("name")
        shape = _read_shape(record, ("Polygon", "MultiPolygon"), datum)
        if isinstance(shape, Polygon | MultiPolygon):
            return District(record.record_id, name, shape)
        return None

    parsed = _parse(content, "districts.geojson", "code", read, report)
    if parsed.ids == frozenset():
        report.error("districts.geojson", "holds no district; a city needs at least one")
        return Parsed({}, None)
    return parsed


def parse_sites(content: bytes, datum: Datum, report: Report) -> Parsed[Site]:
    """Polygons, or points with `radius_m`."""

    def read(record: Record) -> Site | None:
        fields = record.fields
        name, kind = fields.text("name"), fields.choice("kind", SITE_KINDS)
        district = fields.optional_text("district")
        validity = fields.validity()
        capacity_m3 = fields.number("capacity_m3", at_least=0)
        shape = _read_shape(record, ("Polygon", "MultiPolygon", "Point"), datum)
        radius_m = _radius_m(fields) if isinstance(shape, Point) else 0.0
        if kind is None or not isinstance(shape, Polygon | MultiPolygon | Point):
            return None
        return Site(record.record_id, name, kind, shape, radius_m, district, validity, capacity_m3)

    return _parse(content, "sites.geojson", "site_id", read, report)


def parse_routes(content: bytes, datum: Datum, report: Report) -> Parsed[Route]:
    """Lines with a corridor."""

    def read(record: Record) -> Route | None:
        name = record.fields.text("name")
        corridor_m = record.fields.number("corridor_m", above=0, at_most=MAX_REACH_M)
        if corridor_m is None:
            corridor_m = DEFAULT_CORRIDOR_M
        shape = _read_shape(record, ("LineString", "MultiLineString"), datum)
        if isinstance(shape, LineString | MultiLineString):
            return Route(record.record_id, name, shape, corridor_m)
        return None

    return _parse(content, "routes.geojson", "route_id", read, report)


def parse_zones(content: bytes, datum: Datum, report: Report) -> Parsed[Zone]:
    """Polygons; `limit_kmh` with the kind `speed_limit`."""

    def read(record: Record) -> Zone | None:
        fields = record.fields
        name, kind = fields.text("name"), fields.choice("kind", ZONE_KINDS)
        limit_kmh = _limit_kmh(fields) if kind == "speed_limit" else None
        validity = fields.validity()
        shape = _read_shape(record, ("Polygon", "MultiPolygon"), datum)
        if kind is None or not isinstance(shape, Polygon | MultiPolygon):
            return None
        return Zone(record.record_id, name, kind, shape, limit_kmh, validity)

    return _parse(content, "zones.geojson", "zone_id", read, report)


def _radius_m(fields: Fields) -> float:
    radius_m = fields.number("radius_m", above=0, at_most=MAX_REACH_M)
    if radius_m is None and not fields.has_fault("radius_m"):
        fields.fault("radius_m", "is missing; a Point needs its radius in metres")
    return radius_m or 0.0


def _limit_kmh(fields: Fields) -> float | None:
    limit_kmh = fields.number("limit_kmh", above=SLOWEST_LIMIT_KMH)
    if limit_kmh is None and not fields.has_fault("limit_kmh"):
        fields.fault("limit_kmh", "is missing; a speed_limit zone needs it")
    return limit_kmh


def _read_shape(record: Record, allowed: tuple[str, ...], datum: Datum) -> Shape | None:
    try:
        return read_geometry(record.geometry, allowed, datum)
    except ValueError as error:
        record.fields.fault("geometry", str(error))
        return None


def _parse(
    content: bytes,
    file: str,
    id_field: str,
    read: Callable[[Record], _Item | None],
    report: Report,
) -> Parsed[_Item]:
    features = _features(content, file, report)
    if features is None:
        return Parsed({}, None)
    return collect(_records(features, file, id_field, report), id_field, read)


def _features(content: bytes, file: str, report: Report) -> list[object] | None:
    text = decode(content, file, report)
    if text is None:
        return None
    try:
        collection = json.loads(text)
    except (ValueError, RecursionError) as error:
        report.error(file, f"is not JSON: {error}; repair it or export it again")
        return None
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or collection.get("type") != "FeatureCollection":
        report.error(file, "is no GeoJSON FeatureCollection with a list of features; export it so")
        return None
    return features


def _records(
    features: list[object], file: str, id_field: str, report: Report
) -> Iterator[Record | None]:
    for number, feature in enumerate(features, 1):
        place = f"feature {number}"
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(feature, dict) or not isinstance(properties, dict | None):
            message = "is no GeoJSON feature with properties; repair or remove it"
            report.error(file, message, feature=place, value=shown(feature))
            yield None
            continue
        values = properties or {}
        record_id = as_text(values.get(id_field))
        label = f"{place} {shown(record_id)}" if record_id else place
        fields = Fields(values, report, file, label)
        yield Record(place, label, fields.text(id_field), fields, feature.get("geometry"))
