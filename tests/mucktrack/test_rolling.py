"""A rolling upgrade on Apache Kafka: each worker replaced by a new process while positions come.
Nothing is lost or invented, and what has to wait for the group waits for moments.

`python -m benchmarks.rolling` measures it; here only what must hold on a machine that does much.
"""

from pathlib import Path

import pytest
from tally import tally

from benchmarks.rolling import PARTITIONS, at, roll
from mucktrack.topics import create_topics
from streams.access import KafkaAccess

LONGEST_S = 15.0
"""From a position's publication until its violation can be read; on two free cores some 1 s,
on two that have ten times as much to do up to 9."""


@pytest.mark.usefixtures("apache_kafka")
def test_workers_are_replaced_one_after_the_other(
    tmp_path: Path, fresh_kafka: str, redis_url: str
) -> None:
    create_topics(KafkaAccess.plain(fresh_kafka), PARTITIONS)
    result = roll(
        *(tmp_path, fresh_kafka, redis_url),
        workers=2,
        steps=["surge", "replace"],
        rate=1_000,
        trucks=1_000,
        offending=0.3,
        calm_s=3.0,
        settle_s=2.0,
        group="rolling",
    )
    tally("rolling upgrade", positions=result.positions, violations=result.expected)
    assert result.is_whole(), (result.lost, result.invented, result.different)
    assert result.expected > 100
    for step in result.steps:
        waits_s = result.during(step)
        assert waits_s, "nothing was found in the meantime"
        assert at(waits_s, 1.0) < LONGEST_S
    assert at([wait for _, wait in result.waits_s], 0.5) < 1.0
