"""What a chaos run puts on the positions topic: a simulated fleet in singles and arrays, records
that come twice, at once or much later, poison of all kinds, and ticks.

Called by `chaos.pump`, which sends. The same seed gives the same records in the same order.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from geofences.loader import load_city
from producers.fleet import Fleet
from producers.labels import Label
from producers.road_map import read_roads
from producers.simulate import file_start_ms
from streams.partition import partition_of
from streams.position import Position, encode_array, encode_position, encode_tick

TRUCKS = 480
SHARE = 0.4
"""Of the trips that offend."""
TICK_MS = 30_000
ARRAY = 60
"""Positions in an array, at the most."""
KEPT = 400
"""Records of which some are sent again later."""

POISON = (
    b"", b"\x00\xff\xfe", b"{", b"[" * 5000, b"[]", b"null", b"17", b'"truck"',
    b'{"truck_id": "X", "time_ms": "soon", "lon": 1, "lat": 2}',
    b'{"truck_id": "", "time_ms": 1, "lon": 1, "lat": 2}',
    b'{"time_ms": 1795266000000, "lon": 121.5, "lat": 29.8}',
    b'[{"truck_id": "X", "time_ms": 1e999, "lon": 1, "lat": 2}, 3, null]',
    b'{"truck_id": "A\\u0000\\u001b[31m", "time_ms": 1795266000000, "lon": 999, "lat": 2}',
    b'{"tick_ms": "x"}', b"{}" * 1000, b"[" + b"{}," * 1500 + b"{}]",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """One to be sent. `time_ms`: the highest event time in it or before."""

    partition: int
    value: bytes
    timestamp_ms: int
    time_ms: int


@dataclass(slots=True)
class Cargo:
    """Iterate once; then `counts` tell what there was."""

    city: Path
    positions: int
    partitions: int
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    highest_ms: int = 0

    def __iter__(self) -> Iterator[Record]:
        rng = Random(self.seed)
        waiting: list[list[Position]] = [[] for _ in range(self.partitions)]
        full = [1] * self.partitions
        sent: list[Record] = []
        next_tick_ms = 0
        for position in islice(self._fleet(), self.positions):
            self.highest_ms = max(self.highest_ms, position.time_ms)
            if position.time_ms >= next_tick_ms:
                next_tick_ms = position.time_ms + TICK_MS
                yield from self.ticks(position.time_ms)
            partition = partition_of(position.truck_id, self.partitions)
            waiting[partition].append(position)
            self.counts["positions"] += 1
            if len(waiting[partition]) < full[partition]:
                continue
            record = self._record(rng, partition, waiting[partition])
            waiting[partition], full[partition] = [], _size(rng)
            yield record
            yield from self._mischief(rng, record, sent)
        for partition, rest in enumerate(waiting):
            if rest:
                yield self._record(rng, partition, rest)

    def ticks(self, tick_ms: int) -> Iterator[Record]:
        """One for every partition."""
        for partition in range(self.partitions):
            self.counts["ticks"] += 1
            yield Record(partition, encode_tick(tick_ms), tick_ms, self.highest_ms)

    def _fleet(self) -> Iterator[Position]:
        city = load_city(self.city)
        fleet = Fleet(
            city,
            trucks=TRUCKS,
            seed=self.seed,
            start_ms=file_start_ms(city),
            share=SHARE,
            roads=read_roads(self.city),
        )
        for event in fleet.events():
            if not isinstance(event, Label):
                yield event

    def _record(self, rng: Random, partition: int, positions: list[Position]) -> Record:
        if len(positions) == 1 and rng.random() < 0.5:
            value = encode_position(positions[0])
        else:
            value = encode_array(positions)
        # What a terminal had stored comes after what is newer.
        timestamp_ms = max(position.time_ms for position in positions)
        return Record(partition, value, timestamp_ms, self.highest_ms)

    def _mischief(self, rng: Random, record: Record, sent: list[Record]) -> Iterator[Record]:
        """What the network, a producer and an attacker add."""
        chance = rng.random()
        if chance < 0.02:
            self.counts["sent twice"] += 1
            yield record
        elif chance < 0.03 and sent:
            self.counts["sent again later"] += 1
            yield rng.choice(sent)
        elif chance < 0.05:
            self.counts["poison"] += 1
            where = rng.randrange(self.partitions)
            yield Record(where, rng.choice(POISON), record.timestamp_ms, self.highest_ms)
        elif chance < 0.06:
            self.counts["in a wrong partition"] += 1
            where = (record.partition + 1) % self.partitions
            yield Record(where, record.value, record.timestamp_ms, self.highest_ms)
        if len(sent) < KEPT:
            sent.append(record)
        else:
            sent[rng.randrange(KEPT)] = record


def _size(rng: Random) -> int:
    return 1 if rng.random() < 0.3 else rng.randint(2, ARRAY)
