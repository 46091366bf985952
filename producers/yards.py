"""Queues: a site serves a few trucks at a time, the others stand in line.

Used by `producers.trips` and `producers.truck`. A truck's place is booked when its trip is planned,
so that trucks are served in the order in which they set out; an earlier gap that is long enough is
taken.
"""

from bisect import insort
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Turn:
    """When a truck is served, and how many stand in line before it when it comes."""

    bay: int
    start_ms: int
    end_ms: int
    ahead: int


@dataclass(slots=True)
class Yard:
    """The bays of one site."""

    bays: int
    _booked: list[list[tuple[int, int]]] = field(init=False)
    """Of each bay, sorted: from, to."""

    def __post_init__(self) -> None:
        self._booked = [[] for _ in range(self.bays)]

    def turn(self, arrival_ms: int, lasting_s: float) -> Turn:
        """The earliest for a truck that comes then; books nothing."""
        lasting_ms = round(lasting_s * 1000)
        start_ms, bay = min(
            (_first_gap(booked, arrival_ms, lasting_ms), bay)
            for bay, booked in enumerate(self._booked)
        )
        ahead = sum(
            arrival_ms < from_ms < start_ms for booked in self._booked for from_ms, _ in booked
        )
        waits = start_ms > arrival_ms
        return Turn(bay, start_ms, start_ms + lasting_ms, ahead + 1 if waits else 0)

    def book(self, turn: Turn, now_ms: int) -> None:
        """Nobody plans for what is over by `now_ms`; it is forgotten."""
        booked = self._booked[turn.bay]
        insort(booked, (turn.start_ms, turn.end_ms))
        while booked and booked[0][1] < now_ms:
            booked.pop(0)


def _first_gap(booked: list[tuple[int, int]], from_ms: int, lasting_ms: int) -> int:
    free_ms = from_ms
    for start_ms, end_ms in booked:
        if free_ms + lasting_ms <= start_ms:
            break
        free_ms = max(free_ms, end_ms)
    return free_ms
