"""What a fleet of terminals has sent, and what of it was acknowledged: figures, and the positions
themselves as JSON lines.

Used by `producers.terminals.terminal`, which tells it, and `producers.terminals.fleet_sink`, which
is asked for it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from producers.fleet import SimulationError
from producers.terminals.store import Report
from streams.position import Position, encode_position

Reported = Callable[[Report], Position]
"""The position that a platform reads in what the terminal said."""


@dataclass(slots=True)
class Tally:
    """Counts of positions, unless something else is named. `sent_to` and `acknowledged_to` get a
    line for each position when it is sent first, and when it is acknowledged."""

    sent_to: BinaryIO | None = None
    acknowledged_to: BinaryIO | None = None
    made: int = 0
    no_room: int = 0
    """Lost, since the terminal's store was full."""
    sent: int = 0
    """At least once."""
    again: int = 0
    """Sendings of what had been sent before."""
    backfilled: int = 0
    """Acknowledged as backfill."""
    acknowledged: int = 0
    refused: int = 0
    """Which the platform said it cannot use."""
    connections: int = 0
    failed_connections: int = 0
    logins: int = 0
    registrations: int = 0
    protocol_errors: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    """Logins that the platform refused, by its reason."""

    @property
    def open(self) -> int:
        """Kept by the terminals, and to be sent still or again."""
        return self.made - self.no_room - self.acknowledged - self.refused

    def was_sent(self, reports: Sequence[Report], reported: Reported) -> None:
        for report in reports:
            if report.sent:
                self.again += 1
                continue
            report.sent = True
            self.sent += 1
            if self.sent_to is not None:
                _write(self.sent_to, reported(report))

    def was_acknowledged(self, reports: Sequence[Report], reported: Reported) -> None:
        self.acknowledged += len(reports)
        for report in reports:
            self.backfilled += report.stored
            if self.acknowledged_to is not None:
                _write(self.acknowledged_to, reported(report))

    def was_refused_login(self, reason: str) -> None:
        self.refusals[reason] = self.refusals.get(reason, 0) + 1

    def flush(self) -> None:
        """Raises `SimulationError` where a file cannot be written."""
        for file in (self.sent_to, self.acknowledged_to):
            if file is not None:
                with _named(file):
                    file.flush()


def _write(file: BinaryIO, position: Position) -> None:
    with _named(file):
        file.write(encode_position(position) + b"\n")


@contextmanager
def _named(file: BinaryIO) -> Iterator[None]:
    """An `OSError` of a file is not to be taken for one of a connection."""
    try:
        yield
    except OSError as error:
        raise SimulationError(f"{file.name}: cannot be written: {error.strerror}") from None
