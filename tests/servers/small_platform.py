"""A platform of JT/T 808 for the tests of terminals: a TCP server made of the codec, in a thread of
its own, that keeps what it is sent and can be told to behave badly."""

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from producers.jt808.connection import Connection, Event, Received
from producers.jt808.location import Location, LocationBatch
from producers.jt808.message import Message
from producers.jt808.messages import MESSAGES
from producers.jt808.session import Authenticate, GeneralAnswer, Register, RegisterAnswer

HOST = "127.0.0.1"
ANSWER, REGISTER_ANSWER = 0x8001, 0x8100


@dataclass(slots=True)
class Heard:
    """All that terminals have said."""

    locations: list[tuple[str, Location, bool]] = field(default_factory=list)
    """Phone, location, whether it was backfill; in the order in which they were acknowledged."""
    messages: list[Message] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    """Messages by their names in the table."""
    connections: int = 0
    open: int = 0


Judge = Callable[[Message], int | None]
"""The result to be answered to a message with positions; None = no answer."""


class SmallPlatform:
    """`judge` is asked for every message with positions; `cut` after each, whether the connection
    ends then. `codes` are by phone, given out at registration."""

    def __init__(
        self,
        judge: Judge = lambda _: 0,
        cut: Callable[[Message], bool] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self.judge = judge
        self.cut = cut or (lambda _: False)
        self.heard = Heard()
        self.codes: dict[str, str] = {}
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._links: set[_Link] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def say(self, message_id: int, body: Any) -> None:
        """To all terminals that are connected."""

        def act() -> None:
            for link in self._links:
                link.say(message_id, body)

        self._loop.call_soon_threadsafe(act)

    def cut_all(self) -> None:
        def act() -> None:
            for link in list(self._links):
                link.transport.abort()

        self._loop.call_soon_threadsafe(act)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: _Link(self, self._links), HOST, 0, ssl=self._tls)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for link in list(self._links):
            link.transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class _Link(asyncio.Protocol):
    def __init__(self, platform: SmallPlatform, links: "set[_Link]") -> None:
        self._platform, self._links = platform, links
        self._connection = Connection()
        self._said: Message | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._links.add(self)
        self._platform.heard.connections += 1
        self._platform.heard.open += 1

    def connection_lost(self, _error: Exception | None) -> None:
        self._links.discard(self)
        self._platform.heard.open -= 1

    def data_received(self, data: bytes) -> None:
        for event in self._connection.receive(data, 0.0):
            self._take(event)

    def _take(self, event: Event) -> None:
        if not isinstance(event, Received):
            return
        message, heard = event.message, self._platform.heard
        self._said = message
        heard.messages.append(message)
        heard.names[MESSAGES[message.message_id].name] += 1
        match message.body:
            case Register():
                code = f"code-{len(self._platform.codes)}"
                self._platform.codes[message.phone] = code
                self.say(REGISTER_ANSWER, RegisterAnswer(message.serial, 0, code))
            case Authenticate(code=code):
                self._answer(message, int(self._platform.codes.get(message.phone) != code))
            case Location() | LocationBatch() as body:
                result = self._platform.judge(message)
                if result == 0:
                    backfill = isinstance(body, LocationBatch) and body.kind == 1
                    locations = body.locations if isinstance(body, LocationBatch) else [body]
                    heard.locations += [(message.phone, one, backfill) for one in locations]
                if self._platform.cut(message):
                    self.transport.abort()
                elif result is not None:
                    self._answer(message, result)
            case GeneralAnswer():
                pass
            case _:
                self._answer(message, 0)

    def _answer(self, message: Message, result: int) -> None:
        self.say(ANSWER, GeneralAnswer(message.serial, message.message_id, result))

    def say(self, message_id: int, body: Any) -> None:
        if self._said is not None:
            said = self._said
            self.transport.write(self._connection.send(message_id, said.phone, body, said.version))
