"""Makes the made-up city that comes along (`producers/cities/demo`): 云溪市, which does not exist.

`python -m producers.demo_city` writes it again, `python -m producers.demo_city DIR --trucks 5000`
one with more trucks; the same seed gives the same files, and a test holds the committed ones equal
to what this makes. Every route keeps to the roads, every permit covers the districts that its
routes touch, and no route leads through a no-go zone, so that a truck that keeps to its permit
breaks no rule.
"""

import argparse
import csv
import io
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shapely import LineString, Polygon

from producers.demo_places import (
    DemoSite,
    make_districts,
    make_sites,
    no_go_zone,
    slow_zone,
)
from producers.demo_roads import COLUMNS, ROWS, SPACING_M, Place, Roads, length, make_roads
from producers.demo_streets import Streets
from producers.feature_collection import feature_collection
from producers.road_map import FILE as ROADS_FILE

DEMO_CITY = Path(__file__).parent / "cities" / "demo"
SEED = 20_260_401
MIDDLE = (120.2, 28.2)
"""Longitude and latitude; what really is there has nothing to do with it."""
DEGREE_M = 111_000.0
DISTRICTS = (
    ("990101", "临溪区"),
    ("990102", "望湖区"),
    ("990103", "青岚区"),
    ("990104", "南浦区"),
    ("990105", "石桥区"),
    ("990106", "东麓县"),
)
COMPANIES = ("恒通", "宏远", "绿洲", "金桥", "顺达", "安捷", "鼎盛", "众合", "长河", "新源")
TRUCKS = 500
WITHOUT_PERMIT = 14
EXPIRED = 6
TRUCKS_A_PERMIT = 10
PERMIT_HOURS = ("20:00-06:00", "", "20:00-06:00", "21:00-05:30", "09:30-16:30;20:00-06:00")
LONGEST_ROUTE_M = 24_000.0
CITY_TOML = """\
# 云溪市: a city that does not exist, written by producers/demo_city.py.
name = "云溪市"
admin_code = "990100"
timezone = "Asia/Shanghai"

[defaults]
speed_limit_kmh = 60
"""

Row = dict[str, str]


def make_city(seed: int = SEED, trucks: int = TRUCKS) -> dict[str, bytes]:
    """The files of the city directory by name. More trucks are more permits for the same sites."""
    chance = random.Random(seed)  # noqa: S311 (nothing secret is made of it)
    street_chance = random.Random(seed + 1)  # noqa: S311
    districts = make_districts(chance)
    roads = make_roads(chance)
    sites = make_sites(roads, chance)
    permits, routes = _permits(trucks, districts, roads, sites, chance)
    zones = _zones(roads, sites, routes, chance)
    return {
        "city.toml": CITY_TOML.encode(),
        "districts.geojson": feature_collection(
            ({"code": code, "name": name}, _polygon(shape))
            for (code, name), shape in zip(DISTRICTS, districts, strict=True)
        ),
        "sites.geojson": feature_collection(_site(site) for site in sites),
        "routes.geojson": feature_collection(
            (
                {"route_id": route_id, "name": f"核准路线 {route_id}"},
                {"type": "LineString", "coordinates": [_degrees(place) for place in line]},
            )
            for route_id, line in routes.items()
        ),
        "zones.geojson": feature_collection(zones),
        "trucks.csv": _table(_trucks(trucks, chance)),
        "permits.csv": _table(permits),
        ROADS_FILE: _roads(Streets(roads, sites, routes.values(), street_chance)),
    }


def plate(number: int) -> str:
    """A plate with a letter that the province has not given out."""
    return f"浙Y{number:05d}"


def _trucks(trucks: int, chance: random.Random) -> list[Row]:
    return [
        {
            "truck_id": plate(number),
            "terminal_id": f"0199{number:08d}",
            "company": f"云溪{COMPANIES[number // 10 % len(COMPANIES)]}渣土运输有限公司",
            "max_load_kg": str(1_000 * (14 + int(chance.random() * 8))),
        }
        for number in range(1, trucks + 1)
    ]


def _permits(
    trucks: int,
    districts: Sequence[Polygon],
    roads: Roads,
    sites: Sequence[DemoSite],
    chance: random.Random,
) -> tuple[list[Row], dict[str, list[Place]]]:
    """Permits of ten trucks each, for one construction site, a disposal site that is always open
    and one that closes at night; and the routes between them."""
    sources = [site for site in sites if site.kind == "construction"]
    always = [site for site in sites if site.kind == "disposal" and not site.hours]
    by_day = [site for site in sites if site.kind == "disposal" and site.hours]
    routes: dict[str, list[Place]] = {}
    permits: list[Row] = []
    with_permit = trucks - WITHOUT_PERMIT
    for number, first in enumerate(range(1, with_permit + 1, TRUCKS_A_PERMIT)):
        source = sources[number % len(sources)]
        targets = [_within_reach(roads, source, some, chance) for some in (always, by_day)]
        route_ids = [f"{source.site_id}-{target.site_id}" for target in targets]
        for route_id, target in zip(route_ids, targets, strict=True):
            routes[route_id] = _route(roads, source, target)
        touched = [
            code
            for (code, _), shape in zip(DISTRICTS, districts, strict=True)
            if any(shape.intersects(LineString(routes[route_id])) for route_id in route_ids)
        ]
        last = min(first + TRUCKS_A_PERMIT - 1, with_permit)
        expired = last > with_permit - EXPIRED
        permits.append(
            {
                "permit_id": f"云溪渣运〔2026〕{number + 1:03d}号",
                "truck_ids": ";".join(plate(truck) for truck in range(first, last + 1)),
                "source_site_ids": source.site_id,
                "disposal_site_ids": ";".join(target.site_id for target in targets),
                "route_ids": ";".join(route_ids),
                # Left empty, it means the same districts.
                "districts": "" if number % 4 == 3 else ";".join(touched),
                "valid_from": "2024-01-01",
                "valid_to": "2025-12-31" if expired else "2035-12-31",
                "hours": PERMIT_HOURS[number % len(PERMIT_HOURS)],
            }
        )
    return permits, dict(sorted(routes.items()))


def _within_reach(
    roads: Roads, source: DemoSite, targets: Sequence[DemoSite], chance: random.Random
) -> DemoSite:
    """One of the nearer half of those whose route is not too long."""
    ways = sorted(
        (length(_route(roads, source, target)), target.site_id, target) for target in targets
    )
    near = [target for way_m, _, target in ways if way_m <= LONGEST_ROUTE_M] or [ways[0][2]]
    return near[int(chance.random() * (len(near) + 1) / 2)]


def _route(roads: Roads, source: DemoSite, target: DemoSite) -> list[Place]:
    return [source.place, *roads.way(source.node, target.node), target.place]


def _zones(
    roads: Roads,
    sites: Sequence[DemoSite],
    routes: Mapping[str, list[Place]],
    chance: random.Random,
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Two no-go zones away from all roads and ways, and two with a lower speed limit."""
    lines = [LineString(line) for line in [*roads.lines(), *routes.values()]]
    lines += [LineString([site.place, roads.nodes[site.node]]) for site in sites]
    free = [
        zone
        for column in range(COLUMNS - 1)
        for row in range(ROWS - 1)
        if (zone := no_go_zone(_block_middle(column, row), lines, chance)) is not None
    ]
    no_go: dict[str, Any] = {"kind": "no_go"}
    slow: dict[str, Any] = {"kind": "speed_limit", "limit_kmh": 40}
    return [
        ({"zone_id": "Z1", "name": "湿地保护区", **no_go}, _polygon(free[len(free) // 3])),
        ({"zone_id": "Z2", "name": "老城步行区", **no_go}, _polygon(free[2 * len(free) // 3])),
        (
            {"zone_id": "Z3", "name": "城关限速区", **slow},
            _polygon(slow_zone(roads.nodes[4, 3], chance)),
        ),
        (
            {"zone_id": "Z4", "name": "学校限速区", **slow, "hours": "06:30-22:00"},
            _polygon(slow_zone(roads.nodes[7, 6], chance)),
        ),
    ]


def _block_middle(column: int, row: int) -> Place:
    return (column + 1 - COLUMNS / 2) * SPACING_M, (row + 1 - ROWS / 2) * SPACING_M


def _roads(streets: Streets) -> bytes:
    lines: list[tuple[str, list[Place]]] = [*streets.lines]
    lines += [("tunnel", line) for line in streets.tunnels]
    return feature_collection(
        [
            *(
                (
                    {"kind": kind},
                    {"type": "LineString", "coordinates": [_degrees(place) for place in line]},
                )
                for kind, line in lines
            ),
            *(({"kind": "built_up"}, _polygon(shape)) for shape in streets.built_up),
        ]
    )


def _site(site: DemoSite) -> tuple[dict[str, Any], dict[str, Any]]:
    properties: dict[str, Any] = {"site_id": site.site_id, "name": site.name, "kind": site.kind}
    if site.hours:
        properties["hours"] = site.hours
    if site.capacity_m3 is not None:
        properties["capacity_m3"] = site.capacity_m3
    if site.radius_m is None:
        return properties, _polygon(site.shape)
    properties["radius_m"] = site.radius_m
    return properties, {"type": "Point", "coordinates": _degrees(site.place)}


def _polygon(shape: Polygon) -> dict[str, Any]:
    ring = [_degrees((x, y)) for x, y in shape.exterior.coords]
    return {"type": "Polygon", "coordinates": [ring]}


def _degrees(place: Place) -> list[float]:
    """Six decimals: a tenth of a metre."""
    lon, lat = MIDDLE
    east_m = DEGREE_M * math.cos(math.radians(lat))
    return [round(lon + place[0] / east_m, 6), round(lat + place[1] / DEGREE_M, 6)]


def _table(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def main() -> None:
    """Write the city into the directory named on the command line, else where it belongs."""
    parser = argparse.ArgumentParser(prog="python -m producers.demo_city", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=DEMO_CITY)
    parser.add_argument("--trucks", type=int, default=TRUCKS, help=f"default {TRUCKS}")
    parser.add_argument("--seed", type=int, default=SEED, help=f"default {SEED}")
    given = parser.parse_args()
    if given.trucks <= WITHOUT_PERMIT + EXPIRED:
        parser.error(f"--trucks {given.trucks}: at least {WITHOUT_PERMIT + EXPIRED + 1}")
    if given.folder == DEMO_CITY and (given.trucks, given.seed) != (TRUCKS, SEED):
        parser.error("name a folder for a city that is not the one that comes along")
    given.folder.mkdir(parents=True, exist_ok=True)
    for name, content in make_city(given.seed, given.trucks).items():
        (given.folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
