"""Reads the enforcement queue, for people to look at.

Used by `mucktrack up`. A consumer without a group: looking changes nothing for those who work the
queue. Records that come twice (a worker began again at its
checkpoint) have the same `ce_id` and count once.
"""

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from typing import Any

import msgspec
from kafka import KafkaConsumer, TopicPartition

from streams.access import KafkaAccess
from streams.shown import shown
from streams.topics import VIOLATIONS

LATEST = 8
POLL_S = 0.2
LONGEST_MESSAGE = 500
"""Characters that are shown."""
REMEMBERED = 200_000
"""Ids kept to tell what comes twice."""


class Seen(msgspec.Struct):
    """What a look at the queue shows of a violation; the rest of it is ignored."""

    violation_id: str
    phase: str
    rule: str
    severity: str
    title: str
    message: str
    message_en: str
    truck_id: str
    detected_ms: int


class Tally:
    """What has been seen of the queue so far."""

    def __init__(self) -> None:
        self.records = 0
        """Violations read, those that came twice included."""
        self.by_rule: dict[str, Counter[str]] = {}
        """Rule → phase → how many."""
        self.titles: dict[str, str] = {}
        self.latest: deque[Seen] = deque(maxlen=LATEST)
        """Newest last."""
        self._ids: OrderedDict[str, None] = OrderedDict()

    @property
    def violations(self) -> int:
        return sum(phases.total() for phases in self.by_rule.values())

    def add(self, values: Iterable[bytes]) -> list[Seen]:
        """Count the records' values; those seen for the first time."""
        fresh = []
        for value in values:
            try:
                seen = _for_people(msgspec.json.decode(value, type=Seen))
            except msgspec.MsgspecError:
                continue  # No violation: somebody else writes there. The console says so.
            self.records += 1
            ce_id = f"{seen.violation_id}/{seen.phase}"
            if ce_id in self._ids:
                continue
            self._ids[ce_id] = None
            if len(self._ids) > REMEMBERED:
                self._ids.popitem(last=False)
            self.by_rule.setdefault(seen.rule, Counter())[seen.phase] += 1
            self.titles[seen.rule] = seen.title
            self.latest.append(seen)
            fresh.append(seen)
        return fresh


def _for_people(seen: Seen) -> Seen:
    """Its texts as they may stand on a terminal: a truck's id is whatever a terminal has sent."""
    texts = {
        name: shown(value, LONGEST_MESSAGE)
        for name, value in msgspec.structs.asdict(seen).items()
        if isinstance(value, str)
    }
    return msgspec.structs.replace(seen, **texts)


class ViolationQueue:
    """The reader, from the start of the topic on; to be closed when done."""

    def __init__(self, kafka: KafkaAccess) -> None:
        """The topic must exist."""
        self._consumer: Any = KafkaConsumer(
            **kafka.client_options(),
            client_id="mucktrack-up",
            group_id=None,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=100,
        )
        partitions = self._consumer.partitions_for_topic(VIOLATIONS) or set()
        self._consumer.assign([TopicPartition(VIOLATIONS, number) for number in sorted(partitions)])

    def skip_to_end(self, limit_s: float) -> bool:
        """Pass over what is there by now; False where the broker did not tell within `limit_s` how
        much it is.

        The end is what fetches tell: asked for it, brokers are known that answer too little.
        """
        deadline = time.monotonic() + limit_s
        partitions = self._consumer.assignment()
        while time.monotonic() < deadline:
            ends = {one: self._consumer.highwater(one) for one in partitions}
            if None not in ends.values():
                for one, end in ends.items():
                    self._consumer.seek(one, end)
                return True
            self.poll(POLL_S)
        return False

    def poll(self, timeout_s: float) -> list[bytes]:
        """The values that have arrived; waits up to `timeout_s` for the first."""
        polled = self._consumer.poll(timeout_ms=int(timeout_s * 1000))
        return [record.value for records in polled.values() for record in records]

    def close(self) -> None:
        self._consumer.close()
