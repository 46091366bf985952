"""A JT/T 808 terminal without its socket: what it says, and what it makes of the answers.

`connected`, `receive`, `outgoing` and `due` return the bytes that are to be sent. What was not
acknowledged is sent again: over the same connection the same frames, and after three times in vain,
or when the connection has ended, as backfill over the next. Used by `producers.terminals.line`.
Time is an argument (seconds of a clock that only rises).
"""

from typing import Final

from producers.jt808.connection import Connection, Received, Refused
from producers.jt808.framing import FLAG_BYTE
from producers.jt808.location import Location, LocationAnswer, LocationBatch
from producers.jt808.message import Message as Frame
from producers.jt808.queries import Parameter, Parameters, QueryLocation, QueryParameters, Resend
from producers.jt808.session import Authenticate, GeneralAnswer, Heartbeat, RegisterAnswer
from producers.terminals.device import Device
from producers.terminals.store import CAPACITY, Message, Report, Store
from producers.terminals.tally import Tally
from producers.terminals.wording import location_of, reported
from streams.position import Position

TERMINAL_ANSWER, HEARTBEAT, REGISTER, AUTHENTICATE = 0x0001, 0x0002, 0x0100, 0x0102
LOCATION, LOCATION_ANSWER, BATCH, PARAMETERS = 0x0200, 0x0201, 0x0704, 0x0104

HEARTBEAT_S: Final = 30.0
"""Parameter 0x0001 (JT/T 808, terminal parameters); by the clock, as the platform's patience is."""
PATIENCE_S: Final = 10.0
"""Until an answer counts as lost: parameter 0x0002, TCP answer timeout."""
TRIES: Final = 3
"""Parameter 0x0003, and the first time: then the connection is taken for dead."""
MOST_UNDER_WAY: Final = 64
"""Messages without an answer."""
CROWD: Final = 8
"""So many that wait go out in batches."""
MOST_IN_BATCH: Final = 40
"""Locations; more than one frame holds."""
REGULAR, BACKFILL = 0, 1
"""Kinds of a batch."""
DONE, FAILED, UNSUPPORTED, ALARM_CONFIRMED = 0, 1, 3, 4


class Terminal:
    """One terminal over all its connections; it keeps its authentication code."""

    def __init__(
        self,
        device: Device,
        tally: Tally,
        *,
        patience_s: float = PATIENCE_S,
        capacity: int = CAPACITY,
    ) -> None:
        self.device = device
        self.store = Store(capacity)
        self.was_let_in = False
        """By the platform, over the connection that there is or was last."""
        self.has_given_up = False
        """The connection is of no use any more and is to be closed."""
        self._tally = tally
        self._patience_s = patience_s
        self._code: str | None = None
        self._connection: Connection | None = None
        self._last_s = 0.0
        """When it last sent."""
        self._last: Location | None = None

    def connected(self, now_s: float) -> bytes:
        """A connection has been made."""
        self._connection = Connection()
        self.was_let_in = self.has_given_up = False
        return self._log_in(now_s)

    def disconnected(self) -> None:
        """It has ended: what was under way over it is to be sent again."""
        self._connection = None
        self.store.call_back()

    def report(self, position: Position) -> None:
        """Keep where the truck is, to be sent by `outgoing`."""
        self._last = location_of(position, self.device)
        stored = position.backfill or self._connection is None or not self.was_let_in
        self._tally.made += 1
        if not self.store.keep(Report(position, self._last, stored=stored)):
            self._tally.no_room += 1

    def outgoing(self, now_s: float) -> bytes:
        """What of the positions may be sent now."""
        if self._connection is None or not self.was_let_in or self.has_given_up:
            return b""
        store, sent = self.store, []
        while store.waiting and len(store.under_way) < MOST_UNDER_WAY:
            in_batch = self.device.knows_batches and (
                store.waiting[0].stored or len(store.waiting) >= CROWD
            )
            sent.append(self._send_reports(store.take(MOST_IN_BATCH if in_batch else 1), now_s))
        return b"".join(sent)

    def receive(self, data: bytes, now_s: float) -> bytes:
        """What the platform says; the answers to it, and what may be sent because of it."""
        if self._connection is None:
            return b""
        answers = []
        for event in self._connection.receive(data, now_s):
            if isinstance(event, Received):
                answers.append(self._hear(event.message, now_s))
            elif isinstance(event, Refused):
                self._tally.protocol_errors += 1
        answers.append(self.outgoing(now_s))
        return b"".join(answers)

    def due(self, now_s: float) -> bytes:
        """Heartbeats, and again what has waited too long for its answer."""
        if self._connection is None or not self.was_let_in:
            return b""
        again = []
        for _, message in self.store.overdue(now_s, self._patience_s):
            if message.tries > TRIES:
                self.has_given_up = True
                return b""
            message.sent_s = now_s
            message.tries += 1
            self._tally.was_sent(message.reports, self._reported)
            again.append(message.frames)
        if again or now_s - self._last_s < HEARTBEAT_S:
            return b"".join(again)
        return self._send(HEARTBEAT, Heartbeat(), now_s)

    def _hear(self, message: Frame, now_s: float) -> bytes:
        match message.body:
            case RegisterAnswer() as answer:
                return self._hear_registered(answer, now_s)
            case GeneralAnswer() as answer:
                return self._hear_answer(answer, now_s)
            case Resend() as wanted:
                return self._frames_again(wanted, now_s)
            case QueryParameters():
                return self._send(PARAMETERS, Parameters(message.serial, _PARAMETERS), now_s)
            case QueryLocation() if self._last is not None:
                return self._send(
                    LOCATION_ANSWER, LocationAnswer(message.serial, self._last), now_s
                )
            case QueryLocation():
                result = FAILED
            case _:
                result = UNSUPPORTED
        answer = GeneralAnswer(message.serial, message.message_id, result)
        return self._send(TERMINAL_ANSWER, answer, now_s)

    def _hear_registered(self, answer: RegisterAnswer, now_s: float) -> bytes:
        if answer.result != DONE:
            self._tally.was_refused_login(f"registration, result {answer.result}")
            self.has_given_up = True
            return b""
        self._tally.registrations += 1
        self._code = answer.code
        return self._log_in(now_s)

    def _hear_answer(self, answer: GeneralAnswer, now_s: float) -> bytes:
        if answer.message_id in (LOCATION, BATCH):
            self._hear_of_positions(answer)
        elif answer.message_id == AUTHENTICATE and answer.result == DONE:
            self.was_let_in = True
            self._tally.logins += 1
        elif answer.message_id == AUTHENTICATE and self._code is not None:
            # The platform does not know the code any more: with the next one it will.
            self._tally.was_refused_login(f"authentication, result {answer.result}")
            self._code = None
            return self._log_in(now_s)
        elif answer.message_id == REGISTER and answer.result != DONE:
            self._tally.was_refused_login(f"registration, general answer {answer.result}")
            self.has_given_up = True
        return b""

    def _hear_of_positions(self, answer: GeneralAnswer) -> None:
        """A failure is as no answer: the message stays under way and is sent again."""
        if answer.result in (DONE, ALARM_CONFIRMED):
            reports = self.store.acknowledged(answer.serial)
            self._tally.was_acknowledged(reports, self._reported)
        elif answer.result != FAILED:
            self._tally.refused += len(self.store.acknowledged(answer.serial))

    def _log_in(self, now_s: float) -> bytes:
        if self._code is None:
            return self._send(REGISTER, self.device.register, now_s)
        if self.device.version == "2019":
            imei = self.device.phone[-15:]
            return self._send(AUTHENTICATE, Authenticate(self._code, imei, "mucktrack"), now_s)
        return self._send(AUTHENTICATE, Authenticate(self._code), now_s)

    def _send_reports(self, reports: list[Report], now_s: float) -> bytes:
        self._tally.was_sent(reports, self._reported)
        if len(reports) == 1 and not (reports[0].stored and self.device.knows_batches):
            data = self._send(LOCATION, reports[0].location, now_s)
        else:
            kind = BACKFILL if reports[0].stored else REGULAR
            batch = LocationBatch(kind, [report.location for report in reports])
            data = self._send(BATCH, batch, now_s)
        assert self._connection is not None  # noqa: S101 - asked by `outgoing`
        self.store.send(self._connection.sent_serial, Message(data, reports, now_s))
        return data

    def _frames_again(self, wanted: Resend, now_s: float) -> bytes:
        message = self.store.under_way.get(wanted.serial)
        if message is None:
            return b""
        frames = message.frames.split(FLAG_BYTE)[1::2]
        message.sent_s = now_s
        return b"".join(
            b"\x7e%b\x7e" % frames[number - 1]
            for number in wanted.parts
            if 1 <= number <= len(frames)
        )

    def _send(self, message_id: int, body: object, now_s: float) -> bytes:
        assert self._connection is not None  # noqa: S101 - only called over one
        self._last_s = now_s
        return self._connection.send(message_id, self.device.phone, body, self.device.version)

    def _reported(self, report: Report) -> Position:
        backfill = report.stored and self.device.knows_batches
        return reported(report.location, self.device, backfill=backfill)


_PARAMETERS = [
    Parameter(number, value.to_bytes(4, "big"))
    for number, value in ((0x0001, int(HEARTBEAT_S)), (0x0002, int(PATIENCE_S)), (0x0003, TRIES))
]
"""Heartbeat interval, answer timeout, times that a message is sent again (JT/T 808, 0x8103)."""
