"""The life of one simulated truck: it loads, drives, tips, comes back, has breaks, and waits when
it may not drive.

Used by `producers.fleet`. Offences come in by chance, one loaded trip at a time.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np
from shapely import Point

from producers.conduct import Breach, Conduct
from producers.drives import EMPTY, IDLE_STEP_S, PARKED_STEP_S, drive, load, stand
from producers.fixes import Fixes
from producers.hauls import Haul, parking_near
from producers.labels import Label
from producers.offences import Offence, possible
from producers.position_maker import CLOCK_S, PositionMaker
from producers.rota import LOADING_S, Rota
from producers.service import come_to
from producers.trips import Departure, Trip, offending_trip, plain_trip
from producers.ways import Way
from producers.yards import Yard
from streams.position import Position

WAIT_S = 1_200.0
FULL = (0.75, 0.97)
"""Share of what it may carry that a truck carries."""
PAUSE_SHARE, PAUSE_S = 0.06, (150.0, 700.0)
"""Of the empty drives with a stand by the roadside."""
OVERTIME_SHARE = 2.0
"""How much more often than on a trip a driver gives in when the hours are over: that is once a
night, not once a trip."""

MEALS_APART_MS = 6 * 3_600_000
CLOCK_MS = round((CLOCK_S + 1) * 1000)

Event = Position | Label
Events = Iterator[tuple[int, Event]]


class Truck:
    """One truck from `start_ms` on, of whose trips a `share` offends."""

    def __init__(
        self,
        rota: Rota,
        conduct: Conduct,
        yards: Mapping[str, Yard],
        maker: PositionMaker,
        chance: np.random.Generator,
        start_ms: int,
        share: float,
    ) -> None:
        self._rota, self._conduct, self._yards = rota, conduct, yards
        self._terrain = conduct.terrain
        self._maker, self._chance = maker, chance
        self._start_ms, self._share = start_ms, share
        self._usual_load = float(chance.uniform(*FULL))
        self._open: list[Label] = []
        """Labels of what is under way."""
        self._raised_s = 0.0
        self._next_meal_ms = 0

    def life(self) -> Events:
        """Positions and labels, each with the moment at which it comes, in order, without end."""
        hauls = self._rota.hauls
        haul = hauls[int(self._chance.integers(len(hauls)))]
        cycle_s = (haul.way.shortest_s() + haul.back.shortest_s()) * 1.3 + 900
        time_ms = self._start_ms - round(self._chance.uniform(0, cycle_s) * 1000)
        way: Way | None = None
        if not self._rota.may_begin(haul, self._start_ms):
            haul, way, time_ms = yield from self._next(haul, self._start_ms - 60_000)
        while True:
            trip = yield from self._haul(haul, way, time_ms)
            haul, way, time_ms = yield from self._next(trip.haul, trip.fixes.end_ms)

    def unfinished(self, end_ms: int) -> list[Label]:
        """What was going on at the end; whether it could be found by then is left open."""
        return [
            msgspec.structs.replace(label, to_ms=end_ms, partial=True)
            for label in self._open
            if label.from_ms <= end_ms < label.to_ms
        ]

    def _haul(
        self, haul: Haul, way: Way | None, time_ms: int
    ) -> Generator[tuple[int, Event], None, Trip]:
        """To the source, at which a truck without a way is already, and from there to a target."""
        offends = bool(self._conduct.terms.permits) and self._chance.random() < self._share
        offences = possible(("trip", "loading"), self._conduct.equipment, self._chance)
        share = round(self._usual_load * self._chance.uniform(0.97, 1.0), 3)
        lasting_s = float(self._chance.uniform(*LOADING_S))
        if way is not None:
            way, time_ms = yield from self._paused(way, time_ms)
            if offends and offences[0].occasion == "loading":
                approach = drive(way, time_ms, load=EMPTY, chance=self._chance)
                departure = self._departure(haul, approach.end_ms, None, share)
                trip = offending_trip(departure, offences[:1])
                if trip is not None:
                    yield from self._judged(approach)
                    yield from self._driven(trip)
                    return trip
            yard = self._yards[haul.source.site.site_id]
            approach, turn = come_to(way, time_ms, yard, lasting_s, load=EMPTY, chance=self._chance)
            yard.book(turn, time_ms)
            yield from self._judged(approach)
            time_ms = turn.start_ms
        loading = load(haul.start, time_ms, lasting_s, share)
        trip = yield from self._loaded(haul, loading, share, offences if offends else [])
        return trip

    def _loaded(
        self, haul: Haul, loading: Fixes, share: float, offences: Sequence[Offence]
    ) -> Generator[tuple[int, Event], None, Trip]:
        """Loading at the source, and the trip from there: one of the `offences` where there is
        room for one."""
        yield from self._seen(loading)
        loaded_ms = int(loading.time_ms[loading.loaded][0])
        departure = self._departure(haul, loading.end_ms, loaded_ms, share)
        # A truck that is half loaded when the simulation begins leaves open what is known of it.
        clear = not loading.time_ms[0] < self._start_ms <= loading.end_ms
        some = [one for one in offences if one.occasion == "trip" and clear]
        trip = offending_trip(departure, some) or plain_trip(departure)
        yield from self._driven(trip)
        return trip

    def _departure(
        self, haul: Haul, time_ms: int, loaded_ms: int | None, share: float
    ) -> Departure:
        hauls = self._rota.hauls
        return Departure(
            conduct=self._conduct,
            journeys=self._rota.journeys,
            yards=self._yards,
            options=[haul, *(one for one in hauls if one.source is haul.source)],
            time_ms=time_ms,
            seen_from_ms=self._start_ms,
            loaded_ms=loaded_ms,
            load=share,
            chance=self._chance,
        )

    def _next(
        self, haul: Haul, time_ms: int
    ) -> Generator[tuple[int, Event], None, tuple[Haul, Way, int]]:
        """From the end of a haul: a break where it is time for one, and waiting until a haul may
        begin. That haul, the way to its source, and when it begins."""
        place, rota = haul.end, self._rota
        gives_in = self._chance.random() < self._share * OVERTIME_SHARE
        while True:
            if self._eats(time_ms):
                place, time_ms = yield from self._park(haul, place, time_ms)
                rest = stand(*(place, time_ms, rota.shift.meal_s), load=EMPTY, every_s=IDLE_STEP_S)
                yield from self._judged(rest)
                time_ms = rest.end_ms
                self._next_meal_ms = time_ms + MEALS_APART_MS
            options = rota.possible(place, time_ms)
            if not options and gives_in and self._conduct.terms.permits:
                options = rota.possible(place, time_ms, after_hours=True)
                gives_in = False
            if options:
                following, way = options[int(self._chance.integers(len(options)))]
                return following, way, time_ms
            place, time_ms = yield from self._park(haul, place, time_ms)
            fixes = stand(place, time_ms, WAIT_S, load=EMPTY, every_s=PARKED_STEP_S)
            yield from self._judged(fixes)
            time_ms = fixes.end_ms

    def _eats(self, time_ms: int) -> bool:
        local = self._terrain.local(time_ms)
        shift = self._rota.shift
        return time_ms >= self._next_meal_ms and shift.works(local) and shift.meal.holds(local)

    def _park(
        self, haul: Haul, place: Point, time_ms: int
    ) -> Generator[tuple[int, Event], None, tuple[Point, int]]:
        """On a parking site near the end of `haul`; where there is none, where it is."""
        journeys = self._rota.journeys
        parking = parking_near(haul.target, haul.end, self._terrain, journeys)
        if parking is None or parking == place or journeys.way(place, parking) is None:
            return place, time_ms
        if not all(journeys.way(parking, one.start) for one in self._rota.hauls):
            return place, time_ms
        way = journeys.way(place, parking)
        assert way is not None  # noqa: S101 (asked above)
        fixes = drive(way, time_ms, load=EMPTY, chance=self._chance)
        yield from self._judged(fixes)
        return parking, fixes.end_ms

    def _paused(
        self, way: Way, time_ms: int
    ) -> Generator[tuple[int, Event], None, tuple[Way, int]]:
        """Now and then the empty truck stands by the roadside: the way that is left, and when."""
        if self._chance.random() >= PAUSE_SHARE:
            return way, time_ms
        begin_m = self._chance.uniform(0.2, 0.8) * way.length_m
        first, rest = way.cut(0, begin_m), way.cut(begin_m, way.length_m)
        if first is None or rest is None:
            return way, time_ms
        fixes = drive(first, time_ms, load=EMPTY, chance=self._chance)
        lasts_s = float(self._chance.uniform(*PAUSE_S))
        pause = stand(first.end, fixes.end_ms, lasts_s, load=EMPTY, every_s=IDLE_STEP_S)
        yield from self._judged(Fixes.joined([fixes, pause]))
        return rest, pause.end_ms

    def _driven(self, trip: Trip) -> Events:
        """The trip's positions and labels; places at sites are booked now that it takes place."""
        for yard, turn in trip.turns:
            yard.book(turn, int(trip.fixes.time_ms[0]))
        self._raised_s = trip.raised_s
        yield from self._labelled(trip.fixes, trip.breaches)

    def _judged(self, fixes: Fixes) -> Events:
        """Positions of an empty truck, and labels of what it breaks."""
        if self._raised_s:
            since_s = (fixes.time_ms - fixes.time_ms[0]) / 1000
            fixes = replace(fixes, lifted=since_s < self._raised_s)
            self._raised_s = 0.0
        seen = fixes.since(self._start_ms)
        yield from self._labelled(fixes, self._conduct.moving(seen) if len(seen) else [])

    def _labelled(self, fixes: Fixes, breaches: Sequence[Breach]) -> Events:
        """Positions; each label follows the last position that it is about."""
        self._open = sorted(self._labels(breaches), key=lambda label: label.to_ms)
        if not self._open:
            yield from self._seen(fixes)
            return
        for time_ms, position in self._seen(fixes):
            yield time_ms, position
            while self._open and self._open[0].to_ms <= time_ms:
                yield time_ms, self._open.pop(0)
        for label in self._open:
            yield fixes.end_ms, label
        self._open = []

    def _labels(self, breaches: Sequence[Breach]) -> list[Label]:
        if not breaches:
            return []
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

    def _seen(self, fixes: Fixes) -> Events:
        """The positions since the simulation's start."""
        first_ms = self._start_ms
        if int(fixes.time_ms[0]) >= first_ms + CLOCK_MS:
            yield from self._maker.positions(fixes)
            return
        for sent_ms, position in self._maker.positions(fixes.since(first_ms)):
            if position.time_ms >= first_ms:
                yield sent_ms, position
