"""The topics on the broker (design section 12): name, partitions, how long a record is kept.

`create_topics` is called by `mucktrack topics create` and `mucktrack up`. It knows nothing of what
the records hold.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from producers.broker import reason
from streams.access import AccessRefusedError, KafkaAccess, UnusableFileError
from streams.admission import check_kafka_now
from streams.position import MAX_TIME_MS
from streams.topics import POSITIONS, RAW, REJECTED, TRIPS, VIOLATIONS

CONNECT_MS = 5_000
"""A broker that does not answer within this time is reported as away."""
TRIES = 20


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    partitions: int | None
    """None = what the setting says."""
    retention: timedelta
    holds: str


TOPICS = (
    Topic(POSITIONS, None, timedelta(days=7), "positions, arrays of positions, ticks"),
    Topic(RAW, 12, timedelta(days=7), "frames as received"),
    Topic(
        REJECTED, 3, timedelta(days=30), "positions that failed the quality gate, with the reason"
    ),
    Topic(VIOLATIONS, 12, timedelta(days=3 * 365), "violations, the enforcement queue"),
    Topic(TRIPS, 12, timedelta(days=3 * 365), "trips that have ended"),
)


class TopicError(Exception):
    """The topics are not as they must be, or could not be made; the message says what to do."""


def create_topics(kafka: KafkaAccess, partitions: int, replication: int = 1) -> list[str]:
    """Make the topics that are missing; the names of those made.

    `partitions` is the count for
    `gps.positions`, which decides where each truck's positions go: where the topic exists with
    another count nothing is made. Raises `TopicError` then, and when the broker does not answer.
    """
    try:
        check_kafka_now(kafka)
        admin = KafkaAdminClient(
            **kafka.client_options(),
            client_id="mucktrack-topics",
            bootstrap_timeout_ms=CONNECT_MS,
            request_timeout_ms=CONNECT_MS,
        )
        with closing(admin):
            made: list[str] = []
            for _ in range(TRIES):
                missing = _missing(admin.describe_topics(), partitions)
                if not missing:
                    return made
                # One by one, positions first: where somebody else is making the topics too, with
                # another count, none is made after the one that shows it.
                topic = missing[0]
                try:
                    admin.create_topics({topic.name: _options(topic, partitions, replication)})
                    made.append(topic.name)
                except TopicAlreadyExistsError:
                    pass
                # Brokers show a topic some time after they have made it.
                admin.wait_for_topics([topic.name])
    except (AccessRefusedError, UnusableFileError) as error:
        raise TopicError(str(error)) from None
    except KafkaError as error:
        raise TopicError(
            f"Kafka at {kafka}: {reason(error)}; is it running, and is the address "
            "in MUCKTRACK_KAFKA right?"
        ) from None
    raise TopicError(f"Kafka at {kafka}: topics that exist are not shown; try again")


def _missing(described: Sequence[Mapping[str, Any]], partitions: int) -> list[Topic]:
    existing = {topic["name"]: len(topic["partitions"]) for topic in described}
    found = existing.get(POSITIONS, partitions)
    if found != partitions:
        raise TopicError(
            f"the topic {POSITIONS} has {found} partitions, not {partitions}: the count is fixed "
            f"when the topic is made, because it decides where each truck's positions go; set "
            f"MUCKTRACK_PARTITIONS={found}, or make the topic anew"
        )
    return [topic for topic in TOPICS if topic.name not in existing]


def _options(topic: Topic, partitions: int, replication: int) -> dict[str, object]:
    return {
        "num_partitions": topic.partitions or partitions,
        "replication_factor": replication,
        "configs": {
            "retention.ms": str(topic.retention // timedelta(milliseconds=1)),
            # Records are stamped with the trucks' times, and Kafka refuses those of clocks that
            # are an hour fast. What is wrong with them is for the quality gate to say.
            "message.timestamp.after.max.ms": str(MAX_TIME_MS),
        },
    }
