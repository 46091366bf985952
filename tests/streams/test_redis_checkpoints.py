"""Checkpoints in a real Redis: whole or not at all, by one holder, whatever gets lost."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
from servers.redis_server import RedisServer

from streams.checkpoint import (
    Checkpoint,
    FencedError,
    Keeper,
    LostError,
    StoreAwayError,
    UnknownCheckpointError,
)
from streams.redis_checkpoints import FORMAT, KEY, PARTS_A_CALL, PIECE_BYTES, RedisCheckpoints
from streams.snapshot import State

COMMANDS = ("eval", "hget", "hmget", "hkeys", "hdel")


class Died(BaseException):
    """The worker is no more."""


class Mortal:
    """A connection whose worker dies, or whose answers get lost, after some commands."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.sent = 0
        self.dies_after: int | None = None
        self.unanswered: set[int] = set()
        """Numbers of the commands that are carried out and whose answers do not arrive."""

    def __getattr__(self, name: str) -> Any:
        command = getattr(self._connection, name)
        if name not in COMMANDS:
            return command

        async def send(*arguments: Any) -> Any:
            if self.sent == self.dies_after:
                raise Died
            self.sent += 1
            answer = await command(*arguments)
            if self.sent in self.unanswered:
                raise redis.TimeoutError("no answer")
            return answer

        return send


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Any]:
    async with redis.asyncio.from_url(redis_url) as connection:
        yield connection


@pytest.fixture
def topic() -> str:
    return f"positions-{uuid.uuid4().hex[:8]}"


def checkpoint(next_offset: int, **parts: bytes) -> Checkpoint:
    return Checkpoint(next_offset, 12, State(b"head %d" % next_offset, parts))


async def loaded(store: RedisCheckpoints, topic: str) -> tuple[Keeper, Checkpoint | None]:
    keeper = await store.load(topic, 3)
    return keeper, keeper.checkpoint


async def fields(client: Any, topic: str) -> dict[str, bytes]:
    found = await client.hgetall(f"{KEY}{topic}:3")
    return {name.decode(): value for name, value in found.items()}


async def test_what_was_saved_is_loaded(client: Any, topic: str) -> None:
    store = RedisCheckpoints(client)
    keeper, found = await loaded(store, topic)
    assert found is None
    assert await keeper.save(checkpoint(10, a=b"a1", b=b"b1")) > 4
    await keeper.save(checkpoint(20, b=b"b2", c=b"c2"))
    keeper, found = await loaded(store, topic)
    assert found == checkpoint(20, a=b"a1", b=b"b2", c=b"c2")
    await keeper.save(checkpoint(30, a=b"a3"))
    assert keeper.checkpoint is None, "a state that is read once takes up memory"
    _, found = await loaded(store, topic)
    assert found == checkpoint(30, a=b"a3", b=b"b2", c=b"c2")
    parts = [name for name in await fields(client, topic) if name.startswith("@")]
    assert len(parts) == 3, "parts that were replaced are still there"


async def test_partitions_and_topics_are_apart(client: Any, topic: str) -> None:
    store = RedisCheckpoints(client)
    for number in (1, 2):
        keeper = await store.load(topic, number)
        await keeper.save(checkpoint(number))
    assert [(await store.load(topic, number)).checkpoint for number in (1, 2)] == [
        checkpoint(1),
        checkpoint(2),
    ]
    assert (await store.load(topic + "x", 1)).checkpoint is None


def many(seed: int) -> dict[str, bytes]:
    """Parts for more than one call, by their number and by their size."""
    small = {f"s{n}": bytes([seed, n]) for n in range(PARTS_A_CALL + 1)}
    return small | {f"l{n}": bytes([seed, n]) * (PIECE_BYTES // 2) for n in range(2)}


async def test_a_large_state_is_written_in_pieces(client: Any, topic: str) -> None:
    connection = Mortal(client)
    store = RedisCheckpoints(connection)
    keeper, _ = await loaded(store, topic)
    before = connection.sent
    assert await keeper.save(checkpoint(1, **many(1))) > 2 * PIECE_BYTES
    assert connection.sent - before == 5
    _, found = await loaded(store, topic)
    assert found == checkpoint(1, **many(1))


async def test_whoever_dies_while_saving_leaves_the_checkpoint_before(
    client: Any, topic: str
) -> None:
    steps = 0
    while True:
        own = f"{topic}-{steps}"
        connection = Mortal(client)
        keeper, _ = await loaded(RedisCheckpoints(connection), own)
        await keeper.save(checkpoint(1, **many(1)))
        connection.dies_after = connection.sent + steps
        try:
            await keeper.save(checkpoint(2, **many(2)))
        except Died:
            expected = checkpoint(1, **many(1))
        else:
            expected = checkpoint(2, **many(2))
        keeper, found = await loaded(RedisCheckpoints(client), own)
        assert found == expected
        parts = [name for name in await fields(client, own) if name.startswith("@")]
        assert len(parts) == len(many(1)), "what was not put in place is not tidied up"
        await keeper.save(checkpoint(3, s0=b"3"))
        assert (await loaded(RedisCheckpoints(client), own))[1] == checkpoint(
            3, **(dict(expected.state.parts) | {"s0": b"3"})
        )
        await client.delete(f"{KEY}{own}:3")
        if expected.next_offset == 2:
            break
        steps += 1
    assert steps == 5


@pytest.mark.parametrize("step", range(1, 6))
async def test_a_save_without_an_answer_is_repeated(client: Any, topic: str, step: int) -> None:
    """Whether it was carried out or not: what is saved after it is right."""
    connection = Mortal(client)
    keeper, _ = await loaded(RedisCheckpoints(connection), topic)
    await keeper.save(checkpoint(1, **many(1)))
    connection.unanswered = {connection.sent + step}
    with pytest.raises(StoreAwayError):
        await keeper.save(checkpoint(2, **many(2)))
    await keeper.save(checkpoint(2, **many(2)))
    await keeper.save(checkpoint(3, s1=b"3"))
    _, found = await loaded(RedisCheckpoints(client), topic)
    assert found == checkpoint(3, **(many(2) | {"s1": b"3"}))
    parts = [name for name in await fields(client, topic) if name.startswith("@")]
    assert len(parts) == len(many(1))


async def test_a_load_without_an_answer_is_repeated(client: Any, topic: str) -> None:
    connection = Mortal(client)
    keeper, _ = await loaded(RedisCheckpoints(connection), topic)
    await keeper.save(checkpoint(1, a=b"1"))
    for step in range(1, 5):
        connection.unanswered = {connection.sent + step}
        with pytest.raises(StoreAwayError):
            await RedisCheckpoints(connection).load(topic, 3)
    keeper, found = await loaded(RedisCheckpoints(connection), topic)
    assert found == checkpoint(1, a=b"1")
    await keeper.save(checkpoint(2))


async def test_who_was_overtaken_changes_nothing(client: Any, topic: str) -> None:
    store = RedisCheckpoints(client)
    old, _ = await loaded(store, topic)
    await old.save(checkpoint(1, a=b"1", b=b"1"))
    new, _ = await loaded(store, topic)
    before = await fields(client, topic)
    for state in ({"a": b"old"}, {}):
        with pytest.raises(FencedError, match="another worker"):
            await old.save(checkpoint(2, **state))
    assert await fields(client, topic) == before
    await new.save(checkpoint(3, a=b"3"))
    with pytest.raises(FencedError):
        await old.save(checkpoint(2, a=b"old"))
    assert (await loaded(store, topic))[1] == checkpoint(3, a=b"3", b=b"1")


async def test_who_is_overtaken_while_saving_changes_nothing(client: Any, topic: str) -> None:
    """At each of its steps."""
    for step in range(5):
        own = f"{topic}-{step}"
        connection = Mortal(client)
        old, _ = await loaded(RedisCheckpoints(connection), own)
        await old.save(checkpoint(1, **many(1)))
        connection.dies_after = connection.sent + step
        with pytest.raises(Died):
            await old.save(checkpoint(2, **many(2)))
        new, found = await loaded(RedisCheckpoints(client), own)
        assert found == checkpoint(1, **many(1))
        await new.save(checkpoint(3, s0=b"3"))
        connection.dies_after = None
        with pytest.raises(FencedError):
            await old.save(checkpoint(2, **many(2)))
        assert (await loaded(RedisCheckpoints(client), own))[1] == checkpoint(
            3, **(many(1) | {"s0": b"3"})
        )
        await client.delete(f"{KEY}{own}:3")


async def test_a_late_attempt_to_load_takes_the_partition_from_nobody(
    client: Any, topic: str
) -> None:
    """A Redis that stood still carries out what its clients have given up."""
    late: list[tuple[Any, ...]] = []

    class Late(Mortal):
        async def eval(self, *arguments: Any) -> Any:
            late.append(arguments)
            raise redis.TimeoutError("no answer")

    with pytest.raises(StoreAwayError):
        await RedisCheckpoints(Late(client)).load(topic, 3)
    keeper, _ = await loaded(RedisCheckpoints(client), topic)
    for arguments in late:
        await client.eval(*arguments)
    await keeper.save(checkpoint(1))


async def test_a_redis_that_has_lost_all(client: Any, topic: str) -> None:
    store = RedisCheckpoints(client)
    old, _ = await loaded(store, topic)
    await old.save(checkpoint(1, a=b"1", b=b"1"))
    await client.delete(f"{KEY}{topic}:3")
    with pytest.raises(LostError, match="lost"):
        await old.save(checkpoint(2, a=b"2"))
    assert await fields(client, topic) == {}
    new, found = await loaded(store, topic)
    assert found is None
    with pytest.raises(FencedError):
        # Where epochs were counted from one again, this would be the holder.
        await old.save(checkpoint(2, a=b"2"))
    await new.save(checkpoint(1, a=b"new"))
    assert (await loaded(store, topic))[1] == checkpoint(1, a=b"new")


async def test_a_redis_that_has_lost_the_last(client: Any, topic: str) -> None:
    """A replica that was behind takes over: parts that it never had are not referred to."""
    key = f"{KEY}{topic}:3"
    store = RedisCheckpoints(client)
    keeper, _ = await loaded(store, topic)
    before_loading = await client.dump(key)
    await keeper.save(checkpoint(1, a=b"1", b=b"1"))
    behind = await client.dump(key)
    await keeper.save(checkpoint(2, a=b"2"))
    await client.restore(key, 0, behind, replace=True)
    with pytest.raises(LostError):
        await keeper.save(checkpoint(3, b=b"3"))
    keeper, found = await loaded(store, topic)
    assert found == checkpoint(1, a=b"1", b=b"1")
    await keeper.save(checkpoint(2, a=b"2"))
    await client.restore(key, 0, before_loading, replace=True)
    with pytest.raises(LostError):
        await keeper.save(checkpoint(3))
    assert (await loaded(store, topic))[1] is None


async def test_a_redis_that_loses_the_pieces_of_a_save(client: Any, topic: str) -> None:
    key = f"{KEY}{topic}:3"
    connection = Mortal(client)
    keeper, _ = await loaded(RedisCheckpoints(connection), topic)
    await keeper.save(checkpoint(1, **many(1)))
    behind = await client.dump(key)
    connection.unanswered = {connection.sent + 2}
    with pytest.raises(StoreAwayError):
        await keeper.save(checkpoint(2, **many(2)))
    await client.restore(key, 0, behind, replace=True)

    class Behind(Mortal):
        async def eval(self, script: str, *arguments: Any) -> Any:
            if "HEXISTS" in script:
                await client.restore(key, 0, behind, replace=True)
            return await client.eval(script, *arguments)

    keeper._redis = Behind(client)  # type: ignore[attr-defined]
    with pytest.raises(LostError):
        await keeper.save(checkpoint(2, **many(2)))
    assert (await loaded(RedisCheckpoints(client), topic))[1] == checkpoint(1, **many(1))


async def test_what_cannot_be_read_is_refused(client: Any, topic: str) -> None:
    key = f"{KEY}{topic}:3"
    store = RedisCheckpoints(client)
    keeper, _ = await loaded(store, topic)
    await keeper.save(checkpoint(1, a=b"1"))
    whole = await client.dump(key)
    a_part = next(name for name in await fields(client, topic) if name.startswith("@"))
    for field, value, why in (
        ("format", str(FORMAT + 1), f"is of format {FORMAT + 1}; this version reads"),
        ("index", b"\xc1", "damaged"),
        ("index", None, "damaged"),
        ("head", None, "damaged"),
        ("save", None, "damaged"),
        ("next", None, "damaged"),
        ("next", "one", "damaged"),
        ("partitions", "", "damaged"),
        (a_part, None, "lost the part a"),
    ):
        await client.restore(key, 0, whole, replace=True)
        await (client.hdel(key, field) if value is None else client.hset(key, field, value))
        with pytest.raises(UnknownCheckpointError, match=why) as refusal:
            await store.load(topic, 3)
        assert key in str(refusal.value)
        assert "delete the key" in str(refusal.value)
    await client.restore(key, 0, whole, replace=True)
    assert (await loaded(store, topic))[1] == checkpoint(1, a=b"1")


async def test_a_format_that_is_refused_is_left_to_its_holder(client: Any, topic: str) -> None:
    key = f"{KEY}{topic}:3"
    await client.hset(key, mapping={"format": FORMAT + 1, "epoch": "5", "@4/1/a": b"x"})
    before = await fields(client, topic)
    with pytest.raises(UnknownCheckpointError):
        await RedisCheckpoints(client).load(topic, 3)
    assert await fields(client, topic) == before


async def test_a_redis_that_is_killed_and_comes_back(tmp_path: Path, topic: str) -> None:
    with RedisServer(tmp_path) as server:
        store = RedisCheckpoints.at(server.url)
        keeper, _ = await loaded(store, topic)
        await keeper.save(checkpoint(1, a=b"1"))
        server.kill()
        with pytest.raises(StoreAwayError):
            await keeper.save(checkpoint(2, a=b"2"))
        with pytest.raises(StoreAwayError):
            await store.load(topic, 3)
        server.start()
        await keeper.save(checkpoint(2, a=b"2"))
        assert (await loaded(store, topic))[1] == checkpoint(2, a=b"2")
        await store.close()
