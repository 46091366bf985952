"""What a city that loads may still have wrong: the warnings of `mucktrack city check` (section 4).

The command line calls it with a loaded city. Pure; where in a file something stands is not known
any more, so findings name ids.
"""

from collections.abc import Iterable

import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from geofences.check_borders import check_borders
from geofences.check_datum import check_datum
from geofences.city import City
from geofences.findings import Finding, Report, shown
from geofences.hours import Validity
from geofences.projection import Projection

MAX_OF_A_KIND = 20
"""Findings of one kind that are listed; more are summed up."""
WIDEST_CITY_KM = 600.0
"""Chongqing, the widest, has 470 km."""


def check_city(city: City) -> list[Finding]:
    """Warnings: districts that overlap or leave gaps, places outside, a likely wrong datum,
    permits, sites and zones that can never hold."""
    report = Report()
    west, south, east, north = map(
        float, shapely.total_bounds([district.shape for district in city.districts])
    )
    projection = Projection.centred(west, south, east, north)
    _check_extent(shapely.box(west, south, east, north), projection, report)
    check_borders(city.districts, report)
    check_datum(city, projection, report)
    _check_outside(city, report)
    _check_validity(city, report)
    return report.findings


def _check_extent(box: Polygon, projection: Projection, report: Report) -> None:
    corners = projection.project(shapely.get_coordinates(box))
    width_km, height_km = (corners.max(axis=0) - corners.min(axis=0)) / 1000
    if max(width_km, height_km) > WIDEST_CITY_KM:
        report.warning(
            "districts.geojson",
            f"spans {width_km:.0f} by {height_km:.0f} km, too much for one city; look for a "
            "misplaced district",
        )


def _check_outside(city: City, report: Report) -> None:
    districts = shapely.STRtree([district.shape for district in city.districts])
    places: dict[str, list[tuple[str, BaseGeometry]]] = {
        "sites.geojson": [(site.site_id, site.shape) for site in city.sites],
        "routes.geojson": [(route.route_id, route.shape) for route in city.routes],
        "zones.geojson": [(zone.zone_id, zone.shape) for zone in city.zones],
    }
    for file, items in places.items():
        shapes = np.array([shape for _, shape in items], dtype=object)
        touching = set(districts.query(shapes, "intersects")[0].tolist())
        outside = [key for number, (key, _) in enumerate(items) if number not in touching]
        for key in outside[:MAX_OF_A_KIND]:
            message = "lies outside every district; correct it, or its datum in city.toml"
            report.warning(file, message, feature=shown(key), field="geometry")
        if len(outside) > MAX_OF_A_KIND:
            message = f"has {len(outside) - MAX_OF_A_KIND} more features outside every district"
            report.warning(file, message)


def _check_validity(city: City, report: Report) -> None:
    _check_dates("sites.geojson", ((s.site_id, s.validity) for s in city.sites), report)
    _check_dates("zones.geojson", ((z.zone_id, z.validity) for z in city.zones), report)
    _check_dates("permits.csv", ((p.permit_id, p.validity) for p in city.permits), report)
    for permit in city.permits:
        if not permit.truck_ids:
            message = "is empty, so the permit covers no truck; list its trucks"
            label = shown(permit.permit_id)
            report.warning("permits.csv", message, feature=label, field="truck_ids")


def _check_dates(file: str, items: Iterable[tuple[str, Validity]], report: Report) -> None:
    for key, validity in items:
        if not validity.can_ever_hold():
            message = f"is after valid_to {validity.last}, so it can never hold; correct the dates"
            report.warning(
                file, message, feature=shown(key), field="valid_from", value=str(validity.first)
            )
