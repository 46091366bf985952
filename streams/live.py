"""Where every truck is now, for maps: a view in Redis that nothing depends on (design section 12).

`streams.worker` notes the fixes of each micro-batch; a task writes them on in pipelines, each truck
at most once a second. Redis away costs failures in the metrics, never detection or memory: the
trucks waiting are bounded, and the newest fix of each is all that is kept.
"""

import asyncio
import math
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from streams.detect import Engine, Outcome
from streams.logs import get_log
from streams.metrics import Metrics
from streams.waiting import Waiting
from streams.whereabouts import whereabouts

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
        self._waiting = Waiting(TRUCKS_WAITING)
        self._cursor = 0
        self._task: asyncio.Task[None] | None = None

    def note(self, engine: Engine, outcome: Outcome) -> None:
        """Keep the fixes among what `engine` has just taken."""
        if self._redis is None:
            return
        dropped = self._waiting.note(engine, outcome.judged)
        if dropped:
            self._metrics.live_dropped.inc(dropped)

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
            for engine, fixes in list(self._waiting.take(TRUCKS_A_FLUSH)):
                for start in range(0, len(fixes), TRUCKS_A_PIPELINE):
                    await _write(client, engine, fixes[start : start + TRUCKS_A_PIPELINE])
            self._cursor = await _sweep(client, self._cursor)
        except (RedisError, OSError, TimeoutError) as error:
            # What was taken is lost from the view until the truck's next fix.
            self._metrics.live_failures.inc()
            log.warning("live_view_not_written", error=error)
            return False
        return True


async def _write(client: redis.asyncio.Redis, engine: Engine, fixes: Any) -> None:
    """One pipeline: the geo set, and a hash for each truck."""
    places: list[float | str] = []
    known = whereabouts(engine, fixes)
    async with client.pipeline(transaction=False) as pipe:
        for fix, (loaded, district) in zip(fixes.tolist(), known, strict=True):
            _, row, time_ms, lon, lat, speed_kmh, heading_deg = fix
            truck_id = engine.trucks.ids[row]
            key = TRUCK_KEY + truck_id
            fields: dict[Any, str | int | float] = {"time_ms": time_ms, "lon": lon, "lat": lat}
            fields |= live_fields(speed_kmh, heading_deg, loaded, district)
            pipe.hset(key, mapping=fields)
            pipe.expire(key, EXPIRE_S)
            if abs(lat) <= MAX_GEO_LAT:
                places += (lon, lat, truck_id)
        if places:
            pipe.geoadd(GEO_KEY, places)
        await pipe.execute()


def live_fields(
    speed_kmh: float, heading_deg: float, loaded: bool | None, district: str | None
) -> dict[str, str | int | float]:
    """What a truck's hash holds beside time and place; NaN and None, which are not known, are
    empty."""
    return {
        "speed_kmh": _or_empty(speed_kmh),
        "heading_deg": _or_empty(heading_deg),
        "loaded": "" if loaded is None else int(loaded),
        "district": "" if district is None else district,
    }


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


def _or_empty(number: float) -> float | str:
    """What is not known is empty."""
    return "" if math.isnan(number) else number
