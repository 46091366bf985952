"""The map of a report, as SVG without any outside part: districts, zones, corridors, sites, the
truck's track with times, the place of the event.

Called by `enforcement.evidence.report` with the reference data and the positions of the package,
and for a city alone by `mucktrack city picture`.
Drawn for paper: what is told by colour is told by line or letter too.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from shapely import MultiLineString, MultiPolygon, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from enforcement.evidence.wording import Moments
from geofences.city import City, Site
from streams.words import named

WIDTH, HEIGHT = 720.0, 460.0
MARGIN: Final = 0.18
LEAST_M: Final = 500.0
"""Half of the least width that is shown."""
LABELS: Final = 10
SMALL: Final = 120.0
"""A shape that is smaller is named above, not within."""
CLOSE_M: Final = 150.0
FARTHEST_M: Final = 800.0
"""Half of what a close view shows at least and at most."""
"""Times along the track."""
METRE_DEG: Final = 1 / 111_200
"""Of latitude, near enough for a picture."""
SITES: Final = {
    "construction": ("#7b3fa0", "工地", "construction site"),
    "disposal": ("#1d7f3a", "消纳场", "disposal site"),
    "transfer": ("#7d7a12", "中转站", "transfer site"),
    "parking": ("#666666", "停车场", "parking"),
}


@dataclass(frozen=True, slots=True)
class Dot:
    """A position on the track."""

    time_ms: int
    lon: float
    lat: float
    in_violation: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be drawn."""

    city: City
    site_margin_m: float
    track: Sequence[Dot]
    lon: float
    lat: float
    """Of the event."""
    moments: Moments
    english: bool
    route_ids: frozenset[str] = frozenset()
    """Of the permits in date; other routes are drawn without names."""


class _Window:
    """What of the world is seen, in metres round its middle, and where that is on paper."""

    def __init__(self, places: Sequence[tuple[float, float]], least_m: float) -> None:
        lons, lats = zip(*places, strict=True)
        self._lon, self._lat = (min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2
        points = [self.metres(*place) for place in places]
        half_x = max(least_m, *(abs(x) for x, _ in points)) * (1 + MARGIN)
        half_y = max(least_m * HEIGHT / WIDTH, *(abs(y) for _, y in points)) * (1 + MARGIN)
        self.scale = min(WIDTH / 2 / half_x, HEIGHT / 2 / half_y)
        """Pixels a metre."""
        half = WIDTH / 2 / self.scale, HEIGHT / 2 / self.scale
        self.frame = box(-half[0], -half[1], *half)

    def metres(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        east = (lon - self._lon) / METRE_DEG * math.cos(math.radians(self._lat))
        return east, (lat - self._lat) / METRE_DEG

    def of(self, shape: BaseGeometry) -> BaseGeometry:
        """`shape` (degrees) in metres."""
        return shapely.transform(shape, lambda at: np.column_stack(self.metres(at[:, 0], at[:, 1])))

    def paper(self, x: float, y: float) -> tuple[float, float]:
        return WIDTH / 2 + x * self.scale, HEIGHT / 2 - y * self.scale

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        return self.paper(*self.metres(lon, lat))


def picture(scene: Scene) -> str:
    """The SVG: the event and all of the track."""
    places = [(dot.lon, dot.lat) for dot in scene.track]
    return _drawn(scene, _Window([*places, (scene.lon, scene.lat)], LEAST_M))


def close_picture(scene: Scene, reach_m: float) -> str:
    """The SVG: the event and what is at most `reach_m` from it; empty where that is not near."""
    if not reach_m <= FARTHEST_M:
        return ""
    return _drawn(scene, _Window([(scene.lon, scene.lat)], max(CLOSE_M, reach_m)))


def city_picture(city: City, site_margin_m: float = 50.0, *, english: bool = False) -> str:
    """The SVG, a file by itself: a whole city, all of its routes with names."""
    west, south, east, north = map(
        float, shapely.total_bounds([district.shape for district in city.districts])
    )
    window = _Window([(west, south), (east, north)], LEAST_M)
    route_ids = frozenset(route.route_id for route in city.routes)
    middle = (west + east) / 2, (south + north) / 2
    moments = Moments(ZoneInfo(city.timezone))
    return _svg(_map(Scene(city, site_margin_m, (), *middle, moments, english, route_ids), window))


def _drawn(scene: Scene, window: _Window) -> str:
    return _svg([*_map(scene, window), *_track(scene, window), *_event(scene, window)])


def _map(scene: Scene, window: _Window) -> Iterator[str]:
    for draw in (_districts, _zones, _routes, _sites, _scale):
        yield from draw(scene, window)


def _svg(parts: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" '
        'role="img" font-family="sans-serif" font-size="10">'
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" fill="#fbfbf8"/>'
        f"{''.join(parts)}"
        f'<rect x=".5" y=".5" width="{WIDTH - 1:g}" height="{HEIGHT - 1:g}" fill="none" '
        'stroke="#333"/></svg>'
    )


def _districts(scene: Scene, window: _Window) -> Iterator[str]:
    for district in scene.city.districts:
        shape = window.of(district.shape)
        if not shape.intersects(window.frame):
            continue
        yield _path(shape.boundary, window, 'fill="none" stroke="#888" stroke-width="1.6" '
                    'stroke-dasharray="8 3 2 3"')  # fmt: skip
        yield from _name(shape, window, named(district.code, district.name), "#777")


def _zones(scene: Scene, window: _Window) -> Iterator[str]:
    for zone in scene.city.zones:
        shape = window.of(zone.shape)
        if shape.intersects(window.frame):
            colour = "#c0392b" if zone.kind == "no_go" else "#b9770e"
            yield _path(shape, window, f'fill="{colour}" fill-opacity=".08" stroke="{colour}" '
                        'stroke-dasharray="2 2"')  # fmt: skip
            limit = "" if zone.limit_kmh is None else f" ≤{zone.limit_kmh:g} km/h"
            yield from _name(shape, window, named(zone.zone_id, zone.name) + limit, colour)


def _routes(scene: Scene, window: _Window) -> Iterator[str]:
    """The truck's own last, over the others."""
    for route in sorted(scene.city.routes, key=lambda one: one.route_id in scene.route_ids):
        line = window.of(route.shape)
        if not line.intersects(window.frame.buffer(route.corridor_m)):
            continue
        is_own = route.route_id in scene.route_ids
        band, colour = ("#cfe3f7", "#2471a3") if is_own else ("#ececec", "#aaa")
        near = line.intersection(window.frame.buffer(2 * route.corridor_m))
        reach = near.buffer(route.corridor_m)
        yield _path(reach, window, f'fill="{band}" fill-opacity=".7"')
        yield _path(line, window, f'fill="none" stroke="{colour}" stroke-width="1"')
        if is_own:
            yield from _name(line, window, named(route.route_id, route.name), colour)


def _sites(scene: Scene, window: _Window) -> Iterator[str]:
    for site in scene.city.sites:
        shape = _site_shape(site, window)
        if not shape.intersects(window.frame):
            continue
        colour, chinese, english = SITES[site.kind]
        kind = english if scene.english else chinese
        reach = shape.buffer(scene.site_margin_m)
        yield _path(reach, window, f'fill="none" stroke="{colour}" stroke-dasharray="3 2"')
        yield _path(shape, window, f'fill="{colour}" fill-opacity=".25" stroke="{colour}"')
        yield from _name(shape, window, f"{named(site.site_id, site.name)}（{kind}）", colour)


def _site_shape(site: Site, window: _Window) -> BaseGeometry:
    shape = window.of(site.shape)
    return shape.buffer(site.radius_m) if isinstance(shape, Point) else shape


def _track(scene: Scene, window: _Window) -> Iterator[str]:
    dots = [(dot, *window.place(dot.lon, dot.lat)) for dot in scene.track]
    line = " ".join(f"{x:.1f},{y:.1f}" for _, x, y in dots)
    yield f'<polyline points="{line}" fill="none" stroke="#222" stroke-width="1.2"/>'
    for dot, x, y in dots:
        fill = "#e74c3c" if dot.in_violation else "#fff"
        radius = 3 if dot.in_violation else 2
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="#222"/>'
    said: list[tuple[float, float]] = []
    for dot, x, y in dots[:: max(1, len(dots) // LABELS)] + dots[-1:]:
        if all(abs(x - a) > 40 or abs(y - b) > 11 for a, b in said):
            said.append((x, y))
            clock = scene.moments.clock(dot.time_ms)
            yield _text(x + 5, y - 5, clock, "#000")


def _event(scene: Scene, window: _Window) -> Iterator[str]:
    x, y = window.place(scene.lon, scene.lat)
    yield (
        f'<g stroke="#c0392b" stroke-width="2" fill="none"><circle cx="{x:.1f}" cy="{y:.1f}" '
        f'r="9"/><path d="M{x - 14:.1f},{y:.1f}h28M{x:.1f},{y - 14:.1f}v28"/></g>'
    )


def _scale(scene: Scene, window: _Window) -> Iterator[str]:
    """A bar of a round length, and where north is."""
    length_m = next(
        one for power in range(9) for one in (10**power, 2 * 10**power, 5 * 10**power)
        if one * window.scale >= WIDTH / 9
    )  # fmt: skip
    said = f"{length_m:,} m" if length_m < 1000 else f"{length_m / 1000:g} km"
    y, end = HEIGHT - 14, 12 + length_m * window.scale
    yield f'<path d="M12,{y - 4:g}v4H{end:.1f}v-4" fill="none" stroke="#000" stroke-width="1.5"/>'
    yield _text(16, y - 5, said, "#000")
    yield '<path d="M10,34l5,-22l5,22l-5,-5z" fill="#000" stroke="#fff"/>'
    yield _text(10, 46, "N" if scene.english else "北", "#000")


def _name(shape: BaseGeometry, window: _Window, text: str, colour: str) -> Iterator[str]:
    """Within what is seen of a wide shape, over a small one."""
    seen = shape.intersection(window.frame)
    if seen.is_empty:
        return
    west, south, east, north = seen.bounds
    at = seen.representative_point()
    x, y = window.paper(at.x, at.y)
    if max(east - west, north - south) * window.scale < SMALL:
        x, y = window.paper(west, north)
    yield _text(max(x, 4), min(max(y - 4, 12), HEIGHT - 6), text, colour)


def _text(x: float, y: float, text: str, colour: str) -> str:
    width = sum(10.0 if ord(one) > 0x2000 else 5.8 for one in text)
    anchor = ' text-anchor="end"' if x + width > WIDTH else ""
    return (
        f'<text x="{min(x, WIDTH - 4):.1f}" y="{y:.1f}" fill="{colour}" stroke="#fff" '
        f'stroke-width="2.5" paint-order="stroke"{anchor}>{escape(text)}</text>'
    )


def _path(shape: BaseGeometry, window: _Window, style: str) -> str:
    """What of `shape` is seen, no finer than it can be."""
    seen = shape.intersection(window.frame.buffer(20 / window.scale))
    seen = seen.simplify(0.3 / window.scale)
    lines = "".join(_line(ring, window) for ring in _rings(seen))
    return f'<path d="{lines}" fill-rule="evenodd" {style}/>' if lines else ""


def _rings(shape: Any) -> Iterator[Iterable[tuple[float, float]]]:
    if isinstance(shape, Polygon):
        for ring in (shape.exterior, *shape.interiors):
            yield ring.coords
    elif isinstance(shape, MultiPolygon | MultiLineString) or hasattr(shape, "geoms"):
        for part in shape.geoms:
            yield from _rings(part)
    elif not isinstance(shape, Point):
        yield shape.coords


def _line(coordinates: Iterable[tuple[float, float]], window: _Window) -> str:
    points = (window.paper(x, y) for x, y in coordinates)
    said = "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"M{said}" if said else ""
