"""The compiled projection against PROJ."""

import hashlib
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from geofences.projection import FIT_ERROR_M, Projection, to_metres

CITIES = {
    "Ningbo": (120.9, 28.8, 122.3, 30.5),
    "a village": (121.0, 29.0, 121.0001, 29.0001),
    "Berlin": (13.08, 52.33, 13.77, 52.68),
    "on the equator": (-0.4, -0.3, 0.4, 0.3),
    "Punta Arenas": (-71.2, -53.4, -70.6, -52.9),
    "Tromsø": (18.0, 69.3, 20.0, 70.1),
    "over the antimeridian's edge": (179.0, -17.0, 179.99, -16.0),
    "a province": (108.0, 20.0, 118.0, 32.0),
}
TOLERANCE_M = FIT_ERROR_M + 5e-9
PROJECTIONS = {name: Projection.centred(*bounds) for name, bounds in CITIES.items()}


def error_m(projection: Projection, lon: float, lat: float) -> float:
    x, y = projection.transformer().transform(lon, lat)
    ours = to_metres(projection.plane[0], lon, lat)
    return math.hypot(ours[0] - x, ours[1] - y)


@pytest.mark.parametrize("name", CITIES)
def test_in_and_round_the_city_it_is_the_plane_of_proj(name: str) -> None:
    west, south, east, north = CITIES[name]
    rng = np.random.default_rng(7)
    margin = 0.2 * (east - west) + 0.05
    lon = rng.uniform(west - margin, min(180.0, east + margin), 2_000)
    lat = rng.uniform(south - margin, north + margin, 2_000)
    projection = PROJECTIONS[name]
    expected = np.stack(projection.transformer().transform(lon, lat), axis=1)
    away_m = np.abs(projection.project(np.stack([lon, lat], axis=1)) - expected).max()
    assert away_m <= TOLERANCE_M


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    name=st.sampled_from(list(CITIES)),
    lon_offset=st.floats(-25, 25),
    lat=st.floats(-89, 89),
)
def test_far_from_the_city_too(name: str, lon_offset: float, lat: float) -> None:
    projection = PROJECTIONS[name]
    lon = (projection.plane[0].lon0 + lon_offset + 180) % 360 - 180
    assert error_m(projection, lon, lat) < 1e-5


@pytest.mark.parametrize("name", CITIES)
@pytest.mark.parametrize("side", [-1, 1])
def test_polynomial_and_series_meet_without_a_step(name: str, side: int) -> None:
    record = PROJECTIONS[name].plane[0]
    lon, lat = record.lon0 + side * record.half_lon, record.lat0 + 0.5 * side * record.half_lat
    inner = to_metres(record, np.nextafter(lon, record.lon0), lat)
    outer = to_metres(record, np.nextafter(lon, lon + side), lat)
    assert math.dist(inner, outer) < 2 * TOLERANCE_M


@settings(derandomize=True, max_examples=300, deadline=None)
@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90))
def test_every_place_on_earth_gets_metres(lon: float, lat: float) -> None:
    record = PROJECTIONS["Ningbo"].plane[0]
    x, y = to_metres(record, lon, lat)
    assert math.isfinite(x)
    assert math.isfinite(y)
    if abs(lon - record.lon0) > 5:
        assert math.hypot(x, y) > 300_000 or abs(lat) > 60


def test_the_middle_is_the_origin() -> None:
    for name, (west, south, east, north) in CITIES.items():
        x, y = to_metres(PROJECTIONS[name].plane[0], (west + east) / 2, (south + north) / 2)
        assert math.hypot(x, y) < TOLERANCE_M, name


@pytest.mark.parametrize("kernel", ["Prescott", "Nehalem", "Haswell"])
def test_the_plane_does_not_depend_on_the_processor(kernel: str) -> None:
    """A linear algebra library takes other paths on other processors; the fit must not use it."""
    program = (
        "import hashlib; from geofences.projection import Projection;"
        "plane = Projection.centred(121.0, 29.0, 122.1, 30.1).plane;"
        "print(hashlib.sha256(plane.tobytes()).hexdigest())"
    )
    environment = {**os.environ, "OPENBLAS_CORETYPE": kernel, "PYTHONPATH": str(ROOT)}
    there = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    here = Projection.centred(121.0, 29.0, 122.1, 30.1).plane
    assert there.stdout.strip() == hashlib.sha256(here.tobytes()).hexdigest()
