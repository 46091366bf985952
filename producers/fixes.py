"""Where a simulated truck truly is at some moments, and what is true of it then.

Used by the simulator's parts: made by `producers.drives`, judged by `producers.conduct`, reported
by `producers.position_maker`. Places are metres in the city's plane.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point

from producers.terrain import Floats

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Fixes:
    """One a moment, in the order of time. `load`: share of what the truck may carry; 0 = empty."""

    time_ms: NDArray[np.int64]
    east_m: Floats
    north_m: Floats
    speed_kmh: Floats
    load: Floats
    lifted: Mask
    covered: Mask

    def __len__(self) -> int:
        return len(self.time_ms)

    @property
    def loaded(self) -> Mask:
        return self.load > 0

    @property
    def end_ms(self) -> int:
        return int(self.time_ms[-1])

    @property
    def end(self) -> Point:
        return Point(self.east_m[-1], self.north_m[-1])

    @property
    def points(self) -> NDArray[np.object_]:
        return np.asarray(shapely.points(self.east_m, self.north_m), dtype=object)

    @classmethod
    def joined(cls, parts: Sequence["Fixes"]) -> "Fixes":
        """One after another."""
        return cls(
            *(np.concatenate(columns) for columns in zip(*map(_columns, parts), strict=True))
        )

    def where(self, kept: Mask | slice) -> "Fixes":
        """Some of them."""
        return Fixes(*(column[kept] for column in _columns(self)))

    def since(self, time_ms: int) -> "Fixes":
        """Without what lies before that moment."""
        return self.where(self.time_ms >= time_ms)

    def carrying(self, load: float) -> "Fixes":
        """With so much of a load where there is one."""
        return replace(self, load=np.where(self.loaded, load, 0.0))


def _columns(fixes: Fixes) -> tuple[NDArray[Any], ...]:
    return (
        *(fixes.time_ms, fixes.east_m, fixes.north_m, fixes.speed_kmh),
        *(fixes.load, fixes.lifted, fixes.covered),
    )
