"""Which partition a truck's positions belong to (design section 3).

Kafka's default partitioner, so that Java, Python and array producers agree. Called by the
publisher, which places arrays; the worker, which rejects what sits in another partition, has the
same compiled (`streams.trucks`). Knows nothing of topics or brokers.
"""

from functools import lru_cache
from typing import Final

SEED: Final = 0x9747B28C
MULTIPLIER: Final = 0x5BD1E995
SHIFT: Final = 24
MASK: Final = 0xFFFFFFFF
REMEMBERED = 1 << 18
"""Trucks whose partition is kept at hand; some 30 MB when full."""


def murmur2(data: bytes) -> int:
    """MurmurHash2 of `data` as an unsigned 32-bit number, as Kafka's clients compute it."""
    length = len(data)
    whole = length & ~3
    h = SEED ^ length
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * MULTIPLIER & MASK
        k = (k ^ k >> SHIFT) * MULTIPLIER & MASK
        h = h * MULTIPLIER & MASK ^ k
    if whole != length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * MULTIPLIER & MASK
    h = (h ^ h >> 13) * MULTIPLIER & MASK
    return h ^ h >> 15


@lru_cache(maxsize=REMEMBERED)
def partition_of(truck_id: str, partitions: int) -> int:
    """The partition, from 0, of a truck among `partitions`; the id is valid Unicode."""
    return (murmur2(truck_id.encode()) & 0x7FFFFFFF) % partitions
