"""What a chaos run must have come to: what is on the topics against `mucktrack detect` over the
archive of the same positions.

Called by `chaos.run` when all is quiet. Compares whole violations, trips and rejects, after what
came more than once has been told apart by its id, as every consumer does.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams import topics

QUIET_MS = 3_000


@dataclass(frozen=True, slots=True)
class Compared:
    """One topic: ids of what detect found and of what is there."""

    what: str
    expected: int
    received: int
    repeats: int
    lost: list[str]
    invented: list[str]
    different: list[str]

    @property
    def agrees(self) -> bool:
        return not (self.lost or self.invented or self.different)


@dataclass(frozen=True, slots=True)
class Verdict:
    compared: list[Compared]
    summary: str
    """What `mucktrack detect` says of its work."""

    @property
    def agrees(self) -> bool:
        return all(one.agrees for one in self.compared) and all(
            one.expected > 0 for one in self.compared
        )


async def verdict(kafka: str, archive: Path, cities: list[str], folder: Path) -> Verdict:
    """`cities`: as `mucktrack detect --city` takes them; `folder` is for its files."""
    files = {name: folder / f"{name}.jsonl" for name in ("violations", "trips", "rejected")}
    summary = await asyncio.to_thread(_detect, archive, cities, files)
    compared = [
        await _compare(kafka, "violations", topics.VIOLATIONS, files["violations"], _violation_id),
        await _compare(kafka, "trips", topics.TRIPS, files["trips"], lambda trip: trip["trip_id"]),
        await _compare(kafka, "rejects", topics.REJECTED, files["rejected"], _coordinates),
    ]
    return Verdict(compared, summary)


def _detect(archive: Path, cities: list[str], files: dict[str, Path]) -> str:
    """What it says at the end."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mucktrack", "detect", str(archive)),
            *(argument for city in cities for argument in ("--city", city)),
            *(argument for name, file in files.items() for argument in (f"--{name}", str(file))),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"mucktrack detect failed: {done.stderr}")
    return done.stderr.strip().splitlines()[-1]


def _violation_id(violation: dict[str, Any]) -> str:
    return f"{violation['violation_id']}/{violation['phase']}"


def _coordinates(reject: dict[str, Any]) -> str:
    return f"{reject['partition']}:{reject['offset']}:{reject['index']}"


async def _compare(
    kafka: str, what: str, topic: str, file: Path, id_of: Callable[[dict[str, Any]], str]
) -> Compared:
    lines = (await asyncio.to_thread(file.read_bytes)).splitlines()
    expected = dict(_by_id(lines, id_of))
    values = await values_of(kafka, topic)
    received: dict[str, dict[str, Any]] = {}
    unlike: set[str] = set()
    for name, value in _by_id(values, id_of):
        if received.setdefault(name, value) != value:
            unlike.add(name)
    both = expected.keys() & received.keys()
    unlike |= {name for name in both if expected[name] != received[name]}
    return Compared(
        what,
        len(expected),
        len(received),
        len(values) - len(received),
        sorted(expected.keys() - received.keys()),
        sorted(received.keys() - expected.keys()),
        sorted(unlike),
    )


def _by_id(
    values: Iterable[bytes], id_of: Callable[[dict[str, Any]], str]
) -> Iterable[tuple[str, dict[str, Any]]]:
    for value in values:
        found = json.loads(value)
        yield id_of(found), found


async def values_of(kafka: str, topic: str) -> list[bytes]:
    """All that is on the topic; nobody writes to it any more."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.split(","), fetch_max_wait_ms=100)
    await consumer.start()
    try:
        partitions = [
            TopicPartition(topic, number) for number in await _partitions(consumer, topic)
        ]
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        values: list[bytes] = []
        while got := await consumer.getmany(timeout_ms=QUIET_MS):
            values += [record.value for records in got.values() for record in records]
        return values
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    await consumer._client.force_metadata_update()
    return sorted(consumer.partitions_for_topic(topic) or ())
