"""Degrees to local metres and nothing else (design section 4).

The plane is `+proj=tmerc +datum=WGS84` centred on the middle of the districts' bounding box. Inside
the box that a `Projection` is fitted to, a polynomial stands for it: plain arithmetic, the same on
every processor, within `FIT_ERROR_M` of PROJ. Outside, Krüger's series is evaluated (Karney 2011,
"Transverse Mercator with an accuracy of a few nanometers", eqs. 7-12 and 35, to n^6).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

from geofences.jit import compiled

Floats = npt.NDArray[np.float64]

FIT_ERROR_M = 1e-7
"""What the polynomial may differ from PROJ by; beyond it the series is used everywhere."""

_FLATTENING = 1 / 298.257223563
_N = _FLATTENING / (2 - _FLATTENING)
_ECCENTRICITY = math.sqrt(_FLATTENING * (2 - _FLATTENING))
_RADIUS_M = 6378137.0 / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64 + _N**6 / 256)
_ALPHA = (
    _N / 2 - 2 / 3 * _N**2 + 5 / 16 * _N**3 + 41 / 180 * _N**4 - 127 / 288 * _N**5
    + 7891 / 37800 * _N**6,
    13 / 48 * _N**2 - 3 / 5 * _N**3 + 557 / 1440 * _N**4 + 281 / 630 * _N**5
    - 1983433 / 1935360 * _N**6,
    61 / 240 * _N**3 - 103 / 140 * _N**4 + 15061 / 26880 * _N**5 + 167603 / 181440 * _N**6,
    49561 / 161280 * _N**4 - 179 / 168 * _N**5 + 6601661 / 7257600 * _N**6,
    34729 / 80640 * _N**5 - 3418889 / 1995840 * _N**6,
    212378941 / 319334400 * _N**6,
)  # fmt: skip

EASTING_TERMS = (4, 9)
"""Odd powers of the longitude, powers of the latitude."""
NORTHING_TERMS = (5, 9)
"""Even powers of the longitude, powers of the latitude."""

NODES = 24
"""Places in each direction that the polynomial is fitted at."""

PLANE = np.dtype(
    [
        ("lon0", "f8"),
        ("lat0", "f8"),
        ("half_lon", "f8"),
        ("half_lat", "f8"),
        ("northing0_m", "f8"),
        ("easting", "f8", EASTING_TERMS),
        ("northing", "f8", NORTHING_TERMS),
    ],
    align=True,
)
"""A projection as the core takes it: one record."""


@compiled
def series(lon_deg: float, lat_deg: float) -> tuple[float, float]:
    """Easting and northing in metres from central meridian and equator, `lon_deg` relative."""
    lam = math.radians(lon_deg)
    phi = math.radians(min(max(lat_deg, -89.999999), 89.999999))
    tau = math.tan(phi)
    sigma = math.sinh(_ECCENTRICITY * math.atanh(_ECCENTRICITY * math.sin(phi)))
    tau = tau * math.sqrt(1 + sigma * sigma) - sigma * math.sqrt(1 + tau * tau)
    xi = math.atan2(tau, math.cos(lam))
    # A quarter of the globe away the plane ends in infinity; what lies there stays finite, far off.
    eta = math.asinh(math.sin(lam) / max(math.hypot(tau, math.cos(lam)), 0.04))
    x, y = eta, xi
    for j in range(6):
        angle = 2 * (j + 1)
        x += _ALPHA[j] * math.cos(angle * xi) * math.sinh(angle * eta)
        y += _ALPHA[j] * math.sin(angle * xi) * math.cosh(angle * eta)
    return _RADIUS_M * x, _RADIUS_M * y


@compiled
def to_metres(plane: Any, lon: float, lat: float) -> tuple[float, float]:
    """The place of (`lon`, `lat`) on `plane` (a `PLANE` record), metres east and north."""
    u = (lon - plane.lon0) / plane.half_lon
    v = (lat - plane.lat0) / plane.half_lat
    if not (abs(u) <= 1.0 and abs(v) <= 1.0):
        lon_offset = (lon - plane.lon0 + 180.0) % 360.0 - 180.0
        x, y = series(lon_offset, lat)
        return x, y - plane.northing0_m
    uu = u * u
    x = 0.0
    for i in range(EASTING_TERMS[0] - 1, -1, -1):
        row = 0.0
        for j in range(EASTING_TERMS[1] - 1, -1, -1):
            row = row * v + plane.easting[i, j]
        x = x * uu + row
    y = 0.0
    for i in range(NORTHING_TERMS[0] - 1, -1, -1):
        row = 0.0
        for j in range(NORTHING_TERMS[1] - 1, -1, -1):
            row = row * v + plane.northing[i, j]
        y = y * uu + row
    return x * u, y


@compiled
def _project_all(plane: Any, lon: Floats, lat: Floats, out: Floats) -> None:
    for i in range(len(lon)):
        x, y = to_metres(plane[0], lon[i], lat[i])
        out[i, 0] = x
        out[i, 1] = y


@dataclass(frozen=True)
class Projection:
    """The local plane of a city."""

    plane: Any
    """One-element record array of `PLANE`."""

    @classmethod
    def centred(cls, west: float, south: float, east: float, north: float) -> "Projection":
        """Centred on the middle of the box (degrees), fitted to it and a fifth more each way."""
        plane = np.zeros(1, PLANE).view(np.recarray)
        record = plane[0]
        record.lon0, record.lat0 = (west + east) / 2, (south + north) / 2
        record.half_lon = 0.7 * (east - west) + 0.05
        record.half_lat = 0.7 * (north - south) + 0.05
        record.northing0_m = series(0.0, record.lat0)[1]
        _fit(record)
        return cls(plane)

    def project(self, coordinates: Floats) -> Floats:
        """(n, 2) degrees (lon, lat) to (n, 2) metres (east, north)."""
        lon_lat = np.ascontiguousarray(coordinates, dtype=np.float64)
        out = np.empty((len(lon_lat), 2))
        _project_all(self.plane, lon_lat[:, 0].copy(), lon_lat[:, 1].copy(), out)
        return out

    def transformer(self) -> Transformer:
        """PROJ's own view of the same plane; `to_metres` is tested against it."""
        record = self.plane[0]
        local = f"+proj=tmerc +datum=WGS84 +lat_0={record.lat0!r} +lon_0={record.lon0!r}"
        return Transformer.from_crs(
            "EPSG:4326", local.replace("np.float64(", "").replace(")", ""), always_xy=True
        )


def _fit(record: Any) -> None:
    """Interpolate the series on Chebyshev nodes; a box too wide for the terms is left to it.

    Sums are exact (`fsum`) and in a fixed order: a least-squares solver of a linear algebra library
    takes other paths on other processors, and the last digits with them.
    """
    nodes = [math.cos(math.pi * (k + 0.5) / NODES) for k in range(NODES)]
    places = [
        [series(u * record.half_lon, record.lat0 + v * record.half_lat) for v in nodes]
        for u in nodes
    ]
    east = [[place[0] for place in row] for row in places]
    north = [[place[1] - record.northing0_m for place in row] for row in places]
    record.easting[:] = _polynomial(east, *EASTING_TERMS, odd=1)
    record.northing[:] = _polynomial(north, *NORTHING_TERMS, odd=0)
    if _fit_error_m(record) > FIT_ERROR_M:
        record.half_lon = record.half_lat = 1e-300


def _polynomial(values: list[list[float]], rows: int, columns: int, *, odd: int) -> Floats:
    """Coefficients of u^(2i + odd) v^j, from `values` at the nodes."""
    chebyshev = [
        [math.cos(n * math.pi * (k + 0.5) / NODES) for k in range(NODES)]
        for n in range(2 * rows + columns)
    ]
    of_u = [_chebyshev_powers(2 * i + odd) for i in range(rows)]
    of_v = [_chebyshev_powers(j) for j in range(columns)]
    polynomial = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            total = math.fsum(
                chebyshev[2 * i + odd][k] * chebyshev[j][m] * values[k][m]
                for k in range(NODES)
                for m in range(NODES)
            )
            weight = (1 if 2 * i + odd == 0 else 2) * (1 if j == 0 else 2) / NODES**2
            for power_u, factor_u in of_u[i].items():
                for power_v, factor_v in of_v[j].items():
                    term = weight * total * factor_u * factor_v
                    polynomial[(power_u - odd) // 2, power_v] += term
    return polynomial


def _chebyshev_powers(degree: int) -> dict[int, int]:
    """The Chebyshev polynomial of a degree as {power: factor}; factors are whole numbers."""
    before, current = {0: 1}, {1: 1}
    if degree == 0:
        return before
    for _ in range(degree - 1):
        following = {power + 1: 2 * factor for power, factor in current.items()}
        for power, factor in before.items():
            following[power] = following.get(power, 0) - factor
        before, current = current, following
    return current


def _fit_error_m(record: Any) -> float:
    """The greatest difference between polynomial and series between the nodes."""
    worst = 0.0
    steps = [k / 10 for k in range(-10, 11)]
    for u in steps:
        for v in steps:
            lon, lat = record.lon0 + u * record.half_lon, record.lat0 + v * record.half_lat
            x, y = to_metres(record, lon, lat)
            east, north = series(u * record.half_lon, lat)
            worst = max(worst, abs(x - east), abs(y - (north - record.northing0_m)))
    return worst
