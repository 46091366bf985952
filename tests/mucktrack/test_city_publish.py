"""`city publish`, `city versions`, and `detect` with several cities, from outside."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from test_cli import CITY, DISTRICTS, assert_one_line, mucktrack

from geofences.loader import city_version, read_files

NO_GO = (
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"zone_id":"Z",'
    '"name":"Z","kind":"no_go"},"geometry":{"type":"Polygon","coordinates":[[[121.5,29.8],'
    "[121.6,29.8],[121.6,29.9],[121.5,29.9],[121.5,29.8]]]}}]}"
)
NOON_MS = 1_700_020_800_000
"""2023-11-15 12:00 in China."""


def make_city(folder: Path, name: str, *, no_go: bool = False) -> Path:
    path = folder / name
    path.mkdir()
    (path / "city.toml").write_text(CITY)
    (path / "districts.geojson").write_text(DISTRICTS)
    if no_go:
        (path / "zones.geojson").write_text(NO_GO)
    return path


@pytest.fixture
def own_redis(redis_url: str) -> Iterator[str]:
    url = urlsplit(redis_url)._replace(path="/9").geturl()
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


def version_of(folder: Path) -> str:
    return city_version(read_files(folder))


def ahead(**time: int) -> str:
    return (datetime.now(UTC) + timedelta(**time)).isoformat(timespec="seconds")


def test_publishing(tmp_path: Path, own_redis: str) -> None:
    old, new = make_city(tmp_path, "old"), make_city(tmp_path, "new", no_go=True)
    flags = ("--redis", own_redis)
    before = datetime.now(UTC)
    done = mucktrack("city", "publish", old, *flags)
    version, _, starts = done.stdout.strip().partition(" in force from ")
    assert version == version_of(old), done.stderr
    starts_in = datetime.fromisoformat(starts) - before
    assert timedelta(minutes=5) <= starts_in <= timedelta(minutes=7)
    assert datetime.fromisoformat(starts).second == 0
    assert_one_line(
        mucktrack("city", "publish", new, "--from", ahead(minutes=4), *flags), 2, "too soon"
    )
    assert_one_line(mucktrack("city", "publish", new, "--from", "soon", *flags), 2, "'soon'")
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT00:00")
    done = mucktrack("city", "publish", new, "--from", day, *flags)
    assert done.stdout == f"{version_of(new)} in force from {day}:00+08:00\n", done.stderr
    assert_one_line(mucktrack("city", "publish", old, "--from", day, *flags), 2, "another city")
    listed = mucktrack("city", "versions", *flags)
    assert listed.returncode == 0, listed.stderr
    first, second = listed.stdout.splitlines()
    assert first.startswith(f"{version_of(old)} from {starts}: Testing: 1 district")
    assert second.startswith(f"{version_of(new)} from {day}:00+08:00: Testing")
    copy = tmp_path / "copy"
    done = mucktrack("city", "export", version_of(new)[:10], copy, *flags)
    assert done.stdout == f"{version_of(new)} in {copy}\n", done.stderr
    assert read_files(copy) == read_files(new)
    assert_one_line(mucktrack("city", "export", version_of(new), copy, *flags), 2, "new folder")
    assert_one_line(mucktrack("city", "export", "", tmp_path / "c", *flags), 2, "versions")


def test_a_city_with_faults_is_not_published(tmp_path: Path, own_redis: str) -> None:
    faulty = make_city(tmp_path, "faulty")
    (faulty / "city.toml").write_text(CITY + "[state]\nmax_gap = 3\n")
    assert_one_line(
        mucktrack("city", "publish", faulty, "--redis", own_redis), 2, "max_gap", "city check"
    )
    (faulty / "districts.geojson").unlink()
    assert_one_line(
        mucktrack("city", "publish", faulty, "--redis", own_redis), 2, "districts.geojson"
    )
    assert mucktrack("city", "versions", "--redis", own_redis).stdout == ""


def test_without_a_redis_that_answers(tmp_path: Path) -> None:
    city = make_city(tmp_path, "city")
    assert_one_line(mucktrack("city", "publish", city), 2, "MUCKTRACK_REDIS")
    away = ("--redis", "redis://127.0.0.1:1")
    assert_one_line(mucktrack("city", "publish", city, *away), 1, "Redis does not answer")
    assert_one_line(mucktrack("city", "versions", *away), 1, "Redis does not answer")


def test_detect_judges_each_position_by_the_city_of_its_time(tmp_path: Path) -> None:
    old, new = make_city(tmp_path, "o@ld"), make_city(tmp_path, "new", no_go=True)
    positions = tmp_path / "positions.jsonl"
    positions.write_text(
        "".join(
            f'{{"truck_id":"浙B1","time_ms":{NOON_MS + 10_000 * n},"lon":{121.55 + n / 1e4},'
            '"lat":29.85,"speed_kmh":30}\n'
            for n in range(-5, 5)
        )
    )
    for time in ("2023-11-15T12:00", "2023-11-15T04:00Z", "2023-11-15T05:00:00+01:00"):
        done = mucktrack("detect", "--city", old, "--city", f"{new}@{time}", positions)
        assert done.returncode == 0, done.stderr
        (violation,) = map(json.loads, done.stdout.splitlines())
        assert (violation["rule"], violation["started_ms"]) == ("no-go-zone", NOON_MS)
        assert violation["city_version"] == version_of(new)
    both = ("detect", positions, "--city", new)
    assert_one_line(mucktrack(*both, "--city", old), 2, "2 cities are given without a time")
    assert_one_line(mucktrack("detect", positions, "--city", f"{new}@12"), 2, "'12'")
    twice = ("--city", f"{new}@2023-11-15", "--city", f"{new}@2023-11-15T00:00")
    assert_one_line(mucktrack("detect", positions, "--city", old, *twice), 2, "at the same time")
