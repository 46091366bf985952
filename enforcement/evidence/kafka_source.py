"""Records of one partition out of Kafka, as long as it keeps them: positions that are not archived
yet, and frames of terminals as received.

Called by `enforcement.evidence.export`. It reads and changes nothing: no group, no commits.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from enforcement.evidence.arrivals import SourceError
from enforcement.evidence.contents import Frame
from streams.access import KafkaAccess, UnusableFileError
from streams.archive.table import Record
from streams.topics import RAW

CONNECT_MS: Final = 5_000
POLL_MS: Final = 300
MOST_BYTES: Final = 256 * 1024 * 1024
LONGEST_S: Final = 120.0
QUIET_POLLS: Final = 10
"""After so many without an answer the log is taken to end there."""
EARLY_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Read:
    """A record as it was read."""

    offset: int
    record_ms: int | None
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


class Log:
    """One partition of a topic; closed when it is left."""

    def __init__(self, kafka: KafkaAccess, topic: str, number_of: Callable[[int], int]) -> None:
        """`number_of` gives the partition's number for how many there are. Raises
        `SourceError`."""
        self._topic = topic
        try:
            self._consumer: Any = KafkaConsumer(
                **kafka.client_options(),
                client_id="mucktrack-evidence",
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                allow_auto_create_topics=False,
                bootstrap_timeout_ms=CONNECT_MS,
                metrics_enabled=False,
            )
        except (KafkaError, UnusableFileError) as error:
            raise SourceError(f"Kafka at {kafka}: {error}") from None
        try:
            numbers = self._consumer.partitions_for_topic(topic)
            if not numbers:
                raise SourceError(f"Kafka at {kafka} has no topic {topic}")
            self.count = len(numbers)
            self.number = number_of(self.count)
        except BaseException as error:
            self._consumer.close()
            if isinstance(error, KafkaError):
                raise SourceError(f"Kafka at {kafka}: {error}") from None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def records(self, first: int | None, from_ms: int) -> list[Record]:
        """As the archive has them, until the log's end. Raises `SourceError`."""
        read = self.read(first, from_ms, None)
        return [Record(one.offset, one.record_ms, one.key, one.value) for one in read]

    def read(self, first: int | None, from_ms: int, until_ms: int | None) -> Iterator[Read]:
        """From offset `first` on, or where there is none from a time on, until the log's end or a
        record later than `until_ms`. Raises `SourceError`."""
        try:
            yield from self._read(first, from_ms, until_ms)
        except KafkaError as error:
            raise SourceError(f"{self._topic} cannot be read from Kafka: {error}") from None

    def _read(self, first: int | None, from_ms: int, until_ms: int | None) -> Iterator[Read]:
        tp = TopicPartition(self._topic, self.number)
        self._consumer.assign([tp])
        self._seek(tp, first, from_ms)
        ends_s, quiet, size = time.monotonic() + LONGEST_S, 0, 0
        while quiet < QUIET_POLLS:
            if time.monotonic() > ends_s or size > MOST_BYTES:
                raise SourceError(
                    f"{self._topic} holds more than can be searched; let `mucktrack archive` keep "
                    "it, and export again"
                )
            records = self._consumer.poll(timeout_ms=POLL_MS).get(tp, [])
            for one in records:
                size += len(one.value or b"")
                stamp = one.timestamp if one.timestamp is not None and one.timestamp >= 0 else None
                if until_ms is not None and stamp is not None and stamp > until_ms + EARLY_MS:
                    return
                yield Read(one.offset, stamp, one.key, one.value, dict(one.headers))
            # The end is told by fetches alone: brokers are known that answer too little.
            end = self._consumer.highwater(tp)
            if end is not None and self._consumer.position(tp) >= end:
                return
            quiet = 0 if records else quiet + 1

    def _seek(self, tp: TopicPartition, first: int | None, from_ms: int) -> None:
        begin = self._consumer.beginning_offsets([tp])[tp]
        if first is None:
            found = self._consumer.offsets_for_times({tp: max(0, from_ms - EARLY_MS)})[tp]
            first = begin if found is None else found.offset
        self._consumer.seek(tp, max(begin, first))


def frames_of(
    log: Log, key: str, received_ms: set[int], is_of: Callable[[str, bytes], bool]
) -> Iterator[Frame]:
    """The frames that a terminal or platform, `key`, sent at these times, as far as Kafka still
    has them and `is_of` (protocol, frame) says that they tell of the truck. Raises
    `SourceError`."""
    for one in log.read(None, min(received_ms), max(received_ms)):
        text = {name: value.decode(errors="replace") for name, value in one.headers.items()}
        stamp, protocol = text.get("received_ms", ""), text.get("protocol", "")
        if one.key != key.encode() or one.value is None or not stamp.isdecimal():
            continue
        if int(stamp) in received_ms and is_of(protocol, one.value):
            yield Frame(
                *(RAW, log.number, one.offset, int(stamp), text.get("connection", ""), protocol),
                one.value.hex(),
            )
