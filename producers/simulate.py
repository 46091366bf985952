"""Runs a simulated fleet into a sink, in step with the clock or as fast as it goes.

Called by `mucktrack simulate`. Record timestamps are event times and `received_ms` is null, so that
a fleet whose time runs faster than the clock is not taken for one that reports from the future.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from geofences.city import City
from producers.fleet import Fleet, SimulationError
from producers.labels import Label, write_label
from producers.pace import Pace
from producers.sink import PositionSink
from producers.terrain import Terrain
from producers.ticks import TICK_MS, watermark_delay_ms
from streams.position import Position, encode_position
from streams.thresholds import resolve

HOUR_MS = 3_600_000
SINCE = timedelta(hours=36)
"""A fleet starts so long ago at least, so that its time, when it runs faster than the clock, stays
in the past for a while."""
EVENING = timedelta(hours=21, minutes=30)
FILE_DAY = datetime(2026, 4, 1)
"""For files: the same command makes the same file."""


@dataclass(slots=True)
class Simulated:
    """What a run has brought forth so far."""

    positions: int = 0
    labels: int = 0
    ticks: int = 0
    time_ms: int = 0
    """Event time."""


class Simulation:
    """One run of a fleet. `labels` gets a line for each offence when it is over."""

    def __init__(self, fleet: Fleet, sink: PositionSink, labels: BinaryIO | None = None) -> None:
        self.done = Simulated()
        self._fleet, self._sink, self._labels = fleet, sink, labels
        self._delay_ms = watermark_delay_ms(resolve(fleet.city)[0])

    def run(self, *, speed: float | None, until_ms: int | None = None) -> Simulated:
        """Simulate up to `until_ms` (None: until an exception, such as KeyboardInterrupt, ends
        it), `speed` times as fast as the clock (None: as fast as it goes). However it ends,
        offences under way are labelled as such. Raises what the sink raises."""
        try:
            self._run(Pace(speed) if speed else None, until_ms)
        finally:
            for label in self._fleet.unfinished(self.done.time_ms):
                self._write(label)
            if self._labels is not None:
                self._labels.flush()
        return self.done

    def _run(self, pace: Pace | None, until_ms: int | None) -> None:
        done, next_tick_ms = self.done, 0
        for event in self._fleet.events():
            if isinstance(event, Label):
                self._write(event)
                continue
            time_ms = event.time_ms
            if until_ms is not None and time_ms > until_ms:
                break
            if pace is not None:
                pace.wait_until(time_ms)
            if time_ms >= next_tick_ms:
                self._tick(time_ms)
                next_tick_ms = time_ms + TICK_MS
            self._sink.publish(event)
            done.positions += 1
            # What was stored comes later than what is new.
            done.time_ms = max(done.time_ms, time_ms)
        self.bring_in(self._sink)

    def bring_in(self, sink: PositionSink) -> None:
        """Bring the watermark as far as the positions and wait until all has arrived: the end of a
        run, and what is left to do where KeyboardInterrupt has ended it. Raises what `sink` raises.
        """
        if self.done.positions:
            sink.tick(self.done.time_ms + self._delay_ms)
            self.done.ticks += 1
        sink.flush()

    def _tick(self, tick_ms: int) -> None:
        self._sink.tick(tick_ms)
        self.done.ticks += 1

    def _write(self, label: Label) -> None:
        if self._labels is not None:
            self._labels.write(write_label(label))
        self.done.labels += 1


class FileSink:
    """A `PositionSink` that writes positions as JSON lines; files hold no ticks."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def publish(self, position: Position) -> None:
        self._file.write(encode_position(position) + b"\n")

    def publish_raw(self, value: bytes, truck_id: str | None, timestamp_ms: int | None) -> None:
        self._file.write(value.replace(b"\n", b" ") + b"\n")

    def tick(self, tick_ms: int) -> None:
        """Nothing: offline, event time comes to its end with the file."""

    def flush(self) -> None:
        self._file.flush()


def simulate_to_files(
    fleet: Fleet, positions: Path, labels: Path | None, start_ms: int, hours: float
) -> Simulated:
    """Write `hours` of a fleet that begins at `start_ms` into files, as fast as it goes. Raises
    `SimulationError` where a file can't be written."""
    try:
        with ExitStack() as files:
            out = files.enter_context(positions.open("wb"))
            side = files.enter_context(labels.open("wb")) if labels else None
            return Simulation(fleet, FileSink(out), side).run(
                speed=None, until_ms=start_ms + round(hours * HOUR_MS)
            )
    except OSError as error:
        name = error.filename or positions
        raise SimulationError(f"{name}: cannot be written: {error.strerror}") from None


def live_start_ms(city: City, now_ms: int) -> int:
    """When a live fleet begins: on an evening in the past, or at the hour of that day at which
    most permits hold."""
    terrain = Terrain(city)
    day = (terrain.local(now_ms) - SINCE - EVENING).replace(hour=0, minute=0, second=0)
    return terrain.epoch_ms(_busiest(city, day.replace(microsecond=0)))


def file_start_ms(city: City) -> int:
    """The same as `live_start_ms`, on a day that is always the same."""
    return Terrain(city).epoch_ms(_busiest(city, FILE_DAY))


def _busiest(city: City, day: datetime) -> datetime:
    moments = [day + EVENING - timedelta(hours=hours) for hours in range(22)]

    def holding(moment: datetime) -> int:
        later = moment + timedelta(hours=3)
        return sum(
            permit.validity.holds(moment) and permit.validity.holds(later)
            for permit in city.permits
        )

    return max(moments, key=holding)
