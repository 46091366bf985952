"""Makes the made-up city that comes along (`producers/cities/demo`): 云溪市, in no real place.

Run `python -m producers.demo_city DIR` to write it again; the same seed gives the same files, and a
test holds the committed ones equal to what this makes. Every route keeps to the roads, every permit
lists the districts its routes touch, and no road leads through a no-go zone, so that a truck that
keeps to its permit breaks no rule.
"""

import csv
import io
import json
import math
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shapely import LineString, MultiLineString, Point, Polygon
from shapely.ops import unary_union

from producers.demo_roads import (
    COLUMNS,
    ROWS,
    SPACING_M,
    Node,
    Place,
    Roads,
    bent,
    make_roads,
)

SEED = 20_260_401
MIDDLE = (120.2, 28.2)
"""Longitude and latitude; the area is chosen for its size, not for what is there."""
DISTRICTS = (
    ("990101", "临溪区"),
    ("990102", "望湖区"),
    ("990103", "青岚区"),
    ("990104", "南浦区"),
    ("990105", "石桥区"),
    ("990106", "东麓县"),
)
COMPANIES = ("恒通", "宏远", "绿洲", "金桥", "顺达", "安捷", "鼎盛", "众合", "长河", "新源")
PLACES = ("云栖", "学府", "滨河", "梧桐", "凤起", "锦绣", "紫荆", "朝阳", "枫林", "曲水", "兰亭", "翠屏")
TRUCKS = 500
WITHOUT_PERMIT = 14
EXPIRED = 6
DAY_HOURS = ("06:00-20:00", "05:30-19:30", "06:30-20:30")
PERMIT_HOURS = ("20:00-06:00", "20:00-06:00", "21:00-05:30", "", "09:30-16:30;20:00-06:00")


@dataclass(frozen=True)
class _Site:
    site_id: str
    name: str
    kind: str
    node: Node
    place: Place
    shape: Polygon
    radius_m: float | None
    """Given: the register knows the site as a circle."""
    hours: str = ""
    capacity_m3: int | None = None


def make_city(seed: int = SEED) -> dict[str, bytes]:
    """The files of the city directory by name."""
    chance = random.Random(seed)
    districts = _districts(chance)
    roads = make_roads(chance)
    sites = _sites(roads, chance)
    permits, routes, truck_rows = _permits(districts, roads, sites, chance)
    lines = [*roads.lines(), *routes.values()]
    zones = _no_go_zones(lines) + _speed_zones(roads, sites)
    return {
        "city.toml": _CITY_TOML.encode(),
        "districts.geojson": _collection(
            _feature({"code": code, "name": name}, _polygon(shape))
            for (code, name), shape in zip(DISTRICTS, districts, strict=True)
        ),
        "sites.geojson": _collection(_site_feature(site) for site in sites),
        "routes.geojson": _collection(
            _feature(
                {"route_id": route_id, "name": f"核准路线 {route_id}"},
                {"type": "LineString", "coordinates": [_degrees(place) for place in line]},
            )
            for route_id, line in routes.items()
        ),
        "zones.geojson": _collection(zones),
        "trucks.csv": _table(truck_rows),
        "permits.csv": _table(permits),
    }
