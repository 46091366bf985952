"""Positions as columns, and the rows that trucks have (design principle 4).

`TruckTable` gives each truck of a partition a row for good; `columns` lays a sequence of decoded
elements out for the compiled pass.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.partition import partition_of
from streams.passage import POSITION, SKIPPED, TICK
from streams.position import Element, Position, Tick
from streams.state import NEVER

MANY_SATELLITES: Final = 99
"""Stands for a count that is not given: it never fails."""

_fields = attrgetter(
    "truck_id", "time_ms", "received_ms", "lon", "lat", "speed_kmh", "load_kg",
    "located", "satellites", "loaded", "lifted", "covered",
)  # fmt: skip


class TruckTable:
    """The row of each truck seen, from 0 in the order of first sight."""

    def __init__(self, partition: tuple[int, int] | None = None) -> None:
        """`partition`: (number, count) to refuse trucks that belong elsewhere, None for all."""
        self.ids: list[str] = []
        self._rows: dict[str, int] = {}
        self._partition = partition

    def __len__(self) -> int:
        return len(self.ids)

    def row(self, truck_id: str) -> int:
        """The truck's row, a new one at first sight; `SKIPPED` if it belongs elsewhere."""
        row = self._rows.get(truck_id)
        if row is not None:
            return row
        if self._partition is not None:
            number, count = self._partition
            if partition_of(truck_id, count) != number:
                return SKIPPED
        row = len(self.ids)
        self.ids.append(truck_id)
        self._rows[truck_id] = row
        return row

    def rows(self, truck_ids: Sequence[str]) -> list[int]:
        known = self._rows.get
        rows = [known(truck_id, SKIPPED) for truck_id in truck_ids]
        if SKIPPED in rows:
            return [self.row(truck_id) for truck_id in truck_ids]
        return rows


def columns(
    elements: Sequence[Element], record_ms: Sequence[int] | None, trucks: TruckTable
) -> Any:
    """A record array of `POSITION`, a row an element in the same order.

    `record_ms`: the timestamp of each element's record, None where there are no records. Malformed
    elements and those of another partition become `SKIPPED` rows.
    """
    batch = np.zeros(len(elements), POSITION).view(np.recarray)
    kinds = set(map(type, elements))
    if kinds == {Position}:
        _fill(batch, elements, record_ms, trucks)
    elif kinds:
        batch.truck[:] = SKIPPED
        chosen = [i for i, element in enumerate(elements) if type(element) is Position]
        part = np.zeros(len(chosen), POSITION).view(np.recarray)
        times = None if record_ms is None else [record_ms[i] for i in chosen]
        _fill(part, [elements[i] for i in chosen], times, trucks)
        batch[chosen] = part
        for i, element in enumerate(elements):
            if isinstance(element, Tick):
                batch.truck[i] = TICK
                batch.time_ms[i] = element.tick_ms
    return batch


def _fill(
    batch: Any, positions: Sequence[Any], record_ms: Sequence[int] | None, trucks: TruckTable
) -> None:
    if not positions:
        return
    (
        truck_id, time_ms, received_ms, lon, lat, speed_kmh, load_kg,
        located, satellites, loaded, lifted, covered,
    ) = zip(*map(_fields, positions), strict=True)  # fmt: skip
    batch.truck = trucks.rows(truck_id)
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
    batch.received_ms = NEVER if record_ms is None else record_ms
    given = [i for i, value in enumerate(received_ms) if value is not None]
    if given:
        batch.received_ms[given] = [received_ms[i] for i in given]


def _numbers(values: Sequence[Any]) -> npt.NDArray[np.float64]:
    """None becomes NaN."""
    return np.array(values, dtype=np.float64)


def _truths(values: Sequence[Any]) -> npt.NDArray[np.float64]:
    """None becomes -1 (`UNKNOWN`)."""
    return np.nan_to_num(_numbers(values), nan=-1)
