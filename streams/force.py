"""What a position is judged by: the version of the city in force at its time, and the one before.

`streams.versions` makes an `InForce` for each piece of a batch; the compiled pass takes it apart.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geofences.index import CityIndex


class InForce(NamedTuple):
    """What positions are judged by, all of them of times at which one version is in force."""

    city: CityIndex
    version: int
    from_ms: int
    register: npt.NDArray[np.int32]
    """Number of each truck, by row, in the version's register."""
    before: CityIndex
    """An earlier version: by it changes of the load are judged that are dated in its time."""
    before_version: int
    before_from_ms: int
    before_until_ms: int
    before_register: npt.NDArray[np.int32]
