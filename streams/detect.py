"""The engine: positions in, violations out (design principle 3).

Pure: no I/O and no clock. The Faust worker, `mucktrack detect` and the benchmarks are thin adapters
round `Engine`; what it does to one position stands in `streams.passage.take`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from geofences.index import NONE
from geofences.lookup import scratch
from streams.batch import Batch, columns
from streams.events import Out
from streams.gate import REASONS
from streams.names import NamedIds
from streams.output import Trip, Violation
from streams.passage import CLOCK, POSITION, Trucks, pass_over, sweep
from streams.position import Element
from streams.runs import Pool
from streams.snapshot import Snapshot, State, StateCopy, UnknownFormat
from streams.state import LOADED, NEVER, NO_TIME, NOW, TRUCK, UNKNOWN, blank_truck
from streams.succession import PreparedCity, Succession, UnusableCity
from streams.trucks import TruckTable
from streams.versions import ASK_AGAIN, Version, Versions

__all__ = ["Engine", "Outcome", "PreparedCity", "UnusableCity"]

FIRST_TRUCKS = 256
FIRST_RUNS = 64
OUT_POSITIONS = 256


class Judged(NamedTuple):
    """A batch with its verdicts."""

    rows: Any
    """`streams.passage.POSITION`"""
    codes: npt.NDArray[np.uint8]
    """Of the reason each is rejected for, 0 = a fix; also of a tick, which has no truck."""


NOTHING: Final = Judged(np.zeros(0, POSITION).view(np.recarray), np.zeros(0, np.uint8))


@dataclass(slots=True)
class Outcome:
    """What came of a batch."""

    fixes: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    """Index of the element in the batch, and the reason."""
    violations: list[Violation] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)
    judged: Judged = field(default=NOTHING, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """Copies of what the engine knows of a truck between two positions."""

    version: Version
    """What the truck's last fix was judged by; the first before there is one."""
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
        city: PreparedCity | Succession,
        *,
        partition: tuple[int, int] | None = None,
        most_trucks: int | None = None,
    ) -> None:
        """See `offline` and `live`."""
        self.trucks = TruckTable(partition, most_trucks)
        self._versions = Versions(Succession.of(city), NamedIds())
        self._ready = 0
        """Trucks that have a row of state; the room behind them is for more."""
        self._rows = np.zeros(0, TRUCK).view(np.recarray)
        self._due_ms = np.zeros(0, np.int64)
        self._changed = np.zeros(0, np.bool_)
        self._pool = Pool.of(FIRST_RUNS)
        self._clocks = scratch(CLOCK)
        self._clocks[0] = (NO_TIME, NO_TIME, NEVER, partition is not None)
        self._scratch = np.zeros(2, NOW).view(np.recarray)
        self._out = Out.with_room(OUT_POSITIONS)

    @classmethod
    def offline(cls, city: PreparedCity | Succession) -> "Engine":
        """For files: the watermark stands still until `finish`."""
        return cls(city)

    @classmethod
    def live(
        cls,
        city: PreparedCity | Succession,
        partition: int,
        partitions: int,
        most_trucks: int | None = None,
    ) -> "Engine":
        """For one partition of `gps.positions`. Once it has `most_trucks` (None: never), positions
        of others are rejected."""
        return cls(city, partition=(partition, partitions), most_trucks=most_trucks)

    @property
    def is_live(self) -> bool:
        """Whether the watermark moves with what is taken."""
        return bool(self._clocks[0].runs)

    @property
    def succession(self) -> Succession:
        """What it judges by: each fix by the version in force at its own time."""
        return self._versions.succession

    def take_up(self, succession: Succession) -> None:
        """Judge by `succession` from now on. What is known of the trucks stays: a run goes on if
        its condition is true under the version of the truck's next fix, else it closes there."""
        before = self._versions.succession.key
        self._versions = Versions(succession, self._versions.names)
        self._carry_over(before)

    def loads(self, truck_ids: Sequence[str]) -> list[bool | None]:
        """Whether each truck, all of them seen before, is loaded by now; None = not known."""
        return self.loads_of_rows(self.trucks.rows_of(truck_ids))

    def loads_of_rows(self, rows: Any) -> list[bool | None]:
        """The same of the trucks in these rows."""
        codes = self._rows.loaded[rows].tolist()
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
        version = self._versions.numbered(max(0, int(truck.version)))
        return Glimpse(version, truck, runs, self._scratch[0].copy(), self.highest_ms)

    def rows(self, start: int, end: int) -> Any:
        """What is known of the trucks from one row to before another (`streams.state.TRUCK`): a
        view, good until the engine takes the next positions."""
        return self._rows[min(start, self._ready) : min(end, self._ready)]

    def version_at(self, time_ms: int) -> Version:
        """By what the positions of a time are judged."""
        return self._versions.at(time_ms)

    @property
    def highest_ms(self) -> int | None:
        """Highest time of a fix so far; None = there was none."""
        highest = int(self._clocks[0].highest_ms)
        return None if highest == NO_TIME else highest

    @property
    def watermark_ms(self) -> int | None:
        """None while it is not known, and offline."""
        watermark = int(self._clocks[0].watermark_ms)
        return None if watermark == NO_TIME else watermark

    def process(
        self, elements: Sequence[Element], record_ms: Sequence[int] | None = None
    ) -> Outcome:
        """Take `elements` in order. `record_ms`: the timestamp of each one's record, if it has one.

        How a stream is cut into calls makes no difference to what comes of it.
        """
        return self.process_columns(columns(elements, record_ms, self.trucks))

    def process_batch(self, batch: Batch) -> Outcome:
        """Take what `batch` holds; as `process` with its elements."""
        return self.process_columns(batch.columns(self.trucks))

    def process_columns(self, batch: Any) -> Outcome:
        """Take the rows of `batch` (`streams.passage.POSITION`), whose trucks have rows already."""
        self._make_rows()
        reasons = batch.reason.copy()
        outcome = Outcome(judged=Judged(batch, reasons))
        for start, end, version in self._versions.pieces(batch):
            self._pass_over(version, batch[start:end], reasons[start:end], outcome)
        if self._clocks[0].watermark_ms >= self._clocks[0].next_due_ms:
            self._sweep(int(self._clocks[0].watermark_ms), outcome)
        rejected = np.flatnonzero(reasons)
        outcome.fixes = int(np.count_nonzero((batch.truck >= 0) & (reasons == 0)))
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

    def export(self) -> State:
        """The whole state; `restore` makes an engine that goes on exactly as this one would."""
        return self._copy(np.ones(self._ready, np.bool_)).encode()

    def changes(self) -> StateCopy:
        """What has changed of the state since the last call, or since `restore`: with it, the parts
        written before are those of the state as it is now."""
        self._make_rows()
        copy = self._copy(self._changed[: self._ready])
        self._changed[:] = False
        return copy

    def _copy(self, changed: Any) -> StateCopy:
        return StateCopy.take(
            changed,
            self._versions.succession.key,
            self._versions.names,
            self.trucks.packed,
            self._rows[: self._ready],
            self._due_ms[: self._ready],
            self._pool,
            self._clocks,
        )

    def restore(self, state: State) -> None:
        """Take over the state that `export` gave, into an engine that has seen nothing yet.

        Raises `streams.snapshot.UnknownFormat` for what is no such state.
        """
        snapshot = Snapshot.decode(state)
        self.trucks.rows_of(snapshot.truck_ids)
        if len(self.trucks) != len(snapshot.truck_ids):
            raise UnknownFormat("engine state with trucks that are there twice or sit elsewhere")
        self._rows, self._due_ms = snapshot.rows, snapshot.due_ms
        self._ready = len(self._rows)
        self._changed = np.full(self._ready, snapshot.upgraded)
        head = snapshot.head
        names = NamedIds(head.site_ids, head.district_codes)
        self._versions = Versions(self._versions.succession, names)
        self._pool = snapshot.pool
        clock = self._clocks[0]
        clock.highest_ms, clock.next_due_ms = head.highest_ms, head.next_due_ms
        clock.watermark_ms = head.watermark_ms
        self._carry_over(head.versions)

    def _carry_over(self, before: list[tuple[int, str]]) -> None:
        """Make the trucks' rows, of the succession with the key `before`, of the present one."""
        rows, due_ms = self._rows[: self._ready], self._due_ms[: self._ready]
        moved = self._versions.carry_over(rows, due_ms, self.trucks.ids, before)
        self._changed[moved] = True
        if len(moved):
            self._clocks[0].next_due_ms = ASK_AGAIN

    def _pass_over(self, version: int, batch: Any, reasons: Any, outcome: Outcome) -> None:
        """Take a piece of a batch by one version."""
        start = 0
        while start < len(batch):
            truck = batch.truck[start]
            change_ms = self._rows.change_ms[truck] if truck >= 0 else NEVER
            start = pass_over(
                self._versions.in_force(version, change_ms, self.trucks.ids),
                self._versions.limits,
                self._clocks,
                self._pool,
                Trucks(self._rows, self._due_ms, self._changed),
                self._scratch,
                batch,
                reasons,
                start,
                self._out,
            )
            self._drain(outcome)

    def _sweep(self, by_ms: int, outcome: Outcome) -> None:
        start = 0
        while start < self._ready:
            start = sweep(
                self._versions.limits,
                self._clocks,
                self._pool,
                Trucks(
                    self._rows[: self._ready],
                    self._due_ms[: self._ready],
                    self._changed[: self._ready],
                ),
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
            changed = np.zeros(room, np.bool_)
            rows[: self._ready] = self._rows[: self._ready]
            due_ms[: self._ready] = self._due_ms[: self._ready]
            changed[: self._ready] = self._changed[: self._ready]
            self._rows, self._due_ms, self._changed = rows, due_ms, changed
        if needed > self._ready:
            self._rows[self._ready : needed] = blank_truck()
            self._changed[self._ready : needed] = True
        self._ready = needed

    def _drain(self, outcome: Outcome) -> None:
        """Report what was written and make room again."""
        outcome.violations += self._versions.violations(self._out, self.trucks.ids)
        outcome.trips += self._versions.trips(self._out, self.trucks.ids)
        self._out.used[:] = 0
        if self._pool.n_free[0] < len(self._pool.runs) // 4:
            self._pool = self._pool.grown()
