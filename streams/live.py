"""Where every truck is now, for maps: a view in Redis that nothing depends on (design section 12).

`streams.worker` notes the fixes of each micro-batch; a task writes them on in pipelines, each truck
at most once a second. Redis away costs failures in the metrics, never detection or memory: the
trucks waiting are bounded, and the newest fix of each is all that is kept.
"""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import redis.asyncio
from redis.exceptions import RedisError

from streams.detect import Engine
from streams.logs import get_log
from streams.metrics import Metrics
from streams.position import Element, Position
from streams.whereabouts import Whereabouts, whereabouts

log = get_log(__name__)

GEO_KEY = "mucktrack:live:geo"
TRUCK_KEY = "mucktrack:live:truck:"
EXPIRE_S = 86_400
FLUSH_S = 1.0
TRUCKS_A_FLUSH = 2_000
"""Writing a truck costs some 30 µs of the worker's time; with more trucks than this a second, each
is written less often."""
TRUCKS_A_PIPELINE = 200
"""Some 5 ms of work in one go."""
TRUCKS_WAITING = 50_000
LONGEST_TEXT = 64
"""Characters of a terminal's id or of a source; a fix with longer ones waits without them, which
the view has no use for, and may have a megabyte of."""
SWEEP = 500
"""Members of the geo set looked at in one flush, to remove those whose truck has expired."""
REDIS_TIMEOUT_S = 2.0
LONGEST_ERROR = 500
"""Characters; Redis' errors quote the command, and with it trucks' ids."""
LONGEST_PAUSE_S = 30.0
MAX_GEO_LAT = 85.05112878
"""Redis' geo sets reach no further."""


class LiveView:
    """The newest fix of the trucks that wait to be written."""

    def __init__(self, url: str | None, metrics: Metrics) -> None:
        """`url` of the Redis; None = no live view. Connects when something is written."""
        self._redis = (
            None
            if url is None
            else redis.asyncio.from_url(
                url,
                decode_responses=True,
                socket_timeout=REDIS_TIMEOUT_S,
                socket_connect_timeout=REDIS_TIMEOUT_S,
            )
        )
        self._metrics = metrics
        self._waiting: dict[str, tuple[Position, Engine]] = {}
        """The truck that has waited longest comes first."""
        self._cursor = 0
        self._task: asyncio.Task[None] | None = None

    def note(
        self, engine: Engine, elements: Sequence[Element], rejected: Sequence[tuple[int, str]]
    ) -> None:
        """Keep the fixes among `elements`, those that are not `rejected` (by index)."""
        if self._redis is None:
            return
        waiting = self._waiting
        not_fixes = {index for index, _ in rejected}
        for index, element in enumerate(elements):
            if type(element) is not Position or index in not_fixes:
                continue
            if len(waiting) >= TRUCKS_WAITING and element.truck_id not in waiting:
                self._metrics.live_dropped.inc()
                continue
            waiting[element.truck_id] = (_light(element), engine)

    def start(self) -> None:
        """Begin to write, in a task of its own."""
        if self._redis is not None:
            self._task = asyncio.create_task(self._write_on(self._redis), name="live view")

    async def watch(self) -> None:
        """Raises what ends the writing, which is a bug."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """Write what is waiting, once, and stop."""
        if self._redis is None:
            return
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._flush(self._redis)
        await self._redis.aclose()

    async def _write_on(self, client: redis.asyncio.Redis) -> None:
        pause_s = FLUSH_S
        while True:
            await asyncio.sleep(pause_s)
            written = await self._flush(client)
            pause_s = FLUSH_S if written else min(2 * pause_s, LONGEST_PAUSE_S)

    async def _flush(self, client: redis.asyncio.Redis) -> bool:
        """One turn: the trucks that have waited longest, and a piece of the sweep."""
        try:
            trucks = self._take()
            for start in range(0, len(trucks), TRUCKS_A_PIPELINE):
                await _write(client, trucks[start : start + TRUCKS_A_PIPELINE])
            self._cursor = await _sweep(client, self._cursor)
        except (RedisError, OSError, TimeoutError) as error:
            # What was taken is lost from the view until the truck's next fix.
            self._metrics.live_failures.inc()
            log.warning("live_view_not_written", error=error)
            return False
        return True

    def _take(self) -> list[tuple[Position, Engine]]:
        longest = list(itertools.islice(self._waiting, TRUCKS_A_FLUSH))
        return [self._waiting.pop(truck_id) for truck_id in longest]


def _light(fix: Position) -> Position:
    """`fix` without texts of such a length that it must not wait with them."""
    source, terminal_id = fix.source, fix.terminal_id
    if (source is None or len(source) <= LONGEST_TEXT) and (
        terminal_id is None or len(terminal_id) <= LONGEST_TEXT
    ):
        return fix
    return msgspec.structs.replace(fix, source=None, terminal_id=None)


async def _write(client: redis.asyncio.Redis, trucks: Sequence[tuple[Position, Engine]]) -> None:
    """One pipeline: the geo set, and a hash for each truck."""
    places: list[float | str] = []
    async with client.pipeline(transaction=False) as pipe:
        for position, (loaded, district) in _known(trucks):
            key = TRUCK_KEY + position.truck_id
            pipe.hset(key, mapping=_fields(position, loaded, district))
            pipe.expire(key, EXPIRE_S)
            if abs(position.lat) <= MAX_GEO_LAT:
                places += (position.lon, position.lat, position.truck_id)
        if places:
            pipe.geoadd(GEO_KEY, places)
        await pipe.execute()


def _known(
    trucks: Sequence[tuple[Position, Engine]],
) -> Iterator[tuple[Position, Whereabouts]]:
    """What the engine of each knows of it."""
    by_engine: dict[Engine, list[Position]] = {}
    for position, engine in trucks:
        by_engine.setdefault(engine, []).append(position)
    for engine, positions in by_engine.items():
        yield from zip(positions, whereabouts(engine, positions), strict=True)


async def _sweep(client: redis.asyncio.Redis, cursor: int) -> int:
    """Remove members of the geo set whose truck has expired; where to go on."""
    cursor, members = await client.zscan(GEO_KEY, cursor, count=SWEEP)
    truck_ids = [str(member[0]) for member in members]
    async with client.pipeline(transaction=False) as pipe:
        for truck_id in truck_ids:
            pipe.exists(TRUCK_KEY + truck_id)
        present = await pipe.execute()
    gone = [truck_id for truck_id, there in zip(truck_ids, present, strict=True) if not there]
    if gone:
        await client.zrem(GEO_KEY, *gone)
    return int(cursor)


def _fields(
    position: Position, loaded: bool | None, district: str | None
) -> dict[Any, str | int | float]:
    """The hash of a truck: its last fix, and what is known of it; empty = unknown."""
    return {
        "time_ms": position.time_ms,
        "lon": position.lon,
        "lat": position.lat,
        "speed_kmh": _or_empty(position.speed_kmh),
        "heading_deg": _or_empty(position.heading_deg),
        "loaded": "" if loaded is None else int(loaded),
        "district": _or_empty(district),
    }


def _or_empty(value: str | float | None) -> str | float:
    return "" if value is None else value
