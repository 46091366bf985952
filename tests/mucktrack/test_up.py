"""`mucktrack up` for real: everything started, positions through, everything gone."""

import os
import re
import signal
import socket
from pathlib import Path

import httpx
import pytest
from processes import command_lines, running, wait_until
from up_process import records_of, up, wait_until_ready

from mucktrack.embedded import valkey
from producers.archive_folder import Archive
from streams.position import Position, Tick, decode_record

READY_S = 90.0
"""The first start on a machine compiles the core."""
CONSOLE = re.compile(r"console (http://127\.0\.0\.1:\d+) · log in as admin with (\S+), then")
LAST_LINE = re.compile(r"positions (\d+) · violations (\d+) · rejected (\d+)")


def children_of_run(state_dir: Path) -> list[str]:
    """Worker, fleet, Redis and their leashes name the folder; the broker names its port only."""
    return [line for line in running(str(state_dir)) if "mucktrack up" not in line]


def assert_all_gone(state_dir: Path, address: str) -> None:
    assert wait_until(lambda: not children_of_run(state_dir)), children_of_run(state_dir)
    assert wait_until(lambda: not running(address)), running(address)


def summary(told: str) -> tuple[int, int, int]:
    found = LAST_LINE.fullmatch(told.splitlines()[-1])
    assert found, told
    positions, violations, rejected = map(int, found.groups())
    return positions, violations, rejected


def archived_positions(folder: Path) -> int:
    archive = Archive(folder)
    return sum(
        type(element) is not Tick
        for partition in range(archive.partitions)
        for chunk in archive.read(partition)
        for element in chunk.elements
    )


def test_it_ends_by_itself_with_a_summary(tmp_path):
    with up(tmp_path, "--seconds", "10") as process:
        address = wait_until_ready(process)
        told, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    positions, violations, rejected = summary(told)
    assert positions > 1_000
    assert violations > 0
    assert rejected < positions
    assert_all_gone(tmp_path, address)
    (run,) = (tmp_path / "runs").iterdir()
    assert {"kafka.log", "redis.log", "worker.log", "archiver.log", "fleet.log"} <= {
        path.name for path in run.iterdir()
    }
    assert archived_positions(run / "archive") == positions


def test_its_trucks_can_be_terminals(tmp_path):
    with up(tmp_path, "--seconds", "12", "--jt808") as process:
        address = wait_until_ready(process)
        told, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    positions, violations, _ = summary(told)
    assert positions > 1_000
    assert violations > 0
    assert_all_gone(tmp_path, address)
    (run,) = (tmp_path / "runs").iterdir()
    assert "terminals_awaited" in (run / "gateway.log").read_text()
    assert "acknowledged" in (run / "fleet.log").read_text()
    assert archived_positions(run / "archive") == positions


def test_it_brings_the_console_and_somebody_who_may_log_in(tmp_path):
    with up(tmp_path) as process:
        found = CONSOLE.match(process.stdout.readline())
        assert found
        with httpx.Client(base_url=f"{found[1]}/api/v1", trust_env=False) as client:
            wrong = client.post("/session", json={"name": "admin", "password": "x" * 12})
            assert wrong.status_code == 401
            right = client.post("/session", json={"name": "admin", "password": found[2]})
            assert (right.status_code, right.json()["role"]) == (200, "admin")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    (run,) = (tmp_path / "runs").iterdir()
    assert "Traceback" not in (run / "console.log").read_text()


def test_without_a_console(tmp_path):
    with up(tmp_path, "--no-console", "--seconds", "1") as process:
        told, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "console http" not in told
    (run,) = (tmp_path / "runs").iterdir()
    assert not (run / "cases.db").exists()


def test_given_servers_are_used_and_may_hold_an_earlier_run(tmp_path, fresh_kafka):
    state = tmp_path / "state"
    published = detected = 0
    with valkey(tmp_path / "redis") as redis:
        for _ in range(2):
            with up(
                state,
                *("--seconds", "8"),
                MUCKTRACK_KAFKA=fresh_kafka,
                MUCKTRACK_REDIS=redis.address,
                MUCKTRACK_ARCHIVE=str(tmp_path / "archive"),
            ) as process:
                assert wait_until_ready(process) == fresh_kafka
                assert not [line for line in running(str(state)) if "valkey" in line]
                told, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
            positions, violations, rejected = summary(told)
            assert positions > 1_000
            assert violations > 0
            # Some have no fix; the second fleet would be late if it were not after the first.
            assert rejected < 0.1 * positions
            assert positions == positions_on_the_topic(fresh_kafka) - published
            assert violations == len(ids_on_the_queue(fresh_kafka)) - detected
            published += positions
            detected += violations
            assert archived_positions(tmp_path / "archive") == published


def ids_on_the_queue(address: str) -> set[bytes]:
    records = records_of(address, "enforcement.violations")
    return {dict(record.headers)["ce_id"] for record in records}


def positions_on_the_topic(address: str) -> int:
    return sum(
        isinstance(element, Position)
        for record in records_of(address, "gps.positions")
        for element in decode_record(record.value)
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_and_sums_up(tmp_path, number):
    with up(tmp_path) as process:
        address = wait_until_ready(process)
        assert children_of_run(tmp_path)
        process.send_signal(number)
        told, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    summary(told)
    assert_all_gone(tmp_path, address)


def test_a_signal_before_it_is_ready_stops_all(tmp_path):
    with up(tmp_path) as process:
        assert wait_until(lambda: any("valkey" in line for line in children_of_run(tmp_path)))
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert wait_until(lambda: not children_of_run(tmp_path)), children_of_run(tmp_path)


def test_killed_it_leaves_nothing_behind(tmp_path):
    with up(tmp_path) as process:
        address = wait_until_ready(process)
        assert children_of_run(tmp_path)
        process.kill()
        process.wait(10)
    assert_all_gone(tmp_path, address)


def test_a_part_that_fails_is_named_with_the_end_of_its_log(tmp_path):
    with up(tmp_path) as process:
        address = wait_until_ready(process)
        (worker,) = [
            pid
            for pid, line in command_lines().items()
            if str(tmp_path) in line and "mucktrack worker" in line and "leash.py" not in line
        ]
        os.kill(worker, signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.startswith("mucktrack: worker: ended with exit code 137; the end of ")
    assert "worker.log" in errors
    assert "Traceback" not in errors
    assert_all_gone(tmp_path, address)


def test_a_city_with_faults_starts_nothing(tmp_path):
    with up(tmp_path, "--city", str(tmp_path)) as process:
        told, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert told == ""
    assert errors.count("\n") == 1
    assert "city check" in errors
    assert not (tmp_path / "runs").exists()


def test_a_fleet_that_the_city_does_not_have_is_bad_input(tmp_path):
    with up(tmp_path, "--trucks", "500") as process:
        _, errors = process.communicate(timeout=READY_S)
    assert process.returncode == 2
    assert errors.startswith("mucktrack: fleet: 500 trucks; the city has ")
    assert errors.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_redis_that_is_not_there_starts_nothing(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
    with up(tmp_path, "--redis", f"redis://:geheim@{address}") as process:
        told, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told == ""
    assert errors.startswith(f"mucktrack: Redis at redis://:***@{address}: ")
    assert errors.count("\n") == 1
    assert "geheim" not in errors
    assert not (tmp_path / "runs").exists()
