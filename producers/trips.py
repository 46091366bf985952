"""One loaded trip of a simulated truck, planned as a whole: its fixes, and what it breaks.

Used by `producers.truck`. Offending trips are drawn by chance and kept only when they surely break
the rule that they are meant to break; all else that they break is labelled as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from shapely import Point

from producers.conduct import Breach, Conduct
from producers.courses import Course, Halt, Setting, plain_course
from producers.drives import EMPTY, PARKED_STEP_S, STEP_S, drive, load, stand, tip
from producers.fixes import Fixes
from producers.hauls import Haul
from producers.offences import Offence
from producers.service import come_to
from producers.ways import Journeys, Way
from producers.yards import Turn, Yard

TRIES = 4
"""Per kind: a course drawn by chance may not come out."""
KNOWN_AFTER = 1
"""Fixes after which a truck that the simulation begins with is known to be loaded: two agree."""
TIP_S, UNSEEN_TIP_S = (120.0, 240.0), (260.0, 420.0)
"""How long a tip takes; a truck without sensors stands long enough for it to be inferred."""
OFF_BEFORE_MS = 60_000
"""So long before a stand a terminal is switched off, and after it on again."""


@dataclass(frozen=True)
class Departure:
    """A truck that is about to leave a source. `options`: the hauls from here, `options[0]` the one
    that it would take. `seen_from_ms`: the start of the simulation. `loaded_ms`: since when it
    carries its load; None = it has not been loaded here."""

    conduct: Conduct
    journeys: Journeys
    yards: Mapping[str, Yard]
    options: Sequence[Haul]
    time_ms: int
    seen_from_ms: int
    loaded_ms: int | None
    load: float
    chance: np.random.Generator

    @property
    def is_whole(self) -> bool:
        """All of the trip lies in the simulation."""
        return self.time_ms >= self.seen_from_ms


@dataclass(frozen=True)
class Trip:
    """From leaving the source to being empty at the target. `turns` are to be booked when it is
    driven; `raised_s`: so long its body stays up when it drives on."""

    haul: Haul
    fixes: Fixes
    breaches: tuple[Breach, ...]
    turns: tuple[tuple[Yard, Turn], ...]
    raised_s: float


def plain_trip(departure: Departure) -> Trip:
    """A trip that keeps to the permit; a truck without one breaks the rules all the same."""
    haul = departure.options[0]
    return _perform(plain_course(_setting(haul, departure)), haul, departure)


def offending_trip(departure: Departure, offences: Iterable[Offence]) -> Trip | None:
    """A trip that surely is one of these offences, the first that there is room for, or None."""
    for offence in offences:
        # Another target may be closed at that hour.
        some = departure.options if offence.rule == "site-closed" else departure.options[:1]
        for haul in some:
            trip = _attempt(offence, haul, departure)
            if trip is not None:
                return trip
    return None


def _attempt(offence: Offence, haul: Haul, departure: Departure) -> Trip | None:
    for _ in range(TRIES):
        course = offence.draw(_setting(haul, departure))
        if course is not None:
            trip = _perform(course, haul, departure)
            # That a body is still up shows only on the way back.
            if course.raised_s or any(
                breach.rule == offence.rule and breach.sure for breach in trip.breaches
            ):
                return trip
    return None


def _setting(haul: Haul, departure: Departure) -> Setting:
    conduct = departure.conduct
    return Setting(
        conduct.terrain,
        conduct.terms,
        departure.journeys,
        haul,
        conduct.equipment,
        _district(haul.start, departure.time_ms, departure) if departure.is_whole else None,
        departure.chance,
    )


def _district(place: Point, time_ms: int, departure: Departure) -> str | None:
    """Where a trip that is loaded there comes from."""
    terrain = departure.conduct.terrain
    return terrain.district_of(place, terrain.local(time_ms))


@dataclass
class _Run:
    """A course as it is driven, part by part."""

    departure: Departure
    time_ms: int
    load: float
    origin: str | None
    parts: list[Fixes] = field(default_factory=list)
    turns: list[tuple[Yard, Turn]] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    halts: list[tuple[int, int]] = field(default_factory=list)
    tipped_ms: int | None = None

    @property
    def place(self) -> Point:
        return self.parts[-1].end

    def add(self, fixes: Fixes) -> None:
        self.parts.append(fixes)
        self.time_ms = fixes.end_ms

    def go(self, way: Way, halt: Halt | None) -> None:
        """Drive, and stand in line where a site serves the truck next."""
        chance = self.departure.chance
        yard = self.departure.yards.get(halt.site_id) if halt and halt.site_id else None
        if halt is None or yard is None:
            self.add(drive(way, self.time_ms, load=self.load, chance=chance))
            return
        fixes, turn = come_to(way, self.time_ms, yard, halt.lasts_s, load=self.load, chance=chance)
        self.add(fixes)
        self.turns.append((yard, turn))

    def halt(self, halt: Halt) -> None:
        begin_ms, place = self.time_ms, self.place
        if halt.kind == "tip":
            self.add(tip(place, begin_ms, halt.lasts_s, self.load))
            self.load, self.tipped_ms = EMPTY, begin_ms
            conduct = self.departure.conduct
            if conduct.equipment.sensors or halt.site_id is not None:
                self.breaches += conduct.tipping(place, begin_ms, self.time_ms, self.origin)
        elif halt.kind == "load":
            self.load = self.departure.load
            self.add(load(place, begin_ms, halt.lasts_s, self.load))
            self.origin = _district(place, begin_ms, self.departure)
            loaded_ms = int(self.parts[-1].time_ms[self.parts[-1].loaded][0])
            self.breaches += self.departure.conduct.loading(place, loaded_ms, self.time_ms)
        else:
            every_s = PARKED_STEP_S if halt.kind == "parked" else STEP_S
            self.add(stand(place, begin_ms, halt.lasts_s, load=self.load, every_s=every_s))
            self.halts.append((begin_ms, self.time_ms))


def _perform(course: Course, haul: Haul, departure: Departure) -> Trip:
    share = departure.load if course.load is None else course.load
    run = _Run(
        departure,
        departure.time_ms,
        share if course.starts_loaded else EMPTY,
        _district(haul.start, departure.time_ms, departure) if departure.is_whole else None,
    )
    parts: list[Way | Halt] = list(course.parts)
    if course.arrives_loaded:
        seen = departure.conduct.equipment.sensors
        lasts_s = departure.chance.uniform(*(TIP_S if seen else UNSEEN_TIP_S))
        parts.append(Halt("tip", float(lasts_s), haul.target.site.site_id))
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        if isinstance(part, Halt):
            run.halt(part)
        else:
            run.go(part, following if isinstance(following, Halt) else None)
    fixes = Fixes.joined(run.parts)
    if not course.is_covered:
        fixes = replace(fixes, covered=fixes.covered & ~fixes.loaded)
    if course.raised_s and run.tipped_ms is not None:
        fixes = replace(fixes, lifted=fixes.time_ms > run.tipped_ms + 25_000)
    if course.is_silent:
        fixes = _switched_off(fixes, run.halts)
    breaches = sorted(
        _breaches(fixes, run, departure), key=lambda breach: (breach.from_ms, breach.rule)
    )
    return Trip(haul, fixes, tuple(breaches), tuple(run.turns), course.raised_s)


def _switched_off(fixes: Fixes, halts: Sequence[tuple[int, int]]) -> Fixes:
    kept = np.ones(len(fixes), bool)
    for from_ms, to_ms in halts:
        since, until = from_ms - OFF_BEFORE_MS, to_ms + OFF_BEFORE_MS
        kept &= (fixes.time_ms < since) | (fixes.time_ms > until)
    return fixes.where(kept)


def _breaches(fixes: Fixes, run: _Run, departure: Departure) -> list[Breach]:
    """What the trip breaks, as far as it can be known that the truck is loaded."""
    conduct, seen = departure.conduct, fixes.since(departure.seen_from_ms)
    breaches = conduct.moving(seen) if len(seen) else []
    if departure.is_whole:
        known = fixes
    elif conduct.equipment.sensors:
        known = seen.where(slice(KNOWN_AFTER, None))
    else:
        return breaches
    if not len(known):
        return breaches
    known_ms = int(known.time_ms[0])
    breaches += conduct.carrying(known)
    breaches += [breach for breach in run.breaches if breach.from_ms >= known_ms]
    if departure.is_whole and departure.loaded_ms is not None and run.tipped_ms is not None:
        place = Point(known.east_m[0], known.north_m[0])
        breaches += conduct.ending(place, departure.loaded_ms, run.tipped_ms)
    return breaches
