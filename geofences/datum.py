"""WGS-84, GCJ-02 and BD-09 coordinates, each into each (design section 4).

The loader converts reference data on load, displays convert back, the city check tries shifts,
terminals that do not report WGS-84 are corrected.
GCJ-02 and BD-09 are the obfuscated datums of Chinese map sites; the formulas are the published
ones, which the map sites' own conversion services agree with. Pure: columns in, columns out, or
one point at a time.
"""

import math
from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Datum = Literal["wgs84", "gcj02", "bd09"]
DATUMS: tuple[Datum, ...] = get_args(Datum)

Degrees = NDArray[np.float64]
Step = Callable[[Degrees, Degrees], tuple[Degrees, Degrees]]
PointStep = Callable[[float, float, Any], tuple[float, float]]

_AXIS_M = 6_378_245.0
"""Semi-major axis of the Krasovsky ellipsoid, which the GCJ-02 formula uses."""
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
"""Outside this box, borders counted as inside, GCJ-02 is WGS-84."""
_LARGEST_SHIFT, _ROUNDING = 0.1, 1e-9
"""Degrees: more than GCJ-02 moves any point of the box, and more than the inverse is off."""
_EXACT = 1e-13
"""Degrees; a step that moves a point by less ends its inverse."""
_BD_WAVE = np.pi * 3000.0 / 180.0
_BD_LON, _BD_LAT = 0.0065, 0.006
_INVERSE_STEPS = 10
"""Each step of the inverse shrinks the error 40-fold or more, from 0.02 degree at the start."""


def convert(
    lon: ArrayLike, lat: ArrayLike, source: Datum, target: Datum
) -> tuple[Degrees, Degrees]:
    """Longitudes and latitudes (degrees, any equal shape) of datum `source` in datum `target`.

    Inverses are iterated until they are exact to about 1e-13 degree. The input stays as it is;
    NaN stays NaN. ValueError for an unknown datum.

    At the border of the box outside which GCJ-02 is WGS-84, the formula jumps, so that a strip of
    some hundred metres has two WGS-84 points for one GCJ-02 point: the one inside the box is given.
    """
    for datum in (source, target):
        if datum not in DATUMS:
            raise ValueError(f"{datum!r} is no known datum; allowed are {', '.join(DATUMS)}")
    x, y = np.array(lon, dtype=np.float64), np.array(lat, dtype=np.float64)
    position, goal = DATUMS.index(source), DATUMS.index(target)
    while position < goal:
        x, y = _FORWARD[position](x, y)
        position += 1
    while position > goal:
        position -= 1
        x, y = _BACKWARD[position](x, y)
    return x, y


def point_to_wgs84(lon: float, lat: float, source: Datum) -> tuple[float, float]:
    """One point (degrees) of datum `source` in WGS-84: what `convert` gives to 1e-11 degree, some
    eight times as fast, for where positions come one at a time. Any finite numbers are taken."""
    if source == "bd09":
        lon, lat = _invert_point(_gcj02_to_bd09, lon, lat)
    elif source == "wgs84":
        return lon, lat
    if not _point_in_box(lon, lat, _LARGEST_SHIFT):
        return lon, lat
    x, y = _invert_point(_obfuscate, lon, lat)
    return (x, y) if _point_in_box(x, y, _ROUNDING) else (lon, lat)


def _point_in_box(lon: float, lat: float, margin: float) -> bool:
    return _WEST - margin <= lon <= _EAST + margin and _SOUTH - margin <= lat <= _NORTH + margin


def _invert_point(step: PointStep, lon: float, lat: float) -> tuple[float, float]:
    """`_invert` of a single point, which ends as soon as it is exact."""
    x, y = lon, lat
    for _ in range(_INVERSE_STEPS):
        moved_x, moved_y = step(x, y, math)
        off_x, off_y = moved_x - lon, moved_y - lat
        x, y = x - off_x, y - off_y
        if abs(off_x) + abs(off_y) < _EXACT:
            break
    return x, y


def _wgs84_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    x, y = _obfuscate(lon, lat)
    inside = _in_box(lon, lat)
    return np.where(inside, x, lon), np.where(inside, y, lat)


def _gcj02_to_wgs84(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    # Far outside, the formula runs away: what stays as it is anyway sits out at the centre.
    near = _in_box(lon, lat, _LARGEST_SHIFT)
    x, y = _invert(_obfuscate, np.where(near, lon, 105.0), np.where(near, lat, 35.0))
    inside = near & _in_box(x, y, _ROUNDING)
    return np.where(inside, x, lon), np.where(inside, y, lat)


def _gcj02_to_bd09(lon: Any, lat: Any, of: Any = np) -> tuple[Any, Any]:
    """Of arrays, or of single numbers where `of` is the module `math`."""
    radius = of.hypot(lon, lat) + 0.00002 * of.sin(lat * _BD_WAVE)
    angle = of.atan2(lat, lon) + 0.000003 * of.cos(lon * _BD_WAVE)
    return (
        radius * of.cos(angle) + _BD_LON,
        radius * of.sin(angle) + _BD_LAT,
    )


def _bd09_to_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    return _invert(_gcj02_to_bd09, lon, lat)


_FORWARD: tuple[Step, ...] = (_wgs84_to_gcj02, _gcj02_to_bd09)
"""From datum i to datum i + 1 of `DATUMS`."""
_BACKWARD: tuple[Step, ...] = (_gcj02_to_wgs84, _bd09_to_gcj02)
"""From datum i + 1 to datum i."""


def _in_box(lon: Degrees, lat: Degrees, margin: float = 0.0) -> NDArray[np.bool_]:
    return (
        (lon >= _WEST - margin)
        & (lon <= _EAST + margin)
        & (lat >= _SOUTH - margin)
        & (lat <= _NORTH + margin)
    )


def _invert(step: Step, lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """The point that `step` moves to (lon, lat), by fixed-point iteration."""
    x, y = lon, lat
    for _ in range(_INVERSE_STEPS):
        moved_x, moved_y = step(x, y)
        x, y = x - (moved_x - lon), y - (moved_y - lat)
    return x, y


def _obfuscate(lon: Any, lat: Any, of: Any = np) -> tuple[Any, Any]:
    """The GCJ-02 formula without its box; of arrays, or of single numbers where `of` is `math`."""
    x, y = lon - 105.0, lat - 35.0
    shared = 20.0 * of.sin(6.0 * np.pi * x) + 20.0 * of.sin(2.0 * np.pi * x)
    root = of.sqrt(of.fabs(x))
    north = (
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
        + (shared + _waves(y, 20.0, 40.0, of)) * 2.0 / 3.0
        + (160.0 * of.sin(y / 12.0 * np.pi) + 320.0 * of.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    )  # fmt: skip
    east = (
        300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
        + (shared + _waves(x, 20.0, 40.0, of)) * 2.0 / 3.0
        + (150.0 * of.sin(x / 12.0 * np.pi) + 300.0 * of.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    )  # fmt: skip
    radians = lat / 180.0 * np.pi
    bulge = 1.0 - _ECCENTRICITY_SQUARED * of.sin(radians) ** 2
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY_SQUARED) / (bulge * of.sqrt(bulge))
    parallel_m = _AXIS_M / of.sqrt(bulge) * of.cos(radians)
    return lon + of.degrees(east / parallel_m), lat + of.degrees(north / meridian_m)


def _waves(value: Any, short_m: float, long_m: float, of: Any) -> Any:
    return short_m * of.sin(np.pi * value) + long_m * of.sin(value / 3.0 * np.pi)
