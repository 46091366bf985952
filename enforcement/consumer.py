"""From the violations' topic into the database: every record becomes part of a case, exactly once.

Run in a thread of the enforcement process (`mucktrack.console`). How far each partition has been
read stands in the database and is written in the same transaction as what was made of it, so that
after a crash it goes on where that ends; Kafka is told nothing. A record that cannot be read is
noted in the audit trail and keeps nobody from the next. Kafka or the database away: it waits.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from sqlalchemy import select

from enforcement.audit import SYSTEM, Entry, append
from enforcement.database import Database, DatabaseAwayError
from enforcement.intake import Arrival, Taken, take
from enforcement.queued import NoViolationError, decode_queued
from enforcement.rulebook import Rulebook
from enforcement.tables import ConsumedRow
from streams.access import KafkaAccess
from streams.health import Health
from streams.logs import get_log
from streams.pauses import Pauses
from streams.shown import shown
from streams.topics import VIOLATIONS

log = get_log(__name__)

POLL_S: Final = 0.2
MOST_RECORDS: Final = 500
"""In one transaction."""
LOOK_S: Final = 30.0
"""How often is looked for partitions that have been added."""
QUIET_S: Final = 5.0
"""After this long without a record Kafka is asked whether it is there."""
ANSWER_MS: Final = 2_000
CONNECT_MS: Final = 5_000
LONGEST: Final = 200


@dataclass(slots=True)
class Counts:
    """What the consumer has done since it was started."""

    events: int = 0
    repeated: int = 0
    cases: int = 0
    unreadable: int = 0
    next_offsets: dict[int, int] = field(default_factory=dict)
    lag: dict[int, int] = field(default_factory=dict)
    """By partition: records on the broker that have not been read."""


class Consumer:
    """Reads until it is told to stop."""

    def __init__(
        self,
        kafka: KafkaAccess,
        database: Database,
        health: Health,
        now_ms: Callable[[], int],
        rulebook: Rulebook,
        *,
        changed: Callable[[], None] = lambda: None,
        note_stamps: Callable[[Sequence[int]], None] = lambda _stamps_ms: None,
    ) -> None:
        """Both are called in the consumer's thread: `changed` after each transaction that brought
        something new, `note_stamps` after each, with the timestamps of its records."""
        self._kafka = kafka
        self._database = database
        self._health = health
        self._now_ms = now_ms
        self._rulebook = rulebook
        self._changed = changed
        self._note_stamps = note_stamps
        self._waits = health.waits()
        self._pauses = Pauses()
        self.counts = Counts()

    def run(self, stop: Event) -> None:
        """Until `stop` is set. Raises what is a bug, and `DatabaseError` where waiting does not
        help."""
        while not stop.is_set():
            try:
                self._read_on(stop)
            except KafkaError as error:
                self._waits.begin("kafka", "violations", after_s=0.0)
                log.warning(
                    "kafka_away", kafka=self._kafka, purpose="to read violations", error=error
                )
            except DatabaseAwayError as error:
                self._waits.begin("database", "to write cases", after_s=0.0)
                log.warning("database_away", purpose="to write cases", error=error)
            stop.wait(self._pauses.next_s())
        self._waits.end()

    def _read_on(self, stop: Event) -> None:
        consumer: Any = KafkaConsumer(
            **self._kafka.client_options(),
            client_id="mucktrack-enforcement",
            group_id=None,
            enable_auto_commit=False,
            # Violations that come again are known by their ids: too much is never too much.
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=CONNECT_MS,
            max_poll_records=MOST_RECORDS,
            fetch_max_wait_ms=100,
            metrics_enabled=False,
        )
        try:
            look_s, heard_s = 0.0, time.monotonic()
            while not stop.is_set():
                self._health.beat()
                if time.monotonic() >= look_s:
                    self._assign(consumer)
                    look_s = time.monotonic() + LOOK_S
                polled = consumer.poll(timeout_ms=round(POLL_S * 1000))
                if polled:
                    self._take(consumer, polled)
                    heard_s = time.monotonic()
                elif time.monotonic() - heard_s >= QUIET_S:
                    # Reading alone does not tell an outage from a quiet night.
                    tps = list(consumer.assignment())[:1]
                    consumer.beginning_offsets(tps, timeout_ms=ANSWER_MS)
                    heard_s = time.monotonic()
                self._note_lag(consumer)
                self._waits.end()
                self._pauses = Pauses()
        finally:
            consumer.close()

    def _assign(self, consumer: Any) -> None:
        """All partitions; the new ones from where the database says."""
        numbers = consumer.partitions_for_topic(VIOLATIONS)
        if not numbers:
            raise KafkaError(f"there is no topic {VIOLATIONS}")
        known = consumer.assignment()
        wanted = {TopicPartition(VIOLATIONS, number) for number in numbers}
        if wanted == known:
            return
        consumer.assign(sorted(wanted))
        next_offsets = self.next_offsets()
        begins = consumer.beginning_offsets(list(wanted))
        self.note_missed(next_offsets, {tp.partition: begins[tp] for tp in wanted})
        for tp in wanted:
            consumer.seek(tp, max(next_offsets.get(tp.partition, 0), begins[tp]))

    def next_offsets(self) -> dict[int, int]:
        """By partition: where the database says to go on."""
        with self._database.read() as session:
            rows = session.scalars(select(ConsumedRow).where(ConsumedRow.topic == VIOLATIONS))
            return {row.partition: row.next_offset for row in rows}

    def note_missed(self, next_offsets: Mapping[int, int], begins: Mapping[int, int]) -> None:
        """What Kafka has deleted before it was read cannot be had, and is said, once."""
        missed = [
            (partition, next_offset, begins[partition])
            for partition, next_offset in sorted(next_offsets.items())
            if next_offset < begins.get(partition, next_offset)
        ]
        if not missed:
            return
        now_ms = self._now_ms()
        with self._database.change() as (session, head):
            for partition, next_offset, begin in missed:
                details = {"partition": partition, "from": next_offset, "to": begin - 1}
                log.error(
                    "records_missed",
                    topic=VIOLATIONS,
                    partition=partition,
                    from_offset=next_offset,
                    to_offset=begin - 1,
                )
                append(session, head, Entry(now_ms, SYSTEM, "missed", details=details))
                session.merge(ConsumedRow(topic=VIOLATIONS, partition=partition, next_offset=begin))

    def _take(self, consumer: Any, polled: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """One transaction: what became of the records, and that they have been read."""
        now_ms = self._now_ms()
        arrivals, unreadable = _decode([record for found in polled.values() for record in found])
        next_offsets = {tp: found[-1].offset + 1 for tp, found in polled.items()}
        try:
            with self._database.change() as (session, head):
                taken = take(session, head, arrivals, now_ms, self._rulebook)
                for details in unreadable:
                    append(session, head, Entry(now_ms, SYSTEM, "unreadable", details=details))
                for tp, offset in next_offsets.items():
                    session.merge(
                        ConsumedRow(topic=tp.topic, partition=tp.partition, next_offset=offset)
                    )
        except BaseException:
            for tp, found in polled.items():
                consumer.seek(tp, found[0].offset)
            raise
        self._count(next_offsets, taken, len(unreadable))
        stamps_ms = [record.timestamp for found in polled.values() for record in found]
        self._note_stamps([stamp for stamp in stamps_ms if stamp is not None and stamp >= 0])

    def _count(
        self, next_offsets: Mapping[TopicPartition, int], taken: Taken, unreadable: int
    ) -> None:
        counts = self.counts
        counts.events += taken.new_events
        counts.repeated += taken.repeated
        counts.cases += taken.new_cases
        counts.unreadable += unreadable
        counts.next_offsets |= {tp.partition: offset for tp, offset in next_offsets.items()}
        if taken.new_events:
            self._changed()

    def _note_lag(self, consumer: Any) -> None:
        """How far the log goes, which fetches alone tell rightly on every broker."""
        for tp in consumer.assignment():
            end = consumer.highwater(tp)
            if end is None:
                continue
            position = consumer.position(tp)
            if end < position:
                log.warning("log_replaced", topic=tp.topic, partition=tp.partition)
                consumer.seek_to_beginning(tp)
            self.counts.lag[tp.partition] = max(end - position, 0)


def _decode(records: Sequence[Any]) -> tuple[list[Arrival], list[dict[str, Any]]]:
    arrivals, unreadable = [], []
    for record in records:
        try:
            violation = decode_queued(record.value)
            text = str(record.value, "utf-8")
            arrivals.append(Arrival(violation, text, record.partition, record.offset))
        except NoViolationError as error:
            where = {"partition": record.partition, "offset": record.offset}
            log.error(
                "record_unreadable",
                topic=VIOLATIONS,
                partition=record.partition,
                offset=record.offset,
                error=error,
            )
            unreadable.append({**where, "error": shown(str(error), LONGEST)})
    return arrivals, unreadable
