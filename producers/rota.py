"""Which haul a simulated truck may begin when: by its shift, its permits and the sites' hours.

Used by `producers.truck`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shapely import Point

from geofences.hours import ALWAYS, Validity
from producers.hauls import Haul
from producers.shifts import Shift
from producers.terrain import Terrain
from producers.ways import Journeys, Way

LOADING_S = (430.0, 700.0)
LONGEST_DETOUR_S = 3_000.0
"""More than an offence and the lines at the sites take besides the way: permits must last that
long."""
SLOWER = 1.6
"""How much longer than at top speed a way may take."""
CHECK_EVERY_S = 900


@dataclass(frozen=True)
class Rota:
    """`hauls`: those that the truck's permits allow, or that a truck without one goes on."""

    terrain: Terrain
    journeys: Journeys
    hauls: Sequence[Haul]
    shift: Shift

    def possible(
        self, place: Point, time_ms: int, *, after_hours: bool = False
    ) -> list[tuple[Haul, Way]]:
        """The hauls that may begin now, and the way from `place` to the source of each.
        `after_hours`: those that may not, for the hours of the permit alone."""
        if not self.shift.works(self.terrain.local(time_ms)):
            return []
        return [
            (haul, way)
            for haul, way in self._reachable(place)
            if self._holds(haul, way, time_ms, after_hours)
        ]

    def may_begin(self, haul: Haul, time_ms: int) -> bool:
        """Whether a truck at the haul's end may begin it now."""
        return any(haul is one for one, _ in self.possible(haul.end, time_ms))

    def _reachable(self, place: Point) -> Iterator[tuple[Haul, Way]]:
        for haul in self.hauls:
            way = self.journeys.way(place, haul.start)
            if way is None:
                backs = (one.back for one in self.hauls if one.source is haul.source)
                way = next((back for back in backs if back.start == place), None)
            if way is not None:
                yield haul, way

    def _holds(self, haul: Haul, way: Way, time_ms: int, after_hours: bool) -> bool:
        """Whether permit and sites hold for all of the haul, offences included."""
        earliest_s = way.shortest_s() + LOADING_S[0] + haul.way.shortest_s()
        latest_s = (
            (way.shortest_s() + haul.way.shortest_s()) * SLOWER + LOADING_S[1] + LONGEST_DETOUR_S
        )
        permit = haul.permit.validity
        return (
            self._lasts(permit, time_ms, 0, latest_s, by_date=after_hours)
            and (not after_hours or not self._lasts(permit, time_ms, 0, latest_s))
            and self._lasts(haul.source.site.validity, time_ms, 0, latest_s, by_date=True)
            and self._lasts(haul.target.site.validity, time_ms, earliest_s, latest_s)
        )

    def _lasts(
        self, validity: Validity, time_ms: int, from_s: float, to_s: float, *, by_date: bool = False
    ) -> bool:
        """Whether it holds all the time; `by_date`: whatever its hours."""
        if validity == ALWAYS:
            return True
        test = validity.in_date if by_date else validity.holds
        return all(
            test(self.terrain.local(time_ms + second * 1000))
            for second in (*range(int(from_s), int(to_s), CHECK_EVERY_S), int(to_s))
        )
