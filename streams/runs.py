"""Runs of condition rules: opening, escalating, closing (design section 6), and what falls due
while a truck is silent (section 5).

Runs under way live in a pool with a list of free places; a truck holds their numbers.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from geofences.index import NONE
from geofences.jit import compiled
from streams.catalogue import CLOSED, CONDITIONS, ESCALATED, OCCURRED, OPENED
from streams.events import Out, extend_track, place_event, write_event, write_run_track
from streams.rules import SIGNAL_LOST, SPEEDING, UNDELIVERED
from streams.state import LOADED, NEVER, NO_TIME, RECENT, RUN, TRACK

N_CONDITIONS: Final = len(CONDITIONS)


class Pool(NamedTuple):
    """Places for runs under way."""

    runs: Any
    free: npt.NDArray[np.int32]
    """Numbers of the free places: the first `n_free[0]` of them."""
    n_free: npt.NDArray[np.int64]

    @classmethod
    def of(cls, count: int) -> "Pool":
        free = np.arange(count - 1, -1, -1, dtype=np.int32)
        return cls(np.zeros(count, RUN).view(np.recarray), free, np.array([count], np.int64))

    def grown(self) -> "Pool":
        """Twice as large, with the same runs in the same places."""
        count = len(self.runs)
        larger = Pool.of(2 * count)
        larger.runs[:count] = self.runs
        added = np.arange(2 * count - 1, count - 1, -1, dtype=np.int32)
        n_free = int(self.n_free[0])
        larger.free[: count + n_free] = np.concatenate([added, self.free[:n_free]])
        larger.n_free[0] = count + n_free
        return larger


@compiled
def has_free_runs(pool: Pool) -> bool:
    """Whether one more position finds all the places it may need."""
    return bool(pool.n_free[0] >= N_CONDITIONS)


@compiled
def follow_runs(pool: Pool, limits: Any, truck: Any, now: Any, truths: int, out: Out) -> None:
    """Continue, begin, open, escalate and close the truck's runs by what is true at this fix."""
    if truths == 0 and truck.n_runs == 0:
        return
    for rule in range(N_CONDITIONS):
        number = truck.runs[rule]
        if truths >> rule & 1:
            if number == NONE:
                number = _begin(pool, truck, now, rule)
            run = pool.runs[number]
            _extend(run, truck)
            _tell(limits, run, truck, now, rule, out)
        elif number != NONE:
            _close(pool, truck, now, rule, now.previous_ms, now.place.time_ms, 2, out)


@compiled
def _begin(pool: Pool, truck: Any, now: Any, rule: int) -> int:
    pool.n_free[0] -= 1
    number = pool.free[pool.n_free[0]]
    run = pool.runs[number]
    run.fixes = 0
    run.started_ms = now.place.time_ms
    run.kept = 0
    run.stride = 1
    run.opened = False
    run.escalated = False
    truck.runs[rule] = number
    truck.n_runs += 1
    return int(number)


@compiled
def _extend(run: Any, truck: Any) -> None:
    """Take the truck's last fix into the run; its track is thinned to every `stride`-th."""
    if run.fixes % run.stride == 0:
        if run.kept == TRACK:
            for i in range(TRACK // 2):
                run.track[i] = run.track[2 * i]
            run.kept = TRACK // 2
            run.stride *= 2
        run.track[run.kept] = truck.recent[(truck.fixes - 1) % RECENT]
        run.kept += 1
    run.fixes += 1


@compiled
def _tell(limits: Any, run: Any, truck: Any, now: Any, rule: int, out: Out) -> None:
    """Write that the run opens or escalates at this fix, if it does."""
    time_ms = now.place.time_ms
    lasted_ms = time_ms - run.started_ms
    if not run.opened and run.fixes >= limits.min_fixes[rule] and lasted_ms >= limits.min_ms[rule]:
        run.opened = True
        _write(run, truck, now, rule, OPENED, time_ms, 1, out)
    if run.opened and not run.escalated and lasted_ms >= limits.severe_ms[rule]:
        run.escalated = True
        _write(run, truck, now, rule, ESCALATED, time_ms, 1, out)


@compiled
def _write(
    run: Any, truck: Any, now: Any, rule: int, phase: int, detected_ms: int, back: int, out: Out
) -> int:
    number = write_event(out, truck, now, rule, phase, run.started_ms, detected_ms)
    event = out.events[number]
    event.fixes = run.fixes
    event.severe = run.escalated
    if phase != CLOSED:
        event.load_kg = now.load_kg
        if rule == SPEEDING:
            event.limit_kmh = now.limit_kmh
    write_run_track(out, number, run, truck, back)
    return int(number)


@compiled
def _close(
    pool: Pool,
    truck: Any,
    now: Any,
    rule: int,
    ended_ms: int,
    detected_ms: int,
    back: int,
    out: Out,
) -> None:
    """Give the run's place back, and write that it closed if it had opened.

    `back`: how many fixes ago the run's last fix was, 1 for the truck's last.
    """
    number = truck.runs[rule]
    run = pool.runs[number]
    if run.opened:
        event = _write(run, truck, now, rule, CLOSED, detected_ms, back, out)
        out.events[event].ended_ms = ended_ms
    truck.runs[rule] = NONE
    truck.n_runs -= 1
    pool.free[pool.n_free[0]] = number
    pool.n_free[0] += 1


@compiled
def fall_due(pool: Pool, limits: Any, truck: Any, now: Any, by_ms: int, out: Out) -> None:
    """All that is due by `by_ms` from what is known of the truck's fixes so far.

    Dated at its nominal moment and told of the last fix, so that it does not matter whether the
    truck's next fix or the watermark brought it about.
    """
    if truck.last_ms == NO_TIME:
        return
    if by_ms - truck.last_ms > limits.max_gap_ms:
        truck.stay_site = NONE
        truck.stop_ms = NO_TIME
        close_runs(pool, truck, now, truck.last_ms + limits.max_gap_ms, out)
    if truck.loaded == LOADED:
        lost_ms = truck.last_ms + limits.offline_ms
        if truck.outside and not truck.lost and by_ms >= lost_ms:
            truck.lost = True
            write_event(out, truck, now, SIGNAL_LOST, OPENED, truck.last_ms, lost_ms)
        if truck.trip_source != NONE and not truck.overdue:
            overdue_ms = truck.trip_ms + limits.max_trip_ms
            if by_ms >= overdue_ms:
                truck.overdue = True
                write_event(out, truck, now, UNDELIVERED, OCCURRED, truck.trip_ms, overdue_ms)


@compiled
def close_runs(pool: Pool, truck: Any, now: Any, detected_ms: int, out: Out) -> None:
    """End all of the truck's runs with its last fix."""
    if truck.n_runs > 0:
        for rule in range(N_CONDITIONS):
            if truck.runs[rule] != NONE:
                _close(pool, truck, now, rule, truck.last_ms, detected_ms, 1, out)


@compiled
def regain_signal(truck: Any, now: Any, out: Out) -> None:
    """The truck's next fix closes an open `signal-lost`."""
    if truck.lost:
        truck.lost = False
        time_ms = now.place.time_ms
        number = write_event(out, truck, now, SIGNAL_LOST, CLOSED, truck.last_ms, time_ms)
        out.events[number].ended_ms = time_ms
        place_event(out, number, now.place)
        extend_track(out, number, now)


@compiled
def next_due_ms(limits: Any, truck: Any) -> int:
    """The earliest moment at which something falls due if the truck stays silent."""
    due_ms = NEVER
    if truck.n_runs > 0:
        due_ms = truck.last_ms + limits.max_gap_ms + 1
    if truck.loaded == LOADED:
        if truck.outside and not truck.lost:
            due_ms = min(due_ms, truck.last_ms + limits.offline_ms)
        if truck.trip_source != NONE and not truck.overdue:
            due_ms = min(due_ms, truck.trip_ms + limits.max_trip_ms)
    return due_ms
