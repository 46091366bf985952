"""How a simulated truck comes to a site that serves a few at a time, and stands in line there.

Used by `producers.trips` for tipping and by `producers.truck` for loading.
"""

import numpy as np

from producers.drives import drive, shortened, stand_in_line
from producers.fixes import Fixes
from producers.ways import Way
from producers.yards import Turn, Yard

MOVING_UP_S = 15.0


def come_to(
    way: Way,
    start_ms: int,
    yard: Yard,
    lasting_s: float,
    *,
    load: float,
    chance: np.random.Generator,
) -> tuple[Fixes, Turn]:
    """Drive to where the way ends and wait there for one's turn: the fixes up to it, and the turn,
    which is not booked yet."""
    expected_ms = start_ms + round(way.shortest_s() * 1.15 * 1000)
    ahead = yard.turn(expected_ms, lasting_s).ahead
    joined = shortened(way, ahead)
    fixes = drive(joined, start_ms, load=load, chance=chance)
    least_ms = 0 if joined is way else round(MOVING_UP_S * 1000)
    turn = yard.turn(fixes.end_ms + least_ms, lasting_s)
    wait_s = (turn.start_ms - fixes.end_ms) / 1000
    if wait_s <= 0:
        return fixes, turn
    line = stand_in_line(way, joined, fixes.end_ms, wait_s, ahead=max(1, ahead), load=load)
    return Fixes.joined([fixes, line]), turn
