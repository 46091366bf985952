"""Kafka, Redis and the database are lost together; from a backup, and the archive, into empty
servers, and on without loss (docs/guide/en/backup.md has these commands)."""

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from conftest import ROOT
from servers.redis_server import RedisServer
from test_cli import mucktrack

from mucktrack.embedded import tansu
from producers.archive_folder import Archive
from producers.demo_city import DEMO_CITY
from streams.position import Position, decode_record

PARTITIONS = 3
PATIENCE_S = 90.0


def test_from_a_backup_into_empty_servers(tmp_path: Path) -> None:
    whole, halves = _positions(tmp_path)
    backup, archive = tmp_path / "backup", tmp_path / "archive"
    redis_folder, database = tmp_path / "redis", tmp_path / "cases.db"
    with tansu(tmp_path / "kafka-1") as kafka, RedisServer(redis_folder) as store:
        site = _Site(kafka.address, store.url, database, tmp_path)
        site.run("topics", "create")
        with site.working(archive):
            site.run("replay", str(halves[0]), "--speed", "max", "--city", str(DEMO_CITY))
            _wait(lambda: _events(database), "cases")
            published = site.run("city", "publish", str(DEMO_CITY)).splitlines()[-1]
            backup.mkdir()
            with closing(sqlite3.connect(database)) as cases:
                cases.execute(f"VACUUM INTO '{backup / 'cases.db'}'")
            shutil.copytree(redis_folder, backup / "redis")
            _wait(lambda: _archived(archive) == _lines(halves[0]), "the archive")
    assert published
    for lost in (database, database.with_name("cases.db-wal"), database.with_name("cases.db-shm")):
        lost.unlink(missing_ok=True)
    shutil.rmtree(redis_folder)

    shutil.copy(backup / "cases.db", database)
    shutil.copytree(backup / "redis", redis_folder)
    with tansu(tmp_path / "kafka-2") as kafka, RedisServer(redis_folder) as store:
        site = _Site(kafka.address, store.url, database, tmp_path)
        assert "from" in site.run("city", "versions")
        site.run("topics", "create")
        assert site.run("checkpoints", "forget").startswith(f"forgotten: {PARTITIONS}; workers")
        assert site.run("checkpoints", "list") == ""
        with site.working(tmp_path / "archive-2"):
            site.run("replay", str(archive))
            site.run("replay", str(halves[1]), "--speed", "max", "--city", str(DEMO_CITY))
            _wait(lambda: _events(database) >= whole, "all violations")
            assert _events(database) == whole
            _wait(lambda: _archived(tmp_path / "archive-2") == sum(map(_lines, halves)), "all")
            saved = [f"partition {number} of {PARTITIONS}" for number in range(PARTITIONS)]
            _wait(lambda: _checkpoints(site) == saved, "all partitions saved")
    checked = mucktrack("audit", "check", "--database", f"sqlite:///{database}")
    assert checked.returncode == 0, checked.stdout


def _checkpoints(site: "_Site") -> list[str]:
    """Of which partitions there are some."""
    return [line.split(":")[0] for line in site.run("checkpoints", "list").splitlines()]


def test_what_is_no_archive_is_said(tmp_path: Path, kafka: str) -> None:
    positions = tmp_path / "p.jsonl"
    positions.write_text("")
    done = mucktrack("replay", str(positions), "--since", "2026-01-01", "--kafka", kafka)
    assert (done.returncode, "--since is for an archive" in done.stderr) == (2, True)
    (tmp_path / "_archive.json").write_text(
        json.dumps({"topic": "gps.positions", "partitions": 5, "format": 1})
    )
    done = mucktrack("replay", str(tmp_path), "--kafka", kafka, "--partitions", "3")
    assert (done.returncode, "is of 5 partitions, not 3; set" in done.stderr) == (2, True)


def test_checkpoints_that_there_are_not(redis_url: str) -> None:
    done = mucktrack("checkpoints", "forget", "77", "--redis", redis_url)
    assert (done.returncode, "no checkpoint of partition 77" in done.stderr) == (2, True)


class _Site:
    """The parts, on these servers."""

    def __init__(self, kafka: str, store: str, database: Path, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            "MUCKTRACK_KAFKA": kafka,
            "MUCKTRACK_REDIS": store,
            "MUCKTRACK_DATABASE": f"sqlite:///{database}",
            "MUCKTRACK_PARTITIONS": str(PARTITIONS),
            "MUCKTRACK_CHECKPOINT_S": "1",
            "MUCKTRACK_ARCHIVE_ROLL_S": "1",
            "MUCKTRACK_CONSOLE_PORT": "0",
            "MUCKTRACK_STATE_DIR": str(folder / "state"),
            **{
                f"MUCKTRACK_{name}METRICS_PORT": "0" for name in ("", "ARCHIVE_", "CONSOLE_")
            },
        }  # fmt: skip

    def run(self, *arguments: str) -> str:
        done = mucktrack(*arguments, **self._environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def working(self, archive: Path) -> Iterator[None]:
        """With worker, console and archiver; at the end they are killed."""
        with contextlib.ExitStack() as stack:
            for part in (
                ("worker", "--city", str(DEMO_CITY)),
                ("console", "--city", str(DEMO_CITY)),
                ("archive", "--folder", str(archive)),
            ):
                log = stack.enter_context((self._folder / f"{part[0]}.log").open("ab"))
                child = subprocess.Popen(
                    [sys.executable, "-m", "mucktrack", *part],
                    cwd=ROOT, env=self._environment, stdout=log, stderr=log,
                )  # fmt: skip
                stack.callback(child.wait)
                stack.callback(child.kill)
            yield


def _positions(folder: Path) -> tuple[set[str], list[Path]]:
    """The ids of the violations' events in all positions, and these in two files."""
    file = folder / "positions.jsonl"
    made = mucktrack(
        *("simulate", "--out", str(file), "--hours", "2", "--trucks", "30", "--noise", "0"),
        *("--share", "0.5"),
    )
    assert made.returncode == 0, made.stderr
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    halves = [folder / "first.jsonl", folder / "second.jsonl"]
    for half, some in zip(
        halves, (lines[: len(lines) // 2], lines[len(lines) // 2 :]), strict=True
    ):
        half.write_text("".join(some), encoding="utf-8")
    found = mucktrack("detect", "--city", str(DEMO_CITY), str(file))
    violations = map(json.loads, found.stdout.splitlines())
    return {f"{one['violation_id']}/{one['phase']}" for one in violations}, halves


def _events(database: Path) -> set[str]:
    if not database.exists():
        return set()
    with closing(sqlite3.connect(database)) as cases:
        try:
            return {one for (one,) in cases.execute("SELECT ce_id FROM events")}
        except sqlite3.OperationalError:
            return set()


def _lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def _archived(folder: Path) -> int:
    """Positions."""
    if not (folder / "_archive.json").exists():
        return 0
    archive = Archive(folder)
    return sum(
        isinstance(element, Position)
        for partition in range(PARTITIONS)
        for record in archive.records(partition)
        for element in decode_record(record.value)
    )


def _wait(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)
