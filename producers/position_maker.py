"""Turns where a simulated truck is into what its terminal reports.

Used by `producers.truck`: the receiver's errors come in here, and what the terminal can't tell is
left out.
"""

from dataclasses import dataclass

import numpy as np

from geofences.city import Truck as RegisteredTruck
from producers.drives import Fixes
from producers.terrain import Floats, Terrain
from streams.position import Position

NOISE_M, MOST_NOISE_M = 2.5, 8.0
USUAL_LOAD_KG = 16_000.0


@dataclass(frozen=True)
class Equipment:
    """What the terminal tells: `sensors` whether loaded, and covered; `lift` whether lifted too;
    `scales` the weight."""

    sensors: bool
    lift: bool
    scales: bool


class PositionMaker:
    """The terminal of one truck."""

    def __init__(
        self,
        terrain: Terrain,
        truck_id: str,
        registered: RegisteredTruck | None,
        equipment: Equipment,
        chance: np.random.Generator,
    ) -> None:
        self.truck_id = truck_id
        self.equipment = equipment
        self.terrain = terrain
        self._chance = chance
        self._terminal_id = registered.terminal_id if registered else None
        most_kg = (registered and registered.max_load_kg) or USUAL_LOAD_KG
        self._load_kg = float(np.round(most_kg * chance.uniform(0.75, 0.97), -2))

    def positions(self, fixes: Fixes) -> list[Position]:
        """What the terminal reports of these fixes."""
        count = len(fixes)
        east_m, north_m = fixes.east_m, fixes.north_m
        noise_m = np.clip(self._chance.normal(0, NOISE_M, (2, count)), -MOST_NOISE_M, MOST_NOISE_M)
        lon, lat = self.terrain.in_degrees(east_m + noise_m[0], north_m + noise_m[1])
        headings = _headings(east_m, north_m)
        told = self.equipment
        untold = [None] * count
        columns = (
            fixes.time_ms.tolist(),
            lon.round(7).tolist(),
            lat.round(7).tolist(),
            fixes.speed_kmh.round(1).tolist(),
            (headings.round() % 360).tolist(),
            self._chance.integers(8, 19, count).tolist(),
            fixes.loaded.tolist() if told.sensors else untold,
            fixes.lifted.tolist() if told.lift else untold,
            fixes.covered.tolist() if told.sensors else untold,
            (fixes.loaded * self._load_kg).tolist() if told.scales else untold,
        )
        return [
            Position(
                truck_id=self.truck_id,
                time_ms=row[0],
                lon=row[1],
                lat=row[2],
                speed_kmh=row[3],
                heading_deg=row[4],
                satellites=row[5],
                loaded=row[6],
                lifted=row[7],
                covered=row[8],
                load_kg=row[9],
                terminal_id=self._terminal_id,
                source="sim",
            )
            for row in zip(*columns, strict=True)
        ]


def _headings(east_m: Floats, north_m: Floats) -> Floats:
    """Degrees clockwise from north, of the movement up to each fix; 0 where there is none."""
    east, north = np.diff(east_m, prepend=east_m[:1]), np.diff(north_m, prepend=north_m[:1])
    degrees: Floats = np.degrees(np.arctan2(east, north)) % 360
    return degrees
