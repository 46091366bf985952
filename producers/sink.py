"""What replay and simulator write into: the publisher, or a file.

It says what they need of it and knows neither Kafka nor files.
"""

from typing import Protocol

from streams.position import Position


class PositionSink(Protocol):
    """Takes positions in arrival order; the order of each truck's positions is kept."""

    def publish(self, position: Position) -> None:
        """One position."""

    def publish_raw(self, value: bytes, truck_id: str | None, timestamp_ms: int | None) -> None:
        """A record's value as it is: what could not be read as a position. `timestamp_ms`: the
        record's (Unix epoch ms); None = the time at which it is written."""

    def tick(self, tick_ms: int) -> None:
        """Event time has come to `tick_ms`, in every partition."""

    def flush(self) -> None:
        """Return when everything so far has arrived; raises where something has not."""
