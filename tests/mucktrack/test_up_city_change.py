"""A city that is changed under a running `mucktrack up`."""

import shutil
import time
from collections import Counter
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
from tally import tally
from up_process import records_of, up, wait_until_ready

from geofences.loader import load_city, read_files
from mucktrack.embedded import tansu, valkey
from producers.demo_city import DEMO_CITY
from streams.cities import RedisCities
from streams.detect import Engine, PreparedCity
from streams.output import ce_id, encode
from streams.partition import partition_of
from streams.position import Element, Position, Tick, decode_record
from streams.succession import Succession
from streams.topics import POSITIONS, VIOLATIONS

SPEED = 120
PARTITIONS = 12
LEARN_S = 6.0
"""Twice as long as a worker takes to look for new versions."""
DELAY_MS = 360_000


def highest_time_ms(address: str) -> int:
    """Of the positions on the topic by now."""
    consumer = KafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(POSITIONS, one) for one in range(PARTITIONS)])
    highest_ms = 0
    until = time.monotonic() + 2.0
    while time.monotonic() < until or not highest_ms:
        for records in consumer.poll(timeout_ms=200).values():
            times = [one.time_ms for record in records for one in positions_of(record.value)]
            highest_ms = max([highest_ms, *times])
    consumer.close()
    return highest_ms


def elements_of(value: bytes) -> list[Element]:
    return [one for one in decode_record(value) if isinstance(one, Position | Tick)]


def positions_of(value: bytes) -> list[Position]:
    return [one for one in decode_record(value) if isinstance(one, Position)]


def slower(folder: Path) -> Path:
    """The demo city with a lower speed limit."""
    shutil.copytree(DEMO_CITY, folder)
    settings = (folder / "city.toml").read_text()
    assert "speed_limit_kmh = 60" in settings
    (folder / "city.toml").write_text(
        settings.replace("speed_limit_kmh = 60", "speed_limit_kmh = 15")
    )
    return folder


def without_permits(folder: Path) -> Path:
    shutil.copytree(DEMO_CITY, folder)
    (folder / "permits.csv").unlink()
    return folder


def test_it_takes_effect_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """The queue holds what `detect` finds with both versions, but for what is not due yet."""
    old, new = slower(tmp_path / "old"), without_permits(tmp_path / "new")
    with tansu(tmp_path / "kafka") as kafka, valkey(tmp_path / "redis") as redis:
        with up(
            tmp_path / "state",
            *("--city", str(old), "--seconds", "30", "--speed", str(SPEED)),
            MUCKTRACK_KAFKA=kafka.address,
            MUCKTRACK_REDIS=redis.address,
        ) as process:
            wait_until_ready(process)
            from_ms = highest_time_ms(kafka.address) + round(LEARN_S * SPEED * 1000)
            assert RedisCities(redis.address).publish(read_files(new), from_ms)
            _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        records = sorted(
            records_of(kafka.address, POSITIONS), key=lambda one: (one.partition, one.offset)
        )
        queue = records_of(kafka.address, VIOLATIONS)

    elements = [(r.partition, one) for r in records for one in elements_of(r.value)]
    watermarks_ms: dict[int, int] = {}
    for partition, one in elements:
        time_ms = one.tick_ms if isinstance(one, Tick) else one.time_ms
        watermarks_ms[partition] = max(watermarks_ms.get(partition, 0), time_ms - DELAY_MS)
    cities = Succession(
        PreparedCity.of(load_city(old)), [(from_ms, PreparedCity.of(load_city(new)))]
    )
    engine = Engine.offline(cities)
    found = engine.process([one for _, one in elements if isinstance(one, Position)]).violations
    found += engine.finish().violations

    queued = {dict(record.headers)["ce_id"].decode(): record.value for record in queue}
    assert len(queued) == len(queue), "none twice"
    expected = {ce_id(violation): encode(violation) for violation in found}
    due = {
        ce_id(violation)
        for violation in found
        if violation.detected_ms <= watermarks_ms[partition_of(violation.truck_id, PARTITIONS)]
    }
    assert due <= queued.keys(), "none lost"
    assert queued.items() <= expected.items(), "none invented"
    tally(
        "a city changed under a running `mucktrack up`",
        positions=len(elements),
        violations=len(queue),
    )
    told = Counter(violation.city_version for violation in found if ce_id(violation) in due)
    assert min(told[city.version] for city in cities.cities) > 50, "both have had their say"
