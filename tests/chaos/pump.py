"""Sends a chaos run's cargo to Kafka at a steady pace, and waits out every fault.

The cargo stops before the moment at which the second city comes into force until `go_on` is set:
whoever runs the workers sets it when they all know of it, as they do in life, where a city is
published five minutes ahead.
"""

import asyncio
import time
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chaos.cargo import Record

IN_FLIGHT = 2_000
ATTEMPT_S = 20.0


class Pump:
    """One producer, replaced where it fails; a record may so be on the topic twice."""

    def __init__(self, kafka: str, topic: str, records_per_s: float) -> None:
        self.sent = 0
        self.seconds_late = 0.0
        self.last_offsets: dict[int, int] = {}
        self.go_on = asyncio.Event()
        self._kafka = kafka
        self._topic = topic
        self._records_per_s = records_per_s
        self._producer: AIOKafkaProducer | None = None

    async def send(self, cargo: Iterable[Record], hold_at_ms: int | None) -> None:
        """All of it; each is acknowledged when this returns."""
        started_s = time.monotonic()
        held_s = 0.0
        batch: list[Record] = []
        for record in cargo:
            if hold_at_ms is not None and record.time_ms >= hold_at_ms:
                hold_at_ms = None
                await self._deliver(batch)
                batch = []
                before_s = time.monotonic()
                await self.go_on.wait()
                held_s += time.monotonic() - before_s
            batch.append(record)
            self.sent += 1
            if len(batch) == 100:
                await self._deliver(batch)
                batch = []
                due_s = started_s + held_s + self.sent / self._records_per_s
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        await self._deliver(batch)

    async def close(self) -> None:
        if self._producer is not None:
            await self._producer.stop()

    async def _deliver(self, records: list[Record]) -> None:
        waiting = records
        while waiting:
            try:
                async with asyncio.timeout(ATTEMPT_S):
                    waiting = await self._attempt(waiting)
            except (KafkaError, OSError, TimeoutError):
                producer, self._producer = self._producer, None
                if producer is not None:
                    task = asyncio.create_task(producer.stop())
                    await asyncio.wait([task], timeout=2)
                await asyncio.sleep(0.5)

    async def _attempt(self, records: list[Record]) -> list[Record]:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._kafka.split(","), acks="all", compression_type="lz4",
                linger_ms=5, request_timeout_ms=10_000,
            )  # fmt: skip
            await producer.start()
            self._producer = producer
        futures = [
            await self._producer.send(
                self._topic,
                record.value,
                partition=record.partition,
                timestamp_ms=record.timestamp_ms,
            )
            for record in records
        ]
        for metadata in await asyncio.gather(*futures):
            last = self.last_offsets.get(metadata.partition, -1)
            self.last_offsets[metadata.partition] = max(last, metadata.offset)
        return []
