"""Datum conversion against published vectors, by round trips and at its borders."""

import json
import math
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geofences.datum import DATUMS, Datum, convert, point_to_wgs84

# Pairs that the implementations in use agree on: eviltransform, hutool, gcoord.
PUBLISHED: list[tuple[Datum, Datum, float, float, float, float]] = [
    ("wgs84", "gcj02", 116.377817, 39.911954, 116.38404722455657, 39.91334545536069),
    ("wgs84", "bd09", 122.99395597, 44.99804071, 123.00636516028885, 45.0063690918959),
    ("gcj02", "wgs84", 121.531541859215, 31.17530398364597, 121.5272106, 31.1774276),
    ("gcj02", "bd09", 111.4677938, 27.2388981, 111.4742271, 27.2451662),
    ("gcj02", "bd09", 123.4314787, 41.8057023, 123.438095, 41.8114013),
]

datums = st.sampled_from(DATUMS)


@pytest.mark.parametrize(("source", "target", "lon", "lat", "to_lon", "to_lat"), PUBLISHED)
def test_published_pairs(
    source: Datum, target: Datum, lon: float, lat: float, to_lon: float, to_lat: float
) -> None:
    assert convert(lon, lat, source, target) == pytest.approx((to_lon, to_lat), abs=1e-7)


def test_shared_vectors(shared_dir: Path) -> None:
    """Forward ones to 1e-6; the published inverses are single steps, 1e-5 off or 4 decimals."""
    vectors = json.loads((shared_dir / "vectors" / "gcj_vectors.json").read_bytes())["vectors"]
    assert len(vectors) > 20
    for vector in vectors:
        given, expected, operation = vector["in"], vector["expect"], vector["op"]
        source, target = operation.split("->") if "->" in operation else ("wgs84", "gcj02")
        lon, lat = convert(given["lng"], given["lat"], source, target)
        tolerance = 1e-5 if DATUMS.index(source) > DATUMS.index(target) else 1e-6
        assert (lon, lat) == pytest.approx((expected["lng"], expected["lat"]), abs=tolerance)
        back = convert(lon, lat, target, source)
        assert back == pytest.approx((given["lng"], given["lat"]), abs=1e-11)


@given(st.floats(73, 136), st.floats(2, 54), datums, datums)
def test_round_trip_in_china(lon: float, lat: float, source: Datum, target: Datum) -> None:
    there = convert(lon, lat, source, target)
    assert convert(*there, target, source) == pytest.approx((lon, lat), abs=1e-10)


@given(st.floats(72.004, 137.8347), st.floats(0.8293, 55.8271))
def test_wgs84_survives_up_to_the_border_of_the_box(lon: float, lat: float) -> None:
    there = convert(lon, lat, "wgs84", "gcj02")
    assert convert(*there, "gcj02", "wgs84") == pytest.approx((lon, lat), abs=1e-10)


@given(st.floats(73, 136), st.floats(18, 54))
def test_mixed_up_datums_move_a_point_some_hundred_metres(lon: float, lat: float) -> None:
    """360-660 m in cities for GCJ-02, up to 1.4 km for BD-09; the shift is never nothing."""
    scale = np.array([np.cos(np.radians(lat)) * 111_320, 110_950])
    for datum, least_m, most_m in (("gcj02", 0, 1_200), ("bd09", 0, 2_200)):
        shift = (np.array(convert(lon, lat, "wgs84", datum)) - (lon, lat)) * scale
        assert least_m < np.hypot(*shift) < most_m


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(-74.006, 40.7128), (2.35, 48.85), (0.0, 0.0), (151.2, -33.9), (72.0, 30.0), (138.0, 36.0),
     (100.0, 0.8), (100.0, 56.0), (180.0, 90.0), (-180.0, -90.0)],
)  # fmt: skip
def test_outside_china_gcj02_is_wgs84(lon: float, lat: float) -> None:
    assert convert(lon, lat, "wgs84", "gcj02") == (lon, lat)
    assert convert(lon, lat, "gcj02", "wgs84") == (lon, lat)


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), max_size=20), datums, datums)
def test_columns_are_converted_row_by_row(
    points: list[tuple[float, float]], source: Datum, target: Datum
) -> None:
    lon, lat = np.array([p[0] for p in points]), np.array([p[1] for p in points])
    given_lon = lon.copy()
    x, y = convert(lon, lat, source, target)
    assert x.shape == y.shape == lon.shape
    assert (lon == given_lon).all()
    for i, (a, b) in enumerate(points):
        assert convert(a, b, source, target) == pytest.approx((x[i], y[i]), abs=1e-11)


def test_same_datum_changes_no_bit() -> None:
    lon, lat = np.array([121.123456789012345]), np.array([29.1])
    for datum in DATUMS:
        x, y = convert(lon, lat, datum, datum)
        assert (x[0], y[0]) == (lon[0], lat[0])


@pytest.mark.parametrize(("source", "target"), list(permutations(DATUMS, 2)))
def test_nan_stays_nan(source: Datum, target: Datum) -> None:
    x, y = convert([np.nan, 121.0], [29.0, np.nan], source, target)
    assert (np.isnan(x) | np.isnan(y)).all()


def test_unknown_datum_is_refused() -> None:
    with pytest.raises(ValueError, match="'cgcs2000' is no known datum; allowed are wgs84, gcj02"):
        convert(121.0, 29.0, "cgcs2000", "wgs84")  # type: ignore[arg-type]


@given(
    st.floats(-1e5, 1e5) | st.floats(70, 140) | st.floats(71.9, 72.1),
    st.floats(-1e5, 1e5) | st.floats(0, 60) | st.floats(55.7, 55.9),
    datums,
)
def test_a_point_alone_is_converted_like_a_column(lon: float, lat: float, source: Datum) -> None:
    """At the border of the box both are right, so that a point may be on either side of it."""
    x, y = point_to_wgs84(lon, lat, source)
    assert math.isfinite(x)
    assert math.isfinite(y)
    if abs(lon) < 200 and abs(lat) < 100:
        expected = [float(one) for one in convert(lon, lat, source, "wgs84")]
        back = [float(one) for one in convert(x, y, "wgs84", source)]
        alike = [x, y] == pytest.approx(expected, abs=1e-11)
        assert alike or back == pytest.approx([lon, lat], abs=1e-9)


def test_points_of_the_shared_vectors(shared_dir: Path) -> None:
    vectors = json.loads((shared_dir / "vectors" / "gcj_vectors.json").read_bytes())["vectors"]
    sources = {"gcj02->wgs84": "gcj02", "bd09->wgs84": "bd09"}
    told = [vector for vector in vectors if vector["op"] in sources]
    assert told
    for vector in told:
        point = point_to_wgs84(vector["in"]["lng"], vector["in"]["lat"], sources[vector["op"]])
        expected = vector["expect"]
        assert point == pytest.approx((expected["lng"], expected["lat"]), abs=1e-5)
