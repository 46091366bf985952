"""A partition that a worker reads: what `streams.intake` brings up, `streams.worker` moves on and
`streams.saving` saves."""

import time
from dataclasses import dataclass, field

from streams.checkpoint import Keeper
from streams.detect import Engine
from streams.state import NEVER


@dataclass(slots=True, eq=False)
class Loaded:
    """A partition that is read."""

    engine: Engine
    next_offset: int
    """Of the record to be taken next."""
    turn: int
    """Records of another turn are none of this one's (`streams.consumer`)."""
    keeper: Keeper | None
    """None = checkpoints are kept nowhere."""
    newest_ms: int = NEVER
    """The timestamp of the record taken last; `NEVER` = there is none."""
    saved_offset: int = field(init=False)
    """`next_offset` of the last checkpoint."""
    saved_at_s: float = field(init=False)
    """When that was, by the monotonic clock."""

    def __post_init__(self) -> None:
        self.saved_offset, self.saved_at_s = self.next_offset, time.monotonic()
