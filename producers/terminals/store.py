"""What a terminal remembers of its positions until the platform has acknowledged them.

Used by `producers.terminals.terminal`. Oldest first, always: what comes back from a connection that
has ended stands before what was made later, so that the positions of a truck are sent for the first
time in the order in which they were made. Knows nothing of frames.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from producers.jt808.location import Location
from streams.position import Position

CAPACITY = 10_000
"""Positions, as terminals on the road have room for; what is made beyond it is lost."""


@dataclass(slots=True, eq=False)
class Report:
    """One position as the terminal says it."""

    position: Position
    """As it was simulated."""
    location: Location
    stored: bool = False
    """It could not be sent when it was made, or was not acknowledged: it is backfill."""
    sent: bool = False
    """Once at least."""


@dataclass(slots=True)
class Message:
    """A message under way to the platform."""

    frames: bytes
    reports: list[Report]
    sent_s: float
    tries: int = 1


@dataclass(slots=True)
class Store:
    """The positions of one terminal that are not acknowledged."""

    capacity: int = CAPACITY
    waiting: deque[Report] = field(default_factory=deque)
    under_way: dict[int, Message] = field(default_factory=dict)
    """By serial number, in the order in which they were sent."""
    _positions_under_way: int = 0

    def __len__(self) -> int:
        return len(self.waiting) + self._positions_under_way

    def keep(self, report: Report) -> bool:
        """False where there is no room for it."""
        if len(self) >= self.capacity:
            return False
        self.waiting.append(report)
        return True

    def send(self, serial: int, message: Message) -> None:
        """`message`, made of what was first in `waiting`, is under way."""
        self.under_way[serial] = message
        self._positions_under_way += len(message.reports)

    def take(self, most: int) -> list[Report]:
        """The first of those waiting that are alike, stored or not; at most `most`."""
        taken = [self.waiting.popleft()]
        while self.waiting and len(taken) < most and self.waiting[0].stored == taken[0].stored:
            taken.append(self.waiting.popleft())
        return taken

    def acknowledged(self, serial: int) -> list[Report]:
        """Forget what went under this number, and give it back; nothing where there is none."""
        message = self.under_way.pop(serial, None)
        if message is None:
            return []
        self._positions_under_way -= len(message.reports)
        return message.reports

    def overdue(self, now_s: float, patience_s: float) -> Iterator[tuple[int, Message]]:
        """Those that have waited too long for an answer: each time the longer, as the standard
        has it (T(n+1) = T(n) · (n+1), JT/T 808, 'communication connection')."""
        for serial, message in self.under_way.items():
            if now_s - message.sent_s >= patience_s * message.tries:
                yield serial, message

    def call_back(self) -> None:
        """The connection has ended: what was under way is to be sent again, before the rest."""
        for message in reversed(self.under_way.values()):
            for report in reversed(message.reports):
                report.stored = True
                self.waiting.appendleft(report)
        self.under_way.clear()
        self._positions_under_way = 0
        for report in self.waiting:
            report.stored = True
