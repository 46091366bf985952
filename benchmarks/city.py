"""The benchmark city: made up from a seed, as large as a real one (design section 9).

16 districts of 5,000 vertices each in 60 by 60 km, 800 sites, 3,000 routes along shared roads, 200
zones, and any number of trucks. Everybody makes the same city from the same numbers. As a program,
`python -m benchmarks.city FOLDER` writes it as a city directory.
"""

import argparse
import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from benchmarks.borders import ACROSS, district_rings
from benchmarks.plane import SIDE_M, Floats, blob, to_degrees
from benchmarks.roads import CROSSINGS, Crossing, Roads
from geofences.city import City
from geofences.loader import parse_city

SEED = 2026
SITE_SHARES = {"construction": 50, "disposal": 12, "transfer": 6, "parking": 12}
"""Of 80."""
NO_GO_ZONES, SPEED_ZONES = 60, 140
PERMIT_TRUCKS = 20
"""Trucks on one permit: a fleet that works for a site."""
SETTINGS = b"""\
name = "Benchmark"
admin_code = "330200"
[defaults]
speed_limit_kmh = 60
"""
HOURS = "19:00-06:00"
"""Of most permits; the others hold all day."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a city is, its trucks apart."""

    sites: int = 800
    routes: int = 3_000
    """Two an errand, which is a pair of a source and a disposal site: 1, 2 or 3."""
    vertices: int = 5_000
    """Of a district."""


PLAN = Plan()


@dataclass(frozen=True, slots=True)
class _Errand:
    source: str
    disposal: str
    routes: tuple[str, ...]
    districts: tuple[str, ...]


def benchmark_city(trucks: int, seed: int = SEED, plan: Plan = PLAN) -> City:
    """The city with so many trucks."""
    city, findings = parse_city(city_files(trucks, seed, plan))
    if city is None:
        raise AssertionError("\n".join(finding.render() for finding in findings))
    return city


def write_city(folder: Path, trucks: int, seed: int = SEED, plan: Plan = PLAN) -> None:
    """The same city as a directory."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in city_files(trucks, seed, plan).items():
        (folder / name).write_bytes(content)


def city_files(trucks: int, seed: int = SEED, plan: Plan = PLAN) -> dict[str, bytes]:
    """The files of the city directory, by name."""
    random = np.random.default_rng(seed)
    rings = district_rings(random, plan.vertices)
    districts = {str(330_201 + i): ring for i, ring in enumerate(rings)}
    roads = Roads(random)
    sites = _sites(plan.sites, random)
    routes: dict[str, Floats] = {}
    errands = [_errand(number, sites, roads, routes, random) for number in range(plan.routes // 2)]
    errands = _with_districts(errands, routes, districts)
    return {
        "city.toml": SETTINGS,
        "districts.geojson": _geojson(_district_features(districts)),
        "sites.geojson": _geojson(_site_features(sites, roads, random)),
        "routes.geojson": _geojson(_route_features(routes)),
        "zones.geojson": _geojson(_zone_features(roads, random)),
        "trucks.csv": _csv(_truck_rows(trucks)),
        "permits.csv": _csv(_permit_rows(trucks, errands, random)),
    }


def truck_id(number: int) -> str:
    """A plate of this number."""
    return f"浙B{number:06}"


def _sites(count: int, random: np.random.Generator) -> dict[str, Crossing]:
    """Each at a crossing of its own as far as they last; then they begin again."""
    order = random.permutation(CROSSINGS * CROSSINGS)
    crossings = [(int(i) // CROSSINGS, int(i) % CROSSINGS) for i in order]
    kinds = [
        (kind, number)
        for kind, share in SITE_SHARES.items()
        for number in range(max(1, round(count * share / sum(SITE_SHARES.values()))))
    ]
    return {
        f"{kind}-{number:03}": crossings[-1 - place % len(crossings)]
        for place, (kind, number) in enumerate(kinds)
    }


def _errand(
    number: int,
    sites: dict[str, Crossing],
    roads: Roads,
    routes: dict[str, Floats],
    random: np.random.Generator,
) -> _Errand:
    """An errand between two sites 6 to 19 crossings apart, whose routes turn at different roads."""
    sources = sum(site_id.startswith("construction") for site_id in sites)
    disposals = sum(site_id.startswith("disposal") for site_id in sites)
    while True:
        source = f"construction-{random.integers(sources):03}"
        disposal = f"disposal-{random.integers(disposals):03}"
        start, end = sites[source], sites[disposal]
        if 6 <= abs(start[0] - end[0]) + abs(start[1] - end[1]) <= 19:
            break
    low, high = min(start[0], end[0]), max(start[0], end[0])
    columns = [low, high, (low + high) // 2]
    names = []
    for way in range(number % 3 + 1):
        name = f"route-{len(routes):04}"
        routes[name] = roads.line(start, end, columns[way])
        names.append(name)
    return _Errand(source, disposal, tuple(names), ())


def _with_districts(
    errands: list[_Errand], routes: dict[str, Floats], districts: dict[str, Floats]
) -> list[_Errand]:
    """Every errand with the districts that a vertex of its routes lies in."""
    points = np.concatenate(list(routes.values()))
    end = dict(zip(routes, np.cumsum([len(line) for line in routes.values()]), strict=True))
    inside = {}
    for code, ring in districts.items():
        polygon = shapely.Polygon(ring)
        shapely.prepare(polygon)
        inside[code] = shapely.intersects_xy(polygon, points)
    return [
        _Errand(
            errand.source,
            errand.disposal,
            errand.routes,
            tuple(
                code
                for code, holds in inside.items()
                if any(
                    holds[end[name] - len(routes[name]) : end[name]].any() for name in errand.routes
                )
            ),
        )
        for errand in errands
    ]


def _district_features(districts: dict[str, Floats]) -> Iterator[dict[str, Any]]:
    for number, (code, ring) in enumerate(districts.items()):
        name = f"{number // ACROSS + 1}-{number % ACROSS + 1}"
        yield _feature("Polygon", [_points(ring)], code=code, name=name)


def _site_features(
    sites: dict[str, Crossing], roads: Roads, random: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Half of them circles, half polygons, each over its crossing; where crossings have run out,
    beside the roads."""
    for number, (site_id, crossing) in enumerate(sites.items()):
        values = {"site_id": site_id, "name": site_id, "kind": site_id.split("-")[0]}
        astray_m = 40 if number < CROSSINGS * CROSSINGS else 900
        centre = roads.crossings[crossing] + random.uniform(-astray_m, astray_m, 2)
        radius_m = float(random.uniform(90, 250))
        if number % 2:
            ring = blob(centre, radius_m, int(random.integers(6, 40)), random)
            yield _feature("Polygon", [_points(ring)], **values)
        else:
            point = _points(centre[None])[0]
            yield _feature("Point", point, **values, radius_m=round(radius_m, 1))


def _route_features(routes: dict[str, Floats]) -> Iterator[dict[str, Any]]:
    for route_id, line in routes.items():
        yield _feature("LineString", _points(line), route_id=route_id, name=route_id)


def _zone_features(roads: Roads, random: np.random.Generator) -> Iterator[dict[str, Any]]:
    """No-go zones inside blocks, by the roads but not on them; limits over crossings."""
    blocks = (roads.crossings[:-1, :-1] + roads.crossings[1:, 1:]) / 2
    for number in range(NO_GO_ZONES + SPEED_ZONES):
        values: dict[str, Any] = {"zone_id": f"zone-{number:03}", "name": f"zone {number}"}
        column, row = random.integers(CROSSINGS - 1, size=2)
        corners = int(random.integers(8, 40))
        if number < NO_GO_ZONES:
            ring = blob(blocks[column, row], 300.0, corners, random)
            values |= {"kind": "no_go"}
        else:
            radius_m = float(random.uniform(200, 800))
            ring = blob(roads.crossings[column, row], radius_m, corners, random)
            values |= {"kind": "speed_limit", "limit_kmh": 55}
        if number % 3 == 0:
            values |= {"hours": "06:00-22:00"}
        yield _feature("Polygon", [_points(ring)], **values)


def _truck_rows(trucks: int) -> Iterator[Sequence[str]]:
    yield "truck_id", "terminal_id", "company", "max_load_kg"
    for number in range(trucks):
        yield truck_id(number), f"{13_000_000_000 + number}", f"company {number // 200}", "18000"


def _permit_rows(
    trucks: int, errands: list[_Errand], random: np.random.Generator
) -> Iterator[Sequence[str]]:
    """Each truck is on one permit, and half of them on another one."""
    yield (
        "permit_id", "truck_ids", "source_site_ids", "disposal_site_ids", "route_ids",
        "districts", "valid_from", "valid_to", "hours",
    )  # fmt: skip
    order = np.concatenate([random.permutation(trucks), random.permutation(trucks)[: trucks // 2]])
    for number, first in enumerate(range(0, len(order), PERMIT_TRUCKS)):
        errand = errands[int(random.integers(len(errands)))]
        fleet = dict.fromkeys(truck_id(int(i)) for i in order[first : first + PERMIT_TRUCKS])
        hours = HOURS if number % 10 < 7 else ""
        lists = (fleet, (errand.source,), (errand.disposal,), errand.routes, errand.districts)
        yield f"permit-{number:06}", *map(";".join, lists), "2026-01-01", "2026-12-31", hours


def _points(metres: Floats) -> list[list[float]]:
    points: list[list[float]] = to_degrees(metres).tolist()
    return points


def _feature(shape: str, coordinates: Any, /, **properties: Any) -> dict[str, Any]:
    geometry = {"type": shape, "coordinates": coordinates}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _geojson(features: Iterable[dict[str, Any]]) -> bytes:
    collection = {"type": "FeatureCollection", "features": list(features)}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.city", description=write_city.__doc__
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trucks", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    write_city(options.folder, options.trucks, options.seed)
    side_km = SIDE_M / 1000
    print(f"{options.folder}: {side_km:g} by {side_km:g} km, {options.trucks:,} trucks")


if __name__ == "__main__":
    main()
