"""The gateway with real terminals' sockets, a real broker and a real Redis: what is answered when,
and what is kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway_parts import (
    PARTITIONS,
    PHONE,
    PLATE,
    TIME_MS,
    Terminal,
    frames,
    positions,
    running,
    write_city,
)

from mucktrack.topics import create_topics
from streams.access import KafkaAccess


@pytest.fixture
def broker(fresh_kafka: str) -> str:
    create_topics(KafkaAccess(fresh_kafka), PARTITIONS)
    return fresh_kafka


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write_city(tmp_path / "city")


async def test_from_registration_to_kafka(broker: str, redis_url: str, city: Path) -> None:
    async with running(broker, redis_url, city) as gateway, Terminal(gateway.port) as terminal:
        code = await terminal.enter()
        assert len(code) == 16
        assert await terminal.locate() == 0
        kept = await positions(broker)
        raw = await frames(broker)
    (position,) = kept
    assert (position.truck_id, position.terminal_id, position.source) == (PLATE, PHONE, "jt808")
    assert (position.time_ms, position.lon, position.lat) == (TIME_MS, 121.1, 29.1)
    assert position.speed_kmh == 36.5
    assert position.backfill is False
    (frame,) = raw
    assert frame.key == PHONE.encode()
    assert frame.value[:3] == b"\x7e\x02\x00"
    assert int(frame.headers["received_ms"]) == position.received_ms
