"""Where a truck was: from an archive as the archiver writes it, limited to districts, joined with
the tracks of violations."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import shapely
from office_parts import CITY, HERE, NOW_MS, THERE, TestOffice, violation

from geofences.loader import load_city
from streams.archive.table import Record
from streams.archive.writer import ArchiveWriter
from streams.partition import partition_of

TRUCK = "浙Y00001"
BEGAN_MS = NOW_MS - 7_200_000
SECOND_MS = 10_000


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An hour before now, every ten seconds: half an hour here, then there, then nowhere."""
    folder = tmp_path / "archive"
    folder.mkdir()
    places = [place_in(HERE), place_in(THERE), (121.9, 31.9)]
    positions = [
        {
            "truck_id": TRUCK,
            "time_ms": BEGAN_MS + number * SECOND_MS,
            "lon": places[number // 100][0],
            "lat": places[number // 100][1],
            "speed_kmh": 40,
            "heading_deg": 90,
            "loaded": True,
        }
        for number in range(300)
    ]
    bad = [
        {**positions[0], "time_ms": BEGAN_MS + 1, "lon": 0, "lat": 0},
        {**positions[0], "time_ms": BEGAN_MS + 2, "located": False},
        {**positions[0], "time_ms": BEGAN_MS + 3, "truck_id": "浙Y00002"},
        {**positions[0], "time_ms": BEGAN_MS + 4, "lon": 1e300},
    ]
    records = [
        Record(offset, BEGAN_MS, None, msgspec.json.encode(one))
        for offset, one in enumerate([*bad, *positions])
    ]
    writer = ArchiveWriter(
        folder, "gps.positions", 3, roll_s=600, keep_days=99, today=lambda: date(2030, 1, 1)
    )
    writer.take(partition_of(TRUCK, 3), records, 0.0)
    writer.close()
    return folder


def place_in(district: str) -> tuple[float, float]:
    (shape,) = (one.shape for one in load_city(CITY).districts if one.code == district)
    point = shape.representative_point()
    assert shapely.intersects_xy(shape, point.x, point.y)
    return point.x, point.y


def made(tmp_path: Path, **more: Any) -> TestOffice:
    office = TestOffice(f"sqlite:///{tmp_path}/cases.db", **more)
    office.add_people()
    office.add_user("boss", "admin", None)
    return office


def track(office: TestOffice, name: str, **params: int) -> list[int]:
    answer = office.client(name).get(f"/trucks/{TRUCK}/track", params=params)
    assert answer.status_code == 200, answer.text
    times_ms = [one["time_ms"] for one in answer.json()["items"]]
    assert times_ms == sorted(set(times_ms))
    return [(time_ms - BEGAN_MS) // SECOND_MS for time_ms in times_ms]


def test_each_sees_what_lies_in_his_districts(tmp_path: Path, archive: Path) -> None:
    office = made(tmp_path, archive=archive)
    assert track(office, "boss") == list(range(300))
    assert track(office, "viewer") == [*range(100), *range(200, 300)]
    some = {"from_ms": BEGAN_MS + 50 * SECOND_MS, "to_ms": BEGAN_MS + 60 * SECOND_MS}
    assert track(office, "viewer", **some) == list(range(50, 60))
    office.close()


def test_and_what_belongs_to_a_case_that_he_sees(tmp_path: Path, archive: Path) -> None:
    office = made(tmp_path, archive=archive)
    there = BEGAN_MS + 150 * SECOND_MS
    office.take(violation(TRUCK, started_ms=there, district=THERE, track=[]))
    assert track(office, "viewer") == [*range(100), *range(200, 300)]
    office.take(violation(TRUCK, "speeding", started_ms=there, district=HERE, track=[]))
    assert track(office, "viewer") == list(range(300))
    office.close()


def test_without_an_archive_there_are_the_tracks_of_violations(tmp_path: Path) -> None:
    office = made(tmp_path)
    fixes = [(BEGAN_MS + number * SECOND_MS, 120.1, 30.2, 30.0) for number in (3, 5)]
    office.take(violation(TRUCK, started_ms=BEGAN_MS, track=fixes))
    office.take(violation(TRUCK, "speeding", started_ms=BEGAN_MS, district=THERE, track=fixes[:1]))
    assert track(office, "viewer") == [3, 5]
    assert office.client("viewer").get(f"/trucks/{TRUCK}/track").json()["archived"] is False
    office.close()


def test_a_damaged_archive_leaves_the_rest(tmp_path: Path, archive: Path) -> None:
    for path in archive.rglob("*.parquet"):
        path.write_bytes(b"PAR1 not")
    office = made(tmp_path, archive=archive)
    fixes = [(BEGAN_MS, 120.1, 30.2, 30.0)]
    office.take(violation(TRUCK, started_ms=BEGAN_MS, track=fixes))
    assert track(office, "viewer") == [0]
    office.close()


def test_times_are_limited(tmp_path: Path, archive: Path) -> None:
    office = made(tmp_path, archive=archive)
    client = office.client("boss")
    day_ms = 86_400_000
    for params in ({"from_ms": 0}, {"from_ms": NOW_MS, "to_ms": NOW_MS}, {"to_ms": 0},
                   {"from_ms": NOW_MS - day_ms - 1, "to_ms": NOW_MS}, {"from_ms": -1}):  # fmt: skip
        assert client.get(f"/trucks/{TRUCK}/track", params=params).status_code == 422, params
    for truck_id in ("..%2F..%2Fetc", "x" * 65, "%00"):
        assert client.get(f"/trucks/{truck_id}/track").status_code in (404, 422)
    office.close()
