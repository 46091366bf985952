"""Turns where a simulated truck is into what its terminal reports, in the order of sending.

Used by `producers.truck`: the errors of receiver, sensors, network and clock come in here, and what
the terminal can't tell is left out.
"""

from collections.abc import Iterator

import numpy as np

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
        loaded, lifted, covered, load_kg = self._sensors.read(fixes)
        sending = self._coverage.sending(fixes)
        located = received.located & ~sending.in_tunnel
        satellites = np.where(sending.in_tunnel, 0, received.satellites)
        east_m, north_m = _held(received.east_m, located), _held(received.north_m, located)
        lon, lat = self.terrain.in_degrees(east_m, north_m)
        lon, lat = lon.round(6), lat.round(6)
        times_ms = self._stamps(fixes)
        speeds = np.where(located, received.speed_kmh, 0.0).round(1)
        headings = _headings(fixes.east_m, fixes.north_m).round() % 360
        for begin in range(0, len(fixes), CHUNK):
            chosen = sending.order[begin : begin + CHUNK]
            rows = zip(
                *(column[chosen].tolist() for column in (times_ms, lon, lat, speeds, headings)),
                *(located[chosen].tolist(), satellites[chosen].tolist()),
                sending.stored[begin : begin + CHUNK].tolist(),
                sending.sent_ms[begin : begin + CHUNK].tolist(),
                chosen.tolist(),
                strict=True,
            )
            for row in rows:
                number = row[9]
                yield (
                    row[8],
                    Position(
                        truck_id=self.truck_id,
                        time_ms=row[0],
                        lon=row[1],
                        lat=row[2],
                        speed_kmh=row[3],
                        heading_deg=row[4],
                        located=row[5],
                        satellites=row[6],
                        loaded=loaded[number],
                        lifted=lifted[number],
                        covered=covered[number],
                        load_kg=load_kg[number],
                        backfill=row[7],
                        terminal_id=self._terminal_id,
                        source="sim",
                    ),
                )

    def _stamps(self, fixes: Fixes) -> np.ndarray:
        """Moments by the terminal's clock."""
        if not self._noise:
            return fixes.time_ms
        return (fixes.time_ms + self._clock_ms) // 1000 * 1000


def _held(metres: Floats, located: np.ndarray) -> Floats:
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
