"""What a worker tells Prometheus, as `streams.instruments` declares it.

One `Metrics` a worker. Filled by the worker's parts, served by `streams.app`. It must not know
where the figures come from.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from streams.catalogue import CATALOGUE
from streams.census import Census
from streams.districts import Districts
from streams.gate import REASONS
from streams.health import HUNG_S
from streams.instruments import FIX, LATENCY_S
from streams.output import Trip, Violation
from streams.registry import ProcessMetrics
from streams.sources import SOURCES
from streams.tallies import Tallies

OUTCOMES = (FIX, *REASONS[1:])
"""By their code."""
AHEAD_WINDOW_S = 60.0


class Metrics(ProcessMetrics):
    """The figures of one worker."""

    def __init__(self, hung_s: float = HUNG_S) -> None:
        """`hung_s`: see `streams.health`."""
        super().__init__("worker", hung_s)
        self.districts = Districts()
        self.positions = self.counter("positions_total")
        self.ticks = self.counter("ticks_total")
        self.violations = self.counter("violations_total")
        self.trips = self.counter("trips_total")
        self.stage_seconds = self.bulk_histogram("stage_seconds")
        self.violation_latency_seconds = self.bulk_histogram("violation_latency_seconds")
        self.record_age_seconds = self.histogram("record_age_seconds")
        self.batch_seconds = self.histogram("batch_seconds")
        self.detect_seconds = self.histogram("detect_seconds")
        self.fixes_ahead = self.counter("fixes_ahead_total")
        self._ahead = _Highest(AHEAD_WINDOW_S)
        self.gauge("record_ahead_seconds").set_function(self._ahead.value)
        self.lag_records = self.gauge("lag_records")
        self.lag_seconds = self.gauge("lag_seconds")
        self.next_offset = self.gauge("next_offset")
        self.highest_time_seconds = self.gauge("highest_time_seconds")
        self.partitions_assigned = self.gauge("partitions_assigned")
        self.partitions_loaded = self.gauge("partitions_loaded")
        self.rebalances = self.counter("rebalances_total")
        self.rebalance_seconds = self.histogram("rebalance_seconds")
        self.partition_load_seconds = self.histogram("partition_load_seconds")
        self.fenced = self.counter("fenced_total")
        self.checkpoint_age_seconds = self.gauge("checkpoint_age_seconds")
        self.checkpoint_time_seconds = self.gauge("checkpoint_time_seconds")
        self.checkpoint_offset = self.gauge("checkpoint_offset")
        self.checkpoint_size_bytes = self.gauge("checkpoint_size_bytes")
        self.checkpoint_bytes = self.counter("checkpoint_bytes_total")
        self.checkpoint_seconds = self.histogram("checkpoint_seconds")
        self.checkpoint_copy_seconds = self.histogram("checkpoint_copy_seconds")
        self.checkpoint_failures = self.counter("checkpoint_failures_total")
        self.output_retries = self.counter("output_retries_total")
        self.waiting_outputs = self.gauge("outputs_waiting")
        self.commit_failures = self.counter("commit_failures_total")
        self.live_failures = self.counter("live_failures_total")
        self.live_dropped = self.counter("live_dropped_total")
        self.trucks = self.gauge("trucks")
        self.trucks_seen = self.gauge("trucks_seen")
        self.trucks_moving = self.gauge("trucks_moving")
        self.trucks_loaded = self.gauge("trucks_loaded")
        self.trucks_silent = self.gauge("trucks_silent")
        self.trips_open = self.gauge("trips_open")
        self.census_seconds = self.histogram("census_seconds")
        self.city_versions = self.gauge("city_versions")
        self._city_info = self.gauge("city_info")
        self._city_start_time_seconds = self.gauge("city_start_time_seconds")
        self._city_permits = self.gauge("city_permits")
        self.city_failures = self.counter("city_failures_total")

    def tallies(self) -> Tallies:
        """For the positions of a micro-batch, nothing counted yet."""
        return Tallies.by(LATENCY_S)

    def note_tallies(self, tallies: Tallies, queued_s: float) -> None:
        """What became of the positions of a micro-batch, and how long its stages took; `queued_s`:
        from the verdict to its outputs acknowledged."""
        for source, row in zip(SOURCES, tallies.outcomes.tolist(), strict=True):
            for outcome, count in zip(OUTCOMES, row, strict=True):
                if count:
                    self.positions.labels(source, outcome).inc(count)
        self.ticks.inc(tallies.ticks)
        self.fixes_ahead.inc(tallies.ahead)
        stages = self.stage_seconds
        stages.add(tallies.received, tallies.received_s, "received")
        stages.add(tallies.judged, tallies.judged_s, "judged")
        stages.observe_one(queued_s, tallies.fixes, "queued")

    def note_violations(self, violations: Iterable[Violation], now_s: float) -> None:
        """They have been acknowledged."""
        district_of = self.districts.label
        counts: Counter[tuple[str, str, str, str]] = Counter()
        ages_s: dict[str, list[float]] = {}
        for one in violations:
            counts[one.rule, one.severity, one.phase, district_of(one.district)] += 1
            ages_s.setdefault(one.severity, []).append(now_s - one.detected_ms / 1000)
        for labels, count in counts.items():
            self.violations.labels(*labels).inc(count)
        for severity, ages in ages_s.items():
            # A truck's clock may be fast.
            self.violation_latency_seconds.observe(np.maximum(ages, 0.0), severity)

    def note_districts(self, codes: Iterable[str]) -> None:
        """Those of a version of the city. Their violations stand at 0 before there are any: of a
        counter that comes about at 1, nobody who asks for a rate sees the first."""
        self.districts.learn(codes)
        for rule in CATALOGUE:
            phase = "opened" if rule.shape == "condition" else "occurred"
            for district in self.districts.labels():
                self.violations.labels(rule.id, rule.severity, phase, district)

    def note_trips(self, trips: Sequence[Trip]) -> None:
        for basis, count in Counter(trip.dump_basis for trip in trips).items():
            self.trips.labels(basis).inc(count)

    def note_newest_record(self, newest_ms: int) -> None:
        """The timestamp of the newest record of a micro-batch."""
        age_s = time.time() - newest_ms / 1000
        self.record_age_seconds.observe(max(0.0, age_s))
        self._ahead.note(-age_s)

    def note_trucks(self, partition: int, trucks: int) -> None:
        self.trucks.labels(partition).set(trucks)

    def note_census(self, census: Census) -> None:
        self.trucks_seen.set(census.seen)
        self.trucks_moving.set(census.moving)
        self.trucks_loaded.set(census.loaded)
        self.trucks_silent.set(census.silent)
        self.trips_open.set(census.trips)

    def note_progress(self, partition: int, next_offset: int, highest_ms: int | None) -> None:
        """How far a partition has been worked through. To be called after everything else has been
        counted: who sees the offset may rely on the counts."""
        if highest_ms is not None:
            self.highest_time_seconds.labels(partition).set(highest_ms / 1000)
        self.next_offset.labels(partition).set(next_offset)

    def note_lag(self, partition: int, records: int, seconds: float) -> None:
        self.lag_records.labels(partition).set(records)
        self.lag_seconds.labels(partition).set(seconds)

    def note_checkpoint(self, partition: int, next_offset: int, size_bytes: int) -> None:
        self.checkpoint_time_seconds.labels(partition).set_to_current_time()
        self.checkpoint_offset.labels(partition).set(next_offset)
        self.checkpoint_size_bytes.labels(partition).set(size_bytes)

    def note_city(self, version: str, start_s: float) -> None:
        """The version that is in force now, and since when."""
        self._city_info.clear()
        self._city_info.labels(version[:12]).set(1)
        self._city_start_time_seconds.set(start_s)

    def note_permits(self, today: int, in_7_days: int) -> None:
        self._city_permits.labels("today").set(today)
        self._city_permits.labels("in_7_days").set(in_7_days)

    def forget_progress(self) -> None:
        """The partitions have been given up: others tell how far they are."""
        for figures in (
            *(self.trucks, self.next_offset, self.highest_time_seconds),
            *(self.lag_records, self.lag_seconds, self.checkpoint_age_seconds),
            *(self.checkpoint_time_seconds, self.checkpoint_offset, self.checkpoint_size_bytes),
        ):
            figures.clear()
        self.note_census(Census())


class _Highest:
    """The highest of what was noted within a while, or somewhat longer; at least 0."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._since_s = time.monotonic()
        self._now = self._before = 0.0

    def note(self, value: float) -> None:
        self._turn()
        self._now = max(self._now, value)

    def value(self) -> float:
        self._turn()
        return max(self._now, self._before)

    def _turn(self) -> None:
        elapsed_s = time.monotonic() - self._since_s
        if elapsed_s < self._window_s:
            return
        self._before = self._now if elapsed_s < 2 * self._window_s else 0.0
        self._now, self._since_s = 0.0, time.monotonic()
