"""What each part may do on Kafka, and no more: given to the users that the parts log in as.

`mucktrack topics grant` calls `grant`. docs/access.md has the same as lines for Kafka's own tool,
and a test compares them.
"""

from contextlib import closing

from kafka import KafkaAdminClient
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType
from kafka.errors import KafkaError

from mucktrack.topics import CONNECT_MS, TopicError
from producers.broker import reason
from streams.access import AccessRefusedError, KafkaAccess, UnusableFileError
from streams.admission import check_kafka_now
from streams.topics import POSITIONS, RAW, REJECTED, TRIPS, VIOLATIONS

ANYWHERE = "*"
READ, WRITE = "Read", "Write"
TOPICS_OF = {
    ("worker", READ): (POSITIONS,),
    ("worker", WRITE): (REJECTED, VIOLATIONS, TRIPS),
    ("archiver", READ): (POSITIONS,),
    ("producer", WRITE): (POSITIONS, RAW, REJECTED),
    ("console", READ): (VIOLATIONS, POSITIONS, RAW),
}
"""User and operation → topics."""
CLUSTER = "kafka-cluster"


def rights(group: str) -> list[tuple[str, str, str, str]]:
    """User, operation, kind of resource and its name. `group`: the workers'."""
    of_topics = [
        (user, operation, "topic", topic)
        for (user, operation), topics in TOPICS_OF.items()
        for topic in topics
    ]
    return [
        *of_topics,
        ("worker", READ, "group", group),
        ("admin", "Create", "cluster", CLUSTER),
        ("admin", "Describe", "topic", ANYWHERE),
    ]


def grant(kafka: KafkaAccess, group: str) -> list[tuple[str, str, str, str]]:
    """Give the users their rights; those that they have already they keep. Raises `TopicError`."""
    given = rights(group)
    try:
        check_kafka_now(kafka)
        admin = KafkaAdminClient(
            **kafka.client_options(),
            client_id="mucktrack-rights",
            bootstrap_timeout_ms=CONNECT_MS,
            request_timeout_ms=CONNECT_MS,
        )
        with closing(admin):
            _, failed = admin.create_acls([_acl(*one) for one in given]).values()
    except (AccessRefusedError, UnusableFileError) as error:
        raise TopicError(str(error)) from None
    except KafkaError as error:
        raise TopicError(f"Kafka at {kafka}: {reason(error)}") from None
    if failed:
        _, why = failed[0]
        raise TopicError(
            f"Kafka at {kafka} did not give {len(failed)} of {len(given)} rights: {why}; the user "
            "must be one of super.users or may Alter the cluster, and brokers need an authorizer"
        )
    return given


def _acl(user: str, operation: str, kind: str, name: str) -> ACL:
    return ACL(
        f"User:{user}",
        ANYWHERE,
        ACLOperation[operation.upper()],
        ACLPermissionType.ALLOW,
        ResourcePattern(ResourceType[kind.upper()], name),
    )
