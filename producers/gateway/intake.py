"""Locations of terminals that are let in: to positions, frames as received, and rejects on Kafka.

Called by `producers.gateway.talk` for every message with locations. The terminal is told "ok" when
all of it has been acknowledged by the broker, and else "failed", so that it sends the message
again. A location that cannot become a position is kept among the rejects, and spoils nothing beside
it.
"""

from collections.abc import Callable, Sequence

from producers.gateway.metrics import GatewayMetrics
from producers.gateway.outbox import Outbox, RawFrame
from producers.gateway.receipt import Receipt
from producers.gateway.sessions import Seat, Session
from producers.jt808.connection import Received
from producers.jt808.location import BadLocation, Location
from producers.profiles.positions import position_of
from streams.output import Reject
from streams.position import Position

PROTOCOL = "jt808"
MALFORMED = "malformed"
ENCRYPTED = "encrypted_coordinates"


class Intake:
    """Takes locations; `answer` is called with each message and whether it is kept."""

    def __init__(
        self,
        outbox: Outbox,
        metrics: GatewayMetrics,
        clock_s: Callable[[], float],
        answer: Callable[[Receipt], None],
    ) -> None:
        """`clock_s`: the loop's."""
        self._outbox = outbox
        self._metrics = metrics
        self._clock_s = clock_s
        self._answer = answer

    def take(
        self,
        session: Session,
        seat: Seat,
        received: Received,
        locations: Sequence[Location | BadLocation],
        received_ms: int,
        *,
        backfill: bool,
    ) -> None:
        """`received_ms`: Unix milliseconds."""
        message, frame = received.message, received.frame
        receipt = Receipt(session, received, self._clock_s(), len(locations) + 1, self._delivered)
        outbox, done = self._outbox, receipt.done
        outbox.put_raw(
            RawFrame(frame, session.bare, received_ms, session.link.name, PROTOCOL), done
        )
        truck_id, profile = seat
        for location in locations:
            if isinstance(location, BadLocation):
                reason = ENCRYPTED if message.encryption else MALFORMED
                reject = _reject(reason, location.error, location.raw, session, seat)
                self._put_rejected(reject, session, done)
                continue
            position = position_of(
                location, profile, truck_id, session.bare, received_ms, backfill, PROTOCOL
            )
            if isinstance(position, Position):
                receipt.positions += 1
                outbox.put(position, done)
                continue
            reject = _reject(position.reason, position.detail, frame, session, seat)
            reject.time_ms = location.time_ms
            self._put_rejected(reject, session, done)

    def reject_frame(self, session: Session, seat: Seat, error: str, frame: bytes) -> None:
        """A message of a terminal that is let in, and whose body cannot be read; it is told "wrong
        message", whether this is kept or not."""
        reject = _reject(MALFORMED, error, frame, session, seat)
        self._put_rejected(reject, session, lambda _kept: None)

    def _put_rejected(self, reject: Reject, session: Session, done: Callable[[bool], None]) -> None:
        self._metrics.rejects.labels(reject.reason).inc()
        self._outbox.put_rejected(reject, done, session.bare)

    def _delivered(self, receipt: Receipt) -> None:
        if receipt.kept:
            self._metrics.positions.inc(receipt.positions)
            self._metrics.answered_seconds.observe(self._clock_s() - receipt.read_s)
        else:
            self._metrics.undelivered.inc()
        self._answer(receipt)


def _reject(reason: str, detail: str, data: bytes, session: Session, seat: Seat) -> Reject:
    value = {"hex": data.hex(), "detail": detail, "terminal_id": session.bare}
    return Reject(reason, value, seat.truck_id)
