"""Districts with borders as winding as real ones, shared to the last vertex by neighbours.

Each side between two corners of a square layout is made once and used by both districts, so that
there is neither gap nor overlap. Used by `benchmarks.city`.
"""

import numpy as np

from benchmarks.plane import SIDE_M, Floats

ACROSS = 4
"""Districts in a row, and rows."""
SWING_M = 1_200.0
"""How far a border strays from the straight line, about."""
ROUGHNESS = 1.3
"""Each octave of the border's winding is weaker by two to this power: a fractal coast line."""


def district_rings(random: np.random.Generator, vertices: int) -> list[Floats]:
    """Closed rings (vertices + 1, 2) in metres, row by row from the south-west; `vertices` is a
    multiple of 4."""
    side = vertices // 4
    length = SIDE_M / ACROSS
    along_x = {
        (i, j): np.add(_side(random, length, side), (i * length, j * length))
        for j in range(ACROSS + 1)
        for i in range(ACROSS)
    }
    along_y = {
        (i, j): np.add(_side(random, length, side)[:, ::-1], (i * length, j * length))
        for j in range(ACROSS)
        for i in range(ACROSS + 1)
    }
    rings = []
    for j in range(ACROSS):
        for i in range(ACROSS):
            south, north = along_x[i, j], along_x[i, j + 1]
            west, east = along_y[i, j], along_y[i + 1, j]
            ring = [south[:-1], east[:-1], north[:0:-1], west[:0:-1]]
            rings.append(np.concatenate([*ring, south[:1]]))
    return rings


def _side(random: np.random.Generator, length: float, vertices: int) -> Floats:
    """A side from (0, 0) to (length, 0): (vertices + 1, 2).

    It never leaves the cones of 40 degrees about the straight line at either corner, so that it
    meets the other sides in the corners alone.
    """
    x = np.linspace(0.0, length, vertices + 1)
    wave = np.arange(1, vertices // 3)
    strength = SWING_M * random.normal(size=len(wave)) / wave**ROUGHNESS
    swing = np.sin(np.pi * np.outer(x / length, wave)) @ strength
    room = 0.8 * np.minimum(x, length - x)
    room[[0, -1]] = 1.0
    swing = room * np.tanh(swing / room)
    swing[[0, -1]] = 0.0
    return np.stack([x, swing], axis=1)
