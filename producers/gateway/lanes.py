"""What waits to be written to one partition of one topic, and is put into a batch when its turn
comes.

Called by `producers.gateway.outbox`, which has one lane for each partition. A lane has at most one
batch on its way, so that the order in its partition is that in which things were put. Knows nothing
of Kafka beyond the `Builder` that it is given, and nothing of clocks.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from producers.arrays import ArrayRecord, array_records
from producers.gateway.records import Builder, Record
from streams.position import Position, encode_tick

Done = Callable[[bool], None]
"""Told whether it was delivered; called once, on the event loop."""

ARRAY_SIZE: Final = 500
"""Positions in one record, as the publisher makes them."""
POSITION_BYTES: Final = 512
"""What a position that waits takes in memory, about."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What has been put into one batch."""

    answers: list[Done]
    size_bytes: int
    """As counted when it was put."""


class Lane(ABC):
    """Of one partition."""

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.on_its_way: Batch | None = None
        self.oldest_s = 0.0
        """When what waits longest was put, by the monotonic clock; set by the outbox."""
        self.answers: list[Done] = []
        """Of what waits, in order."""
        self.waiting_bytes = 0

    @property
    def is_ready(self) -> bool:
        """Whether there is a batch to be made."""
        return bool(self.answers) and self.on_its_way is None

    @abstractmethod
    def fill(self, builder: Builder) -> Batch:
        """Put what waits, or as much of it as fits, into the batch."""

    @abstractmethod
    def clear(self) -> Batch:
        """All that waits is given up."""

    def _taken(self, count: int, size_bytes: int) -> Batch:
        batch = Batch(self.answers[:count], size_bytes)
        del self.answers[:count]
        self.waiting_bytes -= size_bytes
        return batch


class PositionLane(Lane):
    """Positions become arrays."""

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(topic, partition)
        self._positions: list[Position] = []
        self._tick_ms: int | None = None

    @property
    def is_ready(self) -> bool:
        return (bool(self.answers) or self._tick_ms is not None) and self.on_its_way is None

    def put(self, position: Position, done: Done) -> int:
        """Its size in memory."""
        self._positions.append(position)
        self.answers.append(done)
        self.waiting_bytes += POSITION_BYTES
        return POSITION_BYTES

    def tick(self, tick_ms: int) -> None:
        """Behind all that waits; nobody is told whether it was delivered."""
        self._tick_ms = tick_ms

    def fill(self, builder: Builder) -> Batch:
        taken = 0
        while taken < len(self._positions):
            before = taken
            for record in array_records(self._positions[taken : taken + ARRAY_SIZE]):
                if not _append_array(builder, record):
                    break
                taken += record.positions
            if taken - before < min(ARRAY_SIZE, len(self._positions) - before):
                break
        del self._positions[:taken]
        if self._tick_ms is not None and not self._positions:
            value = encode_tick(self._tick_ms)
            if builder.append(timestamp=self._tick_ms, key=None, value=value) is not None:
                self._tick_ms = None
        return self._taken(taken, taken * POSITION_BYTES)

    def clear(self) -> Batch:
        self._positions.clear()
        self._tick_ms = None
        return self._taken(len(self.answers), self.waiting_bytes)


def _append_array(builder: Builder, record: ArrayRecord) -> bool:
    key = None if record.key is None else record.key.encode()
    taken = builder.append(timestamp=record.timestamp_ms, key=key, value=record.value)
    return taken is not None


class RecordLane(Lane):
    """Records are written as they are."""

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(topic, partition)
        self._records: list[Record] = []

    def put(self, record: Record, done: Done) -> int:
        """Its size in memory."""
        size_bytes = record.size_bytes
        self._records.append(record)
        self.answers.append(done)
        self.waiting_bytes += size_bytes
        return size_bytes

    def fill(self, builder: Builder) -> Batch:
        taken = size_bytes = 0
        for record in self._records:
            if not record.append_to(builder):
                break
            taken += 1
            size_bytes += record.size_bytes
        del self._records[:taken]
        return self._taken(taken, size_bytes)

    def clear(self) -> Batch:
        self._records.clear()
        return self._taken(len(self.answers), self.waiting_bytes)
