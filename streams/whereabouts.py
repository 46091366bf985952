"""What is known of trucks at this moment, for the live view: the load, and the district of a place.

Reads an engine between two batches and changes nothing. Knows nothing of where it is shown.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from geofences.index import NONE, CityIndex
from geofences.jit import compiled
from geofences.lookup import PLACE, district_of, locate, scratch
from streams.detect import Engine

Whereabouts = tuple[bool | None, str | None]
"""Whether the truck is loaded, None = not known; the code of the district, None = none."""


def whereabouts(engine: Engine, fixes: Any) -> list[Whereabouts]:
    """For each of `fixes`, which `engine` has taken: its truck's load by now, its district.

    `fixes`: records with the fields `truck` (its row), `time_ms`, `lon` and `lat`.
    """
    times, lons, lats = (np.ascontiguousarray(fixes[name]) for name in ("time_ms", "lon", "lat"))
    loads = engine.loads_of_rows(fixes["truck"])
    codes: list[str | None] = [None] * len(fixes)
    versions = engine.succession.numbers_at(times)
    for version in np.unique(versions).tolist():
        own = np.flatnonzero(versions == version)
        compiled_city = engine.succession.cities[version].compiled
        numbers = np.full(len(own), NONE, np.int64)
        _districts(compiled_city.index, scratch(PLACE), times[own], lons[own], lats[own], numbers)
        for place, number in zip(own.tolist(), numbers.tolist(), strict=True):
            if number != NONE:
                codes[place] = compiled_city.city.districts[number].code
    return list(zip(loads, codes, strict=True))


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
