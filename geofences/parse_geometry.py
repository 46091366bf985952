"""GeoJSON geometries to checked shapely shapes in WGS-84.

The GeoJSON parser calls it. Raises ValueError with what is wrong and what to do; knows nothing of
features or files. Faults are placed in the coordinates of the file, before any conversion.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon

from geofences.datum import Datum, convert
from geofences.findings import shown

Shape = Point | LineString | MultiLineString | Polygon | MultiPolygon
Position = tuple[float, float]

CONVERTED_DIGITS = 9
"""Decimals kept after a conversion, 0.1 mm: so that borders shared in the file stay shared, and
machines whose sine differs in the last bit get the same city."""

_PLACED_REASON = re.compile(r"(.*)\[([^ \]]+) ([^ \]]+).*\]")
_REASONS = {
    "Self-intersection": "crosses itself",
    "Ring Self-intersection": "touches itself",
    "Hole lies outside shell": "has a hole outside its outer ring",
    "Holes are nested": "has a hole inside another hole",
    "Nested shells": "has one polygon inside another",
    "Duplicate Rings": "has the same ring twice",
    "Interior is disconnected": "is cut into pieces by its holes",
    "Too few points in geometry component": "has too few different positions",
}


def read_geometry(value: object, allowed: tuple[str, ...], datum: Datum) -> Shape:
    """The shape of GeoJSON `value`, of one of the types `allowed`, given in `datum`; altitudes
    are dropped. ValueError says what is wrong with it, and where."""
    if value is None:
        raise ValueError(f"is missing; draw a {' or '.join(allowed)}")
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} is no GeoJSON geometry")
    kind = value.get("type")
    if kind not in allowed:
        raise ValueError(f"has type {shown(kind)}; allowed are {', '.join(allowed)}")
    shape = _BUILDERS[kind](value.get("coordinates"))
    _require_valid(shape, "")
    if datum == "wgs84":
        return shape
    converted = shapely.transform(shape, lambda positions: _to_wgs84(positions, datum))
    _require_valid(converted, f" (after its conversion from {datum})")
    return converted


def _to_wgs84(positions: NDArray[np.float64], datum: Datum) -> NDArray[np.float64]:
    lon, lat = convert(positions[:, 0], positions[:, 1], datum, "wgs84")
    return np.column_stack([lon, lat]).round(CONVERTED_DIGITS)


def _require_valid(shape: Shape, when: str) -> None:
    reason = shapely.is_valid_reason(shape)
    if reason == "Valid Geometry":
        return
    match = _PLACED_REASON.fullmatch(reason)
    text, place = (match[1], f" at ({match[2]}, {match[3]})") if match else (reason, "")
    fault = _REASONS.get(text, f"is invalid: {text}")
    what = "line" if isinstance(shape, LineString | MultiLineString) else "polygon"
    raise ValueError(f"{fault}{place}{when}; repair the {what}")


def _point(coordinates: object) -> Point:
    return Point(_position(coordinates, "the point"))


def _line(coordinates: object) -> LineString:
    return LineString(_line_positions(coordinates, "the line"))


def _lines(coordinates: object) -> MultiLineString:
    parts = _parts(coordinates, "lines")
    return MultiLineString(
        [_line_positions(part, f"line {number}") for number, part in enumerate(parts, 1)]
    )


def _polygon(coordinates: object) -> Polygon:
    return Polygon(*_rings(coordinates, ""))


def _polygons(coordinates: object) -> MultiPolygon:
    parts = _parts(coordinates, "polygons")
    return MultiPolygon(
        [_rings(part, f" of polygon {number}") for number, part in enumerate(parts, 1)]
    )


_BUILDERS: dict[str, Callable[[object], Shape]] = {
    "Point": _point,
    "LineString": _line,
    "MultiLineString": _lines,
    "Polygon": _polygon,
    "MultiPolygon": _polygons,
}


def _rings(coordinates: object, owner: str) -> tuple[list[Position], list[list[Position]]]:
    outer, *holes = (
        _ring(part, f"ring {number}{owner}")
        for number, part in enumerate(_parts(coordinates, "rings"), 1)
    )
    return outer, holes


def _ring(coordinates: object, name: str) -> list[Position]:
    positions = _positions(coordinates, name)
    if len(positions) < 4:
        raise ValueError(
            f"has {len(positions)} positions in {name}; at least 4 are needed, the last like "
            "the first"
        )
    if positions[0] != positions[-1]:
        raise ValueError(f"is not closed in {name}; repeat its first position at its end")
    return positions


def _line_positions(coordinates: object, name: str) -> list[Position]:
    positions = _positions(coordinates, name)
    if len(set(positions)) < 2:
        raise ValueError(f"has no length in {name}; at least 2 different positions are needed")
    return positions


def _positions(coordinates: object, name: str) -> list[Position]:
    return [
        _position(entry, f"position {number} of {name}")
        for number, entry in enumerate(_parts(coordinates, "positions"), 1)
    ]


def _parts(coordinates: object, what: str) -> list[Any]:
    if coordinates == []:
        raise ValueError("is empty; draw it, or remove the feature")
    if not isinstance(coordinates, list):
        raise ValueError(f"has coordinates {shown(coordinates)}; expected a list of {what}")
    return coordinates


def _position(entry: object, name: str) -> Position:
    if not isinstance(entry, list) or len(entry) < 2:
        raise ValueError(f"has {shown(entry)} as {name}; expected [longitude, latitude]")
    lon, lat = _degrees(entry[0], name), _degrees(entry[1], name)
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise ValueError(
            f"has {shown(entry)} as {name}; allowed are degrees, longitude (-180 to 180) before "
            "latitude (-90 to 90)"
        )
    return lon, lat


def _degrees(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"has {shown(value)} in {name}; expected a number of degrees")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"has {shown(value)} in {name}; expected a finite number of degrees")
    return number
