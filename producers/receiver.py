"""The errors of a satellite receiver: where a simulated truck's terminal takes it to be.

Used by `producers.position_maker`. Everywhere an error of a few metres that changes slowly (a
Gauss-Markov process of first order); between high houses a slow wander on top of it, of tens of
metres, with fewer satellites and now and then none; rarely a jump to somewhere else for one fix.
"""

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from producers.fixes import Fixes
from producers.terrain import Floats, Terrain

OPEN_M, OPEN_TAU_S = 2.5, 120.0
"""Standard deviation on each axis, and how long an error lasts."""
CANYON_M, CANYON_TAU_S = 18.0, 240.0
ENTERING_S = 45.0
"""So long takes the wander to grow between houses, and to shrink outside."""
SHALLOW = 0.01
SPEED_KMH = 0.7
JUMP_SHARE, JUMP_M = 0.0002, (200.0, 3_000.0)
BLIND_SHARE, POOR_SHARE = 0.01, 0.02
"""Of fixes between houses: without a fix, and with three satellites."""


@dataclass(frozen=True, slots=True)
class Received:
    """What the receiver says, one a fix."""

    east_m: Floats
    north_m: Floats
    speed_kmh: Floats
    satellites: NDArray[np.int64]
    located: NDArray[np.bool_]


class Receiver:
    """One truck's. `noise`: how large and frequent errors are; 1 = as usual, 0 = none."""

    def __init__(self, terrain: Terrain, noise: float, chance: np.random.Generator) -> None:
        self._terrain, self._noise, self._chance = terrain, noise, chance
        self._time_s = 0.0
        self._open, self._canyon = [0.0, 0.0], [0.0, 0.0]
        """Errors east and north, in standard deviations."""
        self._depth = 0.0
        """How much of the wander shows, 0 to 1."""

    def receive(self, fixes: Fixes) -> Received:
        """What it makes of these; to be called in the order of time."""
        chance, count = self._chance, len(fixes)
        satellites = chance.integers(8, 19, count)
        located = np.ones(count, bool)
        if not self._noise:
            return Received(fixes.east_m, fixes.north_m, fixes.speed_kmh, satellites, located)
        canyon = self._within(fixes)
        error_m = self._wander(fixes.time_ms / 1000, canyon) * self._noise
        jumps = np.flatnonzero(chance.random(count) < JUMP_SHARE * self._noise)
        for jump in jumps.tolist():
            away_m, angle = chance.uniform(*JUMP_M), chance.uniform(0, 2 * math.pi)
            error_m[:, jump] += away_m * math.cos(angle), away_m * math.sin(angle)
        draw = np.where(canyon, chance.random(count), 1.0) / self._noise
        satellites[canyon] = chance.integers(4, 9, int(canyon.sum()))
        satellites[draw < BLIND_SHARE + POOR_SHARE] = 3
        located[draw < BLIND_SHARE] = False
        satellites[~located] = 0
        speed_kmh = fixes.speed_kmh + chance.normal(0, SPEED_KMH * self._noise, count)
        east_m, north_m = fixes.east_m + error_m[0], fixes.north_m + error_m[1]
        return Received(east_m, north_m, np.maximum(speed_kmh, 0), satellites, located)

    def _within(self, fixes: Fixes) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = shapely.intersects_xy(
            self._terrain.built_up, fixes.east_m, fixes.north_m
        )
        return found

    def _wander(self, times_s: Floats, canyon: NDArray[np.bool_]) -> Floats:
        """East and north, metres."""
        steps_s = np.diff(times_s, prepend=self._time_s)
        self._time_s = float(times_s[-1])
        error_m = OPEN_M * self._walk(self._open, steps_s, OPEN_TAU_S)
        if self._depth < SHALLOW and not canyon.any():
            self._depth = 0.0
            return error_m
        depths, depth = [], self._depth
        for deep, stays in zip(
            canyon.tolist(), np.exp(-steps_s / ENTERING_S).tolist(), strict=True
        ):
            depth = deep + (depth - deep) * stays
            depths.append(depth)
        self._depth = depth
        wander_m: Floats = CANYON_M * self._walk(self._canyon, steps_s, CANYON_TAU_S) * depths
        return error_m + wander_m

    def _walk(self, state: list[float], steps_s: Floats, tau_s: float) -> Floats:
        """East and north, in standard deviations; `state` is where it was, and becomes where it
        is."""
        keeps = np.exp(-steps_s / tau_s)
        news = np.sqrt(1 - keeps**2) * self._chance.standard_normal((2, len(steps_s)))
        out = []
        for axis in (0, 1):
            value, values = state[axis], []
            for keep, new in zip(keeps.tolist(), news[axis].tolist(), strict=True):
                value = keep * value + new
                values.append(value)
            state[axis] = value
            out.append(values)
        return np.array(out)
