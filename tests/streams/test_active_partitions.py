"""A fetch that is under way while all partitions are being loaded takes none of their records."""

import uuid

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.consumer import OnlyThese

RECORDS = 5
WAIT_S = 1.0


async def test_an_empty_set_is_none_and_not_all(kafka: str) -> None:
    topic = f"active.{uuid.uuid4().hex[:8]}"
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for number in range(RECORDS):
            await producer.send_and_wait(topic, str(number).encode(), partition=0)
    tp = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, fetch_max_wait_ms=50)
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        active: set[TopicPartition] = set()
        wanted = OnlyThese(active)
        fetched = consumer._fetcher.fetched_records
        assert await fetched(wanted, timeout=WAIT_S) == {}
        active.add(tp)
        taken: list[int] = []
        while len(taken) < RECORDS:
            for records in (await fetched(wanted, timeout=WAIT_S)).values():
                taken += [record.offset for record in records]
        assert taken == list(range(RECORDS))
        await consumer.seek_to_beginning(tp)
        # What it would be like without: aiokafka gives them all.
        assert await fetched(set(), timeout=WAIT_S)
    finally:
        await consumer.stop()
