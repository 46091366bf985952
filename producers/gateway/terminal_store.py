"""What is kept of each terminal: a hash in Redis, `mucktrack:terminal:<bare phone>` (design
section 12).

Written at registration, read at authentication, noted in when two claim to be one. The only place
of the gateway that speaks to Redis while terminals wait; a Redis that does not answer is a
`StoreAwayError`, never more. What a terminal may do is decided elsewhere.
"""

import asyncio
import logging
from typing import Any, Final

import msgspec
import redis.asyncio
from redis.exceptions import RedisError

from streams.checkpoint import StoreAwayError

log = logging.getLogger(__name__)

KEY: Final = "mucktrack:terminal:"
ANSWER_S: Final = 3.0
"""A terminal that waits longer for its answer sends again."""
CONNECTIONS: Final = 8
"""To Redis: when a network comes back, thousands of terminals authenticate in one second."""


class Terminal(msgspec.Struct, frozen=True):
    """What was said at registration, and what was answered."""

    code: str
    """Secret: who knows it is let in as this terminal."""
    truck_id: str
    maker: str = ""
    model: str = ""
    device: str = ""
    """The maker's own id of the device (0x0100, terminal id)."""
    version: str = ""
    profile: str = ""
    registered_ms: int = 0

    def __repr__(self) -> str:
        return f"Terminal({self.truck_id!r}, {self.maker!r}, {self.model!r}, {self.device!r})"

    def is_device(self, maker: str, device: str) -> bool:
        return (self.maker, self.device) == (maker, device)


class TerminalStore:
    """Every method may raise `StoreAwayError`, within `ANSWER_S`."""

    def __init__(self, url: str) -> None:
        """Connects when something is asked."""
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=ANSWER_S,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
        )
        self._redis: Any = redis.asyncio.Redis.from_pool(pool)

    async def read(self, phone: str) -> Terminal | None:
        """None = never registered, or unregistered since."""
        fields = await self._ask(self._redis.hgetall(KEY + phone))
        texts = {name.decode(): value.decode("utf-8", "replace") for name, value in fields.items()}
        if not texts.get("code"):
            return None
        known = {name: text for name, text in texts.items() if name in Terminal.__struct_fields__}
        try:
            return msgspec.convert(known, Terminal, strict=False)
        except msgspec.ValidationError as error:
            log.warning("%s%s in Redis is left out: %s; it registers anew", KEY, phone, error)
            return None

    async def write(self, phone: str, terminal: Terminal) -> None:
        await self._ask(self._redis.hset(KEY + phone, mapping=msgspec.structs.asdict(terminal)))

    async def forget_code(self, phone: str) -> None:
        """It has unregistered: what it was stays known, the code lets nobody in."""
        await self._ask(self._redis.hdel(KEY + phone, "code"))

    async def note_conflict(self, phone: str, kind: str, at_ms: int) -> None:
        """For those who look after the fleet: the last conflict, and how many there were."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hset(KEY + phone, mapping={"conflict": kind, "conflict_ms": at_ms})
        pipeline.hincrby(KEY + phone, "conflicts", 1)
        await self._ask(pipeline.execute())

    async def close(self) -> None:
        await self._redis.aclose()

    async def _ask(self, question: Any) -> Any:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await question
        except (RedisError, OSError, TimeoutError) as error:
            text = " ".join(str(error).split()) or f"no answer within {ANSWER_S:g} s"
            raise StoreAwayError(text) from error
