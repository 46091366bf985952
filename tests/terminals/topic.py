"""All that is on a topic to which nobody writes any more."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

QUIET_MS = 1_000
MOST = 5_000
"""Records at a time."""


def records_of(kafka: str, topic: str) -> list[Any]:
    """In the order of their partitions and offsets."""
    records = asyncio.run(_records(kafka, topic))
    return sorted(records, key=lambda record: (record.partition, record.offset))


async def _records(kafka: str, topic: str) -> list[Any]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.split(","), fetch_max_wait_ms=100)
    await consumer.start()
    try:
        await consumer._client.force_metadata_update()
        numbers = consumer.partitions_for_topic(topic) or ()
        partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        records: list[Any] = []
        while got := await consumer.getmany(timeout_ms=QUIET_MS, max_records=MOST):
            for some in got.values():
                records += some
        return records
    finally:
        await consumer.stop()
