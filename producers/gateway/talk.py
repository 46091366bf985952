"""What is answered to each message of a terminal (JT/T 808).

`terminal_link` hands over every message it has read; answers go back through the session's link.
Every message gets one, with its own serial: 0x8100 for a registration, 0x8001 for the rest, for
each part where there were several; only answers get none. Nothing is "done" that is not kept: what
is neither a location nor about the session is answered "not supported". What needs Redis is done
beside the loop, and what the same terminal sends meanwhile waits for it, so that a terminal which
does not wait for the answer to its authentication loses nothing.
"""

from collections import deque
from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any, Final

from producers.gateway.entrance import Entrance
from producers.gateway.intake import Intake
from producers.gateway.limits import AWAITED, REFUSALS
from producers.gateway.metrics import GatewayMetrics
from producers.gateway.outbox import Outbox
from producers.gateway.receipt import Receipt
from producers.gateway.sessions import Link, Seat, Session
from producers.gateway.tasks import Tasks
from producers.jt808.connection import Received, Refused
from producers.jt808.header import Header
from producers.jt808.location import BadLocation
from producers.jt808.message import Message, encode
from producers.jt808.messages import Unknown
from producers.jt808.queries import QueryLocation, QueryParameters
from producers.jt808.session import GeneralAnswer, RegisterAnswer
from streams.logs import get_log

log = get_log(__name__)

TERMINAL_ANSWER, HEARTBEAT, UNREGISTER = 0x0001, 0x0002, 0x0003
REGISTER, AUTHENTICATE, PARAMETERS = 0x0100, 0x0102, 0x0104
LOCATION, LOCATION_ANSWER, BATCH = 0x0200, 0x0201, 0x0704
PLATFORM_ANSWER, REGISTER_ANSWER = 0x8001, 0x8100
QUERY_PARAMETERS, QUERY_LOCATION = 0x8104, 0x8201
BACKFILL: Final = 1
"""The kind of a batch (0x0704) that was stored where there was no network."""

KINDS: Final = {
    TERMINAL_ANSWER: "answer",
    HEARTBEAT: "heartbeat",
    UNREGISTER: "unregister",
    REGISTER: "register",
    AUTHENTICATE: "authenticate",
    PARAMETERS: "parameters",
    LOCATION: "location",
    LOCATION_ANSWER: "location_answer",
    BATCH: "batch",
}
OTHER: Final = "other"
NO_DATA: Final = (HEARTBEAT, PARAMETERS)
"""Messages that are done when they have been read."""
ANSWERS: Final = (TERMINAL_ANSWER, PLATFORM_ANSWER)
"""An answer to an answer would go back and forth for ever where somebody echoes."""

Work = Callable[[Session, Message], Coroutine[Any, Any, None]]
"""What cannot be answered at once."""


class Result(IntEnum):
    """Of 0x8001 (platform general answer)."""

    DONE = 0
    FAILED = 1
    WRONG = 2
    UNSUPPORTED = 3


class Talk:
    """Answers terminals."""

    def __init__(
        self,
        entrance: Entrance,
        outbox: Outbox,
        metrics: GatewayMetrics,
        tasks: Tasks,
        clock_s: Callable[[], float],
        *,
        ask_location: bool,
    ) -> None:
        """`ask_location`: of each terminal that is let in, since its next report may be long in
        coming."""
        self._entrance = entrance
        self._metrics = metrics
        self._tasks = tasks
        self._ask_location = ask_location
        self._intake = Intake(outbox, metrics, clock_s, self._delivered)
        self._count = {number: metrics.messages.labels(kind) for number, kind in KINDS.items()}
        self._count_other = metrics.messages.labels(OTHER)

    def take(self, session: Session, received: Received, received_ms: int) -> None:
        """A message of a terminal."""
        message = received.message
        if session.awaited is not None:
            if len(session.awaited) < AWAITED:
                session.awaited.append((received, received_ms))
            else:
                self._refuse(session, received, "too_many_awaited")
            return
        number = message.message_id
        self._count.get(number, self._count_other).inc()
        if number in (REGISTER, AUTHENTICATE) and type(message.body) is Unknown:
            # Encrypted: the platform has no key.
            self._metrics.refused.labels("encrypted").inc()
            self._answer_all(session, received, Result.UNSUPPORTED)
        elif number == REGISTER:
            self._ask(session, self._register, message)
        elif number == AUTHENTICATE:
            self._ask(session, self._authenticate, message)
        elif number in ANSWERS:
            return
        elif (seat := session.seat or self._seat_unasked(session)) is None:
            self._refuse(session, received, "not_let_in")
        elif number in (LOCATION, LOCATION_ANSWER, BATCH):
            self._take_locations(session, seat, received, received_ms)
        elif number == UNREGISTER:
            self._ask(session, self._unregister, message)
        elif number in NO_DATA and type(message.body) is not Unknown:
            self._answer_all(session, received, Result.DONE)
        else:
            self._answer_all(session, received, Result.UNSUPPORTED)

    def take_wrong(
        self, link: Link, session: Session | None, header: Header, refused: Refused
    ) -> None:
        """A message whose header can be read and whose body cannot; `session` None = it is the
        first of its terminal on this connection."""
        if session is None:
            self.answer_stranger(link, header, Result.WRONG)
            return
        if session.seat is not None:
            self._intake.reject_frame(session, session.seat, refused.error, refused.frame)
        self.answer(session, header.serial, header.message_id, Result.WRONG)

    def answer_stranger(self, link: Link, said: Message | Header, result: Result) -> None:
        """0x8001 to a terminal that has no session on this connection."""
        answer = GeneralAnswer(said.serial, said.message_id, result)
        link.send(encode(Message(PLATFORM_ANSWER, said.phone, 0, said.version, answer)))

    def answer(self, session: Session, serial: int, message_id: int, result: Result) -> None:
        """0x8001; `serial` and `message_id` are those of what is answered."""
        self.send(session, PLATFORM_ANSWER, GeneralAnswer(serial, message_id, result))

    def _answer_all(self, session: Session, received: Received, result: Result) -> None:
        """Each part of a message awaits an answer of its own; a terminal that sent them all at
        once sends again those that get none."""
        message = received.message
        for serial in dict.fromkeys((message.serial, *received.serials)):
            self.answer(session, serial, message.message_id, result)

    def query_location(self, session: Session) -> int:
        """Ask where it is (0x8201); the serial of the query, which 0x0201 will name."""
        return self.send(session, QUERY_LOCATION, QueryLocation())

    def query_parameters(self, session: Session) -> int:
        """Ask for all parameters (0x8104); the serial of the query, which 0x0104 will name."""
        return self.send(session, QUERY_PARAMETERS, QueryParameters())

    def send(self, session: Session, message_id: int, body: Any) -> int:
        """Any message to a terminal; its serial."""
        serial = session.next_serial()
        message = Message(message_id, session.phone, serial, session.version, body)
        session.link.send(encode(message))
        return serial

    def _seat_unasked(self, session: Session) -> Seat | None:
        seat = self._entrance.admit_unasked(session)
        if seat is not None:
            self._greet(session)
        return seat

    def _refuse(self, session: Session, received: Received, reason: str) -> None:
        self._metrics.refused.labels(reason).inc()
        self._answer_all(session, received, Result.FAILED)

    def _take_locations(
        self, session: Session, seat: Seat, received: Received, received_ms: int
    ) -> None:
        message = received.message
        body = message.body
        backfill = False
        if type(body) is Unknown:
            locations = [BadLocation("the message is encrypted", body.raw)]
        elif message.message_id == BATCH:
            locations, backfill = body.locations, body.kind == BACKFILL
        else:
            locations = [body.location if message.message_id == LOCATION_ANSWER else body]
        session.link.unanswered(1)
        self._intake.take(session, seat, received, locations, received_ms, backfill=backfill)

    def _delivered(self, receipt: Receipt) -> None:
        session = receipt.session
        session.link.unanswered(-1)
        if not session.live:
            return
        result = Result.DONE if receipt.kept else Result.FAILED
        self._answer_all(session, receipt.received, result)
        if not receipt.kept:
            # Connected, a terminal goes on with what is new, and what was not kept comes after it,
            # too late to be judged. One that connects anew begins with what it has stored.
            session.link.close("undelivered")

    def _ask(self, session: Session, work: Work, message: Message) -> None:
        session.awaited = deque()
        self._tasks.start(self._until_asked(session, work, message), "terminal asks")

    async def _until_asked(self, session: Session, work: Work, message: Message) -> None:
        try:
            await work(session, message)
        except Exception as error:
            # What one terminal brings about must not end the others.
            log.bug("answer_failed", error, phone=session.bare, connection=session.link.name)
            session.link.drop(session, "bug")
            return
        awaited, session.awaited = session.awaited, None
        for received, received_ms in awaited or ():
            if session.live:
                self.take(session, received, received_ms)

    async def _register(self, session: Session, message: Message) -> None:
        admission = await self._entrance.register(session, message.body)
        if not session.live:
            return
        if admission is None:
            self.answer(session, message.serial, REGISTER, Result.FAILED)
            return
        answer = RegisterAnswer(message.serial, admission.result, admission.code)
        self.send(session, REGISTER_ANSWER, answer)
        if admission.result:
            self._count_refusal(session)

    async def _authenticate(self, session: Session, message: Message) -> None:
        is_in = await self._entrance.authenticate(session, message.body)
        if not session.live:
            return
        result = Result.DONE if is_in else Result.FAILED
        self.answer(session, message.serial, AUTHENTICATE, result)
        if is_in:
            self._greet(session)
        else:
            self._count_refusal(session)

    async def _unregister(self, session: Session, message: Message) -> None:
        done = await self._entrance.unregister(session)
        if not session.live:
            return
        result = Result.DONE if done else Result.FAILED
        self.answer(session, message.serial, UNREGISTER, result)
        if done:
            session.link.drop(session, "unregistered")

    def _greet(self, session: Session) -> None:
        if self._ask_location:
            self.query_location(session)

    def _count_refusal(self, session: Session) -> None:
        session.refusals += 1
        if session.refusals > REFUSALS:
            session.link.drop(session, "refused")
