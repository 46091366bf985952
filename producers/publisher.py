"""The one publisher of positions to Kafka (design section 3), used by replay, simulator, gateways.

Positions are gathered into an array for each partition, which goes out when it is full or has
waited for the linger time. Nothing is silently lost: what the broker does not acknowledge is
counted and raised by the next call. Knows nothing of where positions come from.
"""

import threading
import time
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from kafka.errors import KafkaError

from producers.arrays import MAX_RECORD_BYTES, array_records, cut
from producers.broker import PublishError as PublishError
from producers.broker import connect, reason
from streams.access import KafkaAccess
from streams.logs import get_log
from streams.partition import partition_of
from streams.position import MAX_ARRAY, Position, encode_tick

log = get_log(__name__)

IN_FLIGHT_BYTES = 32 * 1024 * 1024
CLOSE_S = 10.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What has been published so far."""

    positions: int = 0
    raw: int = 0
    """Values published as they were."""
    ticks: int = 0
    """Moments; each is a record in every partition."""
    records: int = 0
    acknowledged: int = 0
    """Records."""
    failed: int = 0
    """Records."""


class Publisher:
    """A `PositionSink` that writes to a topic. Thread-safe.

    `partitions` is what the topic must have, since it decides where each truck's positions go.
    Calls block while `in_flight_bytes` await acknowledgement. All raise `PublishError`, the
    constructor when there is no broker or not that topic, and `RuntimeError` where a bug has ended
    the thread that sends what has waited.
    """

    def __init__(
        self,
        kafka: KafkaAccess,
        topic: str,
        partitions: int,
        *,
        array_size: int = 500,
        linger_ms: float = 50,
        compression: str | None = "lz4",
        in_flight_bytes: int = IN_FLIGHT_BYTES,
        delivery_timeout_ms: int = 120_000,
    ) -> None:
        if not 1 <= array_size <= MAX_ARRAY:
            raise ValueError(f"array_size {array_size}; allowed are 1 to {MAX_ARRAY}")
        self._kafka = kafka
        self._topic = topic
        self._array_size = array_size
        self._linger_s = linger_ms / 1000
        self._most_in_flight = in_flight_bytes
        self._producer = connect(kafka, topic, partitions, compression, delivery_timeout_ms)
        self._counts = Counts()
        self._pending: list[list[Position]] = [[] for _ in range(partitions)]
        self._oldest_s = [0.0] * partitions
        self._sending = threading.Lock()
        """Held from the choice of what to send until it is sent: keeps the order in a partition."""
        self._answers = threading.Condition()
        """Guards what the acknowledgements change."""
        self._in_flight = 0
        self._acknowledged = 0
        self._failed = 0
        self._failure: BaseException | None = None
        self._bug: BaseException | None = None
        """What has ended the thread that lingers."""
        self._closed = threading.Event()
        self._lingerer = threading.Thread(target=self._linger, name="publisher-linger", daemon=True)
        self._lingerer.start()

    @property
    def counts(self) -> Counts:
        return replace(self._counts, acknowledged=self._acknowledged, failed=self._failed)

    @property
    def in_flight_bytes(self) -> int:
        """Sent and not yet acknowledged."""
        return self._in_flight

    def publish(self, position: Position) -> None:
        """Into the array of the truck's partition. The record's timestamp becomes the highest
        arrival (`producers.arrival`) in the array."""
        partition = partition_of(position.truck_id, len(self._pending))
        with self._sending:
            self._raise_failure()
            pending = self._pending[partition]
            if not pending:
                self._oldest_s[partition] = time.monotonic()
            pending.append(position)
            if len(pending) >= self._array_size:
                self._send_pending(partition)

    def publish_raw(self, value: bytes, truck_id: str | None, timestamp_ms: int | None) -> None:
        """One record, `value` as it is; the beginning of it, and its length, where it is long."""
        if len(value) > MAX_RECORD_BYTES:
            value = cut(value)
        partition = partition_of(truck_id or "", len(self._pending))
        with self._sending:
            self._raise_failure()
            self._send_pending(partition)
            self._send(value, partition, truck_id, timestamp_ms)
            self._counts = replace(self._counts, raw=self._counts.raw + 1)

    def publish_record(
        self, partition: int, key: bytes | None, value: bytes | None, timestamp_ms: int | None
    ) -> None:
        """A record as it was on the topic, into the partition it was in."""
        with self._sending:
            self._raise_failure()
            self._send_pending(partition)
            self._send_keyed(value, partition, key, timestamp_ms)
            self._counts = replace(self._counts, raw=self._counts.raw + 1)

    def tick(self, tick_ms: int) -> None:
        """To every partition, behind what was published before."""
        value = encode_tick(tick_ms)
        with self._sending:
            self._raise_failure()
            for partition in range(len(self._pending)):
                self._send_pending(partition)
                self._send(value, partition, None, tick_ms)
            self._counts = replace(self._counts, ticks=self._counts.ticks + 1)

    def flush(self, timeout_s: float | None = None) -> None:
        """Send what is pending and wait until all is acknowledged."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._sending:
            self._raise_bug()
            for partition in range(len(self._pending)):
                self._send_pending(partition)
        with self._answers:
            while self._in_flight:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise PublishError(
                        f"Kafka at {self._kafka}: no acknowledgement within {timeout_s:g} s"
                    )
                self._answers.wait(left)
        self._raise_failure()

    def close(self) -> None:
        """Flush, and let go of the broker whatever comes of that."""
        try:
            self.flush()
        finally:
            self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        try:
            self.flush(CLOSE_S)
        except PublishError as second:
            log.warning("publish_failed", error=second)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self._closed.set()
        self._lingerer.join()
        self._producer.close(timeout=CLOSE_S)

    def _linger(self) -> None:
        """Sends, in a thread of its own, the arrays that have waited long enough."""
        try:
            while not self._closed.wait(self._linger_s / 2):
                with self._sending:
                    self._send_due()
        except BaseException as error:
            self._bug = error
            log.bug("publisher_failed", error)

    def _send_due(self) -> None:
        due_s = time.monotonic() - self._linger_s / 2
        for partition, pending in enumerate(self._pending):
            if pending and self._oldest_s[partition] <= due_s:
                try:
                    self._send_pending(partition)
                except PublishError as error:
                    log.warning("publish_failed", error=error)

    def _send_pending(self, partition: int) -> None:
        positions, self._pending[partition] = self._pending[partition], []
        if positions:
            for record in array_records(positions):
                self._send(record.value, partition, record.key, record.timestamp_ms)
            counted = self._counts.positions + len(positions)
            self._counts = replace(self._counts, positions=counted)

    def _send(
        self, value: bytes, partition: int, truck_id: str | None, timestamp_ms: int | None
    ) -> None:
        key = None if truck_id is None else truck_id.encode()
        self._send_keyed(value, partition, key, timestamp_ms)

    def _send_keyed(
        self, value: bytes | None, partition: int, key: bytes | None, timestamp_ms: int | None
    ) -> None:
        """Hand one record to the producer, once there is room for it."""
        size = len(value or b"")
        with self._answers:
            while self._in_flight and self._in_flight + size > self._most_in_flight:
                self._answers.wait()
            self._in_flight += size
        try:
            future = self._producer.send(
                self._topic, value, key=key, partition=partition, timestamp_ms=timestamp_ms
            )
        except KafkaError as error:
            self._answered(size, error)
            self._raise_failure()
            return
        except BaseException as error:
            self._answered(size, error)
            raise
        self._counts = replace(self._counts, records=self._counts.records + 1)
        future.add_callback(lambda _: self._answered(size, None))
        future.add_errback(lambda error: self._answered(size, error))

    def _answered(self, size: int, error: BaseException | None) -> None:
        with self._answers:
            self._in_flight -= size
            if error is None:
                self._acknowledged += 1
            else:
                self._failed += 1
                self._failure = self._failure or error
            self._answers.notify_all()

    def _raise_bug(self) -> None:
        if self._bug is not None:
            raise RuntimeError("positions that had waited could not be sent") from self._bug

    def _raise_failure(self) -> None:
        self._raise_bug()
        if self._failure is not None:
            raise PublishError(
                f"Kafka at {self._kafka}: {self._failed} records were not delivered to "
                f"{self._topic}, the first because of {reason(self._failure)}"
            )
