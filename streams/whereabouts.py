"""What is known of trucks at this moment, for the live view: the load, and the district of a place.

Reads an engine between two batches and changes nothing. Knows nothing of where it is shown.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from geofences.index import NONE, CityIndex
from geofences.jit import compiled
from geofences.lookup import PLACE, district_of, locate, scratch
from streams.detect import Engine
from streams.position import Position

Whereabouts = tuple[bool | None, str | None]
"""Whether the truck is loaded, None = not known; the code of the district, None = none."""


def whereabouts(engine: Engine, fixes: Sequence[Position]) -> list[Whereabouts]:
    """For each of `fixes`, which `engine` has taken: its truck's load by now, its district."""
    compiled_city = engine.city.compiled
    times = np.array([fix.time_ms for fix in fixes], np.int64)
    lons = np.array([fix.lon for fix in fixes], np.float64)
    lats = np.array([fix.lat for fix in fixes], np.float64)
    numbers = np.full(len(fixes), NONE, np.int64)
    _districts(compiled_city.index, scratch(PLACE), times, lons, lats, numbers)
    loads = engine.loads([fix.truck_id for fix in fixes])
    districts = compiled_city.city.districts
    return [
        (load, None if number == NONE else districts[number].code)
        for load, number in zip(loads, numbers.tolist(), strict=True)
    ]


@compiled
def _districts(
    city: CityIndex,
    places: Any,
    times: npt.NDArray[np.int64],
    lons: npt.NDArray[np.float64],
    lats: npt.NDArray[np.float64],
    numbers: npt.NDArray[np.int64],
) -> None:
    place = places[0]
    for i in range(len(times)):
        locate(city, place, times[i], lons[i], lats[i])
        numbers[i] = district_of(city, place)
