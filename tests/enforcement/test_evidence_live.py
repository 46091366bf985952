"""Evidence out of Kafka: positions that are not archived yet, and frames as terminals sent them."""

from pathlib import Path

import msgspec
import pytest
from evidence_parts import CITY, PROGRAM, office, stream
from kafka import KafkaProducer

from enforcement.evidence.container import unpack
from enforcement.evidence.contents import Contents
from enforcement.evidence.export import EvidenceError
from enforcement.evidence.verify import check
from mucktrack.topics import create_topics
from producers.archive_folder import Archive
from producers.gateway.records import RawFrame
from streams.access import KafkaAccess
from streams.partition import partition_of
from streams.topics import POSITIONS, RAW

PARTITIONS = 3
PHONE = "13912345678"
FRAME = bytes.fromhex(
    "7e0200001c013912345678000100000000000c00030000000000000000000000000000000000aa7e"
)


def positions() -> list[object]:
    """As a gateway writes them, which received each a second after it was measured."""
    return [
        msgspec.structs.replace(
            one, source="jt808", terminal_id=PHONE, received_ms=one.time_ms + 1_000
        )
        for one in stream("illegal-dumping")
        if one.truck_id == "浙B1"
    ]


class Builder:
    """Takes the record of a frame, as a batch of the gateway does."""

    def __init__(self, producer: KafkaProducer, partition: int) -> None:
        self._producer = producer
        self._partition = partition

    def append(self, *, timestamp: int, key: bytes, value: bytes, headers: list) -> object:
        return self._producer.send(
            RAW,
            value,
            key,
            headers=headers,
            partition=self._partition,
            timestamp_ms=timestamp,
        )


def put_frames(producer: KafkaProducer, count: int) -> None:
    """One for each position, one of another terminal, and one that told of no position."""
    for key, moments in (
        (PHONE, [one.received_ms for one in positions()]),
        ("13900000000", [positions()[0].received_ms]),
        (PHONE, [positions()[0].received_ms + 17]),
    ):
        builder = Builder(producer, partition_of(key, count))
        for received_ms in moments:
            RawFrame(FRAME, key, received_ms, "10.0.0.7:51234", "jt808").append_to(builder)


@pytest.mark.parametrize("archived", ["nothing", "half", "all"])
def test_what_is_not_archived_yet_comes_from_kafka(
    fresh_kafka: str, tmp_path: Path, archived: str
) -> None:
    access = KafkaAccess.plain(fresh_kafka)
    create_topics(access, PARTITIONS, 1)
    room = office(tmp_path, positions())
    opened = Archive(room.archive)
    producer = KafkaProducer(bootstrap_servers=fresh_kafka)
    for partition in range(PARTITIONS):
        for chunk in opened.read(partition):
            for record, start in zip(chunk.records, chunk.starts, strict=True):
                stamp = chunk.record_ms[start]
                producer.send(POSITIONS, record.value, partition=partition, timestamp_ms=stamp)
    put_frames(producer, len(producer.partitions_for(RAW)))
    producer.flush()
    producer.close()
    files = sorted(room.archive.glob("*/*.parquet"))
    kept = {"nothing": 0, "half": len(files) // 2, "all": len(files)}[archived]
    number = partition_of("浙B1", PARTITIONS)
    mine = [file for file in files if file.name.startswith(f"{number:04d}")]
    for file in mine[len(mine) * kept // len(files) :]:
        file.unlink()
    archive = None if archived == "nothing" else room.archive
    exporter = room.exporter(kafka=access, archive=archive)
    package = exporter.export(room.ids()[0], "li")
    assert check(package.content, PROGRAM).holds
    contents = Contents.of(unpack(package.content).files)
    frames = [(one.received_ms, one.frame_hex, one.connection) for one in contents.frames]
    assert frames == [(one.received_ms, FRAME.hex(), "10.0.0.7:51234") for one in positions()]
    assert [position for _, position in contents.positions()] == positions()


def test_a_kafka_that_is_away_is_said(tmp_path: Path) -> None:
    room = office(tmp_path, stream("illegal-dumping"))
    away = KafkaAccess.plain("127.0.0.1:1")
    with pytest.raises(EvidenceError, match=r"Kafka at 127\.0\.0\.1:1"):
        room.exporter(kafka=away).export(room.ids()[0], "li")
    assert CITY.is_dir()
