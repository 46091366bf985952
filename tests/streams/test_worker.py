"""What a worker makes of the timestamps that records carry, whatever a producer has written."""

import pytest
from one_district import one_district
from shapely import box

from streams.detect import Engine, PreparedCity
from streams.position import MAX_TIME_MS, Position
from streams.state import NEVER
from streams.worker import _timestamp_ms

CITY = PreparedCity.of(one_district(box(120.9, 28.9, 121.2, 29.2)))


def reasons(timestamp_ms: int | None) -> list[str]:
    """Why a fix of the latest time there is, in a record with this timestamp, is none."""
    fix = Position("浙B12345", MAX_TIME_MS, 121.0, 29.0)
    outcome = Engine.live(CITY, 0, 1).process([fix], [_timestamp_ms(timestamp_ms)])
    return [reason for _, reason in outcome.rejected]


@pytest.mark.parametrize("record_ms", [None, -1, -(2**63), 2**62, 2**63 - 1])
def test_a_timestamp_that_is_no_time_is_no_limit(record_ms: int | None) -> None:
    assert 2**62 - 1_000 <= _timestamp_ms(record_ms) <= NEVER
    assert reasons(record_ms) == []


def test_a_timestamp_that_is_a_time_is_a_limit() -> None:
    assert _timestamp_ms(1_795_266_467_123) == 1_795_266_467_123
    assert reasons(1_795_266_467_123) == ["future_time"]
