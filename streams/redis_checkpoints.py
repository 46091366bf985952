"""Checkpoints in Redis (design sections 10 and 12): the `CheckpointStore` of a worker.

A partition's checkpoint is one hash, `mucktrack:checkpoint:<topic>:<partition>`:

    format      of this hash; another one is refused
    epoch       counts up with each loading; who saves must hold the latest one
    next        the offset to go on at
    partitions  of the topic
    head        of the state
    index       which field holds each part of the state
    @E/N/PART   a part, written by the holder of epoch E in its save number N

The parts of a save are written first, in pieces, under names of their own; then one step puts the
new index, head and offset in place and removes the parts that they replace. So a checkpoint is
there whole or not at all, whenever a worker dies, and no call is long enough to make others wait.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import RedisError

from streams.checkpoint import (
    Checkpoint,
    FencedError,
    Keeper,
    StoreAwayError,
    UnknownCheckpointError,
)
from streams.snapshot import State

KEY: Final = "mucktrack:checkpoint:"
FORMAT: Final = 1
TIMEOUT_S: Final = 10.0
PIECE_BYTES: Final = 4 << 20
"""Written or read in one call: some milliseconds of Redis' time."""

PARTS_A_CALL: Final = 100

AWAY = (RedisError, OSError, TimeoutError)

_TAKE: Final = """
local format = redis.call('HGET', KEYS[1], 'format')
if format and format ~= ARGV[1] then return {-1, format} end
redis.call('HSET', KEYS[1], 'format', ARGV[1])
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
return {epoch, redis.call('HMGET', KEYS[1], 'next', 'partitions', 'head', 'index')}
"""
"""One step, so that what is read is the last that the holder before could write."""

_WRITE: Final = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
"""

_COMMIT: Final = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'next', ARGV[2], 'partitions', ARGV[3], 'head', ARGV[4],
           'index', ARGV[5])
for i = 6, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
return 1
"""


class RedisCheckpoints:
    """Keeps checkpoints in one Redis."""

    def __init__(self, connection: Any) -> None:
        """Connects when something is asked."""
        self._redis = connection

    @classmethod
    def at(cls, url: str) -> "RedisCheckpoints":
        return cls(
            redis.asyncio.from_url(
                url,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                # A server that was restarted has closed the connections that are kept; each step
                # here may be done twice.
                retry=Retry(NoBackoff(), 1),
                retry_on_error=[ConnectionLostError],
            )
        )

    async def load(self, topic: str, partition: int) -> Keeper:
        key = f"{KEY}{topic}:{partition}"
        try:
            epoch, found = await self._redis.eval(_TAKE, 1, key, FORMAT)
            if epoch == -1:
                raise UnknownCheckpointError(
                    f"Redis: {key} is of format {found.decode()}; this version reads format "
                    f"{FORMAT}: run the version that wrote it, or delete the key to start at the "
                    "log's start"
                )
            keeper = _Keeper(self._redis, key, epoch)
            if found[0] is not None:
                await keeper.read(*found)
            await keeper.tidy()
        except AWAY as error:
            raise StoreAwayError(f"Redis: {error}") from error
        return keeper

    async def close(self) -> None:
        await self._redis.aclose()


class _Keeper:
    """The holder of one epoch of one partition."""

    def __init__(self, connection: Any, key: str, epoch: int) -> None:
        self.checkpoint: Checkpoint | None = None
        self._redis = connection
        self._key = key
        self._epoch = epoch
        self._saves = 0
        self._index: dict[str, str] = {}
        """The field of each part."""

    async def read(self, next_offset: bytes, partitions: bytes, head: bytes, index: bytes) -> None:
        """Read the parts. Raises `UnknownCheckpointError` where one is missing or broken, and
        `StoreAwayError` where somebody has loaded the partition meanwhile."""
        parts: dict[str, bytes] = {}
        try:
            self._index = msgspec.msgpack.decode(index, type=dict[str, str])
            for names in _batches(list(self._index), PARTS_A_CALL):
                fields = [self._index[name] for name in names]
                values = await self._redis.hmget(self._key, fields)
                for name, value in zip(names, values, strict=True):
                    if value is None:
                        await self._explain_missing(name)
                    parts[name] = value
            state = State(head, parts)
        except msgspec.DecodeError as error:
            raise UnknownCheckpointError(
                f"Redis: {self._key} is damaged ({error}); delete the key to start at the log's "
                "start"
            ) from error
        self.checkpoint = Checkpoint(int(next_offset), int(partitions), state)

    async def tidy(self) -> None:
        """Remove the parts that a holder before wrote and never put in place."""
        kept = set(self._index.values())
        stray = [
            field
            for field in (key.decode() for key in await self._redis.hkeys(self._key))
            if field.startswith("@") and field not in kept and not self._is_newer(field)
        ]
        for fields in _batches(stray, PARTS_A_CALL):
            await self._redis.hdel(self._key, *fields)

    async def save(self, checkpoint: Checkpoint) -> int:
        # A save that failed is repeated under its own number, and so overwrites what it left.
        number = self._saves + 1
        written = 0
        index = dict(self._index)
        replaced: list[str] = []
        try:
            for piece in _pieces(checkpoint.state.parts.items()):
                fields: list[bytes | str] = []
                for name, value in piece:
                    field = f"@{self._epoch}/{number}/{name}"
                    fields += [field, value]
                    written += len(value)
                    if name in index:
                        replaced.append(index[name])
                    index[name] = field
                await self._step(_WRITE, *fields)
            encoded = msgspec.msgpack.encode(index)
            head = checkpoint.state.head
            written += len(head) + len(encoded)
            await self._step(
                _COMMIT, checkpoint.next_offset, checkpoint.partitions, head, encoded, *replaced
            )
        except AWAY as error:
            raise StoreAwayError(f"Redis: {error}") from error
        self._index, self._saves = index, number
        return written

    async def _step(self, script: str, *arguments: bytes | str | int) -> None:
        if not await self._redis.eval(script, 1, self._key, self._epoch, *arguments):
            raise FencedError(f"{self._key}: the epoch {self._epoch} is over")

    def _is_newer(self, field: str) -> bool:
        return int(field[1:].partition("/")[0]) > self._epoch

    async def _explain_missing(self, name: str) -> None:
        """A part is not there: whoever has the partition now has replaced it, or it is lost."""
        if int(await self._redis.hget(self._key, "epoch") or 0) != self._epoch:
            raise StoreAwayError(f"{self._key} is being loaded by another worker")
        raise UnknownCheckpointError(
            f"Redis: {self._key} has lost the part {name} of its state; delete the key to start at "
            "the log's start"
        )


def _batches(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _pieces(parts: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    piece: list[tuple[str, bytes]] = []
    size = 0
    for name, value in parts:
        if piece and (size + len(value) > PIECE_BYTES or len(piece) == PARTS_A_CALL):
            yield piece
            piece, size = [], 0
        piece.append((name, value))
        size += len(value)
    if piece:
        yield piece
