"""Worker processes, their checkpoints and their Redis: what is repeated, what is refused, and what
happens when the Redis forgets."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis
from live_parts import (
    PARTITIONS,
    Process,
    Record,
    drive,
    ids,
    last_ticks,
    make_topics,
    offline,
    plates,
    publish,
    read,
    single,
    until,
    worker,
    write_city,
)
from servers.redis_server import RedisServer

from streams.output import ce_id
from streams.redis_checkpoints import KEY
from streams.worker import Topics

TRUCKS = 40
FIXES = 'mucktrack_positions_total{outcome="fix"}'
A_TIME = 20
PAUSE_S = 0.2
INTERVAL_S = 1.0
LATE_S = 4.0
"""How much later than its time a checkpoint may come on a machine that is busy."""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_city(tmp_path_factory.mktemp("city"))


POSITIONS = drive(plates(TRUCKS))
RECORDS = [*map(single, POSITIONS), *last_ticks(POSITIONS)]


@pytest.fixture(scope="module")
def expected(city: Path) -> set[str]:
    return set(map(ce_id, offline(city, POSITIONS)))


@asynccontextmanager
async def publishing(
    kafka: str, topics: Topics, records: Sequence[Record] = RECORDS
) -> AsyncIterator[None]:
    """Records keep coming, a few at a time; all of them are there in the end."""

    async def keep_on() -> None:
        for start in range(0, len(records), A_TIME):
            await publish(kafka, topics.positions, records[start : start + A_TIME])
            await asyncio.sleep(PAUSE_S)

    task = asyncio.create_task(keep_on())
    try:
        yield
        await task
    finally:
        task.cancel()


async def all_of(kafka: str, topics: Topics, expected: set[str]) -> list[str]:
    """`ce_id` of each violation on the queue, once all that are expected are there."""
    records = await read(kafka, topics.violations, lambda some: len(ids(some)) >= len(expected))
    return [dict(record.headers)["ce_id"].decode() for record in records]


def checkpoints(url: str, topics: Topics) -> dict[int, int]:
    """At which offset each partition goes on."""
    with redis.Redis.from_url(url) as client:
        found = {
            number: client.hget(f"{KEY}{topics.positions}:{number}", "next")
            for number in range(PARTITIONS)
        }
    return {number: int(value) for number, value in found.items() if value is not None}


async def saved_by(process: Process, url: str, topics: Topics) -> int:
    """How many records are in checkpoints, once each partition has one."""
    await until(lambda: len(checkpoints(url, topics)) == PARTITIONS, "all are saved")
    return sum(checkpoints(url, topics).values())


async def all_saved(url: str, topics: Topics) -> None:
    await until(
        lambda: sum(checkpoints(url, topics).values()) == len(RECORDS), "all records are saved"
    )


async def test_after_a_kill_no_more_is_repeated_than_an_interval(
    tmp_path: Path, city: Path, kafka: str, redis_url: str, expected: set[str]
) -> None:
    topics = await make_topics(kafka)
    with worker(tmp_path / "a", city, kafka, topics, redis_url, checkpoint_s=INTERVAL_S) as first:
        await until(lambda: first.metric("mucktrack_partitions_loaded") == PARTITIONS, "it reads")
        async with publishing(kafka, topics):
            await saved_by(first, redis_url, topics)
            await asyncio.sleep(2 * INTERVAL_S)
            done = first.metric(FIXES)
            first.child.kill()
            first.child.wait()
    saved = sum(checkpoints(redis_url, topics).values())
    assert saved > 0
    assert done - saved <= (INTERVAL_S + LATE_S) * A_TIME / PAUSE_S
    with worker(tmp_path / "b", city, kafka, topics, redis_url) as second:
        violations = await all_of(kafka, topics, expected)
        await until(lambda: second.metric("mucktrack_ticks_total") == PARTITIONS, "all are taken")
        assert second.metric(FIXES) + PARTITIONS == len(RECORDS) - saved
        assert second.stop() == 0
    assert set(violations) == expected


async def test_workers_that_hand_over_repeat_nothing(
    tmp_path: Path, city: Path, kafka: str, redis_url: str, expected: set[str]
) -> None:
    """One alone, then two, then the other alone, while records keep coming; the interval is long,
    so that only the last checkpoints of those who give up count."""
    topics = await make_topics(kafka)
    with worker(tmp_path / "a", city, kafka, topics, redis_url, checkpoint_s=600) as first:
        await until(lambda: first.metric("mucktrack_partitions_loaded") == PARTITIONS, "it reads")
        async with publishing(kafka, topics):
            await until(lambda: first.metric(FIXES) > 0, "it works")
            with worker(tmp_path / "b", city, kafka, topics, redis_url, checkpoint_s=600) as second:
                await until(
                    lambda: second.metric("mucktrack_partitions_loaded") == PARTITIONS / 2,
                    "the second has its share",
                )
                await until(lambda: second.metric(FIXES) > 0, "it works too")
                assert first.stop() == 0
                await until(
                    lambda: second.metric("mucktrack_ticks_total") == PARTITIONS, "all are taken"
                )
                violations = await all_of(kafka, topics, expected)
                fixes = second.metric(FIXES)
                assert fixes < len(POSITIONS)
                assert second.stop() == 0
    assert set(violations) == expected
    assert len(violations) == len(expected)
    assert sum(checkpoints(redis_url, topics).values()) == len(RECORDS)


async def a_checkpoint(tmp_path: Path, city: Path, kafka: str, topics: Topics, url: str) -> None:
    """A worker takes all there is, and leaves."""
    await publish(kafka, topics.positions, RECORDS[:200])
    with worker(tmp_path / "before", city, kafka, topics, url) as process:
        await until(lambda: process.metric(FIXES) == 200, "all are taken")
        assert process.stop() == 0


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("partitions", "7", "was made with 7 partitions, now there are 4"),
        ("format", "99", "is of format 99; this version reads"),
        ("head", "nothing", "cannot be unpacked"),
        ("index", "\x01", "is damaged"),
    ],
)
async def test_a_checkpoint_that_does_not_fit_ends_the_worker(
    tmp_path: Path, city: Path, kafka: str, redis_url: str, field: str, value: str, why: str
) -> None:
    topics = await make_topics(kafka)
    await a_checkpoint(tmp_path, city, kafka, topics, redis_url)
    with redis.Redis.from_url(redis_url) as client:
        client.hset(f"{KEY}{topics.positions}:2", field, value)
    with worker(tmp_path / "a", city, kafka, topics, redis_url) as process:
        await ends_saying(process, why)


async def ends_saying(process: Process, why: str) -> None:
    """In one line, which is the first that is wrong. Faust may have trouble on the way out."""
    await until(lambda: process.child.poll() is not None, "it ends")
    assert process.child.returncode == 1
    lines = process.said().splitlines()
    told = [line for line in lines if why in line]
    assert len(told) == 1
    before = lines[: lines.index(told[0])]
    assert not any('"error"' in line.partition('"logger"')[0] for line in before)
    assert "delete the " in told[0] or "do not run" in told[0]


async def test_a_checkpoint_beyond_the_log_ends_the_worker(
    tmp_path: Path, city: Path, apache_kafka: None, kafka: str, redis_url: str
) -> None:
    """The topic is another one, of the same name. The embedded broker does not say that an offset
    is beyond its log's end."""
    topics = await make_topics(kafka)
    await a_checkpoint(tmp_path, city, kafka, topics, redis_url)
    with redis.Redis.from_url(redis_url) as client:
        client.hset(f"{KEY}{topics.positions}:2", "next", "5000")
    with worker(tmp_path / "a", city, kafka, topics, redis_url) as process:
        await ends_saying(process, "the log ends before it")


async def test_two_groups_on_one_redis_are_told_apart(
    tmp_path: Path, city: Path, kafka: str, redis_url: str
) -> None:
    topics = await make_topics(kafka)
    with (
        worker(
            tmp_path / "a", city, kafka, topics, redis_url, checkpoint_s=INTERVAL_S, group="one"
        ) as first,
        worker(
            tmp_path / "b", city, kafka, topics, redis_url, checkpoint_s=INTERVAL_S, group="two"
        ) as second,
    ):
        both = (first, second)
        await until(
            lambda: all(one.metric("mucktrack_partitions_loaded") > 0 for one in both), "both read"
        )
        async with publishing(kafka, topics, RECORDS * 3):
            await until(lambda: any(one.child.poll() is not None for one in both), "one ends")
            ended = first if first.child.poll() is not None else second
            await ends_saying(ended, "do not run two consumer groups on one Redis")


async def test_a_redis_that_comes_back_is_gone_on_with(
    tmp_path: Path, city: Path, kafka: str, expected: set[str]
) -> None:
    topics = await make_topics(kafka)
    with (
        RedisServer(tmp_path / "redis") as server,
        worker(tmp_path / "a", city, kafka, topics, server.url, checkpoint_s=INTERVAL_S) as process,
    ):
        await until(lambda: process.metric("mucktrack_partitions_loaded") == PARTITIONS, "it reads")
        async with publishing(kafka, topics):
            await saved_by(process, server.url, topics)
            server.kill()
            await until(
                lambda: process.metric("mucktrack_checkpoint_failures_total") > 0, "it notices"
            )
            await asyncio.sleep(1)
            waiting = process.metric(FIXES)
            await asyncio.sleep(1)
            assert process.metric(FIXES) == waiting, "it goes on with what cannot be kept"
            server.start()
        violations = await all_of(kafka, topics, expected)
        await all_saved(server.url, topics)
        assert process.metric(FIXES) == len(POSITIONS)
        assert process.stop() == 0
    assert set(violations) == expected
    assert len(violations) == len(expected)


async def test_a_redis_that_comes_back_empty_costs_repeats_and_nothing_else(
    tmp_path: Path, city: Path, kafka: str, expected: set[str]
) -> None:
    """In the same process, without anybody's help."""
    topics = await make_topics(kafka)
    with (
        RedisServer(tmp_path / "redis", append_only=False) as server,
        worker(tmp_path / "a", city, kafka, topics, server.url, checkpoint_s=INTERVAL_S) as process,
    ):
        await until(lambda: process.metric("mucktrack_partitions_loaded") == PARTITIONS, "it reads")
        async with publishing(kafka, topics):
            await saved_by(process, server.url, topics)
            server.kill()
            await asyncio.sleep(1)
            server.start()
        violations = await all_of(kafka, topics, expected)
        await all_saved(server.url, topics)
        assert process.metric("mucktrack_partitions_loaded") == PARTITIONS
        assert process.metric(FIXES) > len(POSITIONS)
        assert "Redis has lost" in process.said()
        assert process.stop() == 0
        with worker(tmp_path / "b", city, kafka, topics, server.url) as second:
            await until(
                lambda: second.metric("mucktrack_partitions_loaded") == PARTITIONS, "it reads"
            )
            await asyncio.sleep(1)
            assert second.metric(FIXES) == 0
            assert second.stop() == 0
    assert set(violations) == expected
