"""The roads that a simulated fleet drives on: `roads.json`, kept beside a city's reference data.

Used by `producers.terrain`, `producers.simulate`'s callers and `producers.demo_city`. It is the
simulator's own file: the engine reads none of it, and it is no part of a city's version. GeoJSON;
LineStrings whose `kind` is a road's or `tunnel`, and Polygons whose `kind` is `built_up`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import shapely
from shapely import LineString, Polygon
from shapely.geometry import shape

from geofences.city import City

FILE = "roads.json"
RoadKind = Literal["arterial", "collector", "local"]
ROAD_KINDS: tuple[RoadKind, ...] = get_args(RoadKind)
KINDS = (*ROAD_KINDS, "tunnel", "built_up")


class RoadsError(Exception):
    """The file can't be used; one line that says what is wrong and what is allowed."""


@dataclass(frozen=True)
class RoadMap:
    """In degrees. Roads meet where they share a point."""

    roads: tuple[tuple[RoadKind, LineString], ...]
    tunnels: tuple[LineString, ...] = ()
    """Stretches of roads."""
    built_up: tuple[Polygon, ...] = ()
    """Where houses stand close and high."""


def read_roads(folder: Path) -> RoadMap | None:
    """The roads of the city in `folder`; None where it states none. Raises `RoadsError`."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        features = json.loads(path.read_bytes())["features"]
        return _map([(one["properties"]["kind"], shape(one["geometry"])) for one in features])
    except OSError as error:
        raise RoadsError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, shapely.GEOSException) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise RoadsError(f"{path}: no GeoJSON of roads: {reason}") from None


def _map(features: list[tuple[str, Any]]) -> RoadMap:
    for kind, one in features:
        wanted = Polygon if kind == "built_up" else LineString
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r}; allowed is {', '.join(KINDS)}")
        if not isinstance(one, wanted):
            raise ValueError(f"kind {kind!r} is a {one.geom_type}, not a {wanted.__name__}")

    def of(kind: str) -> list[Any]:
        return [one for its_kind, one in features if its_kind == kind]

    roads = tuple((kind, line) for kind in ROAD_KINDS for line in of(kind))
    if not roads:
        raise ValueError(f"holds no road; a road's kind is {', '.join(ROAD_KINDS)}")
    return RoadMap(roads, tuple(of("tunnel")), tuple(of("built_up")))


def roads_of_routes(city: City) -> RoadMap:
    """Where a city states no roads: its permitted routes, which meet where they cross."""
    if not city.routes:
        return RoadMap(())
    lines = shapely.get_parts(shapely.union_all([route.shape for route in city.routes]))
    return RoadMap(tuple(("collector", line) for line in lines))
