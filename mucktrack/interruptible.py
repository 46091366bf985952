"""Ends replay and simulation between two positions when a signal comes, never within one.

An exception in the middle of publishing would leave the publisher unsure of what it has sent. So a
signal that comes then is heard when the position is out; at any other time at once. Used by
`mucktrack.replay` and `mucktrack.simulate`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from mucktrack.interrupts import interrupts
from producers.sink import PositionSink
from streams.position import Position


class InterruptibleSink:
    """A `PositionSink` before another; raises KeyboardInterrupt between its calls."""

    def __init__(self, sink: PositionSink) -> None:
        self._sink = sink
        self._busy = False
        self._wanted = False

    def publish(self, position: Position) -> None:
        with self._undisturbed():
            self._sink.publish(position)

    def publish_raw(self, value: bytes, truck_id: str | None, timestamp_ms: int | None) -> None:
        with self._undisturbed():
            self._sink.publish_raw(value, truck_id, timestamp_ms)

    def tick(self, tick_ms: int) -> None:
        with self._undisturbed():
            self._sink.tick(tick_ms)

    def flush(self) -> None:
        with self._undisturbed():
            self._sink.flush()

    def interrupt(self) -> None:
        """What a signal calls."""
        self._wanted = True
        if not self._busy:
            raise KeyboardInterrupt

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
        if self._wanted:
            raise KeyboardInterrupt


@contextmanager
def interruptible(sink: PositionSink) -> Iterator[InterruptibleSink]:
    """While the block lasts, signals are heard by the sink it is given."""
    guarded = InterruptibleSink(sink)
    with interrupts(guarded.interrupt):
        yield guarded
