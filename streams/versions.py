"""What an engine needs of each version of the city: its arrays by the engine's names, the trucks'
numbers in its register, its words.

`streams.detect` asks by which versions the pieces of a batch are judged and hands over what the
core wrote down. It must not know how a position is judged.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from geofences.index import CompiledCity
from geofences.projection import Projection
from streams.events import Out
from streams.force import InForce
from streams.names import NamedIds
from streams.output import Trip, Violation
from streams.passage import SKIPPED
from streams.report import Reporter
from streams.state import NO_TIME, RECENT
from streams.succession import PreparedCity, Succession

ASK_AGAIN: Final = 0
"""As the moment at which something falls due: before any time of a fix."""

Ints = npt.NDArray[np.int32]


class Version:
    """One version, as an engine uses it."""

    def __init__(self, city: PreparedCity, names: NamedIds) -> None:
        self.prepared = city
        self.names = names
        self.index = names.index_of(city.compiled.city, city.compiled.index)
        self.reporter = Reporter(city.compiled.city, self.index, city.thresholds, names)
        self._roll = Roll(city.compiled)

    def registers(self, truck_ids: Sequence[str]) -> Ints:
        return self._roll.numbers(truck_ids)


class Roll:
    """Numbers of trucks in the register of a version; filled when the version is first used."""

    def __init__(self, city: CompiledCity) -> None:
        self._city = city
        self._numbers = np.zeros(0, np.int32)
        self._known = 0

    def numbers(self, truck_ids: Sequence[str]) -> Ints:
        """The number of each truck by row, with room behind them."""
        count = len(truck_ids)
        if count > self._known:
            if count > len(self._numbers):
                larger = np.zeros(max(2 * len(self._numbers), count), np.int32)
                larger[: self._known] = self._numbers[: self._known]
                self._numbers = larger
            number = self._city.register_number
            self._numbers[self._known : count] = [
                number(truck_id) for truck_id in truck_ids[self._known :]
            ]
            self._known = count
        return self._numbers


class Versions:
    """The versions of a succession, for one engine and its names."""

    def __init__(self, succession: Succession, names: NamedIds) -> None:
        self.succession = succession
        self.names = names
        self.limits = np.concatenate([city.limits for city in succession.cities]).view(np.recarray)
        self._versions = [Version(city, names) for city in succession.cities]

    def numbered(self, number: int) -> Version:
        return self._versions[number]

    def at(self, time_ms: int) -> Version:
        """The version in force at a time."""
        return self._versions[self.succession.number_at(time_ms)]

    def pieces(self, batch: Any) -> Iterator[tuple[int, int, int]]:
        """Start, end and number of the version in force, for each piece of a batch (of
        `streams.passage.POSITION`) that one version judges, in arrival order."""
        if len(self._versions) == 1:
            yield 0, len(batch), 0
            return
        numbers = self.succession.numbers_at(batch.time_ms)
        # What was rejected before has no time and makes no piece of its own.
        has_time = np.where(batch.truck == SKIPPED, 0, np.arange(len(batch)))
        numbers = numbers[np.maximum.accumulate(has_time)]
        edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(batch)]
        for start, end in pairwise(edges):
            if start < end:
                yield start, end, int(numbers[start])

    def in_force(self, number: int, change_ms: int, truck_ids: Sequence[str]) -> InForce:
        """To judge by version `number`, and for trucks with a change of the load in the making that
        is dated at `change_ms`."""
        starts = self.succession.from_ms
        before = max(0, number - 1)
        if change_ms < starts[number]:
            before = self.succession.number_at(change_ms)
        version, earlier = self._versions[number], self._versions[before]
        return InForce(
            version.index,
            number,
            starts[number],
            version.registers(truck_ids),
            earlier.index,
            before,
            starts[before],
            self.succession.until_ms(before),
            earlier.registers(truck_ids),
        )

    def violations(self, out: Out, truck_ids: Sequence[str]) -> list[Violation]:
        """The violations of `out` in the order they were written, each told by the version in force
        at its place's time."""
        events = out.events[: out.used[0]]
        if not len(events):
            return []
        track = out.track[: out.used[2]].tolist()
        violations: list[Violation] = []
        for version, part in self._by_version(events, events.place_ms):
            registers = version.registers(truck_ids)
            violations += version.reporter.violations(part, track, registers, truck_ids)
        return violations

    def trips(self, out: Out, truck_ids: Sequence[str]) -> list[Trip]:
        """The trips of `out`, each with the permits of the version in force when it began."""
        trips = out.trips[: out.used[1]]
        told: list[Trip] = []
        for version, part in self._by_version(trips, trips.started_ms):
            told += version.reporter.trips(part, version.registers(truck_ids), truck_ids)
        return told

    def carry_over(
        self, rows: Any, due_ms: Any, truck_ids: Sequence[str], before: list[tuple[int, str]]
    ) -> npt.NDArray[np.int64]:
        """Make what `rows` hold of the succession whose key is `before` of this one.

        A truck's version becomes the one in force here at its last fix. Where that is another city,
        its metres move into that city's plane, and what is due is asked again. What is
        remembered of loads, trips and runs stays. Returns the rows that are not as they were.
        """
        if before == self.succession.key:
            return np.zeros(0, np.int64)
        seen = np.flatnonzero(rows.last_ms != NO_TIME)
        old, new = rows.version[seen], self.succession.numbers_at(rows.last_ms[seen])
        rows.version[seen] = new
        old_cities = np.array([version for _, version in before])
        new_cities = np.array([version for _, version in self.succession.key])
        changed = old_cities[old] != new_cities[new]
        for number in np.unique(new[changed]).tolist():
            moved = seen[changed & (new == number)]
            rows.register[moved] = self._versions[number].registers(truck_ids)[moved]
            _move(rows, moved, Projection(self._versions[number].index.plane))
        due_ms[seen[changed]] = ASK_AGAIN
        touched: npt.NDArray[np.int64] = seen[changed | (old != new)]
        return touched

    def _by_version(self, records: Any, times_ms: Any) -> Iterator[tuple[Version, Any]]:
        """Consecutive records of the same version."""
        if len(self._versions) == 1:
            if len(records):
                yield self._versions[0], records
            return
        numbers = self.succession.numbers_at(times_ms)
        edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(records)]
        for start, end in pairwise(edges):
            if start < end:
                yield self._versions[numbers[start]], records[start:end]


def _move(rows: Any, moved: Any, plane: Projection) -> None:
    """Compute the metres of the rows `moved` afresh from their degrees."""
    last = rows.recent[moved, (rows.fixes[moved] - 1) % RECENT]
    rows.x[moved], rows.y[moved] = plane.project(np.stack([last["lon"], last["lat"]], axis=1)).T
    stops = np.stack([rows.stop_lon[moved], rows.stop_lat[moved]], axis=1)
    rows.stop_x[moved], rows.stop_y[moved] = plane.project(stops).T
