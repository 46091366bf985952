"""One micro-batch of a worker: records in, outputs acknowledged.

`Worker.handle` is what the Faust agent calls with what it took: process, then outputs acknowledged
by the broker. The checkpoint, and after it the acknowledgement of the records, follow beside it
(`streams.saving`; the order is that of design section 10). It must not know how partitions come and
go (`streams.intake`) or how outputs travel (`streams.sinks`).
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from faust.types import TP, EventT

from streams import topics
from streams.batch import Batch
from streams.checkpoint import CannotGoOnError
from streams.detect import Outcome
from streams.gate import REASONS, TOO_MANY_TRUCKS
from streams.intake import Intake
from streams.live import LiveView
from streams.loaded import Loaded
from streams.metrics import FIX, Metrics
from streams.output import ce_headers, encode
from streams.passage import TICK
from streams.position import Element, decode_record
from streams.rejects import reject_outputs
from streams.sinks import Output, Outputs
from streams.state import NEVER

log = logging.getLogger(__name__)

MAX_ELEMENTS = 20_000
"""Taken at once: some 50 ms of work, after which others get their turn, and the outputs of it fit
in memory however bad the data."""

MAX_BYTES = 16 * 1024 * 1024
"""Of records taken at once, however few elements they hold: a position may hold texts of any
length, and a single character beyond U+FFFF makes a text four times as large in memory."""


class OffsetGapError(CannotGoOnError):
    """A record is missing between the one taken last and this one."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Where a worker reads and writes."""

    positions: str = topics.POSITIONS
    rejected: str = topics.REJECTED
    violations: str = topics.VIOLATIONS
    trips: str = topics.TRIPS


@dataclass(slots=True)
class Part:
    """What a micro-batch holds of one partition."""

    loaded: Loaded
    events: list[EventT] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """Where the elements of each event begin in `batch`."""
    batch: Batch = field(default_factory=Batch)
    decoded: dict[int, list[Element]] = field(default_factory=dict)
    """The elements of those events, by number, that no compiled code could read."""
    newest_ms: int = NEVER
    """The timestamp of the last record."""

    def take(self, event: EventT) -> int:
        """Add a record; how many elements it holds."""
        message = event.message
        start = len(self.batch)
        self.newest_ms = _timestamp_ms(message.timestamp)
        decoded = self.batch.read(message.value, self.newest_ms)
        if decoded is not None:
            self.decoded[len(self.events)] = decoded
        self.events.append(event)
        self.starts.append(start)
        return len(self.batch) - start

    def elements_of(self, number: int) -> list[Element]:
        """Those of the event with this number."""
        return self.decoded.get(number) or decode_record(self.events[number].message.value)


class Worker:
    """Takes micro-batches, one at a time."""

    def __init__(
        self, topics: Topics, intake: Intake, outputs: Outputs, live: LiveView, metrics: Metrics
    ) -> None:
        self._topics = topics
        self._intake = intake
        self._outputs = outputs
        self._live = live
        self._metrics = metrics
        self._full: set[TP] = set()
        """Partitions of which it has been said that they remember no more trucks."""

    async def handle(self, events: Sequence[EventT], generation: int) -> None:
        """Work through `events`, in pieces of bounded size.

        An event is left alone unless its partition is loaded, it was read in this loading's turn,
        it belongs to `generation` (the app's present one) and its offset is the next one. Waits
        while checkpoints cannot be saved. Raises only because of a bug, and `OffsetGapError`:
        nothing is acknowledged or saved from then on.
        """
        waiting = list(reversed(events))
        while waiting:
            await self._intake.until_it_can_be_kept()
            async with self._intake.lock:
                started = time.perf_counter()
                try:
                    parts = self._take(waiting, generation)
                    if parts:
                        await self._work(parts, started)
                except BaseException:
                    # Cancelled or a bug: offsets and engines are ahead of what has been written.
                    self._intake.broken = True
                    raise
                if not parts:
                    return

    def _take(self, waiting: list[EventT], generation: int) -> dict[TP, Part]:
        """Read from the end of `waiting` until there is enough."""
        parts: dict[TP, Part] = {}
        taken = taken_bytes = 0
        while waiting and taken < MAX_ELEMENTS and taken_bytes < MAX_BYTES:
            event = waiting.pop()
            message = event.message
            loaded = self._intake.loaded.get(message.tp)
            if loaded is None or message.turn != loaded.turn or message.generation_id != generation:
                continue
            if message.offset != loaded.next_offset:
                self._intake.broken = True
                raise OffsetGapError(_gap(message, loaded))
            loaded.next_offset += 1
            part = parts.get(message.tp)
            if part is None:
                part = parts[message.tp] = Part(loaded)
            taken += part.take(event)
            taken_bytes += len(message.value or b"")
        return parts

    async def _work(self, parts: dict[TP, Part], started: float) -> None:
        outputs: list[Output] = []
        outcomes: list[Outcome] = []
        for part in parts.values():
            engine = self._intake.engine_of(part.loaded)
            outcome = engine.process_batch(part.batch)
            outcomes.append(outcome)
            outputs += self._outputs_of(part, outcome)
            self._live.note(engine, outcome)
            await asyncio.sleep(0)
        self._metrics.detect_seconds.observe(time.perf_counter() - started)
        await self._outputs.send(outputs)
        self._metrics.batch_seconds.observe(time.perf_counter() - started)
        self._count(parts, outcomes)

    def _outputs_of(self, part: Part, outcome: Outcome) -> list[Output]:
        outputs = [
            Output(
                self._topics.violations,
                encode(violation),
                violation.truck_id.encode(),
                ce_headers(violation),
            )
            for violation in outcome.violations
        ]
        outputs += [
            Output(self._topics.trips, encode(trip), trip.truck_id.encode())
            for trip in outcome.trips
        ]
        if outcome.rejected:
            outputs += reject_outputs(
                self._topics.rejected, part.events, part.starts, part.elements_of, outcome.rejected
            )
        return outputs

    def _count(self, parts: dict[TP, Part], outcomes: list[Outcome]) -> None:
        metrics = self._metrics
        for (tp, part), outcome in zip(parts.items(), outcomes, strict=True):
            rows, codes = outcome.judged
            metrics.ticks.inc(int(np.count_nonzero(rows.truck == TICK)))
            metrics.positions.labels(FIX).inc(outcome.fixes)
            counts = np.bincount(codes, minlength=len(REASONS))
            for code in np.flatnonzero(counts[1:]) + 1:
                metrics.positions.labels(REASONS[code]).inc(int(counts[code]))
            if counts[TOO_MANY_TRUCKS]:
                self._say_full(tp, part.loaded)
            for violation in outcome.violations:
                metrics.violations.labels(violation.rule, violation.phase).inc()
            metrics.trips.inc(len(outcome.trips))
            if self._intake.loaded.get(tp) is part.loaded:
                metrics.note_trucks(tp.partition, len(part.loaded.engine.trucks))
                metrics.note_progress(
                    tp.partition, part.loaded.next_offset, part.loaded.engine.highest_ms
                )
        newest_ms = max(part.newest_ms for part in parts.values())
        if newest_ms != NEVER:
            metrics.record_age_seconds.observe(max(0.0, time.time() - newest_ms / 1000))

    def _say_full(self, tp: TP, loaded: Loaded) -> None:
        if tp not in self._full:
            self._full.add(tp)
            log.warning(
                "%s partition %d remembers %d trucks, the limit; positions of other trucks are "
                "rejected as %s until MUCKTRACK_TRUCKS_A_PARTITION is raised",
                tp.topic,
                tp.partition,
                len(loaded.engine.trucks),
                REASONS[TOO_MANY_TRUCKS],
            )


def _gap(message: Any, loaded: Loaded) -> str:
    """In one turn, offsets follow each other from where it began."""
    where = f"{message.topic} partition {message.partition}: offset {message.offset} came"
    if message.offset < loaded.next_offset:
        return (
            f"{where}, but the checkpoint goes on at {loaded.next_offset}: the log ends before it, "
            "so the topic is not the one it was made of; delete the checkpoints "
            "(mucktrack:checkpoint:* in Redis) to start at the log's start"
        )
    return (
        f"{where} where {loaded.next_offset} was expected; records are missing (the topic must be "
        "neither compacted nor written to in transactions)"
    )


def _timestamp_ms(timestamp_s: float | None) -> int:
    """Faust gives the record's timestamp in seconds, whatever a producer has made of it. Without
    one no time is in the future."""
    if timestamp_s is None or timestamp_s < 0:
        return NEVER
    return min(round(timestamp_s * 1000), NEVER)
