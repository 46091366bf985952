"""Published versions of the city, in Redis (design section 12): written by `city publish`, read by
the workers.

`city:versions` is a sorted set of `city_version`s by the time from which each is in force, and
`city:<city_version>` the packed files of one. A version that was published is never changed. What
a worker does with the versions is `streams.published`'s business; nothing is known here of engines.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
import redis
from redis.exceptions import RedisError

from geofences.loader import city_version
from streams.checkpoint import StoreAwayError

LEAD_MS: Final = 300_000
"""A version starts at least so long after it is published, so that all workers have it in time."""
VERSIONS_KEY: Final = "mucktrack:city:versions"
CITY_KEY: Final = "mucktrack:city:"
SEPARATOR: Final = "@"
"""Between the time and the version in a member of the sorted set: one city may come into force
more than once."""


class BrokenVersionError(Exception):
    """What is stored of a version cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True, order=True)
class PublishedVersion:
    """One entry of the list of versions."""

    from_ms: int
    version: str


class CityStore(Protocol):
    """Where the published versions are. Every method may raise `StoreAwayError`."""

    def versions(self) -> list[PublishedVersion]:
        """All of them, in the order in which they come into force."""
        ...

    def files(self, version: str) -> dict[str, bytes]:
        """The files of a version, by name. Raises `BrokenVersionError`."""
        ...

    def publish(self, files: Mapping[str, bytes], from_ms: int) -> bool:
        """Store a city; False where another version begins at that time already."""
        ...


class RedisCities:
    """A `CityStore` in Redis."""

    def __init__(self, url: str, timeout_s: float = 5.0) -> None:
        """Connects when something is asked."""
        self._redis: Any = redis.Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        )

    def versions(self) -> list[PublishedVersion]:
        try:
            members = self._redis.zrange(VERSIONS_KEY, 0, -1, withscores=True)
        except (RedisError, OSError) as error:
            raise StoreAwayError(str(error)) from error
        return sorted(
            PublishedVersion(int(from_ms), member.decode().rpartition(SEPARATOR)[2])
            for member, from_ms in members
        )

    def files(self, version: str) -> dict[str, bytes]:
        try:
            packed = self._redis.get(CITY_KEY + version)
        except (RedisError, OSError) as error:
            raise StoreAwayError(str(error)) from error
        if packed is None:
            raise BrokenVersionError(
                f"{CITY_KEY}{version} is missing in Redis; publish that city again"
            )
        return unpack(packed, version)

    def publish(self, files: Mapping[str, bytes], from_ms: int) -> bool:
        version = city_version(files)
        try:
            return bool(
                self._redis.eval(
                    _PUBLISH, 2, VERSIONS_KEY, CITY_KEY + version, from_ms,
                    f"{from_ms}{SEPARATOR}{version}", pack(files),
                )
            )  # fmt: skip
        except (RedisError, OSError) as error:
            raise StoreAwayError(str(error)) from error


_PUBLISH: Final = """
local there = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], ARGV[1])
if #there > 0 and there[1] ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[2], ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
"""In one step, so that a version is never listed without its files, nor two for one moment."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """The same bytes for the same files."""
    return zlib.compress(msgspec.msgpack.encode({name: files[name] for name in sorted(files)}), 9)


def unpack(packed: bytes, version: str) -> dict[str, bytes]:
    """Raises `BrokenVersionError` where the bytes are not the files of `version`."""
    try:
        files = msgspec.msgpack.decode(zlib.decompress(packed), type=dict[str, bytes])
    except (zlib.error, msgspec.DecodeError) as error:
        raise BrokenVersionError(
            f"{CITY_KEY}{version} in Redis cannot be read ({error}); publish that city again"
        ) from error
    if city_version(files) != version:
        raise BrokenVersionError(
            f"{CITY_KEY}{version} in Redis holds another city, {city_version(files)}; publish the "
            "right one again"
        )
    return files
