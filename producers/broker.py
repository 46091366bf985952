"""The connection of the publisher to its broker: checked when it is made.

Used by `producers.publisher`, and by the command line's helpers. Knows nothing of positions.
"""

import time
from contextlib import closing

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError

from producers.arrays import MAX_RECORD_BYTES
from streams.access import AccessRefusedError, KafkaAccess, UnusableFileError
from streams.admission import check_kafka_now
from streams.logs import get_log

log = get_log(__name__)

PRODUCER_ID_S = 5.0
"""A broker that gives no producer id within this time has no idempotent producers."""
CONNECT_MS = 5_000


class PublishError(Exception):
    """Something was not delivered, or there is no broker to deliver to; one line."""


def connect(
    kafka: KafkaAccess,
    topic: str,
    partitions: int,
    compression: str | None,
    delivery_timeout_ms: int,
) -> KafkaProducer:
    """A producer for a topic that must have so many partitions. Raises `PublishError`."""

    def make(*, idempotent: bool) -> KafkaProducer:
        return KafkaProducer(
            **kafka.client_options(),
            client_id="mucktrack-publisher",
            acks="all",
            enable_idempotence=idempotent,
            # Without sequence numbers a second request in flight could overtake a repeated first.
            max_in_flight_requests_per_connection=5 if idempotent else 1,
            compression_type=compression,
            batch_size=MAX_RECORD_BYTES // 2,
            delivery_timeout_ms=delivery_timeout_ms,
            request_timeout_ms=min(30_000, delivery_timeout_ms),
            bootstrap_timeout_ms=CONNECT_MS,
            max_block_ms=10_000,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )

    try:
        check_kafka_now(kafka)
        _check_topic(kafka, topic, partitions)
        producer = make(idempotent=True)
        if not _has_producer_id(producer):
            producer.close(timeout=0)
            log.warning("not_idempotent")
            producer = make(idempotent=False)
    except (AccessRefusedError, UnusableFileError) as error:
        raise PublishError(str(error)) from None
    except KafkaError as error:
        raise PublishError(
            f"Kafka at {kafka}: {reason(error)}; is it running, and is the address right?"
        ) from None
    return producer


def _check_topic(kafka: KafkaAccess, topic: str, partitions: int) -> None:
    """All topics are asked for: some brokers make a topic that is asked for by its name."""
    with closing(
        KafkaAdminClient(
            **kafka.client_options(),
            client_id="mucktrack-publisher",
            bootstrap_timeout_ms=CONNECT_MS,
            request_timeout_ms=CONNECT_MS,
        )
    ) as admin:
        described = {one["name"]: len(one["partitions"]) for one in admin.describe_topics()}
    if topic not in described:
        raise PublishError(
            f"Kafka at {kafka}: there is no topic {topic}; make it with "
            "`mucktrack topics create`, or let this user write to it"
        )
    if described[topic] != partitions:
        raise PublishError(
            f"Kafka at {kafka}: {topic} has {described[topic]} partitions, not {partitions}: "
            "the count decides where each truck's positions go"
        )


def _has_producer_id(producer: KafkaProducer) -> bool:
    """The library asks for the id in its own thread and, where none is given, tries for ever;
    it tells nobody, so one has to look."""
    manager = producer._transaction_manager
    deadline = time.monotonic() + PRODUCER_ID_S
    while not manager.has_producer_id():
        if manager.has_fatal_error() or time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def reason(error: BaseException) -> str:
    """In one line, without the request that the library appends."""
    text = str(error).removeprefix(f"{type(error).__name__}: ").split(": Request ")[0]
    return (text.splitlines() or [""])[0] or type(error).__name__
