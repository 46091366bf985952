"""How a simulated truck moves and stands: fixes along a way, in a line, at a load, at a tip.

Used by `producers.trips` and `producers.truck`. Knows nothing of rules.
"""

from dataclasses import replace

import numpy as np
from shapely import Point

from producers.fixes import Fixes
from producers.terrain import Floats
from producers.ways import Way

STEP_S = 10.0
IDLE_STEP_S, PARKED_STEP_S = 30.0, 300.0
"""Between reports of a truck that stands with its engine running, and without."""
SLOWEST_KMH, ROLLING_KMH = 16.0, 8.0
"""No driver goes slower, whatever the limit; but for braking and moving off."""
STOP_S, LONGEST_STOP_S = 20.0, 70.0
"""A stop at a junction, on average and at most."""
BRAKING_M = 45.0
PLACE_IN_LINE_M, LONGEST_LINE_M = 12.0, 110.0
CREEP_S = 6.0

EMPTY, FULL = 0.0, 1.0


def drive(way: Way, start_ms: int, *, load: float, chance: np.random.Generator) -> Fixes:
    """From one end to the other: a fix every ten seconds or so, and one at the end."""
    clock_s, places_m = _timetable(way, chance)
    total_s = float(clock_s[-1])
    count = max(1, round(total_s / STEP_S))
    steps = np.arange(1, count + 1) + chance.uniform(-0.08, 0.08, count)
    steps[-1] = count
    times_s = steps * (total_s / count)
    at_m = np.interp(times_s, clock_s, places_m)
    speeds_kmh = (at_m - np.interp(times_s - 2, clock_s, places_m)) / np.minimum(times_s, 2) * 3.6
    return _along(way, start_ms + np.round(times_s * 1000).astype(np.int64), at_m, speeds_kmh, load)


def _timetable(way: Way, chance: np.random.Generator) -> tuple[Floats, Floats]:
    """Seconds and metres since the start at which the speed changes, with waits at junctions."""
    stops = {
        round(at_m, 1): min(chance.exponential(STOP_S) + 2, LONGEST_STOP_S)
        for at_m, often in way.stops
        if chance.random() < often
    }
    marks_m = way.marks_m
    if stops:
        stop_m = np.array(list(stops))
        marks_m = np.clip(np.concatenate([stop_m - BRAKING_M, stop_m, stop_m + BRAKING_M]), 0, None)
        marks_m = np.union1d(way.marks_m, np.minimum(marks_m, way.marks_m[-1]))
    middles_m = (marks_m[1:] + marks_m[:-1]) / 2
    which = np.clip(np.searchsorted(way.marks_m, middles_m) - 1, 0, len(way.kmh) - 1)
    pace = chance.uniform(0.8, 0.97) + chance.normal(0, 0.05, len(middles_m))
    kmh = np.maximum(way.kmh[which] * np.clip(pace, 0.6, 1.0), SLOWEST_KMH)
    if stops:
        near = np.abs(middles_m[:, None] - stop_m).min(axis=1) <= BRAKING_M
        kmh[near] = np.maximum(kmh[near] / 2, ROLLING_KMH)
    leg_s = np.diff(marks_m) / kmh * 3.6
    clock_s, places_m = [0.0], [0.0]
    for at_m, took_s in zip(marks_m[1:].tolist(), leg_s.tolist(), strict=True):
        clock_s.append(clock_s[-1] + took_s)
        places_m.append(at_m)
        wait_s = stops.get(round(at_m, 1))
        if wait_s is not None:
            clock_s.append(clock_s[-1] + wait_s)
            places_m.append(at_m)
    return np.array(clock_s), np.array(places_m)


def _along(way: Way, time_ms: np.ndarray, at_m: Floats, speeds_kmh: Floats, load: float) -> Fixes:
    corners, count = np.array(way.line.coords), len(at_m)
    along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    return Fixes(
        time_ms,
        np.interp(at_m, along_m, corners[:, 0]),
        np.interp(at_m, along_m, corners[:, 1]),
        speeds_kmh,
        np.full(count, load),
        np.zeros(count, bool),
        np.ones(count, bool),
    )


def stand(
    place: Point, start_ms: int, lasting_s: float, *, load: float, every_s: float = STEP_S
) -> Fixes:
    """At one place, up to and with the end."""
    count = max(1, round(lasting_s / every_s))
    steps = np.arange(1, count + 1)
    return Fixes(
        start_ms + np.round(steps * (lasting_s / count * 1000)).astype(np.int64),
        np.full(count, place.x),
        np.full(count, place.y),
        np.zeros(count),
        np.full(count, load),
        np.zeros(count, bool),
        np.ones(count, bool),
    )


def shortened(way: Way, ahead: int) -> Way:
    """The way to the end of a line of `ahead` trucks at its end."""
    end_m = way.length_m - min(PLACE_IN_LINE_M * ahead, LONGEST_LINE_M)
    if ahead < 1 or end_m < way.length_m / 2:
        return way
    return way.cut(0, end_m) or way


def stand_in_line(
    whole: Way, joined: Way, start_ms: int, lasting_s: float, *, ahead: int, load: float
) -> Fixes:
    """From the end of the line, where the way `joined` ends, to the end of the `whole` way: moving
    up a place each time that one ahead is served."""
    count = max(1, round(lasting_s / IDLE_STEP_S))
    steps_s = np.arange(1, count + 1) * (lasting_s / count)
    length_m = whole.length_m - joined.length_m
    turns_s = np.arange(1, max(1, ahead) + 1) * (lasting_s / max(1, ahead))
    clock_s = np.column_stack([turns_s - CREEP_S, turns_s]).ravel()
    moved = np.repeat(np.arange(max(1, ahead) + 1), 2)[1:-1] / max(1, ahead)
    at_m = joined.length_m + length_m * np.interp(steps_s, clock_s, moved)
    time_ms = start_ms + np.round(steps_s * 1000).astype(np.int64)
    return _along(whole, time_ms, at_m, np.zeros(count), load)


def load(place: Point, start_ms: int, lasting_s: float, share: float) -> Fixes:
    """A stand at which the truck is loaded and then covered, near the end."""
    fixes = stand(place, start_ms, lasting_s, load=EMPTY)
    full = fixes.time_ms > fixes.end_ms - 60_000
    covered = fixes.time_ms > fixes.end_ms - 30_000
    return replace(fixes, load=np.where(full, share, EMPTY), covered=covered)


def tip(place: Point, start_ms: int, lasting_s: float, share: float) -> Fixes:
    """A stand at which the truck is opened, lifted, emptied, and let down again."""
    fixes = stand(place, start_ms, lasting_s, load=share)
    since_s = (fixes.time_ms - start_ms) / 1000
    lifted = (since_s > 25) & (since_s <= min(lasting_s - 30, 85))
    return replace(
        fixes,
        load=np.where(since_s <= 45, share, EMPTY),
        lifted=lifted,
        covered=since_s <= 15,
    )
