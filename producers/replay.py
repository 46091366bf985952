"""Files of positions played into the topic again, in the order in which they lie in the files.

Called by `mucktrack replay`. Ticks are mixed in every 30 s of event time, and one ends the replay,
so that a worker's watermark comes as far as `detect`'s does (design sections 3 and 5). Event time
is that of fixes, which the engine tells where the city is known. Knows nothing of Kafka: it writes
into a `PositionSink`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from producers.arrival import arrival_ms
from producers.chunk import Chunk
from producers.exports.reading import AS_OURS, Reading
from producers.files import check_file, open_positions
from producers.hints import watched
from producers.pace import Pace
from producers.sink import PositionSink
from producers.ticks import TICK_MS, is_plausible, watermark_delay_ms
from streams.detect import Engine, PreparedCity
from streams.position import Malformed, Position, decode_record


@dataclass(slots=True)
class Replayed:
    """What has been published."""

    positions: int = 0
    malformed: int = 0
    ticks: int = 0
    behind: int = 0
    """Positions more than the watermark's delay behind the highest time before them: of these a
    worker may judge silence otherwise than `detect` does."""


def replay(
    paths: Sequence[Path],
    sink: PositionSink,
    speed: float | None,
    progress: Callable[[Path, int, Replayed], None] | None = None,
    *,
    city: PreparedCity | None = None,
    reading: Reading = AS_OURS,
    hint: Callable[[str], None] | None = None,
) -> Replayed:
    """Publish the positions of the files, one file after another, and wait until all has arrived.

    `speed` 1 keeps the pace at which they were received (`received_ms`, else `time_ms`), N is N
    times as fast, None as fast as it goes. `progress` is told the file, the bytes read of it and
    the counts. `city` is the worker's: its quality gate tells which positions move event time, and
    the last tick takes its `watermark_delay_s` into account. Without one every plausible position
    moves it, impossible jumps too, and the delay is the default. `reading` is how the files are
    to be read; `hint` is told what is odd about one. Raises `InputFileError` (before anything is
    published, where it can be known by then) and what the sink raises.
    """
    for path in paths:
        check_file(path, reading)
    run = _Replay(sink, Pace(speed) if speed else None, city)
    for path in paths:
        chunks = open_positions(path, reading)
        if hint is not None:
            chunks = watched(path, chunks, reading.columns, hint)
        for chunk in chunks:
            run.play(chunk)
            if progress is not None:
                progress(path, chunk.bytes_read, run.done)
    run.finish()
    return run.done


class _Replay:
    def __init__(self, sink: PositionSink, pace: Pace | None, city: PreparedCity | None) -> None:
        self.done = Replayed()
        self._sink = sink
        self._pace = pace
        self._engine = Engine.offline(city) if city else None
        self._delay_ms = watermark_delay_ms(city.thresholds if city else None)
        self._highest_ms: int | None = None
        """Of the times that move event time."""
        self._next_tick_ms = 0
        self._arrived_ms: int | None = None

    def play(self, chunk: Chunk) -> None:
        moves = self._moves(chunk.elements)
        for index, element in enumerate(chunk.elements):
            if isinstance(element, Malformed):
                value = unreadable(chunk.raw(index))
                self._sink.publish_raw(value, element.truck_id, self._arrived_ms)
                self.done.malformed += 1
            else:
                self._play_position(element, moves[index])

    def _moves(self, elements: Sequence[Position | Malformed]) -> list[bool]:
        """For each, whether it moves event time."""
        if self._engine is None:
            return [isinstance(one, Position) and is_plausible(one) for one in elements]
        moves = [True] * len(elements)
        for index, _ in self._engine.process(elements).rejected:
            moves[index] = False
        return moves

    def _play_position(self, position: Position, moves: bool) -> None:
        arrived_ms = arrival_ms(position)
        if moves:
            self._arrived_ms = arrived_ms
            if self._pace is not None:
                self._pace.wait_until(arrived_ms)
        if math.isfinite(position.lon) and math.isfinite(position.lat):
            self._sink.publish(position)
        else:
            self._sink.publish_raw(_with_infinity(position), position.truck_id, arrived_ms)
        self.done.positions += 1
        if moves:
            self._advance(position.time_ms)

    def _advance(self, time_ms: int) -> None:
        if self._highest_ms is None:
            self._highest_ms = time_ms
            self._next_tick_ms = time_ms + TICK_MS
        if time_ms < self._highest_ms - self._delay_ms:
            self.done.behind += 1
        elif time_ms > self._highest_ms:
            self._highest_ms = time_ms
            if time_ms >= self._next_tick_ms:
                self._tick(time_ms)
                self._next_tick_ms = time_ms + TICK_MS

    def _tick(self, tick_ms: int) -> None:
        self._sink.tick(tick_ms)
        self.done.ticks += 1

    def finish(self) -> None:
        """The last tick brings the watermark to the highest time, as the end of files does."""
        if self._highest_ms is not None:
            self._tick(self._highest_ms + self._delay_ms)
        self._sink.flush()


def unreadable(line: bytes) -> bytes:
    """`line`, of which a file reader could make no position, so that a worker can't either.

    A line that holds an array or a tick is right in a topic and wrong in a file: it becomes text.
    """
    elements = decode_record(line)
    if len(elements) == 1 and isinstance(elements[0], Malformed):
        return line
    return msgspec.json.encode(line.decode(errors="backslashreplace"))


def _with_infinity(position: Position) -> bytes:
    """The JSON of a position whose coordinates are no finite numbers, which JSON lacks: 1e999 is
    read as infinity, and so the quality gate tells the same as it does of the file."""
    fields = msgspec.to_builtins(position)
    for name in ("lon", "lat"):
        if not math.isfinite(fields[name]):
            fields[name] = msgspec.Raw(b"1e999")
    return msgspec.json.encode(fields)
