"""The engine: positions in, violations out (design principle 3).

Pure: no I/O and no clock. The Faust worker, `mucktrack detect` and the benchmarks are thin adapters
round `Engine`; what it does to one position stands in `streams.passage.take`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geofences.city import City
from geofences.findings import Finding
from geofences.index import NONE, CompiledCity, compile_city
from geofences.lookup import scratch
from streams.batch import TruckTable, columns
from streams.events import Out
from streams.gate import MALFORMED, REASONS, WRONG_PARTITION
from streams.output import Trip, Violation
from streams.passage import (
    CLOCK,
    SKIPPED,
    STANDS_STILL,
    Trucks,
    pass_over,
    reckon_due,
    sweep,
    watermark_ms,
)
from streams.position import Element, Malformed
from streams.report import Reporter
from streams.runs import Pool
from streams.snapshot import Snapshot, carry_over
from streams.state import LOADED, NEVER, NO_TIME, NOW, TRUCK, UNKNOWN, forget
from streams.thresholds import Thresholds, resolve

FIRST_TRUCKS = 256
FIRST_RUNS = 64
OUT_POSITIONS = 256


class UnusableCity(ValueError):
    """The city's thresholds are at fault; `findings` say how."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(finding.render() for finding in findings))
        self.findings = findings


@dataclass(frozen=True)
class PreparedCity:
    """A city ready to judge by. Made once a version, shared by engines."""

    compiled: CompiledCity
    thresholds: Thresholds
    limits: Any

    @classmethod
    def of(cls, city: City) -> "PreparedCity":
        """Raises `UnusableCity` where a threshold is unknown or out of range."""
        thresholds, findings = resolve(city)
        if findings:
            raise UnusableCity(findings)
        compiled = compile_city(
            city,
            site_margin_m=thresholds.state["site_margin_m"],
            border_m=thresholds.border_m,
        )
        return cls(compiled, thresholds, thresholds.record())


@dataclass(slots=True)
class Outcome:
    """What came of a batch."""

    fixes: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    """Index of the element in the batch, and the reason."""
    violations: list[Violation] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """Copies of what the engine knows of a truck between two positions."""

    city: PreparedCity
    """What the truck's last position was judged by."""
    truck: Any
    """`streams.state.TRUCK`"""
    runs: dict[int, Any]
    """`streams.state.RUN` of each condition rule that is true, by the rule's number."""
    now: Any
    """`streams.state.NOW` of the last position that was taken, whichever truck's it was."""
    highest_ms: int | None
    """Highest fix time of all trucks; None before the first."""


class Engine:
    """Judges the positions of one partition, or of files, in arrival order."""

    def __init__(
        self,
        city: PreparedCity,
        *,
        partition: tuple[int, int] | None = None,
        delay_ms: int = STANDS_STILL,
    ) -> None:
        """See `offline` and `live`."""
        self.trucks = TruckTable(partition)
        self._city = city
        self._reporter = Reporter(city.compiled, city.thresholds)
        self._ready = 0
        """Trucks that have a row of state; the room behind them is for more."""
        self._rows = np.zeros(0, TRUCK).view(np.recarray)
        self._due_ms = np.zeros(0, np.int64)
        self._pool = Pool.of(FIRST_RUNS)
        self._clocks = scratch(CLOCK)
        self._clocks[0] = (NO_TIME, delay_ms, NEVER)
        self._scratch = np.zeros(2, NOW).view(np.recarray)
        self._out = Out.with_room(OUT_POSITIONS)

    @classmethod
    def offline(cls, city: PreparedCity) -> "Engine":
        """For files: the watermark stands still until `finish`."""
        return cls(city)

    @classmethod
    def live(cls, city: PreparedCity, partition: int, partitions: int) -> "Engine":
        """For one partition of `gps.positions`."""
        delay_ms = round(city.thresholds.state["watermark_delay_s"] * 1000)
        return cls(city, partition=(partition, partitions), delay_ms=delay_ms)

    @property
    def city(self) -> PreparedCity:
        """What it judges by."""
        return self._city

    def loads(self, truck_ids: Sequence[str]) -> list[bool | None]:
        """Whether each truck, all of them seen before, is loaded by now; None = not known."""
        codes = self._rows.loaded[self.trucks.rows(truck_ids)].tolist()
        return [None if code == UNKNOWN else code == LOADED for code in codes]

    def glimpse(self, truck_id: str) -> Glimpse:
        """What is known of a truck, at first sight as of any other, for who explains it."""
        row = self.trucks.row(truck_id)
        self._make_rows()
        truck = self._rows[row].copy()
        runs = {
            rule: self._pool.runs[number].copy()
            for rule, number in enumerate(truck.runs.tolist())
            if number != NONE
        }
        highest_ms = int(self._clocks[0].highest_ms)
        return Glimpse(
            self._city,
            truck,
            runs,
            self._scratch[0].copy(),
            None if highest_ms == NO_TIME else highest_ms,
        )

    @property
    def highest_ms(self) -> int | None:
        """Highest time of a fix or tick so far; None = there was none."""
        highest = int(self._clocks[0].highest_ms)
        return None if highest == NO_TIME else highest

    @property
    def watermark_ms(self) -> int | None:
        """None while it is not known, and offline."""
        watermark = watermark_ms(self._clocks[0])
        return None if watermark == NO_TIME else watermark

    def process(
        self, elements: Sequence[Element], record_ms: Sequence[int] | None = None
    ) -> Outcome:
        """Take `elements` in order. `record_ms`: the timestamp of each one's record, if it has one.

        How a stream is cut into calls makes no difference to what comes of it.
        """
        batch = columns(elements, record_ms, self.trucks)
        outcome = self.process_columns(batch)
        skipped = np.flatnonzero(batch.truck == SKIPPED)
        if len(skipped):
            for i in skipped.tolist():
                malformed = isinstance(elements[i], Malformed)
                code = MALFORMED if malformed else WRONG_PARTITION
                outcome.rejected.append((i, REASONS[code]))
            outcome.rejected.sort()
        return outcome

    def process_columns(self, batch: Any) -> Outcome:
        """Take the rows of `batch` (`streams.passage.POSITION`), whose trucks have rows already."""
        self._make_rows()
        reasons = np.zeros(len(batch), np.uint8)
        outcome = Outcome()
        start = 0
        while start < len(batch):
            start = pass_over(
                self._city.compiled.index,
                self._city.limits,
                self._clocks,
                self._pool,
                Trucks(self._rows, self._due_ms),
                self._scratch,
                batch,
                reasons,
                start,
                self._out,
            )
            self._drain(outcome)
        if watermark_ms(self._clocks[0]) >= self._clocks[0].next_due_ms:
            self._sweep(watermark_ms(self._clocks[0]), outcome)
        rejected = np.flatnonzero(reasons)
        outcome.fixes = int(np.count_nonzero(batch.truck >= 0)) - len(rejected)
        outcome.rejected = [
            (i, REASONS[code])
            for i, code in zip(rejected.tolist(), reasons[rejected].tolist(), strict=True)
        ]
        return outcome

    def finish(self) -> Outcome:
        """The end of the input: the watermark reaches the highest fix time (design section 5)."""
        outcome = Outcome()
        if self._clocks[0].highest_ms != NO_TIME:
            self._sweep(int(self._clocks[0].highest_ms), outcome)
        return outcome

    def export(self) -> bytes:
        """The whole state; `restore` makes an engine that goes on exactly as this one would."""
        return Snapshot.take(
            self._city.compiled.city,
            self.trucks.ids,
            self._rows,
            self._due_ms,
            self._pool,
            self._clocks,
        ).encode()

    def restore(self, state: bytes) -> None:
        """Take over the state that `export` gave, into an engine that has seen nothing yet.

        Raises `streams.snapshot.UnknownFormat` for what is no such state.
        """
        snapshot = Snapshot.decode(state)
        for truck_id in snapshot.truck_ids:
            self.trucks.row(truck_id)
        self._rows, self._due_ms = snapshot.rows(), snapshot.due_ms()
        self._ready = len(self._rows)
        carry_over(snapshot, self._city.compiled, self._rows)
        self._pool = snapshot.pool()
        delay_ms = self._clocks[0].delay_ms
        self._clocks[0] = (snapshot.highest_ms, delay_ms, snapshot.next_due_ms)
        if snapshot.city_version != self._city.compiled.city.version:
            reckon_due(self._city.limits, self._clocks, Trucks(self._rows, self._due_ms))

    def _sweep(self, by_ms: int, outcome: Outcome) -> None:
        start = 0
        while start < self._ready:
            start = sweep(
                self._city.limits,
                self._clocks,
                self._pool,
                Trucks(self._rows[: self._ready], self._due_ms[: self._ready]),
                self._scratch,
                by_ms,
                start,
                self._out,
            )
            self._drain(outcome)

    def _make_rows(self) -> None:
        """Give every truck of the table a row of state; room doubles when it runs out."""
        needed = len(self.trucks)
        if needed > len(self._rows):
            room = max(FIRST_TRUCKS, 2 * len(self._rows), needed)
            rows = np.zeros(room, TRUCK).view(np.recarray)
            due_ms = np.full(room, NEVER, np.int64)
            rows[: self._ready], due_ms[: self._ready] = (
                self._rows[: self._ready],
                self._due_ms[: self._ready],
            )
            self._rows, self._due_ms = rows, due_ms
        if needed > self._ready:
            unknown = scratch(TRUCK)
            forget(unknown[0])
            self._rows[self._ready : needed] = unknown[0]
            number = self._city.compiled.register_number
            self._rows.register[self._ready : needed] = [
                number(truck_id) for truck_id in self.trucks.ids[self._ready :]
            ]
        self._ready = needed

    def _drain(self, outcome: Outcome) -> None:
        """Report what was written and make room again."""
        outcome.violations += self._reporter.violations(self._out, self._rows, self.trucks.ids)
        outcome.trips += self._reporter.trips(self._out, self._rows, self.trucks.ids)
        self._out.used[:] = 0
        if self._pool.n_free[0] < len(self._pool.runs) // 4:
            self._pool = self._pool.grown()
