"""Positions as the values of records: arrays, each within what a record may hold.

Used by the publisher and by the gateway's outbox. Pure; knows nothing of Kafka's clients.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from producers.arrival import arrival_ms
from streams.elements import original
from streams.logs import get_log
from streams.position import Position, encode_array, encode_position

log = get_log(__name__)

MAX_RECORD_BYTES: Final = 900_000
"""Brokers take batches of a million bytes unless told otherwise."""


@dataclass(frozen=True, slots=True)
class ArrayRecord:
    """One record of `gps.positions`."""

    value: bytes
    key: str | None
    """The truck, where it is the only position."""
    timestamp_ms: int
    """The highest arrival (`producers.arrival`) of its positions."""
    positions: int


def array_records(positions: list[Position]) -> Iterator[ArrayRecord]:
    """All of `positions`, in order, in one record or, where they are too long for one, several."""
    alone = len(positions) == 1
    value = encode_position(positions[0]) if alone else encode_array(positions)
    if len(value) > MAX_RECORD_BYTES and not alone:
        middle = len(positions) // 2
        yield from array_records(positions[:middle])
        yield from array_records(positions[middle:])
        return
    if len(value) > MAX_RECORD_BYTES:
        log.warning("position_cut", length_bytes=len(value))
        value = cut(value)
    stamp = max(arrival_ms(position) for position in positions)
    yield ArrayRecord(value, positions[0].truck_id if alone else None, stamp, len(positions))


def cut(value: bytes) -> bytes:
    """The beginning of what is too long for a record, and its length, as JSON."""
    return msgspec.json.encode(original(value))
