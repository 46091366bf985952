"""Records as rows of a Parquet table: a row for each element, in arrival order.

Columns: where the element came from, the fields of a position, and on the first row of each record
the record's key and value, byte for byte. The value is what verdicts are reached from again; the
columns are for those who look for something. Used by `streams.archive.writer`. Pure.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

import pyarrow as pa

from streams.position import Element, Malformed, Position, Tick, decode_record

BATCH_ROWS: Final = 4_000
"""Rows that are Python values until they become columns; few enough to stay in the processor's
cache."""
ROW_BYTES: Final = 150
"""What a row takes in memory besides the record's value."""
_FIELDS: Final = Position.__struct_fields__
_TYPES: Final = (
    dict.fromkeys(("truck_id", "terminal_id", "source"), pa.string())
    | dict.fromkeys(("time_ms", "satellites", "received_ms"), pa.int64())
    | dict.fromkeys(("located", "loaded", "lifted", "covered", "backfill"), pa.bool_())
)
SCHEMA: Final = pa.schema(
    [
        pa.field("topic", pa.string(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("index", pa.int32(), nullable=False),
        pa.field("record_ms", pa.int64()),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("detail", pa.string()),
        *(pa.field(name, _TYPES.get(name, pa.float64())) for name in _FIELDS),
        pa.field("key", pa.binary()),
        pa.field("value", pa.binary()),
    ]
)
"""`kind`: position, tick (its time in `time_ms`) or malformed (why: `detail`). `record_ms`: the
record's timestamp; null = it has none."""
WRITTEN: Final[dict[str, Any]] = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": [
        *("topic", "kind", "truck_id", "terminal_id", "source", "satellites"),
        *("speed_kmh", "heading_deg", "altitude_m", "load_kg"),
    ],
    "column_encoding": dict.fromkeys(
        ("partition", "offset", "index", "record_ms", "time_ms", "received_ms"),
        "DELTA_BINARY_PACKED",
    )
    | dict.fromkeys(("lon", "lat", "mileage_km"), "BYTE_STREAM_SPLIT"),
    "data_page_size": 8 * 1024 * 1024,
    "write_page_checksum": True,
}
"""How Parquet is written: what was smallest at the speed that is needed (benchmarks.archive)."""


class Record(NamedTuple):
    """A record of the topic."""

    offset: int
    record_ms: int | None
    """Its timestamp."""
    key: bytes | None
    value: bytes | None


class Rows:
    """Gathers the rows of one partition; they come out as a table, after which it is empty."""

    def __init__(self, topic: str, partition: int) -> None:
        self._topic = topic
        self._partition = partition
        self.count = 0
        """Rows that are waiting."""
        self.waiting_bytes = 0
        """Roughly what they take in memory."""
        self._batches: list[Any] = []
        self._clear()

    def _clear(self) -> None:
        self._starts: list[tuple[Record, int]] = []
        self._fields: dict[str, list[Any]] = {name: [] for name in _FIELDS}
        self._kinds: list[str] = []
        self._details: list[str | None] = []

    def add(self, record: Record) -> Sequence[Element]:
        """The rows of one record; gives its elements."""
        elements = decode_record(record.value)
        self._starts.append((record, len(elements)))
        if {*map(type, elements)} == {Position}:
            self._add_positions(elements)
        else:
            for element in elements:
                self._add_any(element)
        self.count += len(elements)
        self.waiting_bytes += len(record.value or b"") + ROW_BYTES * len(elements)
        if len(self._kinds) >= BATCH_ROWS:
            self._lay_out()
        return elements

    def table(self) -> Any:
        """What is waiting, as a table of `SCHEMA`."""
        self._lay_out()
        table = pa.Table.from_batches(self._batches, SCHEMA)
        self._batches = []
        self.count = self.waiting_bytes = 0
        return table

    def _add_positions(self, positions: Sequence[Element]) -> None:
        self._kinds.extend(["position"] * len(positions))
        self._details.extend([None] * len(positions))
        if len(positions) == 1:
            for (_, get), column in zip(_GETTERS, self._fields.values(), strict=True):
                column.append(get(positions[0]))
        else:
            for (_, get), column in zip(_GETTERS, self._fields.values(), strict=True):
                column.extend(map(get, positions))

    def _add_any(self, element: Element) -> None:
        kind, known = _KNOWN[type(element)]
        values = known(element)
        for name, column in self._fields.items():
            column.append(values.get(name))
        self._kinds.append(kind)
        self._details.append(_text(element.detail) if isinstance(element, Malformed) else None)

    def _lay_out(self) -> None:
        """Waiting Python values become columns."""
        if not self._starts:
            return
        offsets: list[int] = []
        indices: list[int] = []
        stamps: list[int | None] = []
        keys: list[bytes | None] = []
        values: list[bytes | None] = []
        for record, length in self._starts:
            offsets += [record.offset] * length
            indices += range(length)
            stamps += [record.record_ms] * length
            keys += [record.key, *[None] * (length - 1)]
            values += [record.value, *[None] * (length - 1)]
        count = len(offsets)
        columns = [
            [self._topic] * count, [self._partition] * count, offsets, indices, stamps,
            self._kinds, self._details, *self._fields.values(), keys, values,
        ]  # fmt: skip
        arrays = [
            pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)
        ]
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))
        self._clear()


_GETTERS: Final = tuple((name, attrgetter(name)) for name in _FIELDS)
_KNOWN: Final[dict[type, tuple[str, Callable[[Any], dict[str, Any]]]]] = {
    Position: ("position", lambda element: {name: get(element) for name, get in _GETTERS}),
    Tick: ("tick", lambda element: {"time_ms": element.tick_ms}),
    Malformed: (
        "malformed",
        lambda element: {"truck_id": element.truck_id, "time_ms": element.time_ms},
    ),
}


def _text(detail: str) -> str:
    """As UTF-8 can hold it: a message may quote halves of surrogate pairs."""
    return detail.encode(errors="backslashreplace").decode()
