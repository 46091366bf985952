"""Where the network does not reach: tunnels, deep pits, dead spots.

Used by `producers.terminals.line`. Beside the stretches that the fleet itself drives through
without network, after which its positions come late, a truck loses its connection now and then, for
minutes of event time; its terminal stores what it cannot send and reports it afterwards (盲区补报).
The same seed gives the same gaps.
"""

import math
from random import Random

EVERY_MS = 45 * 60_000
"""Between two gaps of one truck, on average."""
APART_MS = 120_000
"""At least: time to send what was stored."""
SHORTEST_MS, LONGEST_MS = 40_000, 300_000
"""Shorter than what a worker's watermark stays behind (360 s): a truck that only lost its network
is not taken for one that is silent."""


class Radio:
    """The reception of one truck. `noise`: how often it fails; 1 = as usual, 0 = never."""

    def __init__(self, seed: str, *, noise: float = 1.0) -> None:
        self._chance = Random(seed)  # noqa: S311 (nothing secret is made of it)
        self._every_ms = EVERY_MS / noise if noise else math.inf
        self._from_ms: float | None = None
        self._to_ms = 0.0
        self._latest_ms = 0

    def reaches(self, time_ms: int) -> bool:
        """Whether the network reaches the truck at `time_ms`, or when it was asked of last: what
        was stored is older than what was sent before it."""
        time_ms = self._latest_ms = max(time_ms, self._latest_ms)
        if self._from_ms is None:
            self._next(time_ms)
        while time_ms >= self._to_ms:
            self._next(self._to_ms)
        return self._from_ms is not None and time_ms < self._from_ms

    def _next(self, after_ms: float) -> None:
        if math.isinf(self._every_ms):
            self._from_ms = self._to_ms = math.inf
            return
        self._from_ms = after_ms + APART_MS + self._chance.expovariate(1 / self._every_ms)
        self._to_ms = self._from_ms + self._chance.uniform(SHORTEST_MS, LONGEST_MS)
