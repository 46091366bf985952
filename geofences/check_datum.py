"""Signs that the coordinates of a city are in two datums at once (design section 4).

The city check calls it. Taken for one another, WGS-84, GCJ-02 and BD-09 differ by 360 to 1,400 m:
sites then miss the district they state and the routes of their permits. So the sites are moved as
each mistake would have moved them, and where clearly more of them fit then, that is reported.
"""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiLineString
from shapely.geometry.base import BaseGeometry

from geofences.city import City, Site
from geofences.datum import DATUMS, Datum, convert
from geofences.findings import Report
from geofences.projection import Projection

MIN_GAIN = 3
MIN_GAIN_SHARE = 0.1
"""How many more, and what share of all, must fit for a shift to be worth a warning."""
REACH_M = 50.0
"""How near its permit's routes a site is expected to lie; the default reach of sites."""

Shapes = NDArray[np.object_]
CountFits = Callable[[Shapes], int]


def check_datum(city: City, projection: Projection, report: Report) -> None:
    """Warns where moving the sites by a datum makes clearly more of them fit."""
    _check_stated_districts(city, report)
    _check_permit_routes(city, projection, report)


def _check_stated_districts(city: City, report: Report) -> None:
    shape_of = {district.code: district.shape for district in city.districts}
    stating = [site for site in city.sites if site.district is not None]
    stated = np.array([shape_of[str(site.district)] for site in stating], dtype=object)
    shapely.prepare(stated)

    def count_fits(shapes: Shapes) -> int:
        return int(np.count_nonzero(shapely.intersects(stated, shapely.centroid(shapes))))

    _compare(stating, count_fits, "sites lie in the district they state", "districts", report)


def _check_permit_routes(city: City, projection: Projection, report: Report) -> None:
    route_of = {route.route_id: route.shape for route in city.routes}
    site_of = {site.site_id: site for site in city.sites}
    pairs = sorted(
        {
            (site_id, permit.route_ids)
            for permit in city.permits
            for site_id in permit.source_site_ids + permit.disposal_site_ids
            if permit.route_ids
        }
    )
    sites = [site_of[site_id] for site_id, _ in pairs]
    lines = np.array([_merged([route_of[i] for i in ids]) for _, ids in pairs], dtype=object)
    lines = shapely.transform(lines, projection.project)
    reaches_m = np.array([site.radius_m for site in sites]) + REACH_M

    def count_fits(shapes: Shapes) -> int:
        distances_m = shapely.distance(shapely.transform(shapes, projection.project), lines)
        return int(np.count_nonzero(distances_m <= reaches_m))

    what = "pairs of a permit's site and its routes lie together"
    _compare(sites, count_fits, what, "routes", report)


def _compare(
    sites: list[Site], count_fits: CountFits, what: str, other: str, report: Report
) -> None:
    """Reports the shift after which `count_fits` gains most, if it gains enough."""
    if not sites:
        return
    shapes = np.array([site.shape for site in sites], dtype=object)
    fits_as_given = count_fits(shapes)
    fits, source, target = max(
        ((count_fits(_moved(shapes, a, b)), a, b) for a, b in permutations(DATUMS, 2)),
        key=lambda shift: shift[0],
    )
    gain = fits - fits_as_given
    if gain >= MIN_GAIN and gain >= MIN_GAIN_SHARE * len(sites):
        report.warning(
            "sites.geojson",
            f"is likely wrong: {fits_as_given} of {len(sites)} {what}, but {fits} would if the "
            f"sites were moved from {source} to {target}; check the datums of sites and {other} "
            "in city.toml",
            field="datum",
        )


def _moved(shapes: Shapes, source: Datum, target: Datum) -> Shapes:
    def move(positions: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(convert(positions[:, 0], positions[:, 1], source, target))

    return shapely.transform(shapes, move)


def _merged(lines: list[BaseGeometry]) -> MultiLineString:
    return MultiLineString([part for line in lines for part in shapely.get_parts(line)])
