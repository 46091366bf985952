"""Checkpoints in Redis (design sections 10 and 12): the `CheckpointStore` of a worker.

A partition's checkpoint is one hash, `mucktrack:checkpoint:<topic>:<partition>`:

    format      of this hash; another one is refused
    epoch       goes up with each loading; who saves must hold the latest one
    save        E/N of the save in place
    next        the offset to go on at
    partitions  of the topic
    head        of the state
    index       which field holds each part of the state
    @E/N/PART   a part, written by the holder of epoch E in its save number N

The parts of a save are written first, in pieces, under names of their own; then one step puts the
new index, head and offset in place and removes the parts that they replace. So a checkpoint is
there whole or not at all, whenever a worker dies, and no call is long enough to make others wait.

A Redis may lose all its data, or the last of it (a replica that takes over, a machine that dies).
So an epoch is a time: one that was given is not given again by a Redis that has forgotten it. And
who saves says which save must be in place: parts that are lost are not referred to.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    LostError,
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
if (redis.call('HGET', KEYS[1], 'epoch') or '0') ~= ARGV[2] then return {0} end
redis.call('HSET', KEYS[1], 'format', ARGV[1], 'epoch', ARGV[3])
return {1, redis.call('HMGET', KEYS[1], 'next', 'partitions', 'head', 'index', 'save')}
"""
"""One step, so that what is read is the last that the holder before could write. Only in place of
the epoch that was seen: an attempt that was given up, and that a Redis which stood still carries
out later, must take the partition from nobody."""

_CHECK: Final = """
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch ~= ARGV[1] then
    if epoch and tonumber(epoch) > tonumber(ARGV[1]) then return 'fenced' end
    return 'lost'
end
"""

_WRITE: Final = (
    _CHECK
    + """
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 'done'
"""
)

_COMMIT: Final = (
    _CHECK
    + """
local save = redis.call('HGET', KEYS[1], 'save') or ''
if save ~= ARGV[2] and save ~= ARGV[3] then return 'lost' end
local parts = 8 + ARGV[8]
for i = 9, parts do
    if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0 then return 'lost' end
end
redis.call('HSET', KEYS[1], 'save', ARGV[3], 'next', ARGV[4], 'partitions', ARGV[5],
           'head', ARGV[6], 'index', ARGV[7])
for i = parts + 1, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
return 'done'
"""
)


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
                retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionLostError,)),
                retry_on_error=[ConnectionLostError],
            )
        )

    async def load(self, topic: str, partition: int) -> Keeper:
        key = f"{KEY}{topic}:{partition}"
        try:
            seen = int(await self._redis.hget(key, "epoch") or 0)
            epoch = max(seen + 1, time.time_ns() // 1000)
            taken, *found = await self._redis.eval(_TAKE, 1, key, FORMAT, seen, epoch)
            if taken == -1:
                raise UnknownCheckpointError(
                    f"Redis: {key} is of format {found[0].decode(errors='replace')}; this version "
                    f"reads format {FORMAT}: run the version that wrote it, or delete the key to "
                    "start at the log's start"
                )
            if taken == 0:
                raise StoreAwayError(f"Redis: {key} is being loaded by another worker")
            keeper = _Keeper(self._redis, key, epoch)
            if any(value is not None for value in found[0]):
                await keeper.read(*found[0])
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
        self._save_in_place = ""
        self._index: dict[str, str] = {}
        """The field of each part."""
        self._sizes: dict[str, int] = {}
        """Bytes of each part, and of what is not in parts."""

    @property
    def size_bytes(self) -> int:
        return sum(self._sizes.values())

    async def read(self, *values: bytes | None) -> None:
        """Read the parts; `values` are those of the key's other fields. Raises
        `UnknownCheckpointError` where one is missing or broken, and `StoreAwayError` where somebody
        has loaded the partition meanwhile."""
        present = [value for value in values if value is not None]
        try:
            next_offset, partitions, head, index, save = present
            offset, count = int(next_offset), int(partitions)
            self._save_in_place = save.decode()
            self._index = msgspec.msgpack.decode(index, type=dict[str, str])
        except (ValueError, msgspec.DecodeError) as error:
            raise UnknownCheckpointError(
                f"Redis: {self._key} is damaged ({error}); delete the key to start at the log's "
                "start"
            ) from error
        parts: dict[str, bytes] = {}
        for names in _batches(list(self._index), PARTS_A_CALL):
            fields = [self._index[name] for name in names]
            found = await self._redis.hmget(self._key, fields)
            for name, part in zip(names, found, strict=True):
                if part is None:
                    await self._explain_missing(name)
                parts[name] = part
        self._sizes = _sizes(parts, head, index)
        self.checkpoint = Checkpoint(offset, count, State(head, parts))

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
        self.checkpoint = None
        number = self._saves + 1
        written = 0
        index = dict(self._index)
        new: list[str] = []
        replaced: list[str] = []
        this = f"{self._epoch}/{number}"
        try:
            for piece in _pieces(checkpoint.state.parts.items()):
                fields: list[bytes | str] = []
                for name, value in piece:
                    field = f"@{this}/{name}"
                    fields += [field, value]
                    new.append(field)
                    written += len(value)
                    if name in index:
                        replaced.append(index[name])
                    index[name] = field
                await self._step(_WRITE, *fields)
            encoded = msgspec.msgpack.encode(index)
            head = checkpoint.state.head
            written += len(head) + len(encoded)
            await self._step(
                _COMMIT, self._save_in_place, this, checkpoint.next_offset, checkpoint.partitions,
                head, encoded, len(new), *new, *replaced,
            )  # fmt: skip
        except AWAY as error:
            raise StoreAwayError(f"Redis: {error}") from error
        self._index, self._saves, self._save_in_place = index, number, this
        self._sizes |= _sizes(checkpoint.state.parts, head, encoded)
        return written

    async def _step(self, script: str, *arguments: bytes | str | int) -> None:
        said = await self._redis.eval(script, 1, self._key, self._epoch, *arguments)
        if said == b"fenced":
            raise FencedError(f"Redis: {self._key} has been loaded by another worker")
        if said != b"done":
            raise LostError(f"Redis has lost {self._key}, or the last that was saved of it")

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


def _sizes(parts: Mapping[str, bytes], head: bytes, index: bytes) -> dict[str, int]:
    """An empty name is none of a part."""
    return {name: len(part) for name, part in parts.items()} | {"": len(head) + len(index)}


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
