"""Nasty tracks through a made-up city, from a seed (see `cities.py`).

A driver goes about its day: drives, stands, loads, tips, lifts, falls silent, is carried away; its
terminal flickers, repeats itself and tells late what it told before. Called by the tests that
compare engines.
"""

from collections.abc import Iterator
from dataclasses import replace
from heapq import merge
from random import Random

import msgspec
import shapely
from shapely import Point

from geofences.city import City
from reference.cities import METRE_DEG, Frame, random_city, random_frame, random_place
from streams.position import Element, Malformed, Position, Tick

Place = tuple[float, float]

STEPS_S = (1, 5, 10, 10, 15, 20, 30, 30, 59.999, 60, 60, 60.001, 90)
GAPS_S = (
    179.999, 180, 299.999, 300, 301, 599.999, 600, 600.001, 601, 900, 1_199.999, 1_200, 1_200.001,
    1_801, 3_600, 3_600.001, 7_200.001, 14_399.999, 14_400, 14_500,
)  # fmt: skip
TIPPING = ("disposal", "transfer")
SPEEDS_KMH = (0, 0, 3, 4.9, 5, 5.1, 20, 30, 30.1, 45, 60, 61, 90)


class Driver:
    """One truck and its terminal; `positions` is what the terminal sends, in order."""

    def __init__(self, rng: Random, frame: Frame, city: City, truck_id: str) -> None:
        self._rng, self._frame, self._city, self._truck_id = rng, frame, city, truck_id
        self._time_ms = frame.start_ms + rng.randrange(600_000)
        self._place = self._somewhere()
        self._tells_loaded = rng.random() < 0.6
        self._tells_lifted = rng.random() < 0.5
        self._tells_cover = rng.random() < 0.5
        self._is_covered = rng.random() < 0.7
        self._tells_weight = rng.random() < 0.4
        self._tells_speed = rng.choice((0.0, 0.7, 1.0))
        self._noise = rng.choice((0.0, 0.05, 0.2))
        self._is_loaded = rng.random() < 0.4
        self._is_lifted = False
        self.positions: list[Position] = []

    def work(self, steps: int) -> None:
        acts = (
            (self._drive, 5), (self._stand, 3), (self._load, 4), (self._tip, 4),
            (self._fall_silent, 2), (self._be_carried, 1), (self._jump_about, 1),
            (self._graze, 2),
        )  # fmt: skip
        while len(self.positions) < steps:
            (act,) = self._rng.choices([a for a, _ in acts], [weight for _, weight in acts])
            act()

    def _somewhere(self) -> Place:
        """At a site, on a corner of something, or anywhere."""
        kind = self._rng.random()
        if kind < 0.5 and self._city.sites:
            site = self._rng.choice(self._city.sites)
            return self._near((site.shape.centroid.x, site.shape.centroid.y), 60)
        if kind < 0.7:
            named = (*self._city.districts, *self._city.zones, *self._city.routes)
            corners = shapely.get_coordinates(self._rng.choice(named).shape)
            lon, lat = corners[self._rng.randrange(len(corners))]
            return float(lon), float(lat)
        return random_place(self._rng, self._frame)

    def _near(self, place: Place, metres: float) -> Place:
        reach = metres * METRE_DEG
        lon, lat = place
        return lon + self._rng.uniform(-reach, reach), lat + self._rng.uniform(-reach, reach)

    def _wait(self, seconds: float) -> None:
        self._time_ms += round(1000 * seconds)

    def _noisy(self, value: bool, tells: bool) -> bool | None:
        if not tells or self._rng.random() < self._noise:
            return None
        return value != (self._rng.random() < self._noise / 2)

    def _report(self, speed_kmh: float) -> None:
        rng = self._rng
        self.positions.append(
            Position(
                self._truck_id,
                self._time_ms,
                *self._place,
                speed_kmh=float(speed_kmh) if rng.random() < self._tells_speed else None,
                loaded=self._noisy(self._is_loaded, self._tells_loaded),
                lifted=self._noisy(self._is_lifted, self._tells_lifted),
                covered=self._noisy(self._is_covered, self._tells_cover),
                load_kg=rng.choice((14_000.0, 15_750.0, 15_751.0)) if self._tells_weight else None,
                satellites=rng.choice((None, 4, 12)),
            )
        )

    def _drive(self) -> None:
        target = self._somewhere()
        if self._rng.random() < 0.3:
            route = self._rng.choice(self._city.routes)
            corners = shapely.get_coordinates(route.shape)
            target = tuple(map(float, corners[self._rng.randrange(len(corners))]))
        start, count = self._place, self._rng.randint(1, 10)
        speed_kmh = self._rng.choice(SPEEDS_KMH)
        for i in range(1, count + 1):
            self._wait(self._rng.choice(STEPS_S))
            lon = start[0] + (target[0] - start[0]) * i / count
            self._place = lon, start[1] + (target[1] - start[1]) * i / count
            self._report(speed_kmh)

    def _stand(self) -> None:
        spot = self._place
        for _ in range(self._rng.randint(1, 8)):
            self._wait(self._rng.choice((*STEPS_S, 180, 300)))
            self._place = spot if self._rng.random() < 0.5 else self._near(spot, 30)
            self._report(self._rng.choice((0, 0, 0, 2, 5, 6)))

    def _go_to(self, *kinds: str) -> None:
        there = [site.shape.centroid for site in self._city.sites if site.kind in kinds]
        if there and self._rng.random() < 0.7:
            centre: Point = self._rng.choice(there)
            self._wait(self._rng.choice((60, 300, 500)))
            self._place = self._near((centre.x, centre.y), 40)
            self._report(self._rng.choice((0, 30)))

    def _load(self) -> None:
        self._go_to("construction")
        self._stand()
        self._is_loaded = True
        self._stand()

    def _tip(self) -> None:
        self._go_to(*self._rng.choice((TIPPING, TIPPING, ("construction",), ())))
        self._stand()
        self._is_lifted = self._rng.random() < 0.8
        self._stand()
        if self._rng.random() < 0.3:
            self._drive()
        self._is_loaded = self._rng.random() < 0.2
        self._is_lifted = False
        self._stand()

    def _fall_silent(self) -> None:
        self._wait(self._rng.choice(GAPS_S))
        self._report(self._rng.choice(SPEEDS_KMH))

    def _be_carried(self) -> None:
        """To the other end of the city, by ship: three positions agree, and it is there."""
        self._place = self._near(self._somewhere(), 2_000)
        for _ in range(self._rng.randint(1, 5)):
            self._wait(self._rng.choice((0.5, 1, 5)))
            self._place = self._near(self._place, 20)
            self._report(self._rng.choice(SPEEDS_KMH))

    def _jump_about(self) -> None:
        home = self._place
        for _ in range(self._rng.randint(1, 6)):
            self._wait(self._rng.choice((-1, 0, 0.5, 1, 5)))
            self._place = self._rng.choice((home, self._somewhere(), self._near(self._place, 30)))
            self._report(self._rng.choice(SPEEDS_KMH))
        self._place = home

    def _graze(self) -> None:
        """Along the edge of a reach, back and forth."""
        site = self._rng.choice(self._city.sites)
        margin_m = self._city.state_overrides.get("site_margin_m", 50)
        edge = shapely.buffer(site.shape, (site.radius_m + margin_m) * METRE_DEG).boundary
        for _ in range(self._rng.randint(2, 8)):
            self._wait(self._rng.choice(STEPS_S))
            on_edge = edge.interpolate(self._rng.random(), normalized=True)
            self._place = self._near((on_edge.x, on_edge.y), 10)
            self._report(self._rng.choice(SPEEDS_KMH))


def disturbed(rng: Random, positions: list[Position]) -> Iterator[Position]:
    """What the network makes of them."""
    sent: list[Position] = []
    for position in positions:
        chance = rng.random()
        if chance < 0.02:
            yield msgspec.structs.replace(position, satellites=3)
        elif chance < 0.03:
            yield msgspec.structs.replace(position, located=False)
        elif chance < 0.04:
            yield msgspec.structs.replace(position, lon=0, lat=0)
        elif chance < 0.05:
            yield msgspec.structs.replace(position, received_ms=position.time_ms - 300_001)
        elif chance < 0.09 and sent:
            yield rng.choice(sent[-5:])
        yield position
        sent.append(position)


def in_arrival_order(
    rng: Random, tracks: list[list[Position]], *, shuffle: bool = False
) -> list[Position]:
    """All tracks as one stream that keeps each truck's order: by time, or anyhow."""
    if not shuffle:
        return list(merge(*tracks, key=lambda position: position.time_ms))
    turns = [i for i, track in enumerate(tracks) for _ in track]
    rng.shuffle(turns)
    sources = [iter(track) for track in tracks]
    return [next(sources[i]) for i in turns]


def with_ticks(rng: Random, positions: list[Position]) -> list[Element]:
    """Ticks as a gateway writes them, at times early, and one malformed element."""
    elements: list[Element] = []
    for position in positions:
        if rng.random() < 0.1:
            elements.append(Tick(position.time_ms + rng.choice((-30_000, 0, 1, 200_000))))
        elements.append(position)
    elements.insert(rng.randrange(len(elements) + 1), Malformed("not JSON"))
    highest_ms = max(position.time_ms for position in positions)
    return [*elements, Tick(highest_ms + rng.choice((0, 960_001, 20_000_000)))]


def random_case(seed: int, *, steps: int = 60) -> tuple[City, list[list[Position]], Random]:
    """A city and the tracks of its trucks; the generator to go on with."""
    rng = Random(seed)
    frame = random_frame(rng)
    truck_ids = [f"浙B{number}" for number in range(rng.randint(1, 4))]
    city = random_city(rng, frame, truck_ids)
    tracks = []
    for truck_id in [*truck_ids, "外A1"]:
        driver = Driver(rng, frame, city, truck_id)
        driver.work(rng.randint(1, steps))
        tracks.append(list(disturbed(rng, driver.positions)))
    return city, tracks, rng


def with_version(city: City, version: str) -> City:
    return replace(city, version=version)
