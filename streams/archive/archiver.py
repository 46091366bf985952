"""The archiver: reads all partitions of the positions topic and has each record archived.

`run_archiver` is what `mucktrack archive` calls. It reads alone, without a consumer group: where
each partition goes on is said by the archive (`streams.archive.writer`), not by Kafka.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, LogTruncationError, OffsetOutOfRangeError

from streams import topics
from streams.access import KafkaAccess
from streams.archive.layout import ArchiveError
from streams.archive.metrics import ArchiveMetrics
from streams.archive.table import Record
from streams.archive.writer import ArchiveWriter
from streams.logs import get_log
from streams.pauses import Pauses
from streams.position import Element
from streams.readiness import wait_until_ready

log = get_log(__name__)

POLL_S = 0.5
POLL_RECORDS = 200
"""At a time. Each may be an array of 300 kB."""
FETCH_BYTES = 16 * 1024 * 1024
PARTITION_FETCH_BYTES = 2 * 1024 * 1024
CONNECT_MS = 5_000
QUIET_S = 5.0
"""After this long without a record Kafka is asked whether it is there."""
ANSWER_MS = 2_000
LAST_READ_S = 5.0
"""When told to end, it reads on for as long as there is something, but no longer than this."""


@dataclass(frozen=True, slots=True)
class ArchiverConfig:
    """All an archiver needs to know; `mucktrack.settings` has the defaults."""

    kafka: KafkaAccess
    folder: Path
    partitions: int
    """Of the topic; must be what it has."""
    roll_s: float
    """A file is finished this long after it was begun."""
    keep_days: int
    metrics_host: str
    metrics_port: int
    """0 = a free one."""
    metrics_port_file: Path | None = None
    """Where the port taken is written."""
    topic: str = topics.POSITIONS


def open_writer(config: ArchiverConfig) -> ArchiveWriter:
    """Raises `ArchiveError`, `OSError`."""
    return ArchiveWriter(
        config.folder,
        config.topic,
        config.partitions,
        roll_s=config.roll_s,
        keep_days=config.keep_days,
        today=today,
    )


def today() -> date:
    return datetime.now(UTC).date()


def wait_for_topic(config: ArchiverConfig, metrics: ArchiveMetrics) -> None:
    """Waits while Kafka is away. Raises `streams.readiness.NotReadyError`, and
    `streams.access.AccessRefusedError` where it does not let in."""
    asyncio.run(wait_until_ready(config.kafka, config.topic, config.partitions, (), metrics.health))


def run_archiver(
    config: ArchiverConfig, writer: ArchiveWriter, metrics: ArchiveMetrics, stop: Event
) -> None:
    """Archive until `stop` is set; then all that has been read is in finished files.

    Waits while Kafka is away. Raises `ArchiveError` where the topic does not go on where the
    archive ends, and `OSError` where a file cannot be written; nothing is left half-written then.
    """
    metrics.tell_of_disk(config.folder)
    try:
        archiver = _connect(config, writer, metrics, stop)
        if archiver is not None:
            archiver.run(stop)
        writer.close()
    finally:
        writer.abandon()


def _connect(
    config: ArchiverConfig, writer: ArchiveWriter, metrics: ArchiveMetrics, stop: Event
) -> "_Archiver | None":
    """None where it was told to stop before Kafka answered."""
    pauses = Pauses()
    with metrics.health.waiting("kafka", "to connect", after_s=0.0):
        while not stop.is_set():
            metrics.health.beat()
            try:
                return _Archiver(config, writer, metrics)
            except KafkaError as error:
                log.warning("kafka_away", kafka=config.kafka, purpose="to begin", error=error)
                stop.wait(pauses.next_s())
    return None


class _Archiver:
    def __init__(
        self, config: ArchiverConfig, writer: ArchiveWriter, metrics: ArchiveMetrics
    ) -> None:
        """Raises `KafkaError` where Kafka is away, and `ArchiveError`."""
        self._config = config
        self._writer = writer
        self._metrics = metrics
        self._away = False
        self._waits = metrics.health.waits()
        self._heard_s = time.monotonic()
        """When Kafka was last known to be there."""
        self._partitions = [
            TopicPartition(config.topic, number) for number in range(config.partitions)
        ]
        self._consumer: Any = KafkaConsumer(
            **config.kafka.client_options(),
            client_id="mucktrack-archiver",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=CONNECT_MS,
            max_poll_records=POLL_RECORDS,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
            metrics_enabled=False,
        )
        try:
            self._consumer.assign(self._partitions)
            self._seek()
        except BaseException:
            self._consumer.close()
            raise

    def _seek(self) -> None:
        """To where the archive ends. The log's ends are not asked for: brokers are known that
        answer too little; that the log has not come so far is noticed while reading."""
        begins = self._consumer.beginning_offsets(self._partitions)
        for tp in self._partitions:
            following, begin = self._writer.next_offset(tp.partition), begins[tp]
            if following is not None and begin > following:
                raise ArchiveError(
                    f"{self._config.folder}: records {following} to {begin - 1} of {tp.topic} "
                    f"partition {tp.partition} are gone from Kafka and were not archived; keep "
                    "this archive as it is, and begin another in an empty folder"
                )
            self._consumer.seek(tp, begin if following is None else following)
            archived = self._writer.archived(tp.partition)
            if archived is not None:
                self._metrics.archived_offset.labels(tp.partition).set(archived)

    def run(self, stop: Event) -> None:
        log.info("archiving", topic=self._config.topic, folder=self._config.folder)
        try:
            while not stop.is_set():
                self._read(POLL_S)
            until = time.monotonic() + LAST_READ_S
            while self._read(POLL_S) and time.monotonic() < until:
                pass
        finally:
            self._consumer.close()

    def _read(self, wait_s: float) -> int:
        """Records that have been read and handed to the writer."""
        self._metrics.health.beat()
        polled = self._poll(wait_s)
        now_s = time.monotonic()
        for tp, records in polled.items():
            taken = self._writer.take(tp.partition, map(_record, records), now_s)
            self._count(taken)
        self._writer.tidy(now_s)
        self._tell()
        return sum(map(len, polled.values()))

    def _poll(self, wait_s: float) -> dict[TopicPartition, list[Any]]:
        try:
            polled: dict[TopicPartition, list[Any]] = self._consumer.poll(
                timeout_ms=round(wait_s * 1000)
            )
        except (LogTruncationError, OffsetOutOfRangeError):
            raise ArchiveError(self._other_log("does not hold the records that are next")) from None
        except KafkaError as error:
            log.warning("kafka_away", kafka=self._config.kafka, purpose="to be read", error=error)
            time.sleep(wait_s)
            return {}
        for tp in self._partitions:
            end, following = self._consumer.highwater(tp), self._writer.next_offset(tp.partition)
            if end is not None and following is not None and end < following and tp not in polled:
                raise ArchiveError(
                    self._other_log(f"ends at offset {end} of partition {tp.partition}")
                )
        self._listen(polled)
        return polled

    def _other_log(self, how: str) -> str:
        return (
            f"{self._config.folder}: goes on where {self._config.topic} {how}: the topic was made "
            "anew, or has lost records; keep this archive as it is, and begin another in an empty "
            "folder"
        )

    def _listen(self, polled: object) -> None:
        """Whether Kafka is there: reading alone does not tell an outage from a quiet topic."""
        if not polled and time.monotonic() - self._heard_s < QUIET_S:
            return
        away = False
        if not polled:
            try:
                self._consumer.beginning_offsets(self._partitions[:1], timeout_ms=ANSWER_MS)
            except KafkaError:
                away = True
        self._heard_s = time.monotonic()
        if away != self._away:
            self._away = away
            if away:
                log.warning("kafka_away", kafka=self._config.kafka, purpose="to answer")
            else:
                log.info("kafka_back", kafka=self._config.kafka)
        if away:
            self._waits.begin("kafka", "to answer", after_s=0.0)
        else:
            self._waits.end()

    def _count(self, taken: Sequence[Sequence[Element]]) -> None:
        kinds: Counter[type] = Counter()
        for elements in taken:
            kinds.update(map(type, elements))
        for kind, count in kinds.items():
            self._metrics.elements.labels(kind.__name__.lower()).inc(count)

    def _tell(self) -> None:
        metrics, writer = self._metrics, self._writer
        metrics.waiting_bytes.set(writer.waiting_bytes)
        for written in writer.finished:
            metrics.files.inc()
            metrics.file_rows.inc(written.rows)
            metrics.file_bytes.inc(written.size_bytes)
            metrics.archived_offset.labels(written.segment.partition).set(written.segment.next)
        writer.finished.clear()
        for tp in self._partitions:
            following, end = writer.next_offset(tp.partition), self._consumer.highwater(tp)
            if following is not None:
                metrics.read_offset.labels(tp.partition).set(following)
            if end is not None:
                metrics.lag_records.labels(tp.partition).set(end - (following or 0))


def _record(read: Any) -> Record:
    """As kafka-python gives it. A timestamp below 0 is none."""
    stamp = read.timestamp
    return Record(
        read.offset, stamp if stamp is not None and stamp >= 0 else None, read.key, read.value
    )
