"""What is kept of each terminal: a hash in Redis, `mucktrack:terminal:<bare phone>` (design
section 12).

Written at registration, read at authentication, noted in when two claim to be one. The only place
of the gateway that speaks to Redis while terminals wait; a Redis that does not answer is a
`StoreAwayError`, never more. What a terminal may do is decided elsewhere.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import redis.asyncio
from redis.exceptions import RedisError

from producers.gateway.registration import Terminal
from streams.checkpoint import StoreAwayError
from streams.logs import get_log

log = get_log(__name__)

KEY: Final = "mucktrack:terminal:"
ANSWER_S: Final = 3.0
"""A terminal that waits longer for its answer sends again."""
PIPELINE: Final = 200
"""Questions in one go: when a network comes back, thousands of terminals authenticate at once, and
each of them alone would wait for all before it."""


Command = tuple[str | int, ...]


class TerminalStore:
    """Every method may raise `StoreAwayError`."""

    def __init__(self, url: str) -> None:
        """Connects when something is asked."""
        self._redis: Any = redis.asyncio.from_url(
            url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S
        )
        self._asked: list[tuple[Command, asyncio.Future[Any]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def read(self, phone: str) -> Terminal | None:
        """None = never registered, or unregistered since."""
        fields = await self._ask("HGETALL", KEY + phone)
        texts = {name.decode(): value.decode("utf-8", "replace") for name, value in fields.items()}
        if not texts.get("code"):
            return None
        known = {name: text for name, text in texts.items() if name in Terminal.__struct_fields__}
        try:
            return msgspec.convert(known, Terminal, strict=False)
        except msgspec.ValidationError as error:
            log.warning("terminal_forgotten", phone=phone, error=error)
            return None

    async def write(self, phone: str, terminal: Terminal) -> None:
        await self._set(phone, msgspec.structs.asdict(terminal))

    async def forget_code(self, phone: str) -> None:
        """It has unregistered: what it was stays known, the code lets nobody in."""
        await self._ask("HDEL", KEY + phone, "code")

    async def note_conflict(self, phone: str, kind: str, at_ms: int) -> None:
        """For those who look after the fleet: the last conflict, and how many there were."""
        await self._set(phone, {"conflict": kind, "conflict_ms": at_ms})
        await self._ask("HINCRBY", KEY + phone, "conflicts", 1)

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        await self._redis.aclose()

    async def _set(self, phone: str, fields: Mapping[str, str | int]) -> None:
        pairs = [one for pair in fields.items() for one in pair]
        await self._ask("HSET", KEY + phone, *pairs)

    async def _ask(self, *command: str | int) -> Any:
        answer = asyncio.get_running_loop().create_future()
        self._asked.append((command, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._answer(), name="redis")
        return await answer

    async def _answer(self) -> None:
        """Until nothing is asked any more, in the order in which it was."""
        while self._asked:
            some, self._asked = self._asked[:PIPELINE], self._asked[PIPELINE:]
            pipeline = self._redis.pipeline(transaction=False)
            for command, _ in some:
                pipeline.execute_command(*command)
            try:
                async with asyncio.timeout(ANSWER_S):
                    answers = await pipeline.execute(raise_on_error=False)
            except (RedisError, OSError, TimeoutError) as error:
                # Those behind would wait for as long, and be told the same.
                some, self._asked = some + self._asked, []
                answers = [error] * len(some)
            for (_, asked), answer in zip(some, answers, strict=True):
                _tell(asked, answer)


def _tell(asked: asyncio.Future[Any], answer: Any) -> None:
    if asked.done():
        return  # Who asked has been cancelled.
    if isinstance(answer, BaseException):
        text = " ".join(str(answer).split()) or f"no answer within {ANSWER_S:g} s"
        asked.set_exception(StoreAwayError(text))
    else:
        asked.set_result(answer)
