"""The life of one simulated truck: it loads, drives, tips, comes back, and waits when it may not.

Used by `producers.fleet`. Offences come in by chance, one loaded trip at a time.
"""

from collections.abc import Generator, Iterator, Sequence

import msgspec
import numpy as np

from geofences.hours import ALWAYS, Validity
from producers.conduct import Breach, Terms
from producers.drives import Fixes, Way, drive, load, stand
from producers.hauls import Haul, parking_near
from producers.labels import Label
from producers.position_maker import PositionMaker
from producers.terrain import Terrain
from producers.trips import Departure, Trip, offending_trip, plain_trip
from streams.position import Position

LOADING_S = (430.0, 700.0)
WAIT_S, WAIT_EVERY_S = 600.0, 60.0
LONGEST_DETOUR_S = 3_000.0
"""More than an offence takes besides the way: permits must last that long."""
SLOWER = 1.6
"""How much longer than at top speed a way may take."""
CHECK_EVERY_S = 300

Event = Position | Label


class Truck:
    """One truck from `start_ms` on, of whose trips a `share` offends."""

    def __init__(
        self,
        terrain: Terrain,
        terms: Terms,
        hauls: Sequence[Haul],
        maker: PositionMaker,
        chance: np.random.Generator,
        start_ms: int,
        share: float,
    ) -> None:
        self._terrain, self._terms, self._hauls = terrain, terms, hauls
        self._maker, self._chance = maker, chance
        self._start_ms, self._share = start_ms, share
        self._open: list[Label] = []
        """Labels of the trip under way."""

    def life(self) -> Iterator[tuple[int, Event]]:
        """Positions and labels in the order of time, each with its time, without end."""
        haul = self._hauls[int(self._chance.integers(len(self._hauls)))]
        cycle_s = (haul.way.shortest_s() + haul.back.shortest_s()) * 1.3 + 900
        time_ms = self._start_ms - round(self._chance.uniform(0, cycle_s) * 1000)
        if not self._may_go(haul, haul.back, self._start_ms):
            haul, time_ms = yield from self._return(haul, time_ms)
        while True:
            loading = load(haul.start, time_ms, float(self._chance.uniform(*LOADING_S)))
            yield from self._seen(loading)
            trip, haul = self._trip(haul, loading)
            yield from self._labelled(trip)
            haul, time_ms = yield from self._return(haul, trip.fixes.end_ms)

    def unfinished(self, end_ms: int) -> list[Label]:
        """What was going on at the end; whether it could be found by then is left open."""
        return [
            msgspec.structs.replace(label, to_ms=end_ms, partial=True)
            for label in self._open
            if label.from_ms <= end_ms < label.to_ms
        ]

    def _trip(self, haul: Haul, loading: Fixes) -> tuple[Trip, Haul]:
        options = [haul, *(one for one in self._hauls if one.source is haul.source)]
        # A truck that is half loaded when the simulation begins leaves open what is known of it.
        clear = not loading.time_ms[0] < self._start_ms <= loading.end_ms
        departure = Departure(
            terrain=self._terrain,
            terms=self._terms,
            options=options,
            time_ms=loading.end_ms,
            seen_from_ms=self._start_ms,
            has_sensors=self._maker.equipment.sensors,
            chance=self._chance,
        )
        if clear and self._terms.permits and self._chance.random() < self._share:
            found = offending_trip(departure)
            if found is not None:
                return found
        return plain_trip(departure), haul

    def _labelled(self, trip: Trip) -> Iterator[tuple[int, Event]]:
        """The trip's positions; each label follows the last position that it is about."""
        self._open = sorted(self._labels(trip.breaches), key=lambda label: label.to_ms)
        for time_ms, position in self._seen(trip.fixes):
            yield time_ms, position
            while self._open and self._open[0].to_ms <= time_ms:
                label = self._open.pop(0)
                yield time_ms, label

    def _labels(self, breaches: Sequence[Breach]) -> list[Label]:
        east_m = np.array([breach.place.x for breach in breaches])
        north_m = np.array([breach.place.y for breach in breaches])
        lon, lat = self._terrain.in_degrees(east_m, north_m)
        places = zip(lon.round(6).tolist(), lat.round(6).tolist(), strict=True)
        return [
            Label(
                truck_id=self._maker.truck_id,
                rule=breach.rule,
                from_ms=breach.from_ms,
                to_ms=breach.to_ms,
                place=place,
                partial=not breach.sure,
            )
            for breach, place in zip(breaches, places, strict=True)
        ]

    def _return(
        self, haul: Haul, time_ms: int
    ) -> Generator[tuple[int, Event], None, tuple[Haul, int]]:
        """Empty, from the haul's target to the source of the next; waits until that may begin.
        The next haul, and the time of arrival at its source."""
        following = self._next(haul, time_ms)
        if following is None:
            following, time_ms = yield from self._wait(haul, time_ms)
        fixes = drive(following[1], time_ms, loaded=False, chance=self._chance)
        yield from self._seen(fixes)
        return following[0], fixes.end_ms

    def _wait(
        self, haul: Haul, time_ms: int
    ) -> Generator[tuple[int, Event], None, tuple[tuple[Haul, Way], int]]:
        """On a parking site, or where there is none near at the target, until a haul may begin."""
        parking = parking_near(haul.target, haul.end, self._terrain)
        place, away_ms = haul.end, 0
        if parking is not None:
            fixes = drive(parking.there, time_ms, loaded=False, chance=self._chance)
            yield from self._seen(fixes)
            place, time_ms = parking.place, fixes.end_ms
            away_ms = round(parking.back.shortest_s() * SLOWER * 1000)
        while (following := self._next(haul, time_ms + away_ms)) is None:
            fixes = stand(place, time_ms, WAIT_S, loaded=False, every_s=WAIT_EVERY_S)
            yield from self._seen(fixes)
            time_ms = fixes.end_ms
        if parking is not None:
            fixes = drive(parking.back, time_ms, loaded=False, chance=self._chance)
            yield from self._seen(fixes)
            time_ms = fixes.end_ms
        return following, time_ms

    def _next(self, haul: Haul, time_ms: int) -> tuple[Haul, Way] | None:
        """A haul that may begin now, and the way to its source from where `haul` ends."""
        possible = [
            (one, to_source.back)
            for one in self._hauls
            for to_source in self._hauls
            if to_source.source is one.source
            and to_source.target is haul.target
            and self._may_go(one, to_source.back, time_ms)
        ]
        return possible[int(self._chance.integers(len(possible)))] if possible else None

    def _may_go(self, haul: Haul, to_source: Way, time_ms: int) -> bool:
        """Whether permit and sites hold for all of the haul, offences included."""
        earliest_s = to_source.shortest_s() + LOADING_S[0] + haul.way.shortest_s()
        latest_s = (
            (to_source.shortest_s() + haul.way.shortest_s()) * SLOWER
            + LOADING_S[1]
            + LONGEST_DETOUR_S
        )
        return (
            self._holds(haul.permit.validity, time_ms, 0, latest_s)
            and self._holds(haul.source.site.validity, time_ms, 0, latest_s, by_date=True)
            and self._holds(haul.target.site.validity, time_ms, earliest_s, latest_s)
        )

    def _holds(
        self,
        validity: Validity,
        time_ms: int,
        from_s: float,
        to_s: float,
        *,
        by_date: bool = False,
    ) -> bool:
        """Whether it holds all the time; `by_date`: whatever its hours."""
        if validity == ALWAYS:
            return True
        test = validity.in_date if by_date else validity.holds
        return all(
            test(self._terrain.local(time_ms + second * 1000))
            for second in (*range(int(from_s), int(to_s), CHECK_EVERY_S), int(to_s))
        )

    def _seen(self, fixes: Fixes) -> Iterator[tuple[int, Event]]:
        """The positions since the simulation's start."""
        if fixes.end_ms >= self._start_ms:
            for position in self._maker.positions(fixes):
                if position.time_ms >= self._start_ms:
                    yield position.time_ms, position
