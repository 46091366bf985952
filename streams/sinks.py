"""Where a worker's outputs go: an aiokafka producer of its own, awaited once a micro-batch.

`Outputs.send` returns when the broker has acknowledged everything, however long Kafka is away, and
drops nothing. It is called by `streams.worker` and knows nothing of positions, violations or
offsets: an output is bytes with a topic.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from zlib import crc32

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.access import KafkaAccess
from streams.logs import get_log
from streams.metrics import Metrics
from streams.partition import murmur2
from streams.pauses import Pauses

log = get_log(__name__)

BATCH_BYTES = 512 * 1024
"""A micro-batch's outputs for one partition should fit: each batch more is a round trip more."""
RECORD_BYTES = 1_000_000
"""Brokers take no larger record unless they are told to, nor does `AIOKafkaProducer.send`."""
REMEMBERED = 1 << 16
"""Keys whose hash is kept at hand."""
ATTEMPT_S = 15.0
"""What is not acknowledged by then is sent again, on a new connection."""
CLOSE_S = 3.0

AWAY = (KafkaError, OSError, TimeoutError)
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


class OutputRefusedError(Exception):
    """The broker refuses an output for good; going on would lose it."""


@dataclass(frozen=True, slots=True)
class Output:
    """One record to be written."""

    topic: str
    value: bytes
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    shortened: Callable[[], bytes] | None = None
    """A shorter value, saying that it is one, for a broker that refuses this; None = there is
    none."""


class Outputs:
    """The producer and its connection, replaced whenever an attempt fails."""

    def __init__(self, kafka: KafkaAccess, metrics: Metrics) -> None:
        """Connects at the first `send`."""
        self._kafka = kafka
        self._metrics = metrics
        self._producer: AIOKafkaProducer | None = None
        self._idempotent = True

    async def send(self, outputs: Sequence[Output]) -> None:
        """Write them all, in order for each key as far as no retry is needed.

        Raises `OutputRefusedError` where the broker finds one too large that cannot be shortened.
        """
        waiting = list(outputs)
        pauses = Pauses()
        with self._metrics.health.waiting("kafka", "outputs to be acknowledged"):
            while waiting:
                self._metrics.waiting_outputs.set(len(waiting))
                waiting, why = await self._attempt(waiting)
                if waiting:
                    self._metrics.output_retries.inc()
                    log.warning("outputs_not_taken", outputs=len(waiting), error=why)
                    await self._disconnect()
                    await pauses.wait()
        self._metrics.waiting_outputs.set(0)

    async def close(self) -> None:
        """Give the connection back; nothing is waiting when `send` has returned."""
        await self._disconnect()

    async def _attempt(self, outputs: list[Output]) -> tuple[list[Output], Exception | None]:
        """Those that were not acknowledged, and why."""
        batches: list[_Batch] | None = None
        futures: list[asyncio.Future[object]] = []
        why: Exception | None = None
        try:
            async with asyncio.timeout(ATTEMPT_S):
                self._producer = self._producer or await self._connect()
                batches = await _batches(self._producer, outputs)
                for batch in batches:
                    # Those before one that fails have been taken: no comprehension.
                    future = await self._producer.send_batch(
                        batch.builder, batch.topic, partition=batch.partition
                    )
                    futures.append(future)
                if futures:
                    await asyncio.wait(futures)
        except AWAY as error:
            why = error
        if batches is None:
            waiting = outputs
        else:
            waiting = [one for batch in batches[len(futures) :] for one in batch.outputs]
            for batch, future in zip(batches, futures, strict=False):
                if not future.done():
                    waiting += batch.outputs
                elif refusal := future.exception():
                    if not isinstance(refusal, AWAY):
                        raise refusal
                    waiting += batch.outputs
                    why = refusal
        if isinstance(why, TOO_LARGE) and self._producer is not None:
            return await self._one_by_one(self._producer, waiting)
        return waiting, why

    async def _one_by_one(
        self, producer: AIOKafkaProducer, outputs: list[Output]
    ) -> tuple[list[Output], Exception | None]:
        """The broker refused a batch of these: each alone, the one that is too large shortened."""
        for done, output in enumerate(outputs):
            try:
                async with asyncio.timeout(ATTEMPT_S):
                    try:
                        await (await _enqueue(producer, output))
                    except TOO_LARGE:
                        await (await _enqueue(producer, _shorter(output)))
            except TOO_LARGE:
                raise _refused(output) from None
            except AWAY as error:
                return outputs[done:], error
        return [], None

    async def _connect(self) -> AIOKafkaProducer:
        """Idempotent where the broker allows; consumers deduplicate by id in any case."""
        if self._idempotent:
            producer = self._make(idempotent=True)
            try:
                await producer.start()
            except (KafkaConnectionError, OSError, TimeoutError, asyncio.CancelledError):
                await _close(producer)
                raise
            except KafkaError as error:
                await _close(producer)
                log.info("not_idempotent", error=error)
                self._idempotent = False
            else:
                return producer
        producer = self._make(idempotent=False)
        try:
            await producer.start()
        except BaseException:
            await _close(producer)
            raise
        return producer

    def _make(self, *, idempotent: bool) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **self._kafka.client_options(),
            client_id="mucktrack-worker",
            acks="all",
            enable_idempotence=idempotent,
            compression_type="lz4",
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=int(ATTEMPT_S * 1000),
        )

    async def _disconnect(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _close(producer)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Outputs that travel together."""

    topic: str
    partition: int
    builder: BatchBuilder
    outputs: list[Output] = field(default_factory=list)


async def _batches(producer: AIOKafkaProducer, outputs: Sequence[Output]) -> list[_Batch]:
    """In order for each partition. Made here and not by `AIOKafkaProducer.send`, which costs some
    25 µs an output. Raises `MessageSizeTooLargeError` where one of them is."""
    for output in outputs:
        if len(output.value) + len(output.key or b"") > RECORD_BYTES:
            raise MessageSizeTooLargeError(f"{output.topic}: {len(output.value)} bytes")
    partitions = {
        topic: len(await producer.partitions_for(topic))
        for topic in dict.fromkeys(output.topic for output in outputs)
    }
    batches: list[_Batch] = []
    open_ones: dict[tuple[str, int], _Batch] = {}
    for output in outputs:
        place = output.topic, _partition(output, partitions[output.topic])
        batch = open_ones.get(place)
        if batch is None or not _append(batch, output):
            batch = open_ones[place] = _Batch(*place, producer.create_batch())
            batches.append(batch)
            _append(batch, output)
    return batches


def _append(batch: _Batch, output: Output) -> bool:
    """Whether there was room; in an empty one there always is."""
    added = batch.builder.append(
        timestamp=None, key=output.key, value=output.value, headers=list(output.headers)
    )
    if added is None:
        return False
    batch.outputs.append(output)
    return True


def _partition(output: Output, partitions: int) -> int:
    """As Kafka's clients choose it; what has no key may go to any, and is spread over all."""
    place = crc32(output.value) if output.key is None else _hash(output.key)
    return place % partitions


@lru_cache(maxsize=REMEMBERED)
def _hash(key: bytes) -> int:
    return murmur2(key) & 0x7FFFFFFF


async def _enqueue(producer: AIOKafkaProducer, output: Output) -> asyncio.Future[object]:
    future: asyncio.Future[object] = await producer.send(
        output.topic, output.value, key=output.key, headers=list(output.headers)
    )
    return future


def _shorter(output: Output) -> Output:
    if output.shortened is None:
        raise _refused(output)
    return Output(output.topic, output.shortened(), None, output.headers)


def _refused(output: Output) -> OutputRefusedError:
    return OutputRefusedError(
        f"{output.topic}: the broker refuses a record of {len(output.value)} bytes as too large; "
        f"raise the topic's max.message.bytes"
    )


async def _close(producer: AIOKafkaProducer) -> None:
    """Closing flushes, which never ends while Kafka is away."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await producer.stop()
    except AWAY as error:
        log.debug("producer_not_closed", error=error)
