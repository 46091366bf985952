"""Why a position was no fix, in words: the measured value beside what it was held against.

Called by `streams.explain.narrator` with the reason that `streams.gate` gave.
"""

from collections.abc import Callable
from typing import Final

from streams.detect import Glimpse
from streams.explain.situation import Words, metres, seconds
from streams.gate import FUTURE_MS, JUMP_ROW, MIN_SATELLITES, kmh
from streams.position import Position


def why_rejected(
    reason: str, position: Position, before: Glimpse, after: Glimpse, words: Words
) -> str:
    """The fact behind `reason`; `before` and `after`: what was known when it came, and then."""
    return _WHY[reason](position, before, after, words)


def _bad_coordinates(position: Position, *_: object) -> str:
    return f"{position.lon:g} {position.lat:g} is no place on earth, or 0 0"


def _not_located(*_: object) -> str:
    return "located: false"


def _few_satellites(position: Position, *_: object) -> str:
    return f"{position.satellites} satellites, fewer than {MIN_SATELLITES}"


def _future_time(position: Position, *_: object) -> str:
    received_ms = position.received_ms
    assert received_ms is not None  # noqa: S101 - the gate compared with it; files have no other
    ahead = seconds(position.time_ms - received_ms)
    return f"{ahead} later than it was received, more than {seconds(FUTURE_MS)}"


def _duplicate(position: Position, before: Glimpse, after: Glimpse, words: Words) -> str:
    if position.time_ms == before.truck.last_ms:
        return "the fix before has the same time"
    return "the position before, which failed the jump test, has the same time"


def _late(position: Position, before: Glimpse, after: Glimpse, words: Words) -> str:
    last_ms = int(before.truck.last_ms)
    last = words.clock(last_ms, position.time_ms)
    return f"{seconds(last_ms - position.time_ms)} older than the fix at {last}"


def _impossible_jump(position: Position, before: Glimpse, after: Glimpse, words: Words) -> str:
    step_m, gap_ms = int(after.now.step_mm) / 1000, position.time_ms - int(before.truck.last_ms)
    max_speed_kmh = words.version.prepared.thresholds.state["max_speed_kmh"]
    return (
        f"{metres(step_m)} in {seconds(gap_ms)} is {kmh(step_m, gap_ms):,.1f} km/h, over "
        f"max_speed_kmh {max_speed_kmh:g}; {int(after.truck.jump_row)} of {JUMP_ROW} positions in "
        "a row that agree with each other"
    )


_WHY: Final[dict[str, Callable[[Position, Glimpse, Glimpse, Words], str]]] = {
    "bad_coordinates": _bad_coordinates,
    "not_located": _not_located,
    "few_satellites": _few_satellites,
    "future_time": _future_time,
    "duplicate": _duplicate,
    "late": _late,
    "impossible_jump": _impossible_jump,
}
