"""Small made-up cities, each from a seed: what the tracks of `tracks.py` lead through.

Nothing is plausible about them, everything is allowed: jagged borders, holes, enclaves, gaps and
overlaps, sites with reaches across each other and across borders, windows over midnight, validities
that end today, thresholds overridden at random. Called by the tests that compare engines.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import shapely
from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon, box

from geofences.city import City, District, Permit, Route, Site, SiteKind, Truck, Zone
from geofences.hours import ALWAYS, Validity, parse_hours

SITE_KINDS: tuple[SiteKind, ...] = ("construction", "disposal", "transfer", "parking")
WIDTH_DEG, HEIGHT_DEG = 0.06, 0.05
METRE_DEG = 1 / 111_320
"""A metre of latitude, roughly."""

STATE_CHOICES = {
    "site_margin_m": (0, 20, 300),
    "max_speed_kmh": (80, 300),
    "forget_s": (3_600, 7_200),
    "max_gap_s": (60, 300, 1_200),
    "load_confirm": (1, 3),
    "load_dwell_s": (60, 120),
    "dump_dwell_s": (30, 300),
    "stop_speed_kmh": (0, 12, 45),
    "stop_radius_m": (5, 200),
    "watermark_delay_s": (0, 60),
}
RULE_CHOICES = {
    "min_fixes": (1, 2, 5),
    "min_s": (0, 30, 120.5),
    "severe_s": (0, 60, 300),
    "border_m": (0, 500),
    "tolerance": (0.5, 1),
    "offline_s": (30, 601, 1_200),
    "max_trip_s": (60, 600, 1_800),
}
RULES_WITH = {
    "min_fixes": ("off-route", "no-permit", "speeding", "no-go-zone", "lifted-moving"),
    "min_s": ("off-route", "out-of-hours", "uncovered-load", "overload", "lifted-moving"),
    "severe_s": ("off-route",),
    "border_m": ("cross-district-transit", "cross-district-dumping"),
    "tolerance": ("overload",),
    "offline_s": ("signal-lost",),
    "max_trip_s": ("undelivered",),
}
HOURS = ("21:00-06:00", "00:00-12:00", "23:30-00:30", "05:00-09:00;22:00-02:00", "00:00-24:00")


@dataclass(frozen=True, slots=True)
class Frame:
    """Where and when a made-up city lies."""

    timezone: str
    west: float
    south: float
    start_ms: int
    """Tracks begin here: some time before a local midnight, at times one with a clock change."""

    @property
    def today(self) -> date:
        return datetime.fromtimestamp(self.start_ms / 1000, ZoneInfo(self.timezone)).date()


FRAMES = (
    ("Asia/Shanghai", 121.0, 29.0, datetime(2026, 11, 21, 15, tzinfo=UTC)),
    ("Europe/Berlin", 13.3, 52.4, datetime(2026, 10, 24, 21, tzinfo=UTC)),
    ("Europe/Berlin", 13.3, 52.4, datetime(2027, 3, 28, 0, tzinfo=UTC)),
    ("America/St_Johns", -52.8, 47.5, datetime(2026, 6, 1, 1, tzinfo=UTC)),
)


def random_frame(rng: Random) -> Frame:
    timezone, west, south, start = rng.choice((FRAMES[0], *FRAMES))
    start_ms = round(start.timestamp()) * 1000 + rng.randrange(5_400_000)
    return Frame(timezone, west, south, start_ms)


def random_city(rng: Random, frame: Frame, truck_ids: list[str]) -> City:
    districts = _districts(rng, frame)
    sites = tuple(_site(rng, frame, number, districts) for number in range(rng.randint(2, 8)))
    routes = tuple(_route(rng, frame, number, sites) for number in range(rng.randint(1, 4)))
    permits = [
        _permit(rng, frame, number, truck_ids, sites, routes, districts)
        for number in range(rng.randint(0, 5))
    ]
    return City(
        name="made up",
        admin_code="330200",
        timezone=frame.timezone,
        version="f" * 64,
        speed_limit_kmh=rng.choice((None, 30, 60)),
        state_overrides=_overridden(rng, STATE_CHOICES),
        rule_overrides=_rule_overrides(rng),
        districts=districts,
        sites=sites,
        routes=routes,
        zones=tuple(_zone(rng, frame, number) for number in range(rng.randint(0, 4))),
        trucks=tuple(
            Truck(truck_id, None, rng.choice((None, "甲")), rng.choice((None, 15_000)))
            for truck_id in truck_ids
            if rng.random() < 0.8
        ),
        permits=tuple(permits),
    )


def random_place(rng: Random, frame: Frame) -> tuple[float, float]:
    """Mostly in the city, at times a little outside."""
    lon = frame.west + rng.uniform(-0.1, 1.1) * WIDTH_DEG
    return lon, frame.south + rng.uniform(-0.1, 1.1) * HEIGHT_DEG


def _blob(rng: Random, frame: Frame, radius_deg: float) -> Polygon:
    """A convex polygon somewhere."""
    lon, lat = random_place(rng, frame)
    around = [
        (lon + rng.uniform(-1, 1) * radius_deg, lat + rng.uniform(-1, 1) * radius_deg)
        for _ in range(7)
    ]
    hull = shapely.convex_hull(shapely.MultiPoint(around))
    assert isinstance(hull, Polygon)
    return hull


def _districts(rng: Random, frame: Frame) -> tuple[District, ...]:
    """West and east of a jagged line, with an enclave, a gap, and one laid over all of it."""
    east, north = frame.west + WIDTH_DEG, frame.south + HEIGHT_DEG
    steps = rng.randint(1, 12)
    line = [
        (frame.west + rng.uniform(0.3, 0.7) * WIDTH_DEG, frame.south + i / steps * HEIGHT_DEG)
        for i in range(steps + 1)
    ]
    west_side = [(frame.west, north), (frame.west, frame.south)]
    shapes: list[shapely.Geometry] = [
        Polygon([*line, *west_side]),
        Polygon([*reversed(line), (east, frame.south), (east, north)]),
    ]
    if rng.random() < 0.5:
        enclave = _blob(rng, frame, 0.008)
        shapes[0] = shapely.difference(shapes[0], enclave)
        shapes[1] = shapely.union(shapes[1], enclave)
    if rng.random() < 0.5:
        gap = _blob(rng, frame, 0.006)
        shapes = [shapely.difference(shape, gap) for shape in shapes]
    if rng.random() < 0.5:
        shapes.append(_blob(rng, frame, 0.02))
    rng.shuffle(shapes)
    return tuple(
        District(f"33020{number}", f"district {number}", shape)
        for number, shape in enumerate(shapes)
        if isinstance(shape, Polygon | MultiPolygon)
    )


def _validity(rng: Random, frame: Frame, share: float) -> Validity:
    if rng.random() > share:
        return ALWAYS
    day = timedelta(days=1)
    first = rng.choice((None, None, frame.today - day, frame.today, frame.today + day))
    last = rng.choice((None, None, frame.today - day, frame.today, frame.today + day))
    windows = parse_hours(rng.choice(HOURS)) if rng.random() < 0.7 else ()
    return Validity(first, last, windows)


def _site(rng: Random, frame: Frame, number: int, districts: tuple[District, ...]) -> Site:
    kind = SITE_KINDS[number] if number < 2 else rng.choice(SITE_KINDS)
    lon, lat = random_place(rng, frame)
    shape: Point | Polygon | MultiPolygon = Point(lon, lat)
    radius_m = rng.choice((10, 80, 400))
    if rng.random() < 0.5:
        shape, radius_m = _blob(rng, frame, 0.002), 0
        if rng.random() < 0.3:
            shape = MultiPolygon([shape, box(lon + 0.01, lat, lon + 0.011, lat + 0.001)])
    stated = rng.choice(districts).code if rng.random() < 0.4 else None
    validity = _validity(rng, frame, 0.3)
    return Site(f"S{number}", f"site {number}", kind, shape, radius_m, stated, validity)


def _route(rng: Random, frame: Frame, number: int, sites: tuple[Site, ...]) -> Route:
    centre = rng.choice(sites).shape.centroid
    points = [(centre.x, centre.y), *(random_place(rng, frame) for _ in range(rng.randint(1, 5)))]
    line: LineString | MultiLineString = LineString(points)
    if rng.random() < 0.3:
        line = MultiLineString([points, [random_place(rng, frame) for _ in range(2)]])
    return Route(f"R{number}", f"route {number}", line, rng.choice((20, 50, 500)))


def _zone(rng: Random, frame: Frame, number: int) -> Zone:
    validity = _validity(rng, frame, 0.5)
    shape = _blob(rng, frame, 0.02)
    if rng.random() < 0.5:
        return Zone(f"Z{number}", f"zone {number}", "no_go", shape, None, validity)
    limit_kmh = rng.choice((20, 40, 80))
    return Zone(f"Z{number}", f"zone {number}", "speed_limit", shape, limit_kmh, validity)


def _permit(
    rng: Random,
    frame: Frame,
    number: int,
    truck_ids: list[str],
    sites: tuple[Site, ...],
    routes: tuple[Route, ...],
    districts: tuple[District, ...],
) -> Permit:
    def some(ids: list[str]) -> tuple[str, ...]:
        return tuple(sorted(rng.sample(ids, rng.randint(0, min(2, len(ids))))))

    return Permit(
        f"P{number}",
        tuple(sorted(rng.sample(truck_ids, rng.randint(1, len(truck_ids))))),
        some([site.site_id for site in sites if site.kind == "construction"]),
        some([site.site_id for site in sites if site.kind in ("disposal", "transfer")][:1]),
        some([route.route_id for route in routes]),
        some([district.code for district in districts]),
        _validity(rng, frame, 0.6),
    )


def _overridden(rng: Random, choices: dict[str, tuple[float, ...]]) -> dict[str, float]:
    if rng.random() < 0.4:
        return {}
    return {name: rng.choice(of) for name, of in choices.items() if rng.random() < 0.3}


def _rule_overrides(rng: Random) -> dict[str, dict[str, float]]:
    overrides: dict[str, dict[str, float]] = {}
    for name, value in _overridden(rng, RULE_CHOICES).items():
        for rule in RULES_WITH[name]:
            overrides.setdefault(rule, {})[name] = value
    return overrides
