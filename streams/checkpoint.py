"""Where the truth of a partition is kept (design section 10).

The worker asks a `CheckpointStore` at the places the design names: `load` when a partition is
assigned; `save` after the outputs of a micro-batch are acknowledged and before its records are,
and once more when the partition is given up. A store must not know Faust, Kafka or the engine: the
state is bytes to it.
"""

from dataclasses import dataclass
from typing import Protocol


class StoreAwayError(Exception):
    """The store does not answer: to be tried again."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a partition needs to go on; written together or not at all."""

    next_offset: int
    """The offset of the first record that is not in `state`."""
    partitions: int
    """How many partitions the topic had; trucks are placed by it."""
    state: bytes
    """The engine's, as `Engine.export` gives it."""


class CheckpointStore(Protocol):
    """Keeps the checkpoint of each partition. Every method may raise `StoreAwayError`."""

    async def load(self, topic: str, partition: int) -> Checkpoint | None:
        """The last checkpoint; None = there is none."""
        ...

    def due(self, topic: str, partition: int, *, final: bool) -> bool:
        """Whether to save now (exporting the state is not free); `final` = the last chance."""
        ...

    async def save(self, topic: str, partition: int, checkpoint: Checkpoint) -> None:
        """Keep it in place of the last one."""
        ...


class NoCheckpoints:
    """Keeps none: each assignment starts with a fresh engine at the log's start, which repeats
    and loses nothing, since what comes twice has the same ids."""

    async def load(self, topic: str, partition: int) -> Checkpoint | None:
        return None

    def due(self, topic: str, partition: int, *, final: bool) -> bool:
        return False

    async def save(self, topic: str, partition: int, checkpoint: Checkpoint) -> None:
        """Never asked for: nothing is due."""
