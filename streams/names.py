"""Numbers that stand for ids of sites and codes of districts in every version of a city.

What is remembered of a truck names sites and districts by them, so that it survives a change of the
city; a version's arrays say what each name is in it (`geofences.index.CityIndex`). An engine keeps
its names for good: they only grow.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from geofences.city import City
from geofences.index import NONE, CityIndex, Ints


class Names:
    """Ids in the order in which they were first met."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self.ids = list(ids)
        self._numbers = {name: number for number, name in enumerate(self.ids)}

    def take_up(self, ids: Sequence[str]) -> tuple[Ints, Ints]:
        """The name of each of `ids`, and the place in `ids` of each name so far, -1 = none."""
        for one in ids:
            if self._numbers.setdefault(one, len(self.ids)) == len(self.ids):
                self.ids.append(one)
        names = np.array([self._numbers[one] for one in ids], np.int32)
        places = np.full(len(self.ids), NONE, np.int32)
        places[names] = np.arange(len(ids))
        return names, places


class NamedIds:
    """The names of an engine."""

    def __init__(self, site_ids: Iterable[str] = (), district_codes: Iterable[str] = ()) -> None:
        self.sites = Names(site_ids)
        self.districts = Names(district_codes)

    def index_of(self, city: City, index: CityIndex) -> CityIndex:
        """`index`, compiled from `city`, by these names."""
        return index.named(
            self.sites.take_up([site.site_id for site in city.sites]),
            self.districts.take_up([district.code for district in city.districts]),
        )

    def site_id(self, name: int) -> str | None:
        return None if name == NONE else self.sites.ids[name]

    def district_code(self, name: int) -> str | None:
        return None if name == NONE else self.districts.ids[name]
