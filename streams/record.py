"""A record of the topic as it comes from Kafka, for those who must not know Kafka's client."""

from typing import Protocol

from streams.origin import Origin


class Record(Origin, Protocol):
    """A record as aiokafka gives it."""

    @property
    def timestamp(self) -> int | None:
        """Unix epoch milliseconds, whatever a producer has made of it."""
        ...

    @property
    def key(self) -> bytes | None: ...
