"""Districts that cross each other or leave gaps (不交叉、不遗漏; design section 4).

The city check calls it. Works in degrees scaled to metres: borders that are straight in the file
stay straight, where a map projection would bend them away from each other at T-junctions. The scale
is that of the city's middle, good to some per cent. Borders drawn coarsely differ by slivers all
along; what is narrower or smaller than the tolerances here is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import cos, radians

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from geofences.city import District
from geofences.findings import Report, shown

MIN_AREA_M2 = 100.0
MIN_WIDTH_M = 1.0
OPEN_GAP_WIDTH_M = 20.0
"""Gaps that are open to the outside count up to this width; wider ones may be water or a
neighbouring city's land."""
MIN_OPEN_AREA_M2 = 1_000.0
"""Where two districts meet at the city's border, there is often a small notch between them."""
MAX_GAPS = 20


@dataclass(frozen=True, slots=True)
class _Plane:
    """Degrees to metres by two factors, and back."""

    origin: NDArray[np.float64]
    metres_per_degree: NDArray[np.float64]

    @classmethod
    def around(cls, districts: tuple[District, ...]) -> "_Plane":
        west, south, east, north = shapely.total_bounds([district.shape for district in districts])
        lat = radians((south + north) / 2)
        # The lengths of a degree on the WGS-84 ellipsoid, as series in the latitude.
        east_m = 111_412.84 * cos(lat) - 93.5 * cos(3 * lat) + 0.118 * cos(5 * lat)
        north_m = 111_132.92 - 559.82 * cos(2 * lat) + 1.175 * cos(4 * lat)
        return cls(np.array([(west + east) / 2, (south + north) / 2]), np.array([east_m, north_m]))

    def to_metres(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        return (positions - self.origin) * self.metres_per_degree

    def place_in(self, shape: Polygon) -> str:
        inside = shapely.get_coordinates(shape.representative_point())[0]
        lon, lat = inside / self.metres_per_degree + self.origin
        return f"({lon:.5f}, {lat:.5f})"


def check_borders(districts: tuple[District, ...], report: Report) -> None:
    """Warns of each pair that overlaps and of each gap, with area and a place."""
    plane = _Plane.around(districts)
    scaled = [shapely.transform(district.shape, plane.to_metres) for district in districts]
    shapes = [shape if shape.is_valid else shapely.make_valid(shape) for shape in scaled]
    codes = [district.code for district in districts]
    tree = shapely.STRtree(shapes)
    _check_overlaps(shapes, codes, tree, plane, report)
    _check_gaps(shapes, codes, tree, plane, report)


def _check_overlaps(
    shapes: Sequence[BaseGeometry],
    codes: list[str],
    tree: shapely.STRtree,
    plane: _Plane,
    report: Report,
) -> None:
    touching = {tuple(pair) for pair in tree.query(shapes, "intersects").T.tolist()}
    for first, second in combinations(range(len(shapes)), 2):
        if (first, second) not in touching:
            continue
        pieces = _sizeable(shapely.intersection(shapes[first], shapes[second]), MIN_AREA_M2)
        if pieces:
            area_m2 = sum(piece.area for piece in pieces)
            message = (
                f"overlap of {_area(area_m2)}, most at {plane.place_in(pieces[0])}; "
                f"{shown(codes[first])} wins there: correct the border"
            )
            label = f"{shown(codes[first])} and {shown(codes[second])}"
            report.warning("districts.geojson", message, feature=label)


def _check_gaps(
    shapes: Sequence[BaseGeometry],
    codes: list[str],
    tree: shapely.STRtree,
    plane: _Plane,
    report: Report,
) -> None:
    union = shapely.union_all(shapes)
    filled = shapely.union_all([Polygon(part.exterior) for part in shapely.get_parts(union)])
    gaps = _sizeable(filled.difference(union), MIN_AREA_M2)
    gaps += [
        piece
        for piece in _sizeable(_close(filled).difference(filled), MIN_OPEN_AREA_M2)
        if len(_around(piece, tree)) > 1
    ]
    for piece in gaps[:MAX_GAPS]:
        message = (
            f"gap of {_area(piece.area)} at {plane.place_in(piece)}; "
            "extend a district over it, or ignore this if it is no part of the city"
        )
        label = " and ".join(sorted(shown(codes[i]) for i in _around(piece, tree)))
        report.warning("districts.geojson", message, feature=label)
    if len(gaps) > MAX_GAPS:
        area_m2 = sum(piece.area for piece in gaps[MAX_GAPS:])
        message = f"has {len(gaps) - MAX_GAPS} smaller gaps more, {_area(area_m2)} together"
        report.warning("districts.geojson", message)


def _close(shape: BaseGeometry) -> BaseGeometry:
    """`shape` with its narrow bays filled."""
    reach_m = OPEN_GAP_WIDTH_M / 2
    return shape.buffer(reach_m, quad_segs=2).buffer(-reach_m, quad_segs=2)


def _around(gap: Polygon, tree: shapely.STRtree) -> list[int]:
    found: list[int] = tree.query(gap, "dwithin", distance=MIN_WIDTH_M).tolist()
    return found


def _sizeable(shape: BaseGeometry, min_area_m2: float) -> list[Polygon]:
    """The pieces of `shape` that are neither too small nor too narrow to matter, largest first."""
    pieces = [part for part in shapely.get_parts(shape) if isinstance(part, Polygon)]
    return sorted(
        (
            piece
            for piece in pieces
            if piece.area >= min_area_m2 and not piece.buffer(-MIN_WIDTH_M / 2).is_empty
        ),
        key=lambda piece: -piece.area,
    )


def _area(area_m2: float) -> str:
    return f"{area_m2:,.0f} m²"
