"""What a simulated trip breaks, by the rules of design section 6 read plainly.

Used by `producers.trips` and `producers.truck` to label offences and to see that other trips break
nothing. It looks at where the truck truly is and what is true of it, without the errors of receiver
and sensors, and shares no code with the engine.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point

from producers.fixes import Fixes, Mask
from producers.sensors import Equipment
from producers.terms import Terms
from producers.terrain import Floats, Terrain

MOVING_KMH = 5.0
TOLERANCE = 1.05
GAP_MS = 600_000
"""A longer silence breaks a run; a loaded truck is lost."""
DWELL_S = 180.0
TRIP_MS = 4 * 3_600_000
SURE_S, SURE_FIXES = 25.0, 2
"""A run that lasts so much longer than a rule asks is surely found, whichever fixes are lost."""
NEARLY_S = 20.0
RUNS = {
    "off-route": (3, 60.0),
    "no-permit": (3, 60.0),
    "out-of-hours": (3, 60.0),
    "cross-district-transit": (3, 60.0),
    "no-go-zone": (2, 0.0),
    "speeding": (3, 20.0),
    "uncovered-load": (3, 30.0),
    "lifted-moving": (2, 0.0),
    "overload": (3, 60.0),
}
"""Fixes and seconds that a run must have to be found."""


@dataclass(frozen=True)
class Breach:
    """A rule broken from one moment to another, beginning at a place."""

    rule: str
    from_ms: int
    to_ms: int
    place: Point
    sure: bool
    """False where it may be too short to be found."""


@dataclass(frozen=True)
class Conduct:
    """Judges what one truck does, by what its terminal can tell."""

    terrain: Terrain
    terms: Terms
    equipment: Equipment

    def moving(self, fixes: Fixes) -> list[Breach]:
        """Of rules for any truck, loaded or not."""
        moves = fixes.speed_kmh > MOVING_KMH
        found = [
            *_runs("no-go-zone", moves & self._forbidden(fixes), fixes),
            *_runs("speeding", fixes.speed_kmh > self._limits_kmh(fixes), fixes),
        ]
        if self.equipment.lift:
            found += _runs("lifted-moving", moves & fixes.lifted, fixes)
        return found

    def carrying(self, fixes: Fixes) -> list[Breach]:
        """Of rules for loaded trucks, at fixes at which the truck is known to be loaded or not."""
        moves = fixes.loaded & (fixes.speed_kmh > MOVING_KMH)
        found = [*self._lost(fixes)]
        if self.terms.permits:
            places = fixes.points
            found += [
                *_runs("off-route", moves & self.terms.off_route(places), fixes),
                *_runs("cross-district-transit", moves & self.terms.abroad(places), fixes),
                *_runs("out-of-hours", moves & self.terms.out_of_hours(fixes.time_ms), fixes),
            ]
        else:
            found += _runs("no-permit", moves, fixes)
        if self.equipment.sensors:
            found += _runs("uncovered-load", moves & ~fixes.covered, fixes)
        else:
            found += self._stood(fixes)
        if self.equipment.scales:
            found += _runs("overload", moves & (fixes.load > TOLERANCE), fixes)
        return found

    def loading(self, place: Point, from_ms: int, to_ms: int) -> list[Breach]:
        """Of loading at a place, seen by the sensor."""
        near = self.terrain.in_reach(place, self.terrain.local(from_ms))
        if any(ground.site.kind == "construction" for ground in near):
            return []
        return [Breach("unregistered-source", from_ms, to_ms, place, sure=True)]

    def tipping(self, place: Point, from_ms: int, to_ms: int, origin: str | None) -> list[Breach]:
        """Of a tip; `origin` is the district that the trip is known to come from."""
        local, terms = self.terrain.local(from_ms), self.terms
        rules = []
        receiving = terms.receiving(place, local)
        if not receiving:
            rules.append("illegal-dumping")
        elif terms.permits:
            listed = [
                one for one in receiving if not terms.disposal_ids or one in terms.disposal_ids
            ]
            if not listed:
                rules.append("wrong-site")
            elif not any(self.terrain.sites[one].site.validity.holds(local) for one in listed):
                rules.append("site-closed")
        if origin is not None and self.terrain.district_of(place, local) is not None:
            spot = np.array([place], dtype=object)
            if terms.abroad(spot, origin)[0]:
                rules.append("cross-district-dumping")
        return [Breach(rule, from_ms, to_ms, place, sure=True) for rule in rules]

    def ending(self, place: Point, from_ms: int, to_ms: int) -> list[Breach]:
        """Of a trip from a registered site that took so long."""
        if to_ms - from_ms < TRIP_MS - NEARLY_S * 1000:
            return []
        due_ms = from_ms + TRIP_MS
        sure = to_ms - due_ms > 4 * SURE_S * 1000
        return [Breach("undelivered", from_ms, due_ms, place, sure)]

    def _forbidden(self, fixes: Fixes) -> Mask:
        forbidden = np.zeros(len(fixes), bool)
        for zone, shape in self.terrain.no_go_zones:
            inside = shapely.intersects_xy(shape, fixes.east_m, fixes.north_m)
            for number in np.flatnonzero(inside).tolist():
                local = self.terrain.local(int(fixes.time_ms[number]))
                forbidden[number] |= zone.validity.holds(local)
        return forbidden

    def _limits_kmh(self, fixes: Fixes) -> Floats:
        """The lowest of the zones' that hold, else the city's."""
        lowest = np.full(len(fixes), np.inf)
        for zone, shape in self.terrain.limits:
            inside = shapely.intersects_xy(shape, fixes.east_m, fixes.north_m)
            for number in np.flatnonzero(inside).tolist():
                local = self.terrain.local(int(fixes.time_ms[number]))
                if zone.limit_kmh is not None and zone.validity.holds(local):
                    lowest[number] = min(lowest[number], zone.limit_kmh)
        everywhere = self.terrain.city.speed_limit_kmh
        if everywhere is not None:
            lowest[np.isinf(lowest)] = everywhere
        return lowest

    def _stood(self, fixes: Fixes) -> Iterator[Breach]:
        """Stands of a loaded truck that tells nothing of its load."""
        stands = fixes.loaded & (fixes.speed_kmh <= MOVING_KMH)
        for first, end in _stretches(stands, fixes.time_ms):
            lasts_s = float(fixes.time_ms[end - 1] - fixes.time_ms[first]) / 1000
            if lasts_s >= DWELL_S - NEARLY_S and self._is_outside(fixes, first):
                sure = lasts_s >= DWELL_S + SURE_S
                yield _breach("suspected-dumping", fixes, first, end - 1, sure)

    def _lost(self, fixes: Fixes) -> Iterator[Breach]:
        """Silences of a loaded truck."""
        for last in np.flatnonzero(np.diff(fixes.time_ms) >= GAP_MS - NEARLY_S * 1000).tolist():
            if fixes.loaded[last] and self._is_outside(fixes, last):
                silent_ms = fixes.time_ms[last + 1] - fixes.time_ms[last]
                sure = bool(silent_ms > GAP_MS + SURE_S * 1000)
                yield _breach("signal-lost", fixes, last, last + 1, sure)

    def _is_outside(self, fixes: Fixes, number: int) -> bool:
        """Of every site's reach."""
        place = fixes.east_m[number], fixes.north_m[number]
        return not shapely.intersects_xy(self.terrain.reaches, *place)


def _runs(rule: str, broken: Mask, fixes: Fixes) -> Iterator[Breach]:
    least_fixes, least_s = RUNS[rule]
    for first, end in _stretches(broken, fixes.time_ms):
        lasts_s = float(fixes.time_ms[end - 1] - fixes.time_ms[first]) / 1000
        if end - first >= least_fixes - 1 and lasts_s >= least_s - NEARLY_S:
            sure = end - first >= least_fixes + SURE_FIXES and lasts_s >= least_s + SURE_S
            yield _breach(rule, fixes, first, end - 1, sure)


def _stretches(broken: Mask, time_ms: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """From the first number to behind the last, cut at long silences."""
    if not broken.any():
        return
    gaps = np.diff(time_ms, prepend=time_ms[:1]) > GAP_MS
    runs = np.cumsum(gaps | np.diff(broken, prepend=False))
    for run in np.unique(runs[broken]).tolist():
        numbers = np.flatnonzero(runs == run)
        yield int(numbers[0]), int(numbers[-1]) + 1


def _breach(rule: str, fixes: Fixes, first: int, last: int, sure: bool) -> Breach:
    place = Point(fixes.east_m[first], fixes.north_m[first])
    return Breach(rule, int(fixes.time_ms[first]), int(fixes.time_ms[last]), place, sure)
