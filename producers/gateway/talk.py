"""What is answered to each message of a terminal (JT/T 808).

`terminal_link` hands over every message it has read; answers go back through the session's link.
Every message gets one, with its own serial: 0x8100 for a registration, 0x8001 for the rest; only
the terminal's own answers get none. What needs Redis is done beside the loop, and what the same
terminal sends meanwhile waits for it, so that a terminal which does not wait for the answer to its
authentication loses nothing.
"""

import time
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
from producers.gateway.sessions import Session
from producers.gateway.tasks import Tasks
from producers.jt808.message import Message, encode
from producers.jt808.messages import Unknown
from producers.jt808.queries import QueryLocation, QueryParameters
from producers.jt808.session import GeneralAnswer, RegisterAnswer

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

    def take(self, session: Session, message: Message, frame: bytes) -> None:
        """A message of a terminal, `frame` as it was on the wire."""
        if session.awaited is not None:
            if len(session.awaited) < AWAITED:
                session.awaited.append((message, frame))
            else:
                self._refuse(session, message, "too_many_awaited")
            return
        number = message.message_id
        self._count.get(number, self._count_other).inc()
        if number == REGISTER:
            self._ask(session, self._register(session, message))
        elif number == AUTHENTICATE:
            self._ask(session, self._authenticate(session, message))
        elif number == TERMINAL_ANSWER:
            return
        elif not self._is_in(session, message):
            self._refuse(session, message, "not_let_in")
        elif number in (LOCATION, LOCATION_ANSWER, BATCH) and type(message.body) is not Unknown:
            self._take_locations(session, message, frame)
        elif number == UNREGISTER:
            self._ask(session, self._unregister(session, message))
        elif type(message.body) is Unknown:
            self.answer(session, message.serial, number, Result.UNSUPPORTED)
        else:
            self.answer(session, message.serial, number, Result.DONE)

    def take_wrong(
        self, session: Session, message_id: int, serial: int, error: str, frame: bytes
    ) -> None:
        """A message whose header can be read and whose body cannot."""
        if session.truck_id is not None:
            self._intake.reject_frame(session, error, frame)
        self.answer(session, serial, message_id, Result.WRONG)

    def answer(self, session: Session, serial: int, message_id: int, result: Result) -> None:
        """0x8001; `serial` and `message_id` are those of what is answered."""
        self.send(session, PLATFORM_ANSWER, GeneralAnswer(serial, message_id, result))

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

    def _is_in(self, session: Session, message: Message) -> bool:
        if session.truck_id is not None:
            return True
        if not self._entrance.admit_unasked(session):
            return False
        self._greet(session)
        return True

    def _refuse(self, session: Session, message: Message, reason: str) -> None:
        self._metrics.refused.labels(reason).inc()
        self.answer(session, message.serial, message.message_id, Result.FAILED)

    def _take_locations(self, session: Session, message: Message, frame: bytes) -> None:
        body = message.body
        backfill = False
        if message.message_id == BATCH:
            locations, backfill = body.locations, body.kind == BACKFILL
        else:
            locations = [body.location if message.message_id == LOCATION_ANSWER else body]
        session.link.unanswered(1)
        self._intake.take(
            session, message, frame, locations, time.time_ns() // 1_000_000, backfill=backfill
        )

    def _delivered(self, receipt: Receipt) -> None:
        session, message = receipt.session, receipt.message
        session.link.unanswered(-1)
        if session.live:
            result = Result.DONE if receipt.kept else Result.FAILED
            self.answer(session, message.serial, message.message_id, result)

    def _ask(self, session: Session, work: Coroutine[Any, Any, None]) -> None:
        session.awaited = deque()
        self._tasks.start(self._until_asked(session, work), "terminal asks")

    async def _until_asked(self, session: Session, work: Coroutine[Any, Any, None]) -> None:
        await work
        awaited, session.awaited = session.awaited, None
        for message, frame in awaited or ():
            if session.live:
                self.take(session, message, frame)

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
