"""Where the truth of a partition is kept (design section 10).

`streams.intake` loads a partition's checkpoint when it is assigned, and `streams.saving` saves one
every few seconds, after the outputs of a micro-batch are acknowledged, and once more when the
partition is given up. A store must not know Faust, Kafka or the engine: a state is bytes to it.
"""

from dataclasses import dataclass
from typing import Protocol

from streams.endings import CannotGoOnError
from streams.snapshot import State


class StoreAwayError(Exception):
    """The store does not answer: to be tried again."""


class FencedError(Exception):
    """Another has loaded the partition since: what it does counts from then on, and nothing may be
    saved by the one before."""


class LostError(Exception):
    """The store no longer has what was saved, or no longer knows who may save: it has lost its
    data, or the last of it. The partition is to be loaded anew, from what is left."""


class UnknownCheckpointError(CannotGoOnError):
    """What is kept of the partition cannot be read by this version; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a partition needs to go on; written together or not at all."""

    next_offset: int
    """The offset of the first record that is not in `state`."""
    partitions: int
    """How many partitions the topic had; trucks are placed by it."""
    state: State
    """The engine's: whole when it is loaded; when it is saved, what has changed since the last."""


class Keeper(Protocol):
    """The right to save one partition: from when it is loaded until somebody else loads it."""

    @property
    def checkpoint(self) -> Checkpoint | None:
        """As it was when it was loaded; None = there was none. Gone with the first save."""
        ...

    @property
    def size_bytes(self) -> int:
        """Of all that is kept."""
        ...

    async def save(self, checkpoint: Checkpoint) -> int:
        """Keep it: the parts that its state has not are those kept before. How many bytes were
        written. Raises `StoreAwayError`, `FencedError` and `LostError`; after the first, call it
        again with the same."""
        ...


class CheckpointStore(Protocol):
    """Keeps the checkpoint of each partition."""

    async def load(self, topic: str, partition: int) -> Keeper | None:
        """The last checkpoint, and the right to save the next ones; None = nothing is ever kept.

        Raises `StoreAwayError` and `UnknownCheckpointError`.
        """
        ...

    async def close(self) -> None: ...


class NoCheckpoints:
    """Keeps none: each assignment starts with a fresh engine at the log's start, which repeats
    and loses nothing, since what comes twice has the same ids."""

    async def load(self, topic: str, partition: int) -> Keeper | None:
        return None

    async def close(self) -> None:
        """There is nothing to be closed."""
