"""Trucks on the map: as the workers write them, limited to districts, one reading for everybody."""

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from office_parts import HERE, THERE, TestOffice, violation

from streams.live import GEO_KEY, TRUCK_KEY, live_fields


@pytest.fixture
def store(redis_url: str) -> Iterator[Any]:
    client = redis.Redis.from_url(redis_url)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


@pytest.fixture
def office(tmp_path: Path, redis_url: str) -> Iterator[TestOffice]:
    made = TestOffice(f"sqlite:///{tmp_path}/cases.db", redis_url=redis_url)
    made.add_people()
    made.add_user("boss", "admin", None)
    yield made
    made.close()


def drive(store: Any, truck_id: str, district: str | None, **said: Any) -> None:
    place = {"time_ms": 1_790_000_000_000, "lon": 120.1, "lat": 30.2}
    told = live_fields(
        said.get("speed_kmh", math.nan),
        said.get("heading_deg", math.nan),
        said.get("loaded"),
        district,
    )
    store.hset(TRUCK_KEY + truck_id, mapping=place | told)
    store.geoadd(GEO_KEY, (120.1, 30.2, truck_id))


def live(office: TestOffice, name: str) -> dict[str, dict[str, Any]]:
    answer = office.client(name).get("/trucks/live")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/geo+json"
    return {one["id"]: one["properties"] for one in answer.json()["features"]}


def test_each_sees_the_trucks_in_his_districts(store: Any, office: TestOffice) -> None:
    drive(store, "浙Y1", HERE, speed_kmh=40.5, heading_deg=90.0, loaded=True)
    drive(store, "浙Y2", THERE)
    drive(store, "浙Y3", None, loaded=False)
    store.geoadd(GEO_KEY, (120.1, 30.2, "gone"))
    (case_id, _) = office.take(
        violation("浙Y1"), violation("浙Y1", "speeding", severity="critical", district=THERE)
    )
    assert set(live(office, "boss")) == {"浙Y1", "浙Y2", "浙Y3"}
    mine = live(office, "viewer")
    assert set(mine) == {"浙Y1", "浙Y3"}
    assert mine["浙Y1"] == {
        "truck_id": "浙Y1",
        "time_ms": 1_790_000_000_000,
        "speed_kmh": 40.5,
        "heading_deg": 90.0,
        "loaded": True,
        "district": HERE,
        "severity": "critical",
        "case_id": case_id,
    }
    assert (mine["浙Y3"]["loaded"], mine["浙Y3"]["severity"]) == (False, None)


def test_an_offence_elsewhere_is_not_told(store: Any, office: TestOffice) -> None:
    drive(store, "浙Y1", HERE)
    office.take(violation("浙Y1", district=THERE))
    assert live(office, "viewer")["浙Y1"]["severity"] is None
    assert live(office, "boss")["浙Y1"]["severity"] == "minor"


def test_what_has_ended_is_no_offence(store: Any, office: TestOffice) -> None:
    drive(store, "浙Y1", HERE)
    office.take(violation("浙Y1"), violation("浙Y1", phase="closed"))
    assert live(office, "viewer")["浙Y1"]["severity"] is None


def test_one_reading_serves_everybody(store: Any, office: TestOffice) -> None:
    drive(store, "浙Y1", HERE)
    before = store.info("commandstats").get("cmdstat_zrange", {"calls": 0})["calls"]
    for _ in range(10):
        assert live(office, "viewer")
        assert live(office, "boss")
    after = store.info("commandstats")["cmdstat_zrange"]["calls"]
    assert after - before <= 3


def test_it_is_packed_for_who_can_unpack(store: Any, office: TestOffice) -> None:
    drive(store, "浙Y1", HERE)
    made = office.parts.live.map_for(office.boss.actor)
    assert json.loads(gzip.decompress(made.packed)) == json.loads(made.plain)
    client = office.client("boss")
    answer = client.get("/trucks/live", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in answer.headers
    assert client.get("/trucks/live").headers["Content-Encoding"] == "gzip"


def test_redis_away_is_said_and_nothing_else_ends(tmp_path: Path) -> None:
    office = TestOffice(f"sqlite:///{tmp_path}/cases.db", redis_url="redis://127.0.0.1:1/0")
    office.add_people()
    client = office.client("viewer")
    for _ in range(2):
        answer = client.get("/trucks/live")
        assert (answer.status_code, "127.0.0.1" in answer.text) == (503, False)
    for path in ("/city", "/cases", "/figures"):
        assert client.get(path).status_code == 200
    office.close()
