"""One round of hostile records through decoding, the gate, the engine and the rejects, as a worker
takes them, and what must hold whatever they are. Called by `tests/fuzzing.py` and `test_fuzz.py`.

Among the garbage drive good trucks, which other engines see alone: they must be told the same.
"""

import base64
import json
import math
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import parquet
from reference.tracks import in_arrival_order, random_case

from fuzz.demands import BrokenError as BrokenError
from fuzz.demands import demand
from fuzz.garbage import GOOD_PREFIX, Garbage
from producers.chunk import InputFileError
from producers.files import open_positions
from streams import batch as read_batch
from streams.detect import Engine, Outcome, PreparedCity
from streams.elements import MAX_ORIGINAL
from streams.gate import REASONS
from streams.output import Violation, ce_headers, encode
from streams.partition import partition_of
from streams.position import (
    MAX_ARRAY,
    MAX_TIME_MS,
    MIN_TIME_MS,
    Element,
    Malformed,
    Position,
    Tick,
    decode_record,
    encode_array,
)
from streams.rejects import reject_outputs
from streams.state import NEVER, NO_TIME, RECENT
from streams.whereabouts import whereabouts

PARTITION = (0, 2)
MOST_TRUCKS = 150
BATCHES = 12
RECORDS = 40
"""Records of garbage in a batch."""
LINES = 120
CITIES = 12
_FLAT = bytes.maketrans(b"\r\n", b"  ")
_COLUMNS = ("truck_id", "time_ms", "lon", "lat", "loaded", "satellites", "received_ms", "source")


class Record(NamedTuple):
    """As it comes from Kafka."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None


@dataclass(slots=True)
class Batch:
    """Records laid out as `streams.worker` does."""

    records: list[Record] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)
    record_ms: list[int] = field(default_factory=list)

    def add(self, value: bytes | None, record_ms: int) -> range:
        """The places of the record's elements."""
        elements = decode_record(value)
        demand(1 <= len(elements) <= MAX_ARRAY, f"{len(elements)} elements", value)
        start = len(self.elements)
        self.records.append(Record("gps.positions", 0, len(self.records), record_ms, b"key", value))
        self.starts.append(start)
        self.elements += elements
        self.record_ms += [record_ms] * len(elements)
        return range(start, len(self.elements))

    def elements_of(self, number: int) -> list[Element]:
        """Those of the record with this number."""
        return self.elements[slice(*[*self.starts, None][number : number + 2])]


@cache
def case(number: int) -> tuple[PreparedCity, list[Position]]:
    """A city, and positions of good trucks in it, all of one partition."""
    city, tracks, _ = random_case(number)
    own = (name for name in map("{}{}".format, [GOOD_PREFIX] * 1_000, range(1_000)))
    names = [name for name in own if partition_of(name, PARTITION[1]) == PARTITION[0]]
    renamed = [
        [msgspec.structs.replace(position, truck_id=name) for position in track]
        for name, track in zip(names, tracks, strict=False)
    ]
    return PreparedCity.of(city), in_arrival_order(Random(number), renamed)


class Round:
    """A seed's worth of hostile input."""

    def __init__(self, seed: int, engine: type[Engine] = Engine) -> None:
        self.counts: Counter[str] = Counter()
        self._rng = Random(seed)
        self._prepared, self._good = case(self._rng.randrange(CITIES))
        middle = self._good[len(self._good) // 2]
        start_ms = min(position.time_ms for position in self._good)
        self._garbage = Garbage(self._rng, (middle.lon, middle.lat), start_ms, PARTITION)
        self._stamps = (*[NEVER] * 40, *[start_ms + 7_000_000] * 8, start_ms, 0, NEVER - 1)
        self._class = engine
        self._live, self._reading = (
            self._new_live(),
            Engine.live(self._prepared, *PARTITION, MOST_TRUCKS),
        )
        for truck_id in dict.fromkeys(position.truck_id for position in self._good):
            # Known already, as trucks are before the invented ones take all the room.
            self._live.trucks.row(truck_id)
            self._reading.trucks.row(truck_id)
        self._offline = engine.offline(self._prepared)
        self._live_alone = Engine.live(self._prepared, *PARTITION)
        self._offline_alone = Engine.offline(self._prepared)

    def run(self) -> Counter[str]:
        """Raises `BrokenError`, or whatever the code under test lets through."""
        cuts = sorted(self._rng.randrange(len(self._good)) for _ in range(BATCHES - 1))
        for start, end in zip([0, *cuts], [*cuts, len(self._good)], strict=True):
            self._batch(self._good[start:end])
            if self._rng.random() < 0.2:
                self._restart()
        self._files()
        self.counts["rounds"] += 1
        return self.counts

    def _new_live(self) -> Engine:
        return self._class.live(self._prepared, *PARTITION, MOST_TRUCKS)

    def _batch(self, good: Sequence[Position]) -> None:
        batch, places = Batch(), range(0)
        values = self._garbage.values(RECORDS)
        turn = self._rng.randrange(len(values))
        for number, value in enumerate(values):
            if number == turn and good:
                places = batch.add(encode_array(list(good)), NEVER)
            batch.add(value, self._rng.choice(self._stamps))
            self.counts["bytes"] += len(value or b"")
        self.counts["records"] += len(values)
        self.counts["inputs"] += len(batch.elements) - len(places)
        live = self._live.process(batch.elements, batch.record_ms)
        offline = self._offline.process(batch.elements)
        for engine, outcome in ((self._live, live), (self._offline, offline)):
            self._check_counts(batch.elements, outcome)
            for violation in outcome.violations:
                check_numbers(violation)
            check_state(engine)
        for violation in live.violations:
            json.loads(encode(violation))
            ce_headers(violation)
        self._check_rejects(batch, live)
        self._check_good(good, places, live, offline)
        self._check_reading(batch, live)
        rows = live.judged.rows
        whereabouts(self._live, rows[rows.truck >= 0][:50])
        for _, reason in live.rejected:
            self.counts[reason] += 1
        self.counts["fixes"] += live.fixes
        self.counts["violations"] += len(live.violations) + len(offline.violations)
        self.counts["trips"] += len(live.trips) + len(offline.trips)

    def _check_counts(self, elements: Sequence[Element], outcome: Outcome) -> None:
        """Each element is a fix, a tick, or rejected with a reason, once."""
        ticks = sum(isinstance(element, Tick) for element in elements)
        indices = [index for index, _ in outcome.rejected]
        demand(indices == sorted(set(indices)), "rejected twice or out of order", indices)
        told = outcome.fixes + ticks + len(indices)
        demand(told == len(elements), f"{told} told of {len(elements)} elements")
        reasons = dict(outcome.rejected)
        for index, element in enumerate(elements):
            reason = reasons.get(index)
            is_malformed = isinstance(element, Malformed)
            demand(is_malformed == (reason == "malformed"), f"rejected as {reason}", element)
            demand(reason is None or reason in REASONS[1:], f"no reason: {reason}", element)
            demand(reason is None or not isinstance(element, Tick), "a tick rejected", element)

    def _check_rejects(self, batch: Batch, outcome: Outcome) -> None:
        outputs = reject_outputs(
            "gps.rejected", batch.records, batch.starts, batch.elements_of, outcome.rejected
        )
        demand(len(outputs) == len(outcome.rejected), "rejects lost", len(outputs))
        last, array, flat = -1, None, b""
        for (index, reason), output in zip(outcome.rejected, outputs, strict=True):
            told = json.loads(output.value.decode(), parse_int=str, parse_float=str)
            raw = msgspec.json.decode(output.value, type=dict[str, msgspec.Raw])
            offset, place = int(told["offset"]), int(told["index"])
            record = batch.records[offset].value
            if offset != last:
                last, array, flat = offset, array_of(record), (record or b"").translate(_FLAT)
            demand(told["reason"] == reason, "another reason", told)
            demand(batch.starts[offset] + place == index, "another place", told)
            demand(b"\n" not in output.value, "a line break", output.value)
            if bytes(raw["value"]) not in flat:
                check_original(told["value"], record)
            if array is not None:
                demand(is_same(told["value"], array[place]), "another original", (told, array))
            if output.shortened is not None and place == 0:
                json.loads(output.shortened())

    def _check_good(
        self, good: Sequence[Position], places: range, live: Outcome, offline: Outcome
    ) -> None:
        """The good trucks are told what they are told alone: live each verdict of the gate (what
        falls due also hangs on other trucks' times), offline each word."""
        for outcome, engine in ((live, self._live_alone), (offline, self._offline_alone)):
            alone = engine.process(good)
            own = [(i - places.start, why) for i, why in outcome.rejected if i in places]
            demand(own == alone.rejected, "garbage changes a verdict", (own, alone.rejected))
        of_good = [one for one in offline.violations if one.truck_id.startswith(GOOD_PREFIX)]
        demand(
            list(map(encode, of_good)) == list(map(encode, alone.violations)),
            "garbage changes a violation",
            (of_good, alone.violations),
        )
        self.counts["good"] += len(good)
        self.counts["good violations"] += len(of_good)

    def _check_reading(self, batch: Batch, live: Outcome) -> None:
        """What compiled code reads of the records is what they hold."""
        read = read_batch.Batch()
        for record, start in zip(batch.records, batch.starts, strict=True):
            decoded = read.read(record.value, batch.record_ms[start])
            self.counts["read by compiled code"] += decoded is None
        told = self._reading.process_batch(read)
        rows, others = told.judged.rows, live.judged.rows
        for name in rows.dtype.names:
            demand(rows[name].tobytes() == others[name].tobytes(), "read otherwise", name)
        demand(told.rejected == live.rejected, "judged otherwise when read", told.rejected)
        demand(
            list(map(encode, told.violations)) == list(map(encode, live.violations)),
            "told otherwise when read",
            told.violations,
        )

    def _restart(self) -> None:
        state = self._live.export()
        restored = self._new_live()
        restored.restore(state)
        demand(restored.export() == state, "a state is not restored as it was")
        self._live = restored
        demand(self._reading.export() == state, "another state when records are read")
        self.counts["restarts"] += 1

    def _files(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            values = [value or b"" for value in self._garbage.values(LINES)]
            lines = b"\n".join(values)
            self._read(Path(folder) / "a.jsonl", lines)
            rows = self._garbage.rows(_COLUMNS, LINES)
            self._read(Path(folder) / "a.csv", rows)
            self._read(Path(folder) / "b.csv", self._garbage.mutated(rows))
            self._read(Path(folder) / "a.parquet", self._garbage.mutated(table()))

    def _read(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        engine, lines = self._class.offline(self._prepared), []
        try:
            for chunk in open_positions(path):
                lines += list(chunk.lines)
                outcome = engine.process(chunk.elements)
                self._check_counts(chunk.elements, outcome)
                for index, _ in outcome.rejected:
                    json.loads(encode(chunk.original(index)), parse_int=str)
                self.counts["inputs"] += len(chunk.elements)
                self.counts[f"from {path.suffix}"] += len(chunk.elements)
        except InputFileError as error:
            demand("\n" not in str(error), "an error of several lines", str(error))
            self.counts["files refused"] += 1
            return
        demand(lines == sorted(set(lines)), "a line twice or out of order", lines)
        if path.suffix == ".jsonl":
            pieces = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
            expected = [i for i, one in enumerate(pieces, 1) if one.strip(b" \t\r\n")]
            demand(lines == expected, "lines are lost", (lines, expected))


@cache
def table() -> bytes:
    """A small Parquet file."""
    rows = [
        {"truck_id": f"车{n}", "time_ms": 1_795_266_000_000 + n, "lon": 121.1, "lat": 29.1}
        for n in range(50)
    ]
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(rows), sink)
    return bytes(sink.getvalue())


def array_of(record: bytes | None) -> list[Any] | None:
    """What `record` holds, where it is an array that Python's parser takes."""
    try:
        value = json.loads(record or b"", parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) and 1 <= len(value) <= MAX_ARRAY else None


def is_same(value: Any, original: Any) -> bool:
    """Whether a reject's value is that element: as it is, as text, or its beginning."""
    if value == original or (isinstance(value, dict) and value.get("cut") is True):
        return True
    if not isinstance(value, str):
        return False
    return bool(json.loads(value, parse_int=str, parse_float=str) == original)


def check_original(value: Any, record: bytes | None) -> None:
    """A reject's value, which does not stand in the record as it is, holds what does."""
    if record is None:
        demand(value is None, "a value where there was none", value)
        return
    if isinstance(value, str):
        kept = value.encode()
    else:
        demand(isinstance(value, dict), "another original", (value, record))
        kept = value["text"].encode() if "text" in value else base64.b64decode(value["base64"])
        if "cut" in value:
            demand(len(kept) > MAX_ORIGINAL - 4, "cut too short", len(kept))
            demand(int(value["length_bytes"]) <= len(record), "a wrong length", value)
    demand(kept in record, "another original", (value, record))


def check_numbers(violation: Violation) -> None:
    """All its numbers are numbers."""
    numbers = [violation.lon, violation.lat]
    numbers += [value for value in violation.measured.values() if not isinstance(value, str)]
    numbers += [value for point in violation.track for value in point if value is not None]
    demand(all(map(math.isfinite, numbers)), "no number", violation)


def check_state(engine: Engine) -> None:
    """What is remembered is finite, in its ranges and in agreement with itself."""
    rows, pool = engine._rows[: len(engine.trucks)], engine._pool
    demand(len(set(engine.trucks.ids)) == len(rows), "trucks twice", len(rows))
    seen = rows[rows.last_ms != NO_TIME]
    for number in np.flatnonzero(rows.last_ms == NO_TIME):
        truck_id = engine.trucks.ids[number]
        demand(truck_id.startswith(GOOD_PREFIX), "a row for a truck without a fix", truck_id)
    for name in ("x", "y"):
        demand(np.isfinite(seen[name]).all(), f"{name} is not finite")
    demand((seen.odometer_mm >= 0).all(), "an odometer goes backwards")
    demand(((seen.last_ms >= MIN_TIME_MS) & (seen.last_ms <= MAX_TIME_MS)).all(), "a time")
    last = seen.recent[np.arange(len(seen)), (seen.fixes - 1) % RECENT]
    demand((last["time_ms"] == seen.last_ms).all(), "the last fix is not the last fix")
    demand((np.abs(last["lon"]) <= 180).all(), "a longitude")
    demand((np.abs(last["lat"]) <= 90).all(), "a latitude")
    runs = rows.runs[rows.runs >= 0]
    demand(len(np.unique(runs)) == len(runs), "two trucks share a run")
    free = pool.free[: pool.n_free[0]]
    demand(len(runs) + len(free) == len(pool.runs), "runs are lost")
    demand(not np.isin(runs, free).any(), "a run in use is free")
    if len(seen):
        demand(engine.highest_ms == seen.last_ms.max(), "the highest time")
