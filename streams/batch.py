"""Positions as columns, and the rows that trucks have (design principle 4).

`TruckTable` gives each truck of a partition a row for good; `columns` lays a sequence of decoded
elements out for the compiled pass. A row is made for the first position of a truck that has nothing
wrong with it, so that whoever invents trucks has to invent whole positions; and `most` bounds them.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.gate import MALFORMED, TOO_MANY_TRUCKS, WRONG_PARTITION, faults
from streams.partition import partition_of
from streams.passage import POSITION, SKIPPED, TICK
from streams.position import Element, Position, Tick
from streams.sources import source_numbers
from streams.state import NEVER

MANY_SATELLITES: Final = 99
"""Stands for a count that is not given: it never fails."""

_fields = attrgetter(
    "truck_id", "time_ms", "received_ms", "lon", "lat", "speed_kmh", "load_kg",
    "located", "satellites", "loaded", "lifted", "covered", "source",
)  # fmt: skip


class TruckTable:
    """The row of each truck that is remembered, from 0 in the order of first sight."""

    def __init__(self, partition: tuple[int, int] | None = None, most: int | None = None) -> None:
        """`partition`: (number, count) to refuse trucks that belong elsewhere, None for all.
        `most`: trucks that are admitted, None for any number."""
        self.ids: list[str] = []
        self._rows: dict[str, int] = {}
        self._partition = partition
        self._most = most

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, truck_id: str) -> int:
        """The truck's row, a new one at first sight."""
        row = self._rows.get(truck_id)
        if row is None:
            row = len(self.ids)
            self.ids.append(truck_id)
            self._rows[truck_id] = row
        return row

    def rows(self, truck_ids: Sequence[str]) -> list[int]:
        """The row of each truck; `SKIPPED` where it has none."""
        known = self._rows.get
        return [known(truck_id, SKIPPED) for truck_id in truck_ids]

    def admit(self, truck_id: str, fault: int) -> tuple[int, int]:
        """The row for a position of a truck that may be new, and 0; or `SKIPPED` and the code of
        the reason it is rejected for. `fault`: what is wrong with the position by itself."""
        row = self._rows.get(truck_id)
        if row is not None:
            return row, 0
        if self._partition is not None:
            number, count = self._partition
            if partition_of(truck_id, count) != number:
                return SKIPPED, WRONG_PARTITION
        if fault:
            return SKIPPED, fault
        if self._most is not None and len(self.ids) >= self._most:
            return SKIPPED, TOO_MANY_TRUCKS
        return self.row(truck_id), 0


def columns(
    elements: Sequence[Element], record_ms: Sequence[int] | None, trucks: TruckTable
) -> Any:
    """A record array of `POSITION`, a row an element in the same order.

    `record_ms`: the timestamp of each element's record, None where there are no records. What is
    rejected already, malformed or without a row for its truck, becomes a `SKIPPED` row that says
    why.
    """
    batch = np.zeros(len(elements), POSITION).view(np.recarray)
    kinds = set(map(type, elements))
    if kinds == {Position}:
        _fill(batch, elements, record_ms, trucks)
    elif kinds:
        batch.truck[:] = SKIPPED
        batch.reason[:] = MALFORMED
        chosen = [i for i, element in enumerate(elements) if type(element) is Position]
        part = np.zeros(len(chosen), POSITION).view(np.recarray)
        times = None if record_ms is None else [record_ms[i] for i in chosen]
        _fill(part, [elements[i] for i in chosen], times, trucks)
        batch[chosen] = part
        for i, element in enumerate(elements):
            if isinstance(element, Tick):
                batch.truck[i] = TICK
                batch.reason[i] = 0
                batch.time_ms[i] = element.tick_ms
    return batch


def _fill(
    batch: Any, positions: Sequence[Any], record_ms: Sequence[int] | None, trucks: TruckTable
) -> None:
    if not positions:
        return
    (
        truck_id, time_ms, received_ms, lon, lat, speed_kmh, load_kg,
        located, satellites, loaded, lifted, covered, source,
    ) = zip(*map(_fields, positions), strict=True)  # fmt: skip
    rows = trucks.rows(truck_id)
    batch.truck = rows
    batch.time_ms = time_ms
    batch.lon = lon
    batch.lat = lat
    batch.speed_kmh = _numbers(speed_kmh)
    batch.load_kg = _numbers(load_kg)
    batch.located = located
    counts = np.nan_to_num(_numbers(satellites), nan=MANY_SATELLITES)
    batch.satellites = np.clip(counts, -1, MANY_SATELLITES)
    batch.loaded = _truths(loaded)
    batch.lifted = _truths(lifted)
    batch.covered = _truths(covered)
    batch.source = source_numbers(source)
    batch.received_ms = NEVER if record_ms is None else record_ms
    given = [i for i, value in enumerate(received_ms) if value is not None]
    if given:
        batch.received_ms[given] = [received_ms[i] for i in given]
    if SKIPPED in rows:
        _admit(batch, truck_id, trucks)


def _admit(batch: Any, truck_ids: Sequence[str], trucks: TruckTable) -> None:
    """Give the positions of trucks without a row one, or the reason that they are rejected for."""
    new = np.flatnonzero(batch.truck == SKIPPED)
    codes = np.zeros(len(new), np.uint8)
    faults(batch[new], codes)
    admitted = [
        trucks.admit(truck_ids[i], fault)
        for i, fault in zip(new.tolist(), codes.tolist(), strict=True)
    ]
    batch.truck[new], batch.reason[new] = zip(*admitted, strict=True)


def _numbers(values: Sequence[Any]) -> npt.NDArray[np.float64]:
    """None becomes NaN."""
    return np.array(values, dtype=np.float64)


def _truths(values: Sequence[Any]) -> npt.NDArray[np.float64]:
    """None becomes -1 (`UNKNOWN`)."""
    return np.nan_to_num(_numbers(values), nan=-1)
