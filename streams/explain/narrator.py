"""Steps a stream through the engine and tells, for one truck, what each position brought about.

`mucktrack detect --explain` calls it. The engine is the one that judges everywhere; the narrator
hands it one position of the truck at a time, which changes nothing (see `Engine.process`), and
looks at the truck's record before and after. Other trucks' positions pass through in batches.
"""

from collections.abc import Iterator, Sequence

import msgspec

from geofences.index import NONE
from streams.catalogue import CONDITIONS, OCCURRED, OPENED, PHASES, number_of
from streams.detect import Engine, Glimpse, Outcome
from streams.explain.explanation import Ending, Explanation, Occurrence
from streams.explain.knowledge import known
from streams.explain.refusals import why_rejected
from streams.explain.situation import Change, Situation, Words, metres, seconds
from streams.explain.survey import elsewhere, survey
from streams.gate import IMPOSSIBLE_JUMP, REASONS
from streams.output import Trip, Violation
from streams.position import Element, Malformed, Position, Tick
from streams.state import (
    BASES,
    BY_INFERENCE,
    BY_SENSOR,
    BY_UNKNOWN,
    EMPTY,
    LOADED,
    NO_TIME,
    UNKNOWN,
)
from streams.succession import FROM_THE_BEGINNING


class Narrator:
    """Tells of one truck's positions."""

    def __init__(self, engine: Engine, truck_id: str) -> None:
        """`engine`: fresh; all that it is to judge goes through this narrator."""
        self._engine = engine
        self._truck_id = truck_id
        self._version = engine.version_at(FROM_THE_BEGINNING)
        """What the last position was judged by, be it rejected."""
        self._empty_by = BASES[BY_UNKNOWN]
        self.positions = 0
        """Of the truck, so far."""
        self._meanwhile: list[Violation] = []
        """What the watermark has brought about since the truck's last position; told with the
        next."""

    def take(
        self, elements: Sequence[Element], record_ms: Sequence[int] | None = None
    ) -> Iterator[Explanation]:
        """Take `elements` in order, as `Engine.process`; an explanation for each position of the
        truck."""
        start = 0
        for i, element in enumerate(elements):
            if not isinstance(element, Tick) and element.truck_id == self._truck_id:
                self._pass_by(elements[start:i], record_ms and record_ms[start:i])
                start = i + 1
                self.positions += 1
                arrival = record_ms and record_ms[i:start]
                if isinstance(element, Position):
                    yield self._take_one(element, arrival)
                else:
                    self._engine.process([element], arrival)
                    yield self._malformed(element)
        self._pass_by(elements[start:], record_ms and record_ms[start:])

    def _pass_by(self, elements: Sequence[Element], record_ms: Sequence[int] | None) -> None:
        self._meanwhile += self._own(self._engine.process(elements, record_ms))

    def finish(self) -> Ending:
        """The end of the input, at which offline the watermark reaches the highest fix time; a live
        engine has come as far as its watermark, and what is open stays open."""
        outcome = Outcome() if self._engine.is_live else self._engine.finish()
        highest_ms = self._engine.glimpse(self._truck_id).highest_ms
        local_time = ""
        if highest_ms is not None:
            local_time = Words(self._engine.version_at(highest_ms)).moment(highest_ms)
        return Ending(self._truck_id, highest_ms, local_time, self._occurrences(outcome))

    def _malformed(self, element: Malformed) -> Explanation:
        if element.time_ms is not None:
            self._version = self._engine.version_at(element.time_ms)
        return self._explanation(element.time_ms, None, None, "", "malformed", element.detail)

    def _take_one(self, position: Position, arrival: Sequence[int] | None) -> Explanation:
        before = self._engine.glimpse(self._truck_id)
        outcome = self._engine.process([position], arrival)
        after = self._engine.glimpse(self._truck_id)
        self._version = self._engine.version_at(position.time_ms)
        words = Words(self._version)
        reason = outcome.rejected[0][1] if outcome.rejected else None
        since_last = _since_last(position, before, after, reason)
        place = position.time_ms, position.lon, position.lat
        if reason is not None:
            why = why_rejected(reason, _with_arrival(position, arrival), before, after, words)
            return self._explanation(*place, since_last, reason, why)
        situation = self._situation(before, after, outcome, words)
        self._follow_empty(situation)
        explanation = self._explanation(*place, since_last, None, None)
        explanation.known = known(situation, position.speed_kmh, self._empty_by)
        explanation.violations = self._occurrences(outcome)
        return explanation

    def _explanation(
        self,
        time_ms: int | None,
        lon: float | None,
        lat: float | None,
        since_last: str,
        rejected: str | None,
        why_rejected: str | None,
    ) -> Explanation:
        words = Words(self._version)
        return Explanation(
            truck_id=self._truck_id,
            number=self.positions,
            time_ms=time_ms,
            local_time="" if time_ms is None else words.moment(time_ms),
            lon=lon,
            lat=lat,
            since_last=since_last,
            rejected=rejected,
            why_rejected=why_rejected,
            known=None,
            violations=[],
            city_version=self._version.prepared.version,
        )

    def _situation(
        self, before: Glimpse, after: Glimpse, outcome: Outcome, words: Words
    ) -> Situation:
        last_ms = int(before.truck.last_ms)
        silent_ms = 0 if last_ms == NO_TIME else int(after.now.place.time_ms) - last_ms
        was_forgotten = silent_ms > self._version.prepared.limits[0].forget_ms
        load_before = UNKNOWN if was_forgotten else int(before.truck.loaded)
        return Situation(
            before=before,
            after=after,
            was_forgotten=was_forgotten,
            around=survey(self._version, after.truck, after.now),
            loading=self._loading(after, outcome.trips, load_before),
            dump=self._dump(after, outcome.trips),
            true_events=_true_events(self._own(outcome)),
            words=words,
        )

    def _loading(self, after: Glimpse, trips: list[Trip], load_before: int) -> Change | None:
        """The truck's becoming loaded at this fix, and be it that it was emptied at once."""
        truck, ended = after.truck, [trip for trip in trips if trip.dump_basis != BASES[BY_UNKNOWN]]
        is_new = load_before != LOADED or len(trips) > len(ended)
        if truck.loaded == LOADED and is_new:
            return self._change(
                after,
                BASES[truck.trip_basis],
                (int(truck.trip_ms), float(truck.trip_lon), float(truck.trip_lat)),
                int(truck.trip_source),
                int(truck.trip_origin),
                load_before,
            )
        if ended and is_new:
            trip = ended[-1]
            start = trip.started_ms, trip.start_lon, trip.start_lat
            return self._change(after, trip.load_basis, start, *self._begun(trip), load_before)
        return None

    def _dump(self, after: Glimpse, trips: list[Trip]) -> Change | None:
        for trip in trips:
            if trip.dump_basis != BASES[BY_UNKNOWN]:
                end = trip.ended_ms, trip.end_lon, trip.end_lat
                return self._change(after, trip.dump_basis, end, *self._begun(trip), LOADED)
        return None

    def _begun(self, trip: Trip) -> tuple[int, int]:
        """Names of the source and of the district of origin of a trip."""
        names = self._version.names
        source, origin = trip.source_site, trip.origin_district
        return (
            NONE if source is None else names.sites.ids.index(source),
            NONE if origin is None else names.districts.ids.index(origin),
        )

    def _change(
        self,
        after: Glimpse,
        basis: str,
        place: tuple[int, float, float],
        source: int,
        origin: int,
        load_before: int,
    ) -> Change:
        """`place`: time, longitude and latitude that the change is dated at."""
        version, truck = self._engine.version_at(place[0]), after.truck.copy()
        truck.trip_source, truck.trip_origin = source, origin
        around = survey(version, truck, elsewhere(version, after.now, self._truck_id, *place))
        return Change(basis, place[0], source, origin, load_before, around)

    def _follow_empty(self, situation: Situation) -> None:
        """Remember how the truck came to be known as empty, which its record does not hold."""
        if situation.after.truck.loaded != EMPTY:
            return
        was_empty = situation.before.truck.loaded == EMPTY and not situation.was_forgotten
        if situation.dump is not None:
            self._empty_by = situation.dump.basis
        elif not was_empty:
            by_sensor = situation.after.truck.reported_loaded
            self._empty_by = BASES[BY_SENSOR if by_sensor else BY_INFERENCE]

    def _own(self, outcome: Outcome) -> list[Violation]:
        return [v for v in outcome.violations if v.truck_id == self._truck_id]

    def _occurrences(self, outcome: Outcome) -> list[Occurrence]:
        told = [*self._meanwhile, *self._own(outcome)]
        self._meanwhile = []
        return [
            Occurrence(
                rule=violation.rule,
                phase=violation.phase,
                severity=violation.severity,
                started_ms=violation.started_ms,
                detected_ms=violation.detected_ms,
                violation_id=violation.violation_id,
                message=violation.message,
                message_en=violation.message_en,
            )
            for violation in told
        ]


def _since_last(position: Position, before: Glimpse, after: Glimpse, reason: str | None) -> str:
    """The time since the last fix, and how far it is from the last fix where the gate asked."""
    last_ms = int(before.truck.last_ms)
    if last_ms == NO_TIME:
        return "first"
    gap_ms = position.time_ms - last_ms
    if gap_ms == 0:
        return "at the time of the last fix"
    if gap_ms < 0:
        return f"{seconds(-gap_ms)} before the last fix"
    if reason not in (None, REASONS[IMPOSSIBLE_JUMP]):
        return f"{seconds(gap_ms)} after the last fix"
    return f"{seconds(gap_ms)} and {metres(int(after.now.step_mm) / 1000)} after the last fix"


def _true_events(violations: list[Violation]) -> frozenset[int]:
    """The event rules that occurred or opened."""
    return frozenset(
        number
        for violation in violations
        if violation.phase in (PHASES[OCCURRED], PHASES[OPENED])
        and (number := number_of(violation.rule)) >= len(CONDITIONS)
    )


def _with_arrival(position: Position, arrival: Sequence[int] | None) -> Position:
    """With its record's timestamp as when it was received, where it says nothing of that itself: by
    this the quality gate goes."""
    if arrival is None or position.received_ms is not None:
        return position
    return msgspec.structs.replace(position, received_ms=arrival[0])
