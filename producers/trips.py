"""One loaded trip of a simulated truck, planned as a whole: its fixes, and what it breaks.

Used by `producers.fleet`. Offending trips are drawn by chance and kept only when they surely break
the rule that they are meant to break; all else that they break is labelled as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from shapely import Point

from producers.conduct import Breach, Terms
from producers.drives import Fixes, drive, stand, tip
from producers.hauls import Haul
from producers.offences import (
    WITH_SENSORS,
    WITHOUT_SENSORS,
    Course,
    Halt,
    Kind,
    Setting,
    draw,
    plain_course,
)
from producers.terrain import Terrain

TRIES = 4
"""Per kind: a course drawn by chance may not come out."""
KNOWN_AFTER = 3
"""Fixes after which a truck that the simulation begins with is known to be loaded."""


@dataclass(frozen=True)
class Trip:
    """From leaving the source, loaded, to being empty at the target."""

    fixes: Fixes
    breaches: tuple[Breach, ...]


@dataclass(frozen=True)
class Departure:
    """A loaded truck that is about to leave. `options`: the hauls from here, `options[0]` the one
    that it would take. `seen_from_ms`: the start of the simulation."""

    terrain: Terrain
    terms: Terms
    options: Sequence[Haul]
    time_ms: int
    seen_from_ms: int
    has_sensors: bool
    chance: np.random.Generator

    @property
    def is_whole(self) -> bool:
        """All of the trip lies in the simulation."""
        return self.time_ms >= self.seen_from_ms


def plain_trip(departure: Departure) -> Trip:
    """A trip that keeps to the permit; a truck without one breaks the rules all the same."""
    haul = departure.options[0]
    return _perform(plain_course(haul), haul, departure)


def offending_trip(departure: Departure) -> tuple[Trip, Haul] | None:
    """A trip that surely breaks a rule, and the haul it is a part of; None when none comes out."""
    kinds = WITH_SENSORS if departure.has_sensors else WITHOUT_SENSORS
    for number in departure.chance.permutation(len(kinds)):
        for haul in departure.options if kinds[number] == "site-closed" else departure.options[:1]:
            trip = _attempt(kinds[number], haul, departure)
            if trip is not None:
                return trip, haul
    return None


def _attempt(kind: Kind, haul: Haul, departure: Departure) -> Trip | None:
    origin = _origin(haul, departure)
    for _ in range(TRIES):
        setting = Setting(departure.terrain, departure.terms, haul, origin, departure.chance)
        course = draw(kind, setting)
        if course is not None:
            trip = _perform(course, haul, departure)
            if any(breach.rule == kind and breach.sure for breach in trip.breaches):
                return trip
    return None


def _origin(haul: Haul, departure: Departure) -> str | None:
    """The district that the trip is known to come from."""
    if not departure.is_whole:
        return None
    return departure.terrain.district_of(haul.start, departure.terrain.local(departure.time_ms))


def _perform(course: Course, haul: Haul, departure: Departure) -> Trip:
    chance, sensors = departure.chance, departure.has_sensors
    parts: list[Fixes] = []
    tips: list[tuple[Point, int, int]] = []
    stands: list[Breach] = []
    time_ms, loaded = departure.time_ms, True
    halts_at_target = Halt(tips=sensors) if course.arrives_loaded else None
    for part in (*course.parts, *([halts_at_target] if halts_at_target else [])):
        if isinstance(part, Halt):
            place = parts[-1].end
            if part.tips:
                parts.append(tip(place, time_ms, float(chance.uniform(120, 240))))
                tips.append((place, time_ms, parts[-1].end_ms))
                loaded = False
            else:
                parts.append(stand(place, time_ms, float(chance.uniform(260, 420)), loaded=True))
                if part is not halts_at_target:
                    end_ms = parts[-1].end_ms
                    stands.append(Breach("suspected-dumping", time_ms, end_ms, place, True))
        else:
            parts.append(drive(part, time_ms, loaded=loaded, chance=chance))
        time_ms = parts[-1].end_ms
    fixes = Fixes.joined(parts)
    return Trip(fixes, _breaches(fixes, tips, stands, haul, departure))


def _breaches(
    fixes: Fixes,
    tips: Sequence[tuple[Point, int, int]],
    stands: Sequence[Breach],
    haul: Haul,
    departure: Departure,
) -> tuple[Breach, ...]:
    """What the trip breaks, as far as it can be known that the truck is loaded."""
    if departure.is_whole:
        known = fixes
    elif departure.has_sensors:
        known = fixes.since(departure.seen_from_ms).after(KNOWN_AFTER)
    else:
        return ()
    if not len(known):
        return ()
    known_ms = int(known.time_ms[0])
    terms = departure.terms
    breaches = terms.breaches_driving(known)
    for place, from_ms, to_ms in tips:
        if from_ms >= known_ms:
            origin = _origin(haul, departure)
            breaches += terms.breaches_tipping(place, from_ms, to_ms, origin)
    if not departure.has_sensors:
        breaches += stands
    return tuple(sorted(breaches, key=lambda breach: (breach.from_ms, breach.rule)))
