"""Turns where a simulated truck is into what its terminal reports, in the order of sending.

Used by `producers.truck`: the errors of receiver, sensors, network and clock come in here, and what
the terminal can't tell is left out.
"""

from collections.abc import Iterator
from itertools import repeat, starmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.city import Truck as RegisteredTruck
from producers.coverage import Coverage
from producers.fixes import Fixes
from producers.receiver import Receiver
from producers.sensors import Equipment, Sensors
from producers.terrain import Floats, Terrain
from streams.position import Position

USUAL_LOAD_KG = 16_000.0
CLOCK_S = 2.0
"""A terminal's clock is wrong by so much at most, and counts whole seconds."""
CHUNK = 64
"""Positions made at a time: thousands of trucks have a trip each in memory."""


class PositionMaker:
    """The terminal of one truck. `noise`: how large and frequent all errors are; 0 = none."""

    def __init__(
        self,
        terrain: Terrain,
        truck_id: str,
        registered: RegisteredTruck | None,
        equipment: Equipment,
        chance: np.random.Generator,
        noise: float,
    ) -> None:
        self.truck_id = truck_id
        self.equipment = equipment
        self.terrain = terrain
        self._noise = noise
        self._terminal_id = registered.terminal_id if registered else None
        self.limit_kg = registered.max_load_kg if registered else None
        self._clock_ms = round(chance.uniform(-CLOCK_S, CLOCK_S) * 1000)
        self._receiver = Receiver(terrain, noise, chance)
        self._sensors = Sensors(equipment, self.limit_kg or USUAL_LOAD_KG, noise, chance)
        self._coverage = Coverage(terrain, noise, chance)

    def positions(self, fixes: Fixes) -> Iterator[tuple[int, Position]]:
        """What the terminal reports of these fixes, each with the moment at which it is sent. To be
        called in the order of time."""
        if not len(fixes):
            return
        received = self._receiver.receive(fixes)
        readings: tuple[list[Any], ...] = self._sensors.read(fixes)
        sending = self._coverage.sending(fixes)
        order = sending.order
        located = received.located & ~sending.in_tunnel
        lon, lat = self.terrain.in_degrees(
            _held(received.east_m, located), _held(received.north_m, located)
        )
        columns: tuple[NDArray[Any], ...] = (
            self._stamps(fixes),
            lon.round(6),
            lat.round(6),
            np.where(located, received.speed_kmh, 0.0).round(1),
            _headings(fixes.east_m, fixes.north_m).round() % 360,
            located,
            np.where(sending.in_tunnel, 0, received.satellites),
        )
        if sending.stored.any():
            columns = tuple(column[order] for column in columns)
            readings = tuple([column[number] for number in order] for column in readings)
        for begin in range(0, len(fixes), CHUNK):
            some = slice(begin, begin + CHUNK)
            times, lons, lats, speeds, headings, fixed, satellites = (
                column[some].tolist() for column in columns
            )
            # In the order of Position's fields: one call a position is what this costs most.
            rows = zip(
                repeat(self.truck_id),
                *(times, lons, lats, speeds, headings),
                *(repeat(None), repeat(None)),  # altitude, mileage
                *(fixed, satellites),
                *(column[some] for column in readings),
                sending.stored[some].tolist(),
                *(repeat(self._terminal_id), repeat("sim")),
            )
            yield from zip(sending.sent_ms[some].tolist(), starmap(Position, rows), strict=True)

    def _stamps(self, fixes: Fixes) -> NDArray[np.int64]:
        """Moments by the terminal's clock."""
        if not self._noise:
            return fixes.time_ms
        return (fixes.time_ms + self._clock_ms) // 1000 * 1000


def _held(metres: Floats, located: NDArray[np.bool_]) -> Floats:
    """Without a fix a receiver tells its last place."""
    if located.all():
        return metres
    latest = np.maximum.accumulate(np.where(located, np.arange(len(metres)), 0))
    return metres[latest]


def _headings(east_m: Floats, north_m: Floats) -> Floats:
    """Degrees clockwise from north, of the movement up to each fix; 0 where there is none."""
    east, north = np.diff(east_m, prepend=east_m[:1]), np.diff(north_m, prepend=north_m[:1])
    degrees: Floats = np.degrees(np.arctan2(east, north)) % 360
    return degrees
