"""Which version of the city is in force when (design section 4, a published city).

Called by the rest of `reference`. Plain: a list, looked through from its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from geofences.city import City
from reference.permits import PermitBook
from reference.rules import Rules

Cities = City | Sequence[tuple[int, City]]
"""One city for all time, or the first one (its time does not matter) and each later one with the
time (Unix ms) from which it is in force, in that order."""


@dataclass(frozen=True)
class Version:
    from_ms: int
    rules: Rules
    permits: PermitBook


class Versions:
    def __init__(self, cities: Cities) -> None:
        several = [(0, cities)] if isinstance(cities, City) else cities
        self._versions = []
        for from_ms, city in several:
            rules = Rules.of(city)
            self._versions.append(Version(from_ms, rules, PermitBook(city, rules.city_map)))

    def at(self, time_ms: int) -> Version:
        for version in reversed(self._versions[1:]):
            if version.from_ms <= time_ms:
                return version
        return self._versions[0]

    def rules(self, time_ms: int) -> Rules:
        return self.at(time_ms).rules
