"""When a simulated terminal can send: in tunnels and where there is no network it stores.

Used by `producers.position_maker`. What was stored is sent afterwards and marked as such: by most
terminals in order, before what is new; by some after the first new ones, when it is late.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from producers.fixes import Fixes, Mask
from producers.terrain import Terrain

SHADOW_SHARE, SHADOW_S = 0.03, (40.0, 240.0)
"""Of drives with a stretch without network, and how long it takes to drive through."""
AFTER_TUNNEL_S = (0.0, 40.0)
"""Until the terminal is back in the network."""
LATE_SHARE = 0.15
"""Of the terminals: they send what is new first."""
NEW_FIRST = 3
LEAST_FIXES = 12
"""A drive with fewer is short: not worth a stretch without network."""


@dataclass(frozen=True, slots=True)
class Sending:
    """In what order fixes are sent (`order`: their numbers), when, and which were stored."""

    order: NDArray[np.int64]
    sent_ms: NDArray[np.int64]
    stored: Mask
    in_tunnel: Mask
    """By fix, as `fixes` are: the receiver sees no satellite."""


class Coverage:
    """One terminal's. `noise`: how often the network fails, 1 = as it usually does, 0 = never."""

    def __init__(self, terrain: Terrain, noise: float, chance: np.random.Generator) -> None:
        self._terrain, self._noise, self._chance = terrain, noise, chance
        self._is_late = bool(chance.random() < LATE_SHARE)

    def sending(self, fixes: Fixes) -> Sending:
        count = len(fixes)
        order, stored = np.arange(count), np.zeros(count, bool)
        tunnel = shapely.intersects_xy(self._terrain.tunnels, fixes.east_m, fixes.north_m)
        if not self._noise:
            tunnel &= False
        dark = self._without_network(fixes, tunnel)
        if not dark.any():
            return Sending(order, fixes.time_ms, stored, tunnel)
        sent_ms = fixes.time_ms.copy()
        edges = np.flatnonzero(np.diff(np.concatenate([[False], dark, [False]])))
        firsts, ends = edges[::2].tolist(), edges[1::2].tolist()
        pieces, done = [], 0
        for first, end, next_first in zip(firsts, ends, [*firsts[1:], count], strict=True):
            new = min(end + NEW_FIRST, next_first) if self._is_late else end
            back = new - 1 if new > end else min(end, count - 1)
            sent_ms[first:end] = fixes.time_ms[back]
            stored[first:end] = True
            pieces += [order[done:first], order[end:new], order[first:end]]
            done = new
        sending = np.concatenate([*pieces, order[done:]])
        return Sending(sending, sent_ms[sending], stored[sending], tunnel)

    def _without_network(self, fixes: Fixes, tunnel: Mask) -> Mask:
        dark = tunnel.copy()
        if not self._noise:
            return dark
        seconds = fixes.time_ms / 1000
        for last in np.flatnonzero(tunnel & ~np.append(tunnel[1:], False)).tolist():
            until_s = seconds[last] + self._chance.uniform(*AFTER_TUNNEL_S)
            dark |= (seconds >= seconds[last]) & (seconds <= until_s)
        if len(fixes) >= LEAST_FIXES and self._chance.random() < SHADOW_SHARE * self._noise:
            from_s = self._chance.uniform(seconds[0], seconds[-1])
            until_s = from_s + self._chance.uniform(*SHADOW_S)
            dark |= (seconds >= from_s) & (seconds <= until_s) & (fixes.speed_kmh > 0)
        return dark
