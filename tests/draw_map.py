"""The map of a picture: districts, sites with their reach, routes with their corridor, zones.

Called by `draw_scenario`. Draws in metres from the middle of the window; knows nothing of verdicts.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from matplotlib.axes import Axes
from shapely import MultiPolygon, Polygon, box

from geofences.city import City, Site, Zone
from geofences.hours import Validity

METRE_DEG: Final = 1 / 110_850
"""A metre of latitude at 29° north, near enough for a picture."""
SITE_COLOURS: Final = {
    "construction": "tab:purple", "disposal": "tab:green", "transfer": "tab:olive",
    "parking": "tab:gray",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """What of the world is seen: its middle, and metres from there to each side."""

    lon: float
    lat: float
    reach_m: float

    def metres(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """Metres east and north of the middle."""
        east = (np.asarray(lon) - self.lon) / METRE_DEG * np.cos(np.radians(self.lat))
        return east, (np.asarray(lat) - self.lat) / METRE_DEG

    @property
    def frame(self) -> Polygon:
        return box(-self.reach_m, -self.reach_m, self.reach_m, self.reach_m)

    def of(self, shape: shapely.Geometry) -> shapely.Geometry:
        """`shape` (degrees) in metres."""
        return shapely.transform(shape, lambda lonlat: np.column_stack(self.metres(*lonlat.T)))


def draw_city(ax: Axes, city: City, window: Window, margin_m: float, *, brief: bool) -> None:
    """All that of `city` lies in the window; `margin_m` is what a reach exceeds a site by. In brief
    names are ids alone."""
    for number, district in enumerate(city.districts):
        shape = window.of(district.shape)
        _fill(ax, window, shape, facecolor=("#f3f6fb", "#fbf6ee")[number % 2], zorder=0)
        _outline(ax, window, shape, color="#888888", linewidth=1.6, zorder=1)
        _name(ax, window, shape, f"district {district.code}", "#888888", "bottom")
    for route in city.routes:
        line = window.of(route.shape)
        reach = line.buffer(route.corridor_m)
        _fill(ax, window, reach, facecolor="#cfe3f7", zorder=2)
        _outline(ax, window, line, color="tab:blue", linewidth=1.2, zorder=3, is_line=True)
        corridor = "" if brief else f" route, corridor {route.corridor_m:g} m"
        _name(ax, window, reach, route.route_id + corridor, "tab:blue", "bottom")
    for zone in city.zones:
        shape = window.of(zone.shape)
        colour = "tab:red" if zone.kind == "no_go" else "darkgoldenrod"
        _fill(ax, window, shape, facecolor="none", edgecolor=colour, hatch="///", alpha=0.25,
              zorder=2)  # fmt: skip
        _outline(ax, window, shape, color=colour, linewidth=1.2, zorder=3)
        name = zone.zone_id if brief else _zone_label(zone)
        _name(ax, window, shape, name, colour, "above" if brief else "top")
    for site in city.sites:
        shape = (
            window.of(site.shape).buffer(site.radius_m) if site.radius_m else window.of(site.shape)
        )
        colour = SITE_COLOURS[site.kind]
        _fill(ax, window, shape, facecolor=colour, alpha=0.3, zorder=3)
        reach = shape.buffer(margin_m, quad_segs=64)
        _outline(ax, window, reach, color=colour, linewidth=1, linestyle="--", zorder=3)
        name = site.site_id if brief else _site_label(site)
        _name(ax, window, reach, name, colour, "above" if brief else "top")
    ax.set(xlim=(-window.reach_m, window.reach_m), ylim=(-window.reach_m, window.reach_m))
    ax.set_aspect("equal")
    ax.set_xlabel("metres east")
    ax.tick_params(labelsize=7)


def _zone_label(zone: Zone) -> str:
    limit = "no-go" if zone.limit_kmh is None else f"{zone.limit_kmh:g} km/h"
    return f"{zone.zone_id} {limit} {_hours(zone.validity)}"


def _site_label(site: Site) -> str:
    return f"{site.site_id} {site.kind} {_hours(site.validity)}"


def _hours(validity: Validity) -> str:
    def clock(minute: int) -> str:
        return f"{minute // 60 % 24:02}:{minute % 60:02}"

    return "; ".join(f"{clock(w.start_min)}-{clock(w.end_min)}" for w in validity.windows)


def _polygons(shape: shapely.Geometry) -> list[Polygon]:
    parts = shape.geoms if isinstance(shape, MultiPolygon) else [shape]
    return [part for part in parts if isinstance(part, Polygon) and not part.is_empty]


def _fill(ax: Axes, window: Window, shape: shapely.Geometry, **style: Any) -> None:
    for polygon in _polygons(shape.intersection(window.frame.buffer(window.reach_m))):
        ax.fill(*polygon.exterior.xy, **{"linewidth": 0, **style})


def _outline(
    ax: Axes, window: Window, shape: shapely.Geometry, *, is_line: bool = False, **style: Any
) -> None:
    line = shape if is_line else shape.boundary
    seen = line.intersection(window.frame.buffer(window.reach_m))
    for part in getattr(seen, "geoms", [seen]):
        if not part.is_empty:
            ax.plot(*part.xy, **style)


def _name(
    ax: Axes, window: Window, shape: shapely.Geometry, name: str, colour: str, edge: str
) -> None:
    """`name` in the middle of what is seen of `shape`: along its lower edge, along its upper, or
    above that."""
    seen = shape.intersection(window.frame)
    if seen.is_empty:
        return
    west, south, east, north = seen.bounds
    y = south if edge == "bottom" else north
    ax.annotate(
        name, ((west + east) / 2, y), (0, -3 if edge == "top" else 3), color=colour, fontsize=7,
        textcoords="offset points", ha="center", va="top" if edge == "top" else "bottom", zorder=4,
    )  # fmt: skip
