"""The run of a nation: its batches are what Kafka's clients read, and its lag is the lag."""

import argparse
import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.record.default_records import DefaultRecordBatch

from benchmarks.bench.batches import Frame, arrays, paced, partitions_of, singles
from benchmarks.bench.wire import Connection, KafkaRefusedError, produce_request
from benchmarks.city import Plan, benchmark_city
from benchmarks.load import Load
from benchmarks.nation import (
    FIXES,
    Sample,
    lag_growth_s,
    lag_records,
    next_offsets,
    parser,
    prepared,
)
from benchmarks.nation_send import send
from mucktrack.embedded import tansu
from mucktrack.topics import create_topics
from streams.access import KafkaAccess
from streams.metrics import Metrics
from streams.position import Position, decode_record
from streams.topics import POSITIONS

PARTITIONS = 3
TRUCKS = 200


@pytest.fixture(scope="module")
def load() -> Load:
    return Load(benchmark_city(TRUCKS, plan=Plan(100, 100, 400)), offending=0.02)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with tansu(tmp_path_factory.mktemp("kafka")) as server:
        create_topics(KafkaAccess.plain(server.address), PARTITIONS)
        yield server.address


def positions_in(frames: list[Frame]) -> dict[int, list[Position]]:
    """By partition, as kafka-python reads the batches."""
    found: dict[int, list[Position]] = {number: [] for number in range(PARTITIONS)}
    for frame in frames:
        for partition, batch in frame.batches.items():
            read = DefaultRecordBatch(batch)
            assert read.validate_crc()
            records = list(read)
            assert len(records) == frame.records[partition]
            for record in records:
                elements = decode_record(record.value)
                assert record.timestamp == max(one.received_ms or 0 for one in elements)  # type: ignore[union-attr]
                found[partition] += elements  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("kind", ["arrays", "singles", "paced"])
def test_batches_hold_the_load(load: Load, kind: str) -> None:
    first, last = 100, 1_900
    frames = {
        "arrays": lambda: arrays(load, first, last, PARTITIONS, 70),
        "singles": lambda: singles(load, first, last, PARTITIONS),
        "paced": lambda: paced(load, first, last, PARTITIONS, 70, 400),
    }[kind]()
    made = list(frames)
    found = positions_in(made)
    assert sum(frame.positions for frame in made) == last - first
    homes = dict(zip(load.fleet.truck_ids, partitions_of(load, PARTITIONS).tolist(), strict=True))
    # Each piece of a load is the same, however it is cut but for the noise; trucks and times are.
    expected = [(one.truck_id, one.time_ms) for one in load.positions(first, last)]
    for partition, positions in found.items():
        assert [(one.truck_id, one.time_ms) for one in positions] == [
            fix for fix in expected if homes[fix[0]] == partition
        ]


def test_the_run_is_sent_and_its_lag_is_told(broker: str, tmp_path: Path) -> None:
    options = parser().parse_args(
        [
            *("--trucks", "200", "--rate", "1000", "--seconds", "0.5"),
            *("--partitions", str(PARTITIONS), "--small-city"),
        ]
    )
    index = prepared(options, tmp_path)
    assert index.positions == 500
    assert prepared(options, tmp_path) == index
    sent = send(tmp_path, broker, index)
    assert sent.seconds >= 0.4
    with Connection(broker) as connection:
        ends = connection.high_watermarks(POSITIONS, [0] * PARTITIONS)
        assert ends == connection.high_watermarks(POSITIONS, ends)
        with pytest.raises(KafkaRefusedError, match="produce to partition 0: error"):
            connection.produce("no-such-topic", {0: b""})
    assert sum(ends) == index.records
    assert read_offsets(broker) == ends
    offsets = {0: ends[0], 2: ends[2] - 1}
    assert lag_records(ends, offsets) == ends[1] + 1


def read_offsets(broker: str) -> list[int]:
    """What kafka-python finds when it reads everything: the offset after the last record."""
    consumer = KafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest")
    with closing(consumer):
        consumer.assign([TopicPartition(POSITIONS, number) for number in range(PARTITIONS)])
        ends = [0] * PARTITIONS
        for _ in itertools.repeat(None, 20):
            for tp, records in consumer.poll(timeout_ms=300).items():
                ends[tp.partition] = records[-1].offset + 1
    return ends


def test_another_run_is_not_mistaken_for_one_made_before(tmp_path: Path) -> None:
    options = parser().parse_args(
        ["--trucks", "200", "--rate", "1000", "--seconds", "0.2", "--small-city"]
    )
    prepared(options, tmp_path)
    other = argparse.Namespace(**vars(options) | {"rate": 500})
    with pytest.raises(SystemExit, match="holds a run of other options"):
        prepared(other, tmp_path)


def test_offsets_of_a_worker() -> None:
    figures = {
        ("mucktrack_next_offset", "0"): 7.0,
        ("mucktrack_next_offset", "11"): 9.0,
        ("mucktrack_trucks", "0"): 5.0,
    }
    assert next_offsets(figures) == {0: 7, 11: 9}


def test_a_worker_tells_its_fixes() -> None:
    name, stage = FIXES
    (family,) = (one for one in Metrics().registry.collect() if name == f"{one.name}_count")
    (found,) = (one for one in family.samples if one.name == name and stage in one.labels.values())
    assert next(iter(found.labels.values())) == stage


@pytest.mark.parametrize(
    ("lags", "grown"),
    [([5.0] * 8, 0.0), ([0, 0, 0, 0, 1, 2, 3, 4], 3.0), ([9, 9, 9, 9, 4, 3, 2, 1], -3.0)],
)
def test_growth_is_that_of_the_second_half(lags: list[float], grown: float) -> None:
    samples = [
        Sample(float(5 * at), 0, lag, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for at, lag in enumerate(lags)
    ]
    assert lag_growth_s(samples) == pytest.approx(grown)


def test_a_request_begins_with_its_length() -> None:
    request = produce_request(POSITIONS, {0: b"batch", 2: b"other"})
    assert int.from_bytes(request[:4], "big") == len(request) - 4
