"""Outputs on a real broker: what is too large is shortened or named, never waited for."""

import pytest
from live_parts import make_topics, read

from streams.access import KafkaAccess
from streams.metrics import Metrics
from streams.sinks import Output, OutputRefusedError, Outputs

TOO_LARGE = b"x" * 2_000_000


async def test_what_the_broker_refuses_is_shortened(kafka: str) -> None:
    topic = (await make_topics(kafka)).rejected
    outputs = Outputs(KafkaAccess.plain(kafka), Metrics())
    await outputs.send(
        [
            Output(topic, b"before", b"1"),
            Output(topic, TOO_LARGE, b"2", [("a", b"b")], shortened=lambda: b"short"),
            Output(topic, b"after", b"3"),
        ]
    )
    await outputs.close()
    records = await read(kafka, topic, lambda records: len(records) >= 3)
    assert sorted(record.value for record in records) == [b"after", b"before", b"short"]
    assert {record.headers for record in records if record.value == b"short"} == {(("a", b"b"),)}


async def test_what_waits_before_one_that_is_too_large_is_written_once(kafka: str) -> None:
    topic = (await make_topics(kafka)).rejected
    outputs = Outputs(KafkaAccess.plain(kafka), Metrics())
    values = [b"%d" % number for number in range(300)]
    await outputs.send(
        [
            *(Output(topic, value, value) for value in values[:200]),
            Output(topic, TOO_LARGE, b"large", shortened=lambda: b"short"),
            *(Output(topic, value, value) for value in values[200:]),
        ]
    )
    await outputs.close()
    records = await read(kafka, topic, lambda records: len(records) >= 301)
    assert sorted(record.value for record in records) == sorted([*values, b"short"])


async def test_what_cannot_be_shortened_is_named(kafka: str) -> None:
    topic = (await make_topics(kafka)).violations
    outputs = Outputs(KafkaAccess.plain(kafka), Metrics())
    with pytest.raises(OutputRefusedError, match=rf"{topic}.*2000000 bytes.*max\.message\.bytes"):
        await outputs.send([Output(topic, TOO_LARGE)])
    await outputs.close()
