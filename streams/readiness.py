"""Whether the topics are there before a worker starts.

Called by `streams.app` first of all. Faust would make missing topics, and end when Kafka is away;
here Kafka is waited for, and topics that do not fit are named. Only reads.
"""

import asyncio
from collections.abc import Collection

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from streams.access import AccessRefusedError, KafkaAccess
from streams.admission import check_kafka
from streams.health import Health
from streams.logs import get_log
from streams.pauses import Pauses

log = get_log(__name__)

REQUEST_S = 10.0


class NotReadyError(Exception):
    """The topics are not as they must be; the message says what to do."""


async def wait_until_ready(
    kafka: KafkaAccess,
    positions: str,
    partitions: int,
    outputs: Collection[str],
    health: Health,
    group: str | None = None,
) -> None:
    """Return when Kafka answers and has the topic `positions` and the topics `outputs`.

    Retries with back-off while Kafka is away. Raises `AccessRefusedError` where it does not let in,
    or not into the consumer group `group`, and `NotReadyError` where a topic is missing or
    `positions` has another count of partitions.
    """
    pauses = Pauses()
    with health.waiting("kafka", "topics", after_s=0.0):
        while True:
            try:
                await check_kafka(kafka)
                async with asyncio.timeout(REQUEST_S):
                    counts = await _partition_counts(kafka, group)
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("kafka_away", kafka=kafka, purpose="to begin", error=error)
                await pauses.wait()
            else:
                break
    _check(counts, positions, partitions, outputs)


async def _partition_counts(kafka: KafkaAccess, group: str | None) -> dict[str, int]:
    """Asks for all topics: asking for one by its name makes it on some brokers."""
    admin = AIOKafkaAdminClient(
        **kafka.client_options(),
        client_id="mucktrack-worker",
        request_timeout_ms=int(REQUEST_S * 1000),
    )
    try:
        await admin.start()
        described = await admin.describe_topics()
        if group is not None:
            await _check_group(admin, group)
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


async def _check_group(admin: AIOKafkaAdminClient, group: str) -> None:
    """A consumer that may not join its group would wait for ever, and not say so."""
    try:
        await admin.find_coordinator(group)
    except GroupAuthorizationFailedError:
        raise AccessRefusedError(
            f"Kafka does not let this user into the consumer group {group}; give it the right to "
            "read there (docs/access.md), or set MUCKTRACK_GROUP"
        ) from None
    except KafkaError as error:
        log.debug("coordinator_unknown", error=error)


def _check(
    counts: dict[str, int], positions: str, partitions: int, outputs: Collection[str]
) -> None:
    missing = [name for name in (positions, *outputs) if name not in counts]
    if missing:
        raise NotReadyError(
            f"Kafka has no topic {', '.join(missing)}; make the topics with "
            "`mucktrack topics create`, or let this user see them (docs/access.md)"
        )
    if counts[positions] != partitions:
        raise NotReadyError(
            f"the topic {positions} has {counts[positions]} partitions, but this worker was told "
            f"{partitions}; the count decides where each truck's positions are: set "
            f"MUCKTRACK_PARTITIONS={counts[positions]}"
        )
