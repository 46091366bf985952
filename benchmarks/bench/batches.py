"""Positions as record batches of Kafka, made before a measurement begins.

`arrays` and `singles` cut a load into frames: a batch for each partition that has something, lz4
or not, in the order of the load. Used by the measurements of workers; knows nothing of brokers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from benchmarks.load import Ints, Load, pieces
from producers.arrays import ArrayRecord, array_records
from streams.partition import partition_of
from streams.position import Position

CHUNK = 50_000
"""Positions that are looked at together: a batch of each partition holds some 4,000 of them."""
LZ4 = 3
LARGEST_BATCH = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """What is sent at once."""

    batches: dict[int, bytes]
    """Partition → a record batch."""
    records: dict[int, int]
    """Partition → records in it."""
    positions: int


def record_batch(records: Sequence[ArrayRecord]) -> bytes:
    """A record batch of version 2, compressed by lz4, from offset 0: the broker puts in its own."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=LZ4,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=LARGEST_BATCH,
    )
    for offset, record in enumerate(records):
        key = None if record.key is None else record.key.encode()
        builder.append(offset, record.timestamp_ms, key, record.value, [])
    return bytes(builder.build())


def partitions_of(load: Load, partitions: int) -> Ints:
    """The partition of each truck of the fleet."""
    return np.array([partition_of(truck, partitions) for truck in load.fleet.truck_ids], np.int64)


def arrays(load: Load, start: int, stop: int, partitions: int, size: int) -> Iterator[Frame]:
    """Positions start:stop in arrays of `size`; the last one of each partition may be shorter."""
    homes = partitions_of(load, partitions)
    waiting: list[list[Position]] = [[] for _ in range(partitions)]
    for first, last in pieces(stop - start, CHUNK):
        final = start + last == stop
        _gather(load, start + first, start + last, homes, waiting)
        ready: dict[int, list[ArrayRecord]] = {}
        for partition, positions in enumerate(waiting):
            whole = len(positions) if final else len(positions) // size * size
            if whole:
                ready[partition] = [
                    record
                    for at, end in pieces(whole, size)
                    for record in array_records(positions[at:end])
                ]
                del positions[:whole]
        yield _frame(ready)


def singles(load: Load, start: int, stop: int, partitions: int) -> Iterator[Frame]:
    """Positions start:stop, a record each."""
    return paced(load, start, stop, partitions, 1, CHUNK)


def paced(
    load: Load, start: int, stop: int, partitions: int, array: int, step: int
) -> Iterator[Frame]:
    """Positions start:stop in frames of `step` each, every partition's in arrays of about `array`
    and no more than that; 1 = single records."""
    homes = partitions_of(load, partitions)
    for first, last in pieces(stop - start, step):
        waiting: list[list[Position]] = [[] for _ in range(partitions)]
        _gather(load, start + first, start + last, homes, waiting)
        yield _frame(
            {
                partition: [
                    record
                    for at, end in pieces(len(positions), _even(len(positions), array))
                    for record in array_records(positions[at:end])
                ]
                for partition, positions in enumerate(waiting)
                if positions
            }
        )


def _even(count: int, most: int) -> int:
    """The size of pieces of `count`, as few as can be of at most `most`, and much alike."""
    return -(-count // -(-count // most))


def _gather(load: Load, start: int, stop: int, homes: Ints, waiting: list[list[Position]]) -> None:
    """Put positions start:stop behind those that wait for their partition's array."""
    trucks = load.fleet.order[np.arange(start, stop) % len(homes)]
    positions = load.positions(start, stop)
    for home, position in zip(homes[trucks].tolist(), positions, strict=True):
        waiting[home].append(position)


def _frame(ready: dict[int, list[ArrayRecord]]) -> Frame:
    return Frame(
        batches={partition: record_batch(records) for partition, records in ready.items()},
        records={partition: len(records) for partition, records in ready.items()},
        positions=sum(record.positions for records in ready.values() for record in records),
    )
