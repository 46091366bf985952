"""When a position arrived: the time a record of it is stamped with, and at which replay sends it.

Used by the publisher and by replay. Pure.
"""

from streams.position import MAX_TIME_MS, MIN_TIME_MS, Position


def arrival_ms(position: Position) -> int:
    """`received_ms`, or `time_ms` where it has none or none that can be a time: unlike `time_ms`,
    it is whatever the producer wrote."""
    received_ms = position.received_ms
    if received_ms is None or not MIN_TIME_MS <= received_ms <= MAX_TIME_MS:
        return position.time_ms
    return received_ms
