"""The live view in a real Redis."""

import asyncio

import pytest
import redis
from one_district import one_district
from shapely import box

from geofences.city import District
from streams.detect import Engine, PreparedCity
from streams.live import GEO_KEY, TRUCK_KEY, TRUCKS_WAITING, LiveView
from streams.metrics import Metrics
from streams.position import Malformed, Position

START_MS = 1_793_584_800_000


@pytest.fixture(scope="module")
def city() -> PreparedCity:
    return PreparedCity.of(
        one_district(districts=(District("330203", "西", box(121.0, 29.0, 121.3, 29.3)),))
    )


async def test_fixes_are_shown_and_what_is_old_goes(city: PreparedCity, redis_url: str) -> None:
    elements = [
        Position("seen", START_MS, 121.1, 29.1, loaded=True),
        Position("seen", START_MS + 20_000, 121.1001, 29.1, loaded=True),
        Position("far north", START_MS, 10.0, 89.0),
        Malformed("no position"),
        Position("rejected", START_MS, 121.1, 29.1, located=False),
    ]
    engine = Engine.offline(city)
    outcome = engine.process(elements)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        client.delete(GEO_KEY)
        client.geoadd(GEO_KEY, (121.0, 29.0, "gone"))
        view = LiveView(redis_url, Metrics())
        view.note(engine, outcome)
        await view.close()
        assert client.zrange(GEO_KEY, 0, -1) == ["seen"]
        assert client.hgetall(TRUCK_KEY + "seen") == {
            "time_ms": str(START_MS + 20_000),
            "lon": "121.1001",
            "lat": "29.1",
            "speed_kmh": "",
            "heading_deg": "",
            "loaded": "1",
            "district": "330203",
        }
        assert client.hget(TRUCK_KEY + "far north", "district") == ""
        assert not client.exists(TRUCK_KEY + "rejected")


async def test_no_redis_costs_no_memory(city: PreparedCity) -> None:
    metrics = Metrics()
    view = LiveView("redis://127.0.0.1:1", metrics)
    engine = Engine.offline(city)
    elements = [Position(f"{i}", START_MS, 121.1, 29.1) for i in range(TRUCKS_WAITING + 5)]
    view.note(engine, engine.process(elements))
    assert metrics.registry.get_sample_value("mucktrack_live_dropped_total") == 5
    view.start()
    await asyncio.sleep(1.2)
    await view.close()
    failures = metrics.registry.get_sample_value("mucktrack_live_failures_total")
    assert failures is not None
    assert failures >= 1
