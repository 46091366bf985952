"""A realistic load for the benchmark city: every truck on its permitted routes, a report each 10 s,
unless told otherwise.

Trucks go to and fro between the ends of a route, loaded one way, and wait at either end. A share
of the time some of them offend. Positions come in the order of their times, in which trucks are
mixed: as columns for the core, as `Position`s, or as a file. As a program,
`python -m benchmarks.load CITY FILE` writes a file for a city directory.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from benchmarks.plane import LAT_M, LON_M, Floats
from geofences.city import City
from geofences.loader import load_city
from streams.passage import POSITION
from streams.position import Position, encode_position
from streams.reading.record import MANY_SATELLITES
from streams.state import NEVER

Ints = npt.NDArray[np.int64]

START_MS = 1_772_373_600_000
"""2026-03-01 22:00 in Shanghai."""
EVERY_MS = 10_000
EPISODE_MS = 200_000
"""Of a truck's time that is looked at together: the offending part of it is made of first halves of
such episodes, 100 s each, long enough for a violation to open and to close."""
ASTRAY_M = 150.0
"""How far beside its route an offender drives: out of the corridor, yet no impossible jump."""
NOISE_M = 3.0
WAIT_S = 240.0
CHUNK = 100_000

LAWFUL, ASTRAY, SPEEDING, UNCOVERED, LIFTED, OVERLOADED = range(6)
OFFENCES = (ASTRAY, ASTRAY, ASTRAY, SPEEDING, UNCOVERED, LIFTED, OVERLOADED)
"""As often as they stand here."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that stays the same about each truck."""

    truck_ids: list[str]
    order: Ints
    """Trucks by the phase of their reports within the 10 s."""
    route: Ints
    speed_ms: Floats
    start_m: Floats
    has_sensors: npt.NDArray[np.bool_]
    """For `loaded`, `lifted` and `covered`; a truck without has none of them."""
    has_scale: npt.NDArray[np.bool_]
    episode: Ints
    """By how many reports its episodes are shifted."""


class Load:
    """Positions by number: any piece can be made on its own, and always comes out the same."""

    def __init__(
        self, city: City, *, offending: float, seed: int = 1, every_ms: int = EVERY_MS
    ) -> None:
        """`offending`: the share of the trucks' time that falls in offending episodes.
        `every_ms`: from one report of a truck to its next."""
        self.city = city
        self.offending = offending
        self._seed = seed
        self._every_ms = every_ms
        self._episode = EPISODE_MS // every_ms
        self._lines = _Lines(city)
        self.fleet = _fleet(city, self._lines, seed, self._episode)

    def columns(self, start: int, stop: int) -> Any:
        """Positions start:stop as a record array of `POSITION`; `truck` is the truck's place in
        `fleet.truck_ids`."""
        fleet, lines = self.fleet, self._lines
        number = np.arange(start, stop)
        trucks = len(fleet.truck_ids)
        report, turn = np.divmod(number, trucks)
        truck = fleet.order[turn]
        random = np.random.default_rng((self._seed, start))
        offence = self._offences(truck, report)

        speed_ms = fleet.speed_ms[truck]
        length_m = lines.length_m[fleet.route[truck]]
        rest_m = WAIT_S * speed_ms
        way_m = fleet.start_m[truck] + speed_ms * report * (self._every_ms / 1000)
        way_m %= 2 * (length_m + rest_m)
        outward = way_m < length_m + rest_m
        leg_m = np.where(outward, way_m, way_m - length_m - rest_m)
        waiting = leg_m >= length_m
        driven_m = np.minimum(leg_m, length_m)
        along_m = np.where(outward, driven_m, length_m - driven_m)
        places = lines.at(fleet.route[truck], along_m, np.where(offence == ASTRAY, ASTRAY_M, 0.0))
        places += random.normal(0.0, NOISE_M, places.shape) / (LON_M, LAT_M)

        batch = np.zeros(len(number), POSITION).view(np.recarray)
        batch.truck = truck
        batch.time_ms = START_MS + report * self._every_ms + turn * self._every_ms // trucks
        batch.received_ms = NEVER
        batch.lon, batch.lat = places.T.round(6)
        batch.located = True
        batch.satellites = MANY_SATELLITES
        moving_kmh = (speed_ms * 3.6 + random.normal(0.0, 2.0, len(number))).clip(0.0, 54.0)
        moving_kmh[offence == SPEEDING] = 75.0
        batch.speed_kmh = np.where(waiting, 0.0, moving_kmh).round(1)
        served = waiting & (leg_m >= length_m + rest_m / 2)
        tipping = outward & served
        loaded = outward != served
        batch.loaded = loaded
        batch.lifted = (tipping & (leg_m < length_m + rest_m * 0.75)) | (
            offence == LIFTED
        ) & ~waiting
        batch.covered = ~(loaded & (offence == UNCOVERED))
        blind = ~fleet.has_sensors[truck]
        for name in ("loaded", "lifted", "covered"):
            batch[name][blind] = -1
        batch.load_kg = np.where(loaded, np.where(offence == OVERLOADED, 25_000.0, 16_000.0), 900.0)
        batch.load_kg[~fleet.has_scale[truck]] = np.nan
        return batch

    def positions(self, start: int, stop: int) -> list[Position]:
        """The same as decoded positions, with the fields that terminals send besides."""
        batch = self.columns(start, stop)
        return [
            Position(
                truck_id=self.fleet.truck_ids[truck],
                time_ms=time_ms,
                lon=lon,
                lat=lat,
                speed_kmh=speed_kmh,
                heading_deg=float(time_ms // 1000 % 360),
                altitude_m=12.5,
                mileage_km=float(41_000 + truck % 1_000),
                satellites=11,
                loaded=_sensed(loaded),
                lifted=_sensed(lifted),
                covered=_sensed(covered),
                load_kg=None if load_kg != load_kg else load_kg,
                terminal_id=f"{13_000_000_000 + truck}",
                source="jt808",
                received_ms=time_ms + 900,
            )
            for truck, time_ms, lon, lat, speed_kmh, loaded, lifted, covered, load_kg in zip(
                *(
                    batch[name].tolist()
                    for name in (
                        "truck", "time_ms", "lon", "lat", "speed_kmh",
                        "loaded", "lifted", "covered", "load_kg",
                    )
                ),
                strict=True,
            )
        ]  # fmt: skip

    def write(self, path: Path, count: int) -> None:
        """The first `count` positions as a `.jsonl` file."""
        with path.open("wb") as file:
            for start, stop in pieces(count, CHUNK):
                lines = map(encode_position, self.positions(start, stop))
                file.writelines(line + b"\n" for line in lines)

    def _offences(self, truck: Ints, report: Ints) -> Ints:
        """What each truck is up to: drawn for an episode from its number, whoever asks."""
        shifted = report + self.fleet.episode[truck]
        episode, within = np.divmod(shifted, self._episode)
        drawn = _scattered(truck * 1_000_003 + episode)
        # Offending halves make up `offending` of the time, so twice that share of the episodes.
        offends = (drawn % 100_000 < 2 * self.offending * 100_000) & (within < self._episode // 2)
        kinds = np.array(OFFENCES)[drawn // 100_000 % len(OFFENCES)]
        return np.where(offends, kinds, LAWFUL)


class _Lines:
    """All routes of a city, end to end."""

    def __init__(self, city: City) -> None:
        lines = [shapely.get_coordinates(route.shape) for route in city.routes]
        self._points = np.concatenate(lines)
        step_m = np.hypot(*(np.diff(self._points, axis=0) * (LON_M, LAT_M)).T)
        self._along_m = np.concatenate([[0.0], np.cumsum(step_m)])
        self._end = np.cumsum([len(line) for line in lines])
        self._start = np.concatenate([[0], self._end[:-1]])
        self._first_m = self._along_m[self._start]
        self.length_m = self._along_m[self._end - 1] - self._first_m

    def at(self, route: Ints, along_m: Floats, beside_m: Floats) -> Floats:
        """(n, 2) degrees: the places so far along the routes, and to the left of them."""
        way_m = self._first_m[route] + along_m
        before = np.searchsorted(self._along_m, way_m, side="right") - 1
        before = before.clip(self._start[route], self._end[route] - 2)
        after = before + 1
        step = (self._points[after] - self._points[before]) * (LON_M, LAT_M)
        length_m = self._along_m[after] - self._along_m[before]
        step /= length_m[:, None]
        metres = step * (way_m - self._along_m[before])[:, None]
        metres += np.stack([-step[:, 1], step[:, 0]], axis=1) * beside_m[:, None]
        places: Floats = self._points[before] + metres / (LON_M, LAT_M)
        return places


def _fleet(city: City, lines: _Lines, seed: int, episode: int) -> Fleet:
    random = np.random.default_rng(seed)
    numbers = {truck.truck_id: number for number, truck in enumerate(city.trucks)}
    routes = {route.route_id: number for number, route in enumerate(city.routes)}
    route = random.integers(len(routes), size=len(numbers))
    for permit in city.permits:
        if permit.route_ids:
            for truck_id in permit.truck_ids:
                chosen = permit.route_ids[int(random.integers(len(permit.route_ids)))]
                route[numbers[truck_id]] = routes[chosen]
    count = len(numbers)
    speed_ms = random.uniform(7.0, 14.0, count)
    return Fleet(
        truck_ids=list(numbers),
        order=random.permutation(count),
        route=route,
        speed_ms=speed_ms,
        start_m=random.uniform(0.0, 2.0, count) * (lines.length_m[route] + WAIT_S * speed_ms),
        has_sensors=random.random(count) < 0.9,
        has_scale=random.random(count) < 0.5,
        episode=random.integers(episode, size=count),
    )


def pieces(count: int, size: int) -> Iterator[tuple[int, int]]:
    """The bounds of pieces of `size`, the last one shorter, that make up `count`."""
    for start in range(0, count, size):
        yield start, min(start + size, count)


def _scattered(numbers: Ints) -> Ints:
    """Mixes the bits of each number (splitmix64), for a draw that depends on nothing else."""
    bits = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((bits ^ (bits >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)


def _sensed(reading: int) -> bool | None:
    return None if reading < 0 else bool(reading)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load", description=Load.write.__doc__
    )
    parser.add_argument("city", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--positions", type=int, default=500_000)
    parser.add_argument("--offending", type=float, default=0.02)
    options = parser.parse_args()
    Load(load_city(options.city), offending=options.offending).write(
        options.file, options.positions
    )
    print(f"{options.file}: {options.positions:,} positions")


if __name__ == "__main__":
    main()
