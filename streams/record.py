"""A record of the topic as it comes from Kafka, for those who must not know Kafka's client."""

from typing import Protocol


class Record(Protocol):
    """A record as aiokafka gives it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int | None:
        """Unix epoch milliseconds, whatever a producer has made of it."""
        ...

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
