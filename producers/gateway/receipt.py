"""What a terminal awaits: one message with positions, answered when all that came of it is kept,
or as soon as something is not.

Made by `producers.gateway.intake` for each message; the outbox calls `done` once for each record.
"""

from collections.abc import Callable

from producers.gateway.sessions import Session
from producers.jt808.connection import Received


class Receipt:
    """Counts the acknowledgements of one message down."""

    __slots__ = ("_ended", "kept", "left", "positions", "read_s", "received", "session")

    def __init__(
        self,
        session: Session,
        received: Received,
        read_s: float,
        records: int,
        ended: Callable[["Receipt"], None],
    ) -> None:
        """`records`: how often `done` will be called. `read_s`: by the loop's clock."""
        self.session = session
        self.received = received
        self.read_s = read_s
        self.left = records
        self.positions = 0
        self.kept = True
        self._ended = ended

    def done(self, kept: bool) -> None:
        """One record was kept by the broker, or was not: then nothing more is waited for."""
        self.left -= 1
        if not self.kept:
            return
        self.kept = kept
        if not kept or self.left == 0:
            self._ended(self)
