"""Positions as columns (design principle 4): the rows that the compiled pass goes over.

A `Batch` takes records as they come, or elements that are decoded already, and gives the engine
their rows. Plain records are read by compiled code (`streams.reading`); the others, and all
that is no position, by `streams.position.decode_record`, which alone says what is malformed. Either
way the rows are the same.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from geofences.jit import records
from streams.gate import MALFORMED
from streams.packed import Packed, larger
from streams.passage import POSITION, SKIPPED, TICK
from streams.position import MAX_ARRAY, Element, Position, Tick, decode_record
from streams.reading.record import (
    FEWEST_SATELLITES,
    LONGEST_ID_BYTES,
    MANY_SATELLITES,
    NEW,
    read_record,
)
from streams.reading.tokens import ODD
from streams.sources import NO_SOURCE, source_numbers
from streams.state import NEVER
from streams.trucks import TruckTable

FIRST_ROWS: Final = 2 * MAX_ARRAY

_fields = attrgetter(
    "truck_id", "time_ms", "received_ms", "lon", "lat", "speed_kmh", "load_kg", "heading_deg",
    "located", "satellites", "loaded", "lifted", "covered", "source",
)  # fmt: skip


class Batch:
    """Elements of one partition, or of files, in arrival order."""

    def __init__(self) -> None:
        self._count = 0
        self._rows = records(np.zeros(FIRST_ROWS, POSITION))
        self._ids = np.zeros(FIRST_ROWS * 16, np.uint8)
        self._ends = np.zeros(FIRST_ROWS + 1, np.int64)
        """The id of row i is ids[ends[i]:ends[i + 1]]."""

    def __len__(self) -> int:
        return self._count

    def read(self, value: bytes | None, record_ms: int = NEVER) -> list[Element] | None:
        """Take a record, whose timestamp is `record_ms`. Its elements, where they had to be
        decoded one by one; None where compiled code has read them."""
        if value is not None:
            self._make_room(MAX_ARRAY, min(len(value), MAX_ARRAY * LONGEST_ID_BYTES))
            text = np.frombuffer(value, np.uint8)
            row = read_record(text, self._rows, self._ids, self._ends, self._count, record_ms)
            if row != ODD:
                self._count = row
                return None
        elements = decode_record(value)
        self.extend(elements, record_ms)
        return elements

    def extend(
        self, elements: Sequence[Element], record_ms: int | Sequence[int] | None = None
    ) -> None:
        """Take elements. `record_ms`: the timestamp of their record, or of each one's."""
        stamps = np.full(len(elements), NEVER)
        if record_ms is not None:
            stamps[:] = record_ms
        ids = Packed.of(
            element.truck_id if type(element) is Position else "" for element in elements
        )
        self._make_room(len(elements), len(ids.text))
        first, end = self._count, self._count + len(elements)
        used = self._ends[first]
        self._ids[used : used + len(ids.text)] = ids.text
        self._ends[first : end + 1] = used + ids.ends
        _lay_out(self._rows[first:end], elements, stamps)
        self._count = end

    def columns(self, trucks: TruckTable) -> Any:
        """The rows as a record array of `POSITION`, each with its truck's row in `trucks`; of what
        is rejected already, or a tick, see there."""
        count = self._count
        rows = self._rows[:count]
        trucks.assign(rows, Packed(self._ids, self._ends), np.zeros(count, np.int64))
        return rows.view(np.recarray)

    def _make_room(self, rows: int, text_bytes: int) -> None:
        needed = self._count + rows
        if needed > len(self._rows):
            self._rows = records(larger(self._rows, needed, self._count))
            self._ends = larger(self._ends, needed + 1, self._count + 1)
        used = int(self._ends[self._count])
        if used + text_bytes > len(self._ids):
            self._ids = larger(self._ids, used + text_bytes, used)


def columns(
    elements: Sequence[Element], record_ms: Sequence[int] | None, trucks: TruckTable
) -> Any:
    """A record array of `streams.passage.POSITION`, with a row for each of `elements`.

    `record_ms` is the timestamp of the record that each element came in, None for files. A
    `Malformed`, a position that belongs elsewhere, one for which there is no more room, and one
    of a truck without a row that anything is wrong with, come out with their `reason` set; a tick
    as a row without a truck.
    """
    batch = Batch()
    batch.extend(elements, record_ms)
    return batch.columns(trucks)


def _lay_out(rows: Any, elements: Sequence[Element], record_ms: npt.NDArray[np.int64]) -> None:
    kinds = set(map(type, elements))
    if kinds == {Position}:
        _fill(rows, elements, record_ms)
        return
    rows[:] = np.zeros(1, POSITION)
    rows["truck"] = SKIPPED
    rows["reason"] = MALFORMED
    rows["source"] = NO_SOURCE
    chosen = [i for i, element in enumerate(elements) if type(element) is Position]
    if chosen:
        part = np.zeros(len(chosen), POSITION)
        _fill(part, [elements[i] for i in chosen], record_ms[chosen])
        rows[chosen] = part
    for i, element in enumerate(elements):
        if type(element) is Tick:
            rows["truck"][i] = TICK
            rows["reason"][i] = 0
            rows["time_ms"][i] = element.tick_ms


def _fill(rows: Any, positions: Sequence[Any], record_ms: npt.NDArray[np.int64]) -> None:
    """What `streams.reading.record` makes of the JSON of the same positions."""
    (
        _, time_ms, received_ms, lon, lat, speed_kmh, load_kg, heading_deg,
        located, satellites, loaded, lifted, covered, source,
    ) = zip(*map(_fields, positions), strict=True)  # fmt: skip
    rows["truck"] = NEW
    rows["reason"] = 0
    rows["time_ms"] = time_ms
    rows["lon"] = lon
    rows["lat"] = lat
    rows["speed_kmh"] = _numbers(speed_kmh)
    rows["load_kg"] = _numbers(load_kg)
    rows["heading_deg"] = _numbers(heading_deg)
    rows["located"] = located
    counts = np.nan_to_num(_numbers(satellites), nan=MANY_SATELLITES)
    rows["satellites"] = np.clip(counts, FEWEST_SATELLITES, MANY_SATELLITES)
    rows["loaded"] = _truths(loaded)
    rows["lifted"] = _truths(lifted)
    rows["covered"] = _truths(covered)
    rows["source"] = source_numbers(source)
    rows["received_ms"] = record_ms
    given = [i for i, value in enumerate(received_ms) if value is not None]
    if given:
        rows["received_ms"][given] = [received_ms[i] for i in given]


def _numbers(values: Sequence[Any]) -> npt.NDArray[np.float64]:
    """None becomes NaN."""
    return np.array(values, dtype=np.float64)


def _truths(values: Sequence[Any]) -> npt.NDArray[np.float64]:
    """None becomes -1 (`UNKNOWN`)."""
    return np.nan_to_num(_numbers(values), nan=-1)
