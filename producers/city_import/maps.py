"""Maps of an office to features: GeoJSON, KML and KMZ.

Called by `producers.city_import.sources`. Shapes come out as GeoJSON in WGS-84, mended where
programs commonly write them carelessly: rings that are not closed, areas drawn as closed lines,
collections of shapes of one kind. What is wrong beyond that is told by the city's loader.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geofences.datum import Datum, point_to_wgs84
from geofences.parse_geometry import CONVERTED_DIGITS
from producers.chunk import InputFileError
from producers.city_import.kml import placemarks
from producers.city_import.spreadsheets import decoded

KINDS = (".geojson", ".json", ".kml", ".kmz")
MOST_DECIMALS = 7
"""Of degrees that are not converted: 1 cm, more than any survey of a site has."""


@dataclass(frozen=True, slots=True)
class Feature:
    number: int
    """In the file, from 1."""
    properties: dict[str, Any]
    folder: str | None
    geometry: dict[str, Any] | None


def features(path: Path) -> list[Feature]:
    """Raises `InputFileError`."""
    if path.suffix.lower() in (".kml", ".kmz"):
        return [
            Feature(number, dict(one.properties), one.folder, one.geometry)
            for number, one in enumerate(placemarks(path), 1)
        ]
    return _of_geojson(path)


def _of_geojson(path: Path) -> list[Feature]:
    try:
        document = json.loads(decoded(path))
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{path}: is no JSON: {error}; export it again") from None
    found = document.get("features") if isinstance(document, dict) else None
    if not isinstance(found, list) or any(not isinstance(one, dict) for one in found):
        raise InputFileError(
            f"{path}: is no GeoJSON FeatureCollection with a list of features; export it so"
        )
    return [
        Feature(number, _object(one, "properties") or {}, None, _object(one, "geometry"))
        for number, one in enumerate(found, 1)
    ]


def _object(feature: dict[str, Any], name: str) -> dict[str, Any] | None:
    """What is no object is as if it were not there: the properties are then missing."""
    found = feature.get(name)
    return found if isinstance(found, dict) else None


def mended(geometry: Any, *, wants_area: bool) -> Any:
    """The shape as GeoJSON that a city may have; what cannot be made out stays as it is."""
    if not isinstance(geometry, dict):
        return geometry
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "GeometryCollection" and isinstance(geometry.get("geometries"), list):
        return _joined([mended(one, wants_area=wants_area) for one in geometry["geometries"]])
    try:
        if kind == "Polygon":
            return {"type": kind, "coordinates": [_closed(ring) for ring in coordinates or []]}
        if kind == "MultiPolygon":
            parts = [[_closed(ring) for ring in part] for part in coordinates or []]
            return {"type": kind, "coordinates": parts}
        if kind == "LineString" and wants_area and _is_ring(coordinates):
            return {"type": "Polygon", "coordinates": [coordinates]}
    except (TypeError, KeyError):
        pass
    return geometry


def _is_ring(line: Any) -> bool:
    return bool(line) and len(line) > 3 and line[0] == line[-1]


def _closed(ring: list[Any]) -> list[Any]:
    return [*ring, ring[0]] if len(ring) > 2 and ring[0] != ring[-1] else ring


def _joined(shapes: list[Any]) -> Any:
    """Several shapes of one kind as one."""
    kinds = {shape.get("type") for shape in shapes if isinstance(shape, dict)}
    if len(shapes) == 1:
        return shapes[0]
    if kinds in ({"Polygon"}, {"LineString"}):
        return {
            "type": f"Multi{kinds.pop()}",
            "coordinates": [shape.get("coordinates") for shape in shapes],
        }
    return {"type": "GeometryCollection", "geometries": shapes}


def in_wgs84(geometry: Any, datum: Datum) -> Any:
    """With its coordinates converted; what is no coordinate stays, for the loader to name."""

    def move(place: list[Any]) -> list[Any]:
        if datum == "wgs84":
            return [round(float(one), MOST_DECIMALS) for one in place[:2]]
        lon, lat = point_to_wgs84(float(place[0]), float(place[1]), datum)
        return [round(lon, CONVERTED_DIGITS), round(lat, CONVERTED_DIGITS)]

    if not isinstance(geometry, dict):
        return geometry
    return {**geometry, "coordinates": _moved(geometry.get("coordinates"), move)}


def _moved(coordinates: Any, move: Callable[[list[Any]], list[Any]]) -> Any:
    if not isinstance(coordinates, list):
        return coordinates
    if len(coordinates) >= 2 and all(
        isinstance(one, int | float) and not isinstance(one, bool) and abs(one) <= 180
        for one in coordinates[:2]
    ):
        return move(coordinates)
    return [_moved(one, move) for one in coordinates]
