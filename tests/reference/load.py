"""Whether a truck is loaded, and its trips (design section 5).

Called by the engine at each fix, before stops and rules. Load and dump events are judged here, at
their dated time and place. Knows nothing of runs, silence or the watermark.
"""

from reference.model import Fix, Reading, Stay, Trip, TruckState
from reference.report import Report, new_id
from reference.rules import Dump, broken_by
from reference.versions import Versions


class LoadFollower:
    def __init__(self, versions: Versions, report: Report) -> None:
        self._versions = versions
        self._report = report

    def follow(self, truck: TruckState, fix: Fix) -> None:
        """Within a fix: sensor, then stay, then lift."""
        truck.has_reported_loaded |= fix.position.loaded is not None
        truck.has_reported_lifted |= fix.position.lifted is not None
        truck.lowered_since_dump |= fix.position.lifted is False
        self._read_sensor(truck, fix)
        self._follow_stay(truck, fix)
        self._watch_lift(truck, fix)

    def _read_sensor(self, truck: TruckState, fix: Fix) -> None:
        value = None if fix.position.lifted is True else fix.position.loaded
        if value is False or fix.place.nearest("construction") is not None:
            truck.true_is_stale = False
        if value is None or (value is True and truck.true_is_stale):
            return
        if value is truck.loaded:
            truck.reading = None
            return
        if truck.reading is None or truck.reading.value is not value:
            truck.reading = Reading(value, fix)
        else:
            truck.reading.count += 1
        if truck.reading.count >= self._versions.rules(fix.time_ms).state["load_confirm"]:
            self._change_load(truck, value, truck.reading.first, fix, "sensor")

    def _follow_stay(self, truck: TruckState, fix: Fix) -> None:
        if truck.stay is not None:
            truck.stay.site = fix.place.same_site(truck.stay.site)
        if (
            truck.stay is None
            or truck.stay.site is None
            or truck.stay.site.kind == "parking"
            or not fix.place.in_reach_of(truck.stay.site)
        ):
            site = fix.place.nearest("construction", "disposal", "transfer")
            truck.stay = None if site is None else Stay(site, fix)
        stay = truck.stay
        if stay is None or stay.established or truck.has_reported_loaded:
            return
        assert stay.site is not None
        loading = stay.site.kind == "construction"
        dwell = "load_dwell_s" if loading else "dump_dwell_s"
        if not self._versions.rules(fix.time_ms).has_lasted(stay.first, fix, dwell):
            return
        stay.established = True
        if loading or truck.loaded is not False:
            self._change_load(truck, loading, stay.first, fix, "inferred")

    def _watch_lift(self, truck: TruckState, fix: Fix) -> None:
        if (
            fix.position.lifted is True
            and truck.trip is not None
            and truck.lowered_since_dump
            and self._versions.rules(fix.time_ms).is_slow(fix)
            and not fix.place.in_reach_of(truck.trip.source)
        ):
            self._change_load(truck, False, fix, fix, "lift")
            truck.true_is_stale = True

    def _change_load(
        self, truck: TruckState, loaded: bool, dated: Fix, known: Fix, basis: str
    ) -> None:
        """Loaded becomes true or false at `dated`, which became known at `known`."""
        before, truck.loaded, truck.reading = truck.loaded, loaded, None
        if before is True:
            if loaded:
                self._end_trip(truck, dated, "unknown")
            else:
                self._judge_dump(truck, dated, known, basis)
                self._end_trip(truck, dated, basis)
        if loaded:
            self._begin_trip(truck, dated, basis, was_unknown=before is None)
            if before is False and basis == "sensor" and truck.trip and truck.trip.source is None:
                self._report.event(truck, "unregistered-source", dated, known)

    def _begin_trip(self, truck: TruckState, dated: Fix, basis: str, *, was_unknown: bool) -> None:
        source = dated.place.nearest("construction")
        is_origin_known = source is not None or not was_unknown
        truck.trip = Trip(
            trip_id=new_id(truck.truck_id, "trip", dated.time_ms),
            start=dated,
            source=source,
            origin_district=dated.place.district if is_origin_known else None,
            load_basis=basis,
        )

    def _judge_dump(self, truck: TruckState, dated: Fix, known: Fix, basis: str) -> None:
        assert truck.trip is not None
        truck.lowered_since_dump = known.position.lifted is False
        dump = Dump(dated.place, basis, truck.trip.source, truck.trip.origin_district)
        rules = self._versions.rules(dated.time_ms)
        for rule in broken_by(rules, dump, self._report.pool(truck, dated.place)):
            self._report.event(truck, rule, dated, known)

    def _end_trip(self, truck: TruckState, end: Fix, basis: str) -> None:
        trip, truck.trip = truck.trip, None
        assert trip is not None
        self._report.trip(truck, trip, end, basis)
