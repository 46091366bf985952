"""What the sensors of a simulated truck say: mostly the truth.

Used by `producers.position_maker`. Now and then a reading is wrong, seldom two in a row, and now
and then a sensor is silent for a few readings.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producers.fixes import Fixes, Mask

WRONG = {"loaded": 1e-4, "lifted": 1e-5, "covered": 2e-4}
"""How often a wrong reading begins."""
AGAIN = 0.05
"""How often the next is wrong as well."""
SILENT, SILENT_READINGS = 0.0005, 6
SCALES_SHARE = 0.01
"""Standard deviation of the weight."""


@dataclass(frozen=True)
class Equipment:
    """What the terminal tells: `sensors` whether loaded, and covered; `lift` whether lifted too;
    `scales` the weight."""

    sensors: bool
    lift: bool
    scales: bool


Readings = list[bool | None]


class Sensors:
    """One truck's. `noise`: how frequent errors are, 1 = as they usually are, 0 = none."""

    def __init__(
        self, equipment: Equipment, most_kg: float, noise: float, chance: np.random.Generator
    ) -> None:
        self._equipment, self._most_kg = equipment, most_kg
        self._noise, self._chance = noise, chance

    def read(self, fixes: Fixes) -> tuple[Readings, Readings, Readings, list[float | None]]:
        """Loaded, lifted, covered and the weight (kg), one a fix; None = not told."""
        told, untold = self._equipment, [None] * len(fixes)
        return (
            self._readings("loaded", fixes.loaded) if told.sensors else [*untold],
            self._readings("lifted", fixes.lifted) if told.lift else [*untold],
            self._readings("covered", fixes.covered) if told.sensors else [*untold],
            self._weights(fixes.load) if told.scales else [*untold],
        )

    def _readings(self, name: str, truth: Mask) -> Readings:
        if not self._noise:
            return list(truth.tolist())
        draws = self._chance.random(len(truth)) / self._noise
        readings: Readings = list(truth.tolist())
        for first in np.flatnonzero(draws < WRONG[name] + SILENT).tolist():
            wrong = draws[first] < WRONG[name]
            for number in range(first, first + self._lasting(wrong)):
                if number < len(readings):
                    readings[number] = not truth[number] if wrong else None
        return readings

    def _lasting(self, wrong: bool) -> int:
        if not wrong:
            return int(self._chance.integers(1, SILENT_READINGS + 1))
        return int(self._chance.geometric(1 - AGAIN))

    def _weights(self, load: NDArray[np.float64]) -> list[float | None]:
        weight_kg = load * self._most_kg
        if self._noise:
            error = self._chance.normal(0, SCALES_SHARE * self._noise, len(load))
            weight_kg = weight_kg * (1 + np.clip(error, -0.03, 0.03))
        return list(np.round(weight_kg, -1).tolist())
