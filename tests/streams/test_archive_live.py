"""An archiver on a real broker, killed again and again: the archive is the topic, and what the
engine says of it is what a worker said."""

import asyncio
import dataclasses
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from conftest import ROOT
from live_parts import (
    PARTITIONS,
    Process,
    Record,
    arrays,
    ids,
    last_ticks,
    make_topics,
    publish,
    read,
    single,
    until,
    worker,
    write_city,
)
from pages import check_page
from tally import tally

from mucktrack.embedded import tansu
from producers.archive_folder import Archive
from streams.partition import partition_of
from streams.position import Position, encode_position, encode_tick

START_MS = 1_793_584_800_000
STEP_MS = 20_000
STEPS = 24
EMPTY_FROM = 16
"""Step from which the trucks say that they are empty, in the middle of nowhere."""
KAFKA_UP = 'mucktrack_server_up{server="kafka"}'
KILLS = 8
SEED = 20_261_122


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One district, no sites and no permits: whoever drives loaded offends."""
    return write_city(tmp_path_factory.mktemp("city"))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mucktrack", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=180,
    )


@contextmanager
def archiver(
    folder: Path, kafka: str, topic: str, archive: Path, file_bytes: int | None = None
) -> Iterator[Process]:
    """`mucktrack archive` with its log and port in `folder`; it can write files of `file_bytes`."""

    def limit() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    folder.mkdir()
    log, port = folder / "log", folder / "port"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "mucktrack", "archive", "--folder", str(archive)),
                *("--kafka", kafka, "--topic", topic, "--partitions", str(PARTITIONS)),
                *("--archive-roll-s", "1", "--archive-metrics-port", "0"),
                *("--metrics-port-file", str(port)),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=limit,
        )
    try:
        yield Process(child, log, port)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        sys.stdout.write(log.read_text())


def drive(trucks: Sequence[str]) -> list[Position]:
    """The trucks drive east, loaded at first; all fixes in the order of time. Now and then one
    comes twice, late, from nowhere, or from the future."""
    positions = []
    for step in range(STEPS):
        for lane, truck_id in enumerate(trucks):
            fix = Position(
                truck_id=truck_id,
                time_ms=START_MS + step * STEP_MS,
                lon=121.05 + 0.0017 * step,
                lat=29.05 + 0.002 * lane,
                speed_kmh=30.0,
                loaded=step < EMPTY_FROM,
            )
            positions.append(fix)
            odd = (step * len(trucks) + lane) % 23
            if odd == 3:
                positions.append(fix)
            elif odd == 7:
                earlier = fix.time_ms - 3 * STEP_MS // 2
                positions.append(msgspec.structs.replace(fix, time_ms=earlier))
            elif odd == 11:
                positions.append(
                    msgspec.structs.replace(fix, time_ms=fix.time_ms + 1, lon=0.0, lat=0.0)
                )
            elif odd == 13:
                hour_later = fix.time_ms + 3_600_000
                positions.append(msgspec.structs.replace(fix, time_ms=hour_later))
    return positions


def stream(positions: list[Position]) -> list[Record]:
    """The positions as records: alone, in arrays, among others' rubbish, with ticks between."""
    records: list[Record] = []
    for start in range(0, len(positions), 60):
        piece = positions[start : start + 60]
        now_ms = min(one.time_ms for one in piece) + 1_000
        stamped = [dataclasses.replace(one, timestamp_ms=now_ms) for one in arrays(piece[:50], 9)]
        stamped += [dataclasses.replace(single(one), timestamp_ms=now_ms) for one in piece[50:]]
        records += stamped
        own = partition_of(piece[0].truck_id, PARTITIONS)
        records += [
            Record(own, b"{not JSON", b"label", now_ms),
            Record(own, None, b"a tombstone", now_ms),
            Record(own, b"\xff\xfe", None, now_ms),
            Record(own, b'[{"truck_id":"X"},{"truck_id":"Y","time_ms":1}]', b"two", now_ms),
            Record((own + 1) % PARTITIONS, encode_position(piece[0]), b"astray", now_ms),
        ]
        records += [
            Record(partition, encode_tick(now_ms), None, now_ms) for partition in range(PARTITIONS)
        ]
    return records


async def test_killed_again_and_again_it_keeps_every_record_once(
    tmp_path: Path, city: Path, kafka: str
) -> None:
    topics = await make_topics(kafka)
    trucks = [f"浙B{number:05d}" for number in range(24)]
    positions = drive(trucks)
    records = [*stream(positions), *last_ticks([one for one in positions if one.lon])]
    archive = tmp_path / "archive"
    luck = random.Random(SEED)

    async def keep_publishing() -> None:
        step = len(records) // 40
        for start in range(0, len(records), step):
            await publish(kafka, topics.positions, records[start : start + step])
            await asyncio.sleep(0.6)

    with worker(tmp_path / "worker", city, kafka, topics, None) as at_work:
        publishing = asyncio.create_task(keep_publishing())
        killed_with_files_begun = 0
        for number in range(KILLS):
            with archiver(tmp_path / f"a{number}", kafka, topics.positions, archive) as process:
                await until(process.port_file.exists, "it has started")
                await asyncio.sleep(luck.uniform(0.0, 3.0))
                process.child.kill()
                process.child.wait()
                killed_with_files_begun += bool(list(archive.rglob("*.tmp")))
        await publishing
        with archiver(tmp_path / "last", kafka, topics.positions, archive) as process:
            published = await read(kafka, topics.positions, lambda some: len(some) == len(records))
            ends = {one.partition: one.offset + 1 for one in published}
            await until(
                lambda: all(
                    process.metric(f'mucktrack_archive_read_offset{{partition="{partition}"}}')
                    == end
                    for partition, end in ends.items()
                ),
                "it has read all",
            )
            assert process.stop() == 0, process.said()
            assert "Traceback" not in process.said()
        await until(
            lambda: all(
                at_work.metric(f'mucktrack_next_offset{{partition="{partition}"}}') == end
                for partition, end in ends.items()
            ),
            "the worker is through",
        )
        violations = await read(kafka, topics.violations, lambda some: bool(ids(some)))
        trips = await read(kafka, topics.trips, lambda some: len(some) >= len(trucks))
        rejected = await read(kafka, topics.rejected, bool)
        assert at_work.stop() == 0, at_work.said()

    assert killed_with_files_begun > 1
    tally("archive", kills=KILLS, kills_within_a_file=killed_with_files_begun)
    assert {
        (partition, record.offset): (record.value, stamp)
        for partition, record, stamp in _archived(archive)
    } == {(one.partition, one.offset): (one.value, one.timestamp) for one in published}
    assert len(list(_archived(archive))) == len(published)

    outputs = [tmp_path / name for name in ("violations", "trips", "rejected")]
    done = run(
        *("detect", "--city", city, archive, "--violations", outputs[0]),
        *("--trips", outputs[1], "--rejected", outputs[2]),
    )
    assert done.returncode == 0, done.stderr
    told = [sorted(path.read_bytes().splitlines()) for path in outputs]
    assert told[0] == sorted(one.value for one in violations)
    assert told[1] == sorted(one.value for one in trips)
    assert told[2] == sorted(one.value for one in rejected)
    explained = run("detect", "--city", city, archive, "--explain", trucks[0], "--json")
    assert explained.returncode == 0, explained.stderr
    assert explained.stdout.count('"time_ms"') >= STEPS
    lines = map(json.loads, explained.stdout.splitlines())
    of_truck = [one for one in map(json.loads, told[0]) if one["truck_id"] == trucks[0]]
    assert of_truck
    assert {(v["violation_id"], v["phase"]) for line in lines for v in line["violations"]} == {
        (v["violation_id"], v["phase"]) for v in of_truck
    }
    reasons = {line.split(b'"reason":"')[1].split(b'"')[0].decode() for line in told[2]}
    assert reasons == {
        "malformed", "wrong_partition", "bad_coordinates", "future_time", "duplicate", "late",
    }  # fmt: skip


def _archived(folder: Path) -> Iterator[tuple[int, object, int]]:
    archive = Archive(folder)
    for partition in range(archive.partitions):
        for chunk in archive.read(partition):
            for record, start in zip(chunk.records, chunk.starts, strict=True):
                yield partition, record, chunk.record_ms[start]


async def test_it_waits_while_kafka_is_away_and_goes_on(tmp_path: Path) -> None:
    """The embedded broker keeps nothing when it ends, so what comes back is another log: the
    archiver says so instead of mixing the two."""
    archive = tmp_path / "archive"
    (tmp_path / "one").mkdir()
    with tansu(tmp_path / "one") as broker:
        topics = await make_topics(broker.address)
        positions = drive(["浙B00001"])
        await publish(broker.address, topics.positions, list(map(single, positions)))
        own = partition_of("浙B00001", PARTITIONS)
        read_offset = f'mucktrack_archive_read_offset{{partition="{own}"}}'
        with archiver(tmp_path / "a", broker.address, topics.positions, archive) as process:
            await until(lambda: process.metric(read_offset) == len(positions), "all is read")
            check_page(process.page("metrics")[1], "archiver")
            broker.child.stop()
            await until(lambda: "kafka_away" in process.said(), "it says so")
            await until(lambda: not process.metric(KAFKA_UP), "its page says so")
            assert process.child.poll() is None
            assert process.stop() == 0, process.said()
    assert len(list(_archived(archive))) == len(positions)
    (tmp_path / "two").mkdir()
    with tansu(tmp_path / "two") as broker:
        another = await make_topics(broker.address)
        folder = tmp_path / "b"
        about = archive / "_archive.json"
        about.write_text(about.read_text().replace(topics.positions, another.positions))
        with archiver(folder, broker.address, another.positions, archive) as process:
            assert process.child.wait(60) == 1
            assert "the topic was made anew" in process.said()
            assert "Traceback" not in process.said()


async def test_a_disk_that_takes_no_more_is_said(tmp_path: Path, kafka: str) -> None:
    topics = await make_topics(kafka)
    archive = tmp_path / "archive"
    luck = random.Random(SEED)
    rubbish = [Record(0, luck.randbytes(10_000), None, START_MS) for _ in range(20)]
    await publish(kafka, topics.positions, rubbish)
    with archiver(tmp_path / "a", kafka, topics.positions, archive, 50_000) as process:
        assert process.child.wait(60) == 1
        said = process.said().splitlines()[-1]
        told = json.loads(said)
        assert told["event"] == "process_failed"
        assert told["error"].startswith(f"{archive}: File too large; what was read since")
        assert "Traceback" not in process.said()
    assert not list(archive.rglob("*.tmp"))
    assert not list(archive.rglob("*.parquet"))
    with archiver(tmp_path / "b", kafka, topics.positions, archive) as process:
        await until(lambda: bool(list(archive.rglob("*.parquet"))), "a file is finished")
        assert process.stop() == 0, process.said()
    assert len(list(_archived(archive))) == len(rubbish)


def test_bad_folders_and_two_at_once(tmp_path: Path, kafka: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("Dear")
    ports = ("--archive-metrics-port", "0")
    done = run("archive", "--folder", tmp_path / "full", "--kafka", kafka, *ports)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "holds something else" in done.stderr
    done = run("archive", "--folder", tmp_path / "full" / "letter.txt", "--kafka", kafka, *ports)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is no directory" in done.stderr
    done = run("archive", "--kafka", kafka, *ports)
    assert done.returncode == 2
    assert "give --folder or MUCKTRACK_ARCHIVE" in done.stderr


async def test_a_second_archiver_on_a_folder_ends(tmp_path: Path, kafka: str) -> None:
    topics = await make_topics(kafka)
    archive = tmp_path / "archive"
    with archiver(tmp_path / "a", kafka, topics.positions, archive) as first:
        await until(first.port_file.exists, "it has started")
        with archiver(tmp_path / "b", kafka, topics.positions, archive) as second:
            assert second.child.wait(60) == 2
            assert "another archiver is at work" in second.said()
        begun = time.monotonic()
        assert first.stop(signal.SIGINT) == 0, first.said()
        assert time.monotonic() - begun < 10


def test_an_archive_is_judged_alone_and_its_files_only_together(tmp_path: Path, city: Path) -> None:
    from test_archive_writer import fill

    file, *_ = fill(tmp_path / "archive")
    done = run("detect", "--city", city, tmp_path / "archive", file)
    assert done.returncode == 2
    assert "is an archive, which is judged alone" in done.stderr
    done = run("detect", "--city", city, file)
    assert done.returncode == 2
    assert f"which is the folder {tmp_path / 'archive'}" in done.stderr
    assert (done.stderr.count("\n"), done.stdout) == (1, "")
