"""The reference engine: design sections 3 to 6 read plainly, one position at a time.

Tests compare the compiled engine with it. It is written from the design alone and must know
nothing of the compiled engine; it may be slow, it may not be clever.
"""

import math
from typing import Any

from reference.gate import JUMP_ROW, fault, fault_in_sequence, implied_speed_kmh
from reference.geometry import Place
from reference.load import LoadFollower
from reference.model import RECENT_FIXES, Fix, Run, Stop, TruckState
from reference.report import Report
from reference.rules import ms, true_at
from reference.versions import Cities, Versions
from streams.position import Malformed, Position, Tick


class ReferenceEngine:
    """Feed it positions in arrival order; read `violations` and `trips`."""

    def __init__(self, cities: Cities, *, live: bool = False) -> None:
        """Not `live` = offline, where the watermark waits for the end."""
        self._versions = Versions(cities)
        self._report = Report(self._versions)
        self._load = LoadFollower(self._versions, self._report)
        self._live = live
        self._trucks: dict[str, TruckState] = {}
        self._highest_fix_ms = -math.inf
        self._watermark_ms = -math.inf
        self.violations: list[dict[str, Any]] = self._report.violations
        self.trips: list[dict[str, Any]] = self._report.trips

    def process(
        self, element: Position | Tick | Malformed, record_ms: int | None = None
    ) -> str | None:
        """The reason for which the element is rejected, or None."""
        if isinstance(element, Malformed):
            return "malformed"
        if isinstance(element, Tick):
            self._move_watermark(element.tick_ms)
            return None
        reason = fault(element, record_ms)
        if reason is not None:
            return reason
        rules = self._versions.rules(element.time_ms)
        place = rules.city_map.place(element.time_ms, element.lon, element.lat)
        truck = self._trucks.get(element.truck_id) or TruckState(element.truck_id)
        reason = fault_in_sequence(truck, place, rules.state["max_speed_kmh"])
        if reason is not None:
            return reason
        self._take(truck, element, place)
        self._highest_fix_ms = max(self._highest_fix_ms, element.time_ms)
        self._move_watermark(element.time_ms)
        return None

    def finish(self) -> None:
        """Offline, the end of the input: the watermark is now the highest fix time."""
        self._watermark_ms = max(self._watermark_ms, self._highest_fix_ms)
        for truck in self._trucks.values():
            self._due(truck, self._watermark_ms)

    # --- section 5: what is known of a truck ---

    def _move_watermark(self, seen_ms: int) -> None:
        if not self._live:
            return
        delay_ms = ms(self._versions.rules(seen_ms).state["watermark_delay_s"])
        # Also where it stands still: a late fix may make something due that it has long passed.
        self._watermark_ms = max(self._watermark_ms, seen_ms - delay_ms)
        for truck in self._trucks.values():
            self._due(truck, self._watermark_ms)

    def _take(self, truck: TruckState, position: Position, place: Place) -> None:
        """The truck's next fix."""
        is_jump = len(truck.jump_row) == JUMP_ROW
        truck.jump_row = []
        self._due(truck, max(place.time_ms, self._watermark_ms))
        fix = self._fix(truck.last, position, place, is_jump)
        if truck.signal_lost:
            assert truck.last is not None
            truck.signal_lost = False
            self._signal_lost(truck, "closed", truck.last, fix)
        rules = self._versions.rules(fix.time_ms)
        if truck.last is not None and rules.is_longer(truck.last, fix, "forget_s"):
            for rule in list(truck.runs):
                self._end_run(truck, rule, fix.time_ms, truck.last)
            truck = TruckState(truck.truck_id)
            fix = self._fix(None, position, place, is_jump)
        self._trucks[truck.truck_id] = truck
        truck.recent.append(fix)
        self._load.follow(truck, fix)
        self._follow_stop(truck, fix)
        self._judge(truck, fix)

    def _fix(self, before: Fix | None, position: Position, place: Place, is_jump: bool) -> Fix:
        if before is None:
            return Fix(position, place, position.speed_kmh, 0)
        speed_kmh = position.speed_kmh
        gap_ms = place.time_ms - before.time_ms
        rules = self._versions.rules(place.time_ms)
        if speed_kmh is None and not is_jump and gap_ms <= ms(rules.state["max_gap_s"]):
            speed_kmh = implied_speed_kmh(before.place, place)
        leg_mm = round(1000 * before.place.distance_m(place))
        return Fix(position, place, speed_kmh, before.odometer_mm + leg_mm)

    def _due(self, truck: TruckState, until_ms: float) -> None:
        """What the truck's silence brings about by then, by the version of its last fix.

        As it comes before every fix, runs, stays and stops need not look for gaps themselves.
        """
        last = truck.last
        if last is None:
            return
        rules = self._versions.rules(last.time_ms)
        max_gap_ms = ms(rules.state["max_gap_s"])
        if until_ms - last.time_ms > max_gap_ms:
            for rule in list(truck.runs):
                self._end_run(truck, rule, last.time_ms + max_gap_ms, last)
            truck.stay = truck.stop = None
        offline_ms = ms(rules.rules["signal-lost"]["offline_s"])
        if (
            not truck.signal_lost
            and until_ms - last.time_ms >= offline_ms
            and truck.loaded is True
            and not last.place.sites
        ):
            truck.signal_lost = True
            self._signal_lost(truck, "opened", last, last, last.time_ms + offline_ms)
        self._due_trip(truck, last, until_ms)

    def _due_trip(self, truck: TruckState, last: Fix, until_ms: float) -> None:
        trip = truck.trip
        if trip is None or trip.source is None or trip.undelivered:
            return
        rules = self._versions.rules(last.time_ms)
        due_ms = trip.start.time_ms + ms(rules.rules["undelivered"]["max_trip_s"])
        if until_ms >= due_ms:
            trip.undelivered = True
            self._report.violation(
                truck,
                "undelivered",
                "occurred",
                at=last.place,
                started_ms=trip.start.time_ms,
                detected_ms=due_ms,
                track=list(truck.recent),
            )

    def _signal_lost(
        self, truck: TruckState, phase: str, last: Fix, at: Fix, detected_ms: int | None = None
    ) -> None:
        self._report.violation(
            truck,
            "signal-lost",
            phase,
            at=at.place,
            started_ms=last.time_ms,
            detected_ms=at.time_ms if detected_ms is None else detected_ms,
            ended_ms=at.time_ms if phase == "closed" else None,
            track=[*truck.recent, *([at] if at is not last else [])][-RECENT_FIXES:],
        )

    def _follow_stop(self, truck: TruckState, fix: Fix) -> None:
        rules = self._versions.rules(fix.time_ms)
        if not rules.is_slow(fix):
            truck.stop = None
            return
        stop, radius_m = truck.stop, rules.state["stop_radius_m"]
        if stop is None or stop.first.place.distance_m(fix.place) > radius_m:
            stop = truck.stop = Stop(fix)
        if (
            not stop.suspected
            and rules.has_lasted(stop.first, fix, "dump_dwell_s")
            and truck.loaded is True
            and not truck.has_reported_loaded
            and not truck.has_reported_lifted
            and not stop.first.place.sites
        ):
            stop.suspected = True
            self._report.event(truck, "suspected-dumping", stop.first, fix)

    # --- section 6: runs ---

    def _judge(self, truck: TruckState, fix: Fix) -> None:
        rules = self._versions.rules(fix.time_ms)
        true_rules = true_at(rules, fix, truck.loaded, self._report.pool(truck, fix.place))
        for rule in list(truck.runs):
            if rule not in true_rules:
                self._end_run(truck, rule, fix.time_ms, fix)
        for rule in sorted(true_rules):
            self._lengthen_run(truck, rule, fix)

    def _lengthen_run(self, truck: TruckState, rule: str, fix: Fix) -> None:
        run = truck.runs.setdefault(rule, Run([]))
        run.fixes.append(fix)
        threshold = self._versions.rules(fix.time_ms).rules[rule]
        lasted_ms = fix.time_ms - run.started_ms
        if not run.opened:
            is_long = lasted_ms >= ms(threshold["min_s"])
            if not is_long or len(run.fixes) < threshold["min_fixes"]:
                return
            run.opened = True
            self._report.run(truck, rule, run, "opened", fix, fix.time_ms)
        severe_s = threshold.get("severe_s")
        if severe_s is not None and not run.escalated and lasted_ms >= ms(severe_s):
            run.escalated = True
            self._report.run(truck, rule, run, "escalated", fix, fix.time_ms)

    def _end_run(self, truck: TruckState, rule: str, detected_ms: int, at: Fix) -> None:
        run = truck.runs.pop(rule)
        if run.opened:
            self._report.run(truck, rule, run, "closed", at, detected_ms)
