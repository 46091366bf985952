"""The places of the made-up city: districts, sites and zones, in metres from its middle.

Used by `producers.demo_city` alone.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from shapely import LineString, MultiLineString, Point, Polygon

from producers.demo_roads import COLUMNS, ROWS, SPACING_M, Node, Place, Roads, bent

DISTRICT_COLUMNS, DISTRICT_ROWS = 3, 2
RIM_M = 2_500.0
"""From the outermost roads to the city's border."""
APART_M = 150.0
"""From a site to every road but its own, so that nobody passes through a site's reach."""
NAMES = (
    "云栖",
    "学府",
    "滨河",
    "梧桐",
    "凤起",
    "锦绣",
    "紫荆",
    "朝阳",
    "枫林",
    "曲水",
    "兰亭",
    "翠屏",
)
WORKS = ("花园二期", "安置房", "商务中心", "地铁车站", "中学扩建", "医院迁建")
DAY_HOURS = ("06:00-20:00", "05:30-19:30", "06:30-20:30")
KINDS = (("construction", 26), ("disposal", 12), ("transfer", 2), ("parking", 6))


@dataclass(frozen=True)
class DemoSite:
    site_id: str
    name: str
    kind: str
    node: Node
    place: Place
    shape: Polygon
    radius_m: float | None
    """Given: the register knows the site as a circle."""
    hours: str
    capacity_m3: int | None


def make_districts(chance: random.Random) -> list[Polygon]:
    """Side by side without gap or overlap: neighbours share the crooked line between them."""
    width = (COLUMNS - 1) * SPACING_M + 2 * RIM_M
    height = (ROWS - 1) * SPACING_M + 2 * RIM_M
    corners = {}
    for column in range(DISTRICT_COLUMNS + 1):
        for row in range(DISTRICT_ROWS + 1):
            inside = 0 < column < DISTRICT_COLUMNS, 0 < row < DISTRICT_ROWS
            corners[column, row] = (
                (column / DISTRICT_COLUMNS - 0.5) * width
                + 1_500 * inside[0] * chance.uniform(-1, 1),
                (row / DISTRICT_ROWS - 0.5) * height + 1_500 * inside[1] * chance.uniform(-1, 1),
            )
    borders: dict[tuple[Node, Node], list[Place]] = {}
    for start in sorted(corners):
        for end in ((start[0] + 1, start[1]), (start[0], start[1] + 1)):
            if end in corners:
                line = bent(corners[start], corners[end], 24, 0.035, chance)
                borders[start, end], borders[end, start] = line, line[::-1]
    return [
        _ring(borders, [(c, r), (c + 1, r), (c + 1, r + 1), (c, r + 1)])
        for r in range(DISTRICT_ROWS)
        for c in range(DISTRICT_COLUMNS)
    ]


def _ring(borders: dict[tuple[Node, Node], list[Place]], corners: list[Node]) -> Polygon:
    return Polygon(
        [
            place
            for start, end in zip(corners, corners[1:] + corners[:1], strict=True)
            for place in borders[start, end][:-1]
        ]
    )


def make_sites(roads: Roads, chance: random.Random) -> list[DemoSite]:
    """Sites beside crossings, each at one of its own."""
    nodes = sorted(roads.nodes)
    sites = []
    lines = MultiLineString(roads.lines())
    for kind, count in KINDS:
        for number in range(1, count + 1):
            node = nodes.pop(int(chance.random() * len(nodes)))
            place, shape, radius_m = _grounds(roads.nodes[node], kind, lines, chance)
            receives = kind in ("disposal", "transfer")
            sites.append(
                DemoSite(
                    site_id=f"{kind[0].upper()}{number:02d}",
                    name=_name(kind, number, chance),
                    kind=kind,
                    node=node,
                    place=place,
                    shape=shape,
                    radius_m=radius_m,
                    # Every other disposal site closes at night.
                    hours=DAY_HOURS[number % 3] if kind == "disposal" and number % 2 == 0 else "",
                    capacity_m3=10_000 * (5 + int(chance.random() * 40)) if receives else None,
                )
            )
    return sites


def _name(kind: str, number: int, chance: random.Random) -> str:
    name = NAMES[number % len(NAMES)]
    if kind == "construction":
        return f"{name}{WORKS[int(chance.random() * len(WORKS))]}工地"
    suffix = {"disposal": "消纳场", "transfer": "中转站", "parking": "停车场"}[kind]
    return f"{name}{suffix}"


def _grounds(
    crossing: Place, kind: str, roads: MultiLineString, chance: random.Random
) -> tuple[Place, Polygon, float | None]:
    """A plot near the crossing and away from the roads: its middle, its shape, and its radius where
    it is a circle."""
    while True:
        radius_m = float(int(chance.uniform(90, 150) + (60 if kind == "disposal" else 0)))
        away_m, angle = chance.uniform(450, 900), chance.uniform(0, 2 * math.pi)
        place = crossing[0] + away_m * math.cos(angle), crossing[1] + away_m * math.sin(angle)
        if Point(place).distance(roads) < radius_m + 50 + APART_M:
            continue
        if chance.random() < 0.4:
            return place, Point(place).buffer(radius_m), radius_m
        corners = [
            radius_m * chance.uniform(0.75, 1.0) for _ in range(6 + int(chance.random() * 4))
        ]
        return place, round_polygon(place, corners), None


def round_polygon(middle: Place, radii_m: Sequence[float]) -> Polygon:
    """With a corner at each radius, counter-clockwise from the east."""
    angles = [2 * math.pi * number / len(radii_m) for number in range(len(radii_m))]
    return Polygon(
        [
            (middle[0] + radius_m * math.cos(angle), middle[1] + radius_m * math.sin(angle))
            for radius_m, angle in zip(radii_m, angles, strict=True)
        ]
    )


def no_go_zone(middle: Place, lines: Sequence[LineString], chance: random.Random) -> Polygon | None:
    """A zone round `middle` that no road and no way comes near; None where there is no room."""
    room_m = min(line.distance(Point(middle)) for line in lines) - 250
    if room_m < 300:
        return None
    return round_polygon(middle, [min(room_m, 900) * chance.uniform(0.8, 1.0) for _ in range(9)])


def slow_zone(middle: Place, chance: random.Random) -> Polygon:
    return round_polygon(middle, [chance.uniform(420, 560) for _ in range(8)])
