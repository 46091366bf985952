"""What the core writes down when something happened: rows that `streams.report` turns into
violations and trips.

Room is made before a position is taken, never inside: `has_room` says whether the worst position
fits, and the caller reports what is there and makes room. No row is written past the end.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from geofences.jit import compiled
from streams.catalogue import CONDITIONS
from streams.state import FIX, NO_TIME, RECENT, TRACK

EVENT = np.dtype(
    [
        ("rule", "i4"),
        ("phase", "i4"),
        ("truck", "i4"),
        ("origin", "i4"),
        ("fixes", "i4"),
        ("track", "i4"),
        ("n_track", "i4"),
        ("severe", "?"),
        ("started_ms", "i8"),
        ("detected_ms", "i8"),
        ("ended_ms", "i8"),
        ("trip_ms", "i8"),
        ("place_ms", "i8"),
        ("limit_ms", "i8"),
        ("lon", "f8"),
        ("lat", "f8"),
        ("speed_kmh", "f8"),
        ("limit_kmh", "f8"),
        ("load_kg", "f8"),
    ],
    align=True,
)
"""A violation in the making. `place_ms`, `lon`, `lat`: the place that it is told of, and the time
by whose permits and sites, and so by which version, it is told. `origin` is the name of a district,
`limit_ms` what the duration was measured against, where it is not that version's."""

TRIP = np.dtype(
    [
        ("truck", "i4"),
        ("source", "i4"),
        ("origin", "i4"),
        ("dump_site", "i4"),
        ("dump_district", "i4"),
        ("load_basis", "i4"),
        ("dump_basis", "i4"),
        ("started_ms", "i8"),
        ("ended_ms", "i8"),
        ("distance_mm", "i8"),
        ("start_lon", "f8"),
        ("start_lat", "f8"),
        ("end_lon", "f8"),
        ("end_lat", "f8"),
    ],
    align=True,
)

EVENTS_A_POSITION: Final = 3 * len(CONDITIONS) + 9
"""No position writes more: each condition may close one run, open and escalate another; a signal is
lost and regained, a trip overdue, a load event, four rules of a dump, a suspected one."""
TRIPS_A_POSITION: Final = 4
TRACK_A_POSITION: Final = EVENTS_A_POSITION * (TRACK + RECENT)


class Out(NamedTuple):
    """Room for what happens; `used` counts the rows of events, trips and track in use."""

    events: Any
    trips: Any
    track: Any
    used: npt.NDArray[np.int64]

    @classmethod
    def with_room(cls, positions: int) -> "Out":
        """Room for at least so many eventful positions."""
        return cls(
            np.zeros(positions * EVENTS_A_POSITION, EVENT).view(np.recarray),
            np.zeros(positions * TRIPS_A_POSITION, TRIP).view(np.recarray),
            np.zeros(positions * TRACK_A_POSITION, FIX).view(np.recarray),
            np.zeros(3, np.int64),
        )


@compiled
def has_room(out: Out) -> bool:
    """Whether all that one more position can write fits."""
    return bool(
        out.used[0] + EVENTS_A_POSITION <= len(out.events)
        and out.used[1] + TRIPS_A_POSITION <= len(out.trips)
        and out.used[2] + TRACK_A_POSITION <= len(out.track)
    )


@compiled
def write_event(
    out: Out, truck: Any, now: Any, rule: int, phase: int, started_ms: int, detected_ms: int
) -> int:
    """Write a row of `EVENT` and return its number. It is placed at the truck's last fix, and its
    track is the truck's last fixes; callers that know better overwrite that."""
    number = out.used[0]
    out.used[0] += 1
    event = out.events[number]
    event.rule = rule
    event.phase = phase
    event.truck = now.truck
    event.origin = truck.trip_origin
    event.fixes = 0
    event.started_ms = started_ms
    event.detected_ms = detected_ms
    event.ended_ms = NO_TIME
    event.trip_ms = truck.trip_ms
    last = truck.recent[(truck.fixes - 1) % RECENT]
    event.place_ms = last.time_ms
    event.lon = last.lon
    event.lat = last.lat
    event.speed_kmh = last.speed_kmh
    event.limit_kmh = np.nan
    event.load_kg = np.nan
    event.limit_ms = 0
    event.track = out.used[2]
    event.severe = False
    _write_recent(out, truck, event)
    return int(number)


@compiled
def place_event(out: Out, number: int, place: Any) -> None:
    """Place an event at `place` (a `PLACE` record) and its time."""
    event = out.events[number]
    event.place_ms = place.time_ms
    event.lon = place.lon
    event.lat = place.lat


@compiled
def _write_recent(out: Out, truck: Any, event: Any) -> None:
    """The truck's last fixes, oldest first, as the track of `event`."""
    count = min(truck.fixes, RECENT)
    for i in range(truck.fixes - count, truck.fixes):
        out.track[out.used[2]] = truck.recent[i % RECENT]
        out.used[2] += 1
    event.n_track = count


@compiled
def extend_track(out: Out, number: int, now: Any) -> None:
    """Add the fix under judgement to the track of event `number`, the last one written, when it is
    not yet the truck's last; the oldest gives way."""
    event = out.events[number]
    fix = out.track[out.used[2]]
    fix.time_ms = now.place.time_ms
    fix.lon = now.place.lon
    fix.lat = now.place.lat
    fix.speed_kmh = now.speed_kmh
    out.used[2] += 1
    if event.n_track == RECENT:
        event.track += 1
    else:
        event.n_track += 1


@compiled
def write_run_track(out: Out, number: int, run: Any, truck: Any, back: int) -> None:
    """Make the track of event `number` that of `run`: its thinned fixes, then the latest, which is
    the truck's last fix (`back` = 1) or the one before it (`back` = 2)."""
    event = out.events[number]
    out.used[2] = event.track
    for i in range(run.kept):
        out.track[out.used[2]] = run.track[i]
        out.used[2] += 1
    latest = truck.recent[(truck.fixes - back) % RECENT]
    if run.track[run.kept - 1].time_ms != latest.time_ms:
        out.track[out.used[2]] = latest
        out.used[2] += 1
    event.n_track = out.used[2] - event.track
