"""One micro-batch of a worker: records in, outputs acknowledged.

`Worker.handle` is what the Faust agent calls with what was fetched: process, then outputs
acknowledged by the broker. The checkpoint, and after it the acknowledgement of the records, follow
beside it (`streams.saving`; the order is that of design section 10). It must not know how
partitions come and go (`streams.intake`) or how outputs travel (`streams.sinks`).
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from faust.types import TP

from streams import topics
from streams.batch import Batch
from streams.consumer import Fetched
from streams.detect import Outcome
from streams.endings import CannotGoOnError
from streams.gate import REASONS, TOO_MANY_TRUCKS
from streams.intake import Intake
from streams.live import LiveView
from streams.loaded import Loaded
from streams.logs import get_log
from streams.metrics import Metrics
from streams.output import ce_headers, encode
from streams.position import Element, decode_record
from streams.record import Record
from streams.rejects import reject_outputs
from streams.sinks import Output, Outputs
from streams.state import NEVER

log = get_log(__name__)

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
    records: list[Record] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    """Where the elements of each record begin in `batch`."""
    batch: Batch = field(default_factory=Batch)
    decoded: dict[int, list[Element]] = field(default_factory=dict)
    """The elements of those records, by number, that no compiled code could read."""
    newest_ms: int = NEVER
    """The timestamp of the last record."""

    def take(self, record: Record) -> int:
        """Add a record; how many elements it holds."""
        start = len(self.batch)
        self.newest_ms = _timestamp_ms(record.timestamp)
        decoded = self.batch.read(record.value, self.newest_ms)
        if decoded is not None:
            self.decoded[len(self.records)] = decoded
        self.records.append(record)
        self.starts.append(start)
        return len(self.batch) - start

    def elements_of(self, number: int) -> list[Element]:
        """Those of the record with this number."""
        return self.decoded.get(number) or decode_record(self.records[number].value)


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

    async def handle(self, fetched: Sequence[Fetched], generation: int) -> None:
        """Work through the records of `fetched`, in pieces of bounded size.

        They are left alone unless their partition is loaded, they were read in this loading's turn
        and belong to `generation` (the app's present one); their offsets follow each other. Waits
        while checkpoints cannot be saved. Raises only because of a bug, and `OffsetGapError`:
        nothing is acknowledged or saved from then on.
        """
        waiting = [(one, record) for one in reversed(fetched) for record in reversed(one.records)]
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

    def _take(self, waiting: list[tuple[Fetched, Record]], generation: int) -> dict[TP, Part]:
        """Read from the end of `waiting` until there is enough."""
        parts: dict[TP, Part] = {}
        taken = taken_bytes = 0
        while waiting and taken < MAX_ELEMENTS and taken_bytes < MAX_BYTES:
            fetched, record = waiting.pop()
            loaded = self._intake.loaded.get(fetched.tp)
            if loaded is None or fetched.turn != loaded.turn or fetched.generation != generation:
                continue
            if record.offset != loaded.next_offset:
                self._intake.broken = True
                raise OffsetGapError(_gap(record, loaded))
            loaded.next_offset += 1
            part = parts.get(fetched.tp)
            if part is None:
                part = parts[fetched.tp] = Part(loaded)
            taken += part.take(record)
            taken_bytes += len(record.value or b"")
        return parts

    async def _work(self, parts: dict[TP, Part], started: float) -> None:
        outputs: list[Output] = []
        outcomes: list[Outcome] = []
        tallies = self._metrics.tallies()
        for part in parts.values():
            engine = self._intake.engine_of(part.loaded)
            outcome = engine.process_batch(part.batch)
            outcomes.append(outcome)
            tallies.add(*outcome.judged, time.time_ns() // 1_000_000)
            outputs += self._outputs_of(part, outcome)
            self._live.note(engine, outcome)
            await asyncio.sleep(0)
        judged = time.perf_counter()
        self._metrics.detect_seconds.observe(judged - started)
        await self._outputs.send(outputs)
        queued = time.perf_counter()
        self._metrics.batch_seconds.observe(queued - started)
        self._metrics.note_tallies(tallies, queued - judged)
        self._count(parts, outcomes)
        if log.tells_debug:
            _tell(outcomes)

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
                self._topics.rejected,
                part.records,
                part.starts,
                part.elements_of,
                outcome.rejected,
            )
        return outputs

    def _count(self, parts: dict[TP, Part], outcomes: list[Outcome]) -> None:
        metrics, now_s = self._metrics, time.time()
        for (tp, part), outcome in zip(parts.items(), outcomes, strict=True):
            metrics.note_violations(outcome.violations, now_s)
            metrics.note_trips(outcome.trips)
            if outcome.rejected and TOO_MANY_TRUCKS in outcome.judged.codes:
                self._say_full(tp, part.loaded)
            part.loaded.newest_ms = part.newest_ms
            if self._intake.loaded.get(tp) is part.loaded:
                metrics.note_trucks(tp.partition, len(part.loaded.engine.trucks))
                metrics.note_progress(
                    tp.partition, part.loaded.next_offset, part.loaded.engine.highest_ms
                )
        newest_ms = max(part.newest_ms for part in parts.values())
        if newest_ms != NEVER:
            metrics.note_newest_record(newest_ms)

    def _say_full(self, tp: TP, loaded: Loaded) -> None:
        if tp not in self._full:
            self._full.add(tp)
            log.warning(
                "trucks_full",
                topic=tp.topic,
                partition=tp.partition,
                trucks=len(loaded.engine.trucks),
                reason=REASONS[TOO_MANY_TRUCKS],
            )


def _tell(outcomes: list[Outcome]) -> None:
    """For whoever looks for a fault: at the rate of a nation nobody could read it."""
    for outcome in outcomes:
        for violation in outcome.violations:
            log.debug(
                "violation_queued",
                truck_id=violation.truck_id,
                violation_id=violation.violation_id,
                rule=violation.rule,
                phase=violation.phase,
            )


def _gap(record: Record, loaded: Loaded) -> str:
    """In one turn, offsets follow each other from where it began."""
    where = f"{record.topic} partition {record.partition}: offset {record.offset} came"
    if record.offset < loaded.next_offset:
        return (
            f"{where}, but the checkpoint goes on at {loaded.next_offset}: the log ends before it, "
            "so the topic is not the one it was made of; delete the checkpoints "
            "(mucktrack:checkpoint:* in Redis) to start at the log's start"
        )
    return (
        f"{where} where {loaded.next_offset} was expected; records are missing (the topic must be "
        "neither compacted nor written to in transactions)"
    )


def _timestamp_ms(timestamp_ms: int | None) -> int:
    """Whatever a producer has made of it. Without one no time is in the future."""
    if timestamp_ms is None or timestamp_ms < 0:
        return NEVER
    return min(timestamp_ms, NEVER)
