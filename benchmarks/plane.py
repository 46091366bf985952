"""A flat plane for making up a city: metres east and north of its south-west corner.

Used by the benchmark city and its load. Good enough to draw on; the engine's own projection is
`geofences.projection`.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SIDE_M = 60_000.0
"""The city is a square of this side."""
WEST_DEG, SOUTH_DEG = 121.3, 29.6
LAT_M = 110_850.0
"""Metres in a degree of latitude here, and below in a degree of longitude."""
LON_M = 96_550.0


def to_degrees(metres: Floats) -> Floats:
    """(n, 2) metres to (n, 2) longitudes and latitudes, rounded to a centimetre."""
    scaled: Floats = np.round(metres / (LON_M, LAT_M) + (WEST_DEG, SOUTH_DEG), 7)
    return scaled


def blob(centre: Floats, radius_m: float, corners: int, random: np.random.Generator) -> Floats:
    """A closed ring (corners + 1, 2), star-shaped round `centre`, all within `radius_m`."""
    angle = (np.arange(corners) + random.uniform(0.0, 0.8, corners)) * 2 * np.pi / corners
    reach = radius_m * random.uniform(0.7, 1.0, corners)
    ring = centre + np.stack([np.cos(angle), np.sin(angle)], axis=1) * reach[:, None]
    return np.concatenate([ring, ring[:1]])
