"""One message with positions on its way to Kafka: answered when all that came of it is kept.

Made by `producers.gateway.intake` for each message; the outbox calls `done` once for each record.
"""

from collections.abc import Callable

from producers.gateway.sessions import Session


class Delivery:
    """Counts the acknowledgements of one message down."""

    __slots__ = ("_ended", "kept", "left", "message_id", "positions", "read_s", "serial", "session")

    def __init__(
        self,
        session: Session,
        message_id: int,
        serial: int,
        read_s: float,
        records: int,
        ended: Callable[["Delivery"], None],
    ) -> None:
        """`records`: how often `done` will be called. `read_s`: by the loop's clock."""
        self.session = session
        self.message_id = message_id
        self.serial = serial
        self.read_s = read_s
        self.left = records
        self.positions = 0
        self.kept = True
        self._ended = ended

    def done(self, kept: bool) -> None:
        """One record was kept by the broker, or was not."""
        self.left -= 1
        self.kept = self.kept and kept
        if self.left == 0:
            self._ended(self)
