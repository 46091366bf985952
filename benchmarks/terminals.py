"""Terminals for the gateway's benchmark: thousands of connections in one process, at little cost.

Each registers and authenticates as a terminal does, and then sends locations made beforehand, at a
steady rate or as fast as they are acknowledged. Plain sockets and epoll: an event loop would cost
more than the messages. `benchmarks.gateway` starts several of these processes.
"""

import gc
import itertools
import select
import socket
import time
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe

from producers.jt808.connection import Connection, Received
from producers.jt808.items import write_items
from producers.jt808.location import Location
from producers.jt808.message import Message, encode
from producers.jt808.session import Authenticate, GeneralAnswer, Register, RegisterAnswer

FRAMES = 64
"""Made for each terminal, then sent again and again: more than are ever unanswered."""
FIRST_PHONE = 13_000_000_000
START_MS = 1_793_584_800_000
STEP_S = 0.002
"""How often messages that are due are sent."""
AT_A_TIME = 200
"""Terminals of a process that come in at the same time."""
ENTER_WITHIN_S = 300.0
LAST_ANSWERS_S = 15.0
REGISTER, AUTHENTICATE, LOCATION = 0x0100, 0x0102, 0x0200
FLAG, ESCAPE = b"\x7e", b"\x7d"
ANSWER_SERIAL, ANSWER_RESULT = slice(12, 14), 16
"""In 0x8001 without its flags: header 12 bytes; serial 2, message id 2, result 1."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process is to do."""

    port: int
    first: int
    """Number of its first terminal."""
    terminals: int
    window: int
    """Messages of one terminal that may be unanswered."""


@dataclass(slots=True)
class Result:
    """What one process has seen."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    seconds: float = 0.0
    """Until the last answer."""
    late: int = 0
    """Messages that were due and could not be sent, since too many were unanswered."""
    waits_s: "array[float]" = field(default_factory=lambda: array("f"))
    """From a location to its 0x8001."""


def plate(number: int) -> str:
    return f"浙B{number:05d}"


def phone(number: int) -> str:
    return str(FIRST_PHONE + number)


def frames(number: int) -> list[bytes]:
    """Locations of one terminal, with the items that most of them send; serials 0 to FRAMES - 1."""
    items = [(0x01, (123_456 + number).to_bytes(4)), (0x03, b"\x01\x6d"), (0x30, b"\x1f")]
    return [
        encode(
            Message(
                LOCATION,
                phone(number).zfill(12),
                serial,
                "2013",
                Location(
                    alarm_bits=0,
                    status_bits=0b11,
                    lat=29.1 + serial / 1e4,
                    lon=121.1 + number / 1e6,
                    altitude_m=12,
                    speed_kmh=36.5,
                    heading_deg=number % 360,
                    time_ms=START_MS + 1_000 * serial,
                    additional=write_items([*items, (0x31, b"\x0c")]),
                ),
            )
        )
        for serial in range(FRAMES)
    ]


class Terminal:
    """One connection."""

    __slots__ = ("frames", "is_in", "next", "number", "read", "rest", "sent_s", "socket")

    def __init__(self, number: int, port: int) -> None:
        self.number = number
        self.frames = frames(number)
        self.next = 0
        self.sent_s: dict[int, float] = {}
        """When what is unanswered was sent, by serial."""
        self.rest = b""
        self.is_in = False
        self.read = Connection()
        """Until it is in; then answers are read in a hurry."""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tell(
            REGISTER, Register(33, 203, "70111", "MT-1", f"D{number:06d}", 2, plate(number), "2013")
        )

    def hear(self, data: bytes) -> None:
        """Before it is in."""
        for event in self.read.receive(data, 0.0):
            assert isinstance(event, Received), event
            body = event.message.body
            if isinstance(body, RegisterAnswer):
                assert body.result == 0, body
                self._tell(AUTHENTICATE, Authenticate(body.code))
            elif isinstance(body, GeneralAnswer):
                assert body.result == 0, body
                self.is_in = True

    def answers(self, data: bytes) -> Iterator[tuple[float, bool]]:
        """When each message that is answered was sent, and whether it was kept."""
        *pieces, self.rest = (self.rest + data).split(FLAG)
        for piece in pieces:
            if not piece:
                continue
            if ESCAPE in piece:
                piece = piece.replace(b"\x7d\x02", FLAG).replace(b"\x7d\x01", ESCAPE)
            sent_s = self.sent_s.pop(int.from_bytes(piece[ANSWER_SERIAL]))
            yield sent_s, piece[ANSWER_RESULT] == 0

    def send(self, count: int, now_s: float) -> None:
        batch = []
        for _ in range(count):
            self.sent_s[self.next] = now_s
            batch.append(self.frames[self.next])
            self.next = (self.next + 1) % FRAMES
        data = b"".join(batch)
        assert self.socket.send(data) == len(data), "the gateway takes no more"

    def _tell(self, message_id: int, body: object) -> None:
        self.socket.send(self.read.send(message_id, phone(self.number).zfill(12), body, "2013"))


def work(plan: Plan, pipe: Pipe) -> None:
    """Come in and say so; then send, for so many seconds at such a rate, as often as asked."""
    poll = select.epoll()
    terminals = list(_enter(plan, poll))
    by_file = {one.socket.fileno(): one for one in terminals}
    gc.collect()
    gc.freeze()
    pipe.send(len(terminals))
    while True:
        try:
            seconds, rate = pipe.recv()
        except EOFError:
            return
        pipe.send(_drive(plan, terminals, by_file, poll, seconds, rate))


def _enter(plan: Plan, poll: select.epoll) -> Iterator[Terminal]:
    waiting = deque(range(plan.first, plan.first + plan.terminals))
    entering: dict[int, Terminal] = {}
    deadline = time.monotonic() + ENTER_WITHIN_S
    while waiting or entering:
        assert time.monotonic() < deadline, f"{len(entering)} terminals do not come in"
        while waiting and len(entering) < AT_A_TIME:
            one = Terminal(waiting.popleft(), plan.port)
            entering[one.socket.fileno()] = one
            poll.register(one.socket, select.EPOLLIN)
        for number, _ in poll.poll(1.0):
            data = entering[number].socket.recv(4_096)
            assert data, "the gateway has ended a connection"
            entering[number].hear(data)
            if entering[number].is_in:
                yield entering.pop(number)


def _drive(
    plan: Plan,
    terminals: Sequence[Terminal],
    by_file: dict[int, Terminal],
    poll: select.epoll,
    seconds: float,
    rate: float | None,
) -> Result:
    result = Result()
    begin_s = time.monotonic()
    end_s = begin_s + seconds
    unanswered = 0
    turns = itertools.cycle(terminals)
    if rate is None:
        for one in terminals:
            one.send(plan.window, time.monotonic())
            unanswered += plan.window
        result.sent = unanswered
    due = 0
    while True:
        now_s = time.monotonic()
        if now_s >= end_s and (not unanswered or now_s > end_s + LAST_ANSWERS_S):
            break
        if rate is not None and now_s < end_s:
            so_far = int((now_s - begin_s) * rate)
            for one in itertools.islice(turns, so_far - due):
                if len(one.sent_s) >= plan.window:
                    result.late += 1
                    continue
                one.send(1, now_s)
                unanswered += 1
                result.sent += 1
            due = so_far
        for number, _ in poll.poll(STEP_S):
            one = by_file[number]
            data = one.socket.recv(65_536)
            assert data, "the gateway has ended a connection"
            now_s = time.monotonic()
            count = 0
            for sent_s, kept in one.answers(data):
                count += 1
                result.waits_s.append(now_s - sent_s)
                if kept:
                    result.acknowledged += 1
                else:
                    result.refused += 1
            unanswered -= count
            if rate is None and now_s < end_s:
                one.send(count, now_s)
                unanswered += count
                result.sent += count
    result.seconds = time.monotonic() - begin_s
    return result
