"""The published cities in a real Redis, and a worker's list of them."""

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from geofences.loader import city_version, read_files
from streams.checkpoint import StoreAwayError
from streams.cities import (
    BrokenVersionError,
    RedisCities,
    pack,
    unpack,
)
from streams.cities import (
    PublishedVersion as Entry,
)
from streams.metrics import Metrics
from streams.published import Published


@pytest.fixture
def own_redis(redis_url: str) -> Iterator[str]:
    url = urlsplit(redis_url)._replace(path="/8").geturl()
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


def city(folder: Path, name: str, toml: str = "") -> Path:
    path = folder / name
    path.mkdir()
    (path / "city.toml").write_text(f'name = "{name}"\nadmin_code = "330200"\n{toml}')
    ring = [[121.0, 29.0], [121.1, 29.0], [121.1, 29.1], [121.0, 29.1], [121.0, 29.0]]
    feature = {
        "type": "Feature",
        "properties": {"code": "330203", "name": "西"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    collection = {"type": "FeatureCollection", "features": [feature]}
    (path / "districts.geojson").write_text(json.dumps(collection))
    return path


def test_a_city_is_packed_the_same_whatever_the_order_of_its_files(tmp_path: Path) -> None:
    files = read_files(city(tmp_path, "a"))
    assert pack(dict(reversed(files.items()))) == pack(files)
    assert unpack(pack(files), city_version(files)) == files
    with pytest.raises(BrokenVersionError, match="holds another city"):
        unpack(pack(files), "0" * 64)
    for broken in (b"", b"no zlib", pack(files)[:-9]):
        with pytest.raises(BrokenVersionError, match="cannot be read"):
            unpack(broken, city_version(files))


def test_versions_come_back_in_order_and_one_at_a_time(tmp_path: Path, own_redis: str) -> None:
    store = RedisCities(own_redis)
    first, second = (read_files(city(tmp_path, name)) for name in "ab")
    assert store.versions() == []
    assert store.publish(second, 2_000)
    assert store.publish(first, 1_000)
    assert store.publish(first, 3_000), "a city may come into force again"
    assert store.publish(second, 2_000), "twice the same is once"
    assert not store.publish(first, 2_000), "another begins then"
    assert store.versions() == [
        Entry(1_000, city_version(first)),
        Entry(2_000, city_version(second)),
        Entry(3_000, city_version(first)),
    ]
    assert store.files(city_version(second)) == second


def test_a_worker_judges_by_its_folder_where_no_published_version_is_in_force(
    tmp_path: Path, own_redis: str
) -> None:
    store, folder = RedisCities(own_redis), city(tmp_path, "folder")
    published = Published(folder, store, Metrics())
    published.look()
    own = published.succession.in_force(5)
    assert own.compiled.city.name == "folder"
    store.publish(read_files(city(tmp_path, "later")), 1_000)
    published.look()
    names = [published.succession.in_force(at).compiled.city.name for at in (999, 1_000)]
    assert names == ["folder", "later"]
    store.publish(read_files(city(tmp_path, "first")), 500)
    published.look()
    names = [published.succession.in_force(at).compiled.city.name for at in (499, 999, 1_000)]
    assert names == ["folder", "first", "later"]
    before = published.succession
    published.look()
    assert published.succession is before


def test_what_does_not_load_is_said_and_left_out(
    tmp_path: Path, own_redis: str, caplog: pytest.LogCaptureFixture
) -> None:
    store, metrics = RedisCities(own_redis), Metrics()
    store.publish(read_files(city(tmp_path, "odd", "[state]\nmax_gap = 3\n")), 1_000)
    store.publish({"city.toml": b"name ="}, 2_000)
    store.publish(read_files(city(tmp_path, "good")), 3_000)
    published = Published(city(tmp_path, "folder"), store, metrics)
    with caplog.at_level(logging.ERROR):
        published.look()
        published.look()
    names = [one.compiled.city.name for one in published.succession.cities]
    assert names == ["folder", "good"]
    assert len(caplog.records) == 2, "each is said once"
    assert "no such threshold" in caplog.text
    sample = metrics.registry.get_sample_value
    assert sample("mucktrack_city_failures_total", {"reason": "broken"}) == 2, (
        "what is read once is not read again"
    )
    assert sample("mucktrack_city_versions") == 2


def test_a_redis_that_has_lost_its_data_takes_no_version_back(
    tmp_path: Path, own_redis: str, caplog: pytest.LogCaptureFixture
) -> None:
    store, metrics = RedisCities(own_redis), Metrics()
    published = Published(city(tmp_path, "folder"), store, metrics)
    store.publish(read_files(city(tmp_path, "later")), 1_000)
    published.look()
    kept = store.versions(), store.files(store.versions()[0].version)
    with redis.Redis.from_url(own_redis) as client:
        client.flushdb()
    with caplog.at_level(logging.WARNING):
        published.look()
        published.look()
    assert published.succession.in_force(1_000).compiled.city.name == "later"
    assert (store.versions(), store.files(store.versions()[0].version)) == kept, "it is put back"
    assert len(caplog.records) == 1, "it is said once"
    sample = metrics.registry.get_sample_value
    assert sample("mucktrack_city_failures_total", {"reason": "gone"}) == 1


def test_what_took_the_place_of_a_lost_version_is_left_out(
    tmp_path: Path, own_redis: str, caplog: pytest.LogCaptureFixture
) -> None:
    store, metrics = RedisCities(own_redis), Metrics()
    published = Published(city(tmp_path, "folder"), store, metrics)
    store.publish(read_files(city(tmp_path, "known")), 1_000)
    published.look()
    with redis.Redis.from_url(own_redis) as client:
        client.flushdb()
    store.publish(read_files(city(tmp_path, "other")), 1_000)
    with caplog.at_level(logging.ERROR):
        published.look()
        published.look()
    assert published.succession.in_force(1_000).compiled.city.name == "known"
    assert len(caplog.records) == 1, "it is said once"
    assert "city_replaced" in caplog.text


def test_redis_away_keeps_what_is_known(tmp_path: Path, own_redis: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"redis://127.0.0.1:{nobody.getsockname()[1]}"
    away, metrics = RedisCities(address), Metrics()
    with pytest.raises(StoreAwayError):
        away.versions()
    published = Published(city(tmp_path, "folder"), away, metrics)
    published.look()
    assert len(published.succession) == 1
    assert (
        metrics.registry.get_sample_value("mucktrack_city_failures_total", {"reason": "away"}) == 1
    )
