"""Batches to Kafka for the event loop: one aiokafka producer, which is let go of after a failure.

Called by `producers.gateway.outbox`. Knows nothing of what is in the batches.

The producer is not idempotent. aiokafka's idempotent one never gives up on a batch, so that it
could not be said that something was not delivered; and once a batch has failed its partition is
lost to it. What the other costs is a record written twice where an acknowledgement was lost on its
way. A terminal whose acknowledgement is lost sends again as well, so duplicates come in any case,
and the worker knows them. The order of a partition does not hang on it: one batch of it is on its
way at a time.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from aiokafka.producer.message_accumulator import BatchBuilder

from producers.broker import PublishError
from streams.access import AccessRefusedError, KafkaAccess, UnusableFileError
from streams.admission import check_kafka
from streams.health import Health
from streams.logs import get_log
from streams.pauses import Pauses

log = get_log(__name__)

BATCH_BYTES: Final = 512 * 1024
CLOSE_S: Final = 3.0
AWAY: Final = (KafkaError, OSError, TimeoutError)


class Delivery:
    """A connected producer, with what is on its way through it."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._on_their_way = 0
        self._spent = False
        self._closing: asyncio.Task[None] | None = None

    def builder(self) -> BatchBuilder:
        return self._producer.create_batch()

    async def send(
        self, builder: BatchBuilder, topic: str, partition: int
    ) -> asyncio.Future[object]:
        """The future ends, with an error of `AWAY` where the batch is not delivered, within about
        twice the time that `connect` was given. Raises those of `AWAY`."""
        try:
            future: asyncio.Future[object] = await self._producer.send_batch(
                builder, topic, partition=partition
            )
        except AssertionError:
            # The library's word for a partition that is not there: someone has made the topic anew.
            raise UnknownTopicOrPartitionError(f"{topic}/{partition}") from None
        self._on_their_way += 1
        future.add_done_callback(self._arrived)
        return future

    def let_go(self) -> None:
        """Nothing more is sent through it; it closes when what is on its way has been answered."""
        self._spent = True
        self._close_if_spent()

    async def close(self) -> None:
        """Now, whatever is on its way; bounded."""
        self.let_go()
        if self._closing is None:
            self._closing = asyncio.create_task(_stop(self._producer))
        await self._closing

    def _arrived(self, _: asyncio.Future[object]) -> None:
        self._on_their_way -= 1
        self._close_if_spent()

    def _close_if_spent(self) -> None:
        if self._spent and not self._on_their_way and self._closing is None:
            self._closing = asyncio.create_task(_stop(self._producer))


async def connect(kafka: KafkaAccess, deliver_s: float) -> Delivery:
    """What a batch is tried for, and each request takes, is at most `deliver_s`.

    Raises those of `AWAY`, `UnusableFileError` among them.
    """
    producer = AIOKafkaProducer(
        **kafka.client_options(),
        client_id="mucktrack-gateway",
        acks="all",
        compression_type="lz4",
        max_batch_size=BATCH_BYTES,
        request_timeout_ms=int(deliver_s * 1000),
    )
    try:
        await producer.start()
    except BaseException:
        await _stop(producer)
        raise
    return Delivery(producer)


async def wait_for_topics(
    kafka: KafkaAccess, topics: Collection[str], health: Health, timeout_s: float
) -> Mapping[str, int]:
    """How many partitions each of `topics` has, once Kafka answers.

    Raises `PublishError` where Kafka does not let in or lacks one of them.
    """
    pauses = Pauses()
    with health.waiting("kafka", "topics", after_s=0.0):
        while True:
            try:
                return await _partition_counts(kafka, topics, timeout_s)
            except AWAY as error:
                log.warning("kafka_away", kafka=kafka, purpose="to tell its topics", error=error)
                await pauses.wait()


async def _partition_counts(
    kafka: KafkaAccess, topics: Collection[str], timeout_s: float
) -> Mapping[str, int]:
    """Raises those of `AWAY` besides."""
    try:
        await check_kafka(kafka)
        options: dict[str, Any] = kafka.client_options()
    except (AccessRefusedError, UnusableFileError) as error:
        raise PublishError(str(error)) from None
    producer = AIOKafkaProducer(**options, request_timeout_ms=int(timeout_s * 1000))
    try:
        await producer.start()
        # All are asked for: some brokers make a topic that is asked for by its name.
        cluster = await producer.client.fetch_all_metadata()
    finally:
        await _stop(producer)
    counts = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
    missing = [topic for topic, count in counts.items() if not count]
    if missing:
        raise PublishError(
            f"Kafka at {kafka}: there is no topic {', '.join(missing)}; make the topics with "
            "`mucktrack topics create`, or let this user write to them"
        )
    return counts


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            await producer.stop()
    except AWAY as error:
        log.debug("producer_not_closed", error=error)
