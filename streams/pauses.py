"""Pauses between attempts at something that is away: longer each time, and never all at once.

Used wherever a worker or the archiver waits for Kafka or Redis. It must not know what is tried.
"""

import asyncio
import random
from typing import Final

FIRST_S: Final = 0.1
LONGEST_S: Final = 5.0


class Pauses:
    """One series of pauses, each twice as long as the one before, up to `LONGEST_S`.

    A random half of each is jitter, so that many workers do not come back in one moment.
    """

    def __init__(self) -> None:
        self._next_s = FIRST_S

    def next_s(self) -> float:
        """How long to wait now."""
        pause_s = self._next_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        self._next_s = min(2 * self._next_s, LONGEST_S)
        return pause_s

    async def wait(self) -> None:
        await asyncio.sleep(self.next_s())
