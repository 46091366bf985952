"""`mucktrack checkpoints`: what workers have saved, and forgetting it.

A worker that finds no checkpoint of a partition begins at its log's start and reaches the same
verdicts under the same ids: so forgetting loses nothing that Kafka still has. It is for a Kafka
that was made anew, and for what a worker says it cannot go on with.
"""

from collections.abc import Sequence

import click
import redis
from redis.exceptions import RedisError

from mucktrack.failures import BadInputError, WorkFailedError
from streams.access import AccessRefusedError
from streams.checkpoint import StoreAwayError
from streams.redis_admission import check_redis
from streams.redis_checkpoints import KEY, TIMEOUT_S
from streams.topics import POSITIONS

_PREFIX = f"{KEY}{POSITIONS}:"


def print_checkpoints(url: str) -> None:
    """Raises `WorkFailedError`."""
    with _connected(url) as store:
        try:
            for partition in _partitions(store):
                following, count = store.hmget(f"{_PREFIX}{partition}", "next", "partitions")
                if following is None:
                    click.echo(f"partition {partition}: nothing saved yet")
                    continue
                click.echo(
                    f"partition {partition} of {int(count)}: goes on at offset {int(following)}"
                )
            if not _partitions(store):
                click.echo(
                    "no worker has saved anything: it will begin at the log's start", err=True
                )
        except RedisError as error:
            raise _away(error) from None


def forget(url: str, partitions: Sequence[int]) -> None:
    """Of these partitions, or of all. Raises `BadInputError`, `WorkFailedError`."""
    with _connected(url) as store:
        try:
            there = _partitions(store)
            for partition in partitions:
                if partition not in there:
                    raise BadInputError(f"there is no checkpoint of partition {partition}")
            chosen = partitions or there
            for partition in chosen:
                store.delete(f"{_PREFIX}{partition}")
        except RedisError as error:
            raise _away(error) from None
    click.echo(f"forgotten: {len(chosen)}; workers begin these partitions at their log's start")


def _connected(url: str) -> "redis.Redis":
    try:
        check_redis(url)
    except AccessRefusedError as error:
        raise WorkFailedError(str(error)) from None
    except StoreAwayError as error:
        raise WorkFailedError(f"Redis does not answer: {error}") from None
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)


def _partitions(store: "redis.Redis") -> list[int]:
    keys = (bytes(key).decode() for key in store.scan_iter(f"{_PREFIX}*", count=1_000))
    numbers = (key.removeprefix(_PREFIX) for key in keys)
    return sorted(int(number) for number in numbers if number.isdecimal())


def _away(error: RedisError) -> WorkFailedError:
    return WorkFailedError(f"Redis does not answer: {error}")
