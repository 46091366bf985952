"""The city on the map: the version in force, the one that is named, and what happens without
Redis."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from office_parts import CITY, NOW_MS, TestOffice

from enforcement import maps
from geofences.loader import read_files
from streams.cities import CITY_KEY, RedisCities


@pytest.fixture
def store(redis_url: str) -> Iterator[Any]:
    client = redis.Redis.from_url(redis_url)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


@pytest.fixture
def other(tmp_path: Path) -> Path:
    folder = tmp_path / "other"
    shutil.copytree(CITY, folder)
    settings = folder / "city.toml"
    settings.write_text(settings.read_text().replace("云溪市", "云溪新市"))
    return folder


@pytest.fixture
def office(tmp_path: Path, redis_url: str) -> Iterator[TestOffice]:
    made = TestOffice(f"sqlite:///{tmp_path}/cases.db", redis_url=redis_url)
    made.add_people()
    yield made
    made.close()


def test_layers_and_what_is_known_of_them(office: TestOffice) -> None:
    answer = office.client("viewer").get("/city")
    city = answer.json()
    layers = {one["properties"]["layer"] for one in city["features"]}
    assert layers == {"district", "site", "route", "zone"}
    assert len({one["id"] for one in city["features"]}) == len(city["features"])
    assert answer.headers["ETag"] == f'"{city["city_version"]}"'
    (route, *_) = [one for one in city["features"] if one["properties"]["layer"] == "route"]
    assert route["properties"]["corridor_m"] == 50
    hours = {one for site in city["features"] for one in site["properties"].get("hours", ())}
    assert "06:30-20:30" in hours


def test_what_is_known_is_not_sent_again(office: TestOffice) -> None:
    client = office.client("viewer")
    for path in ("/city", "/rules", "/steps"):
        etag = client.get(path).headers["ETag"]
        again = client.get(path, headers={"If-None-Match": f'"x", W/{etag}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)


def test_a_published_version_comes_into_force(
    store: Any, redis_url: str, other: Path, tmp_path: Path
) -> None:
    files = read_files(other)
    RedisCities(redis_url).publish(files, NOW_MS + 1_000)
    office = TestOffice(f"sqlite:///{tmp_path}/cases.db", redis_url=redis_url)
    office.add_people()
    client = office.client("viewer")
    first = client.get("/city").json()
    assert first["name"] == "云溪市"
    office.clock.ms += 1_000
    second = client.get("/city").json()
    assert second["name"] == "云溪新市"
    for city in (first, second):
        named = client.get("/city", params={"version": city["city_version"]})
        assert named.json()["name"] == city["name"]
    assert client.get("/city", params={"version": "0" * 64}).status_code == 404
    for wrong in ("versions", "../x", "*", "0" * 63):
        assert client.get("/city", params={"version": wrong}).status_code == 422
    office.close()


def test_a_version_that_is_lost_or_broken_leaves_the_one_before(
    store: Any, redis_url: str, other: Path, tmp_path: Path
) -> None:
    RedisCities(redis_url).publish(read_files(other), NOW_MS - 1_000)
    (key,) = store.keys(CITY_KEY + "[0-9a-f]*")
    store.set(key, b"broken")
    made = maps.Maps(CITY, RedisCities(redis_url), lambda: NOW_MS)
    assert made.in_force().city.name == "云溪市"


def test_redis_away_leaves_the_directory() -> None:
    made = maps.Maps(CITY, RedisCities("redis://127.0.0.1:1/0", 0.2), lambda: NOW_MS)
    assert made.in_force().city.name == "云溪市"
    assert made.version("0" * 64) is None
