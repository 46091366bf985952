"""`mucktrack replay`, `simulate` and `score`, against a real broker."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from kafka import KafkaConsumer, TopicPartition
from processes import wait_until

from mucktrack.commands import producing
from mucktrack.embedded import tansu
from mucktrack.interruptible import InterruptibleSink
from mucktrack.topics import create_topics
from producers import fleet
from streams.position import Malformed, Position, Tick, decode_record

PARTITIONS = 3
MUCKTRACK = [sys.executable, "-m", "mucktrack"]


@pytest.fixture
def broker(tmp_path):
    with tansu(tmp_path / "kafka") as server:
        create_topics(server.address, PARTITIONS)
        yield server.address


def environment(broker: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if "MUCKTRACK" not in name}
    return inherited | {"MUCKTRACK_KAFKA": broker, "MUCKTRACK_PARTITIONS": str(PARTITIONS)}


def run(broker: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MUCKTRACK, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment(broker),
        timeout=120,
    )


def elements_on(broker: str) -> list[Position | Tick | Malformed]:
    consumer = KafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest")
    consumer.assign([TopicPartition("gps.positions", number) for number in range(PARTITIONS)])
    elements = []
    quiet = 0
    while quiet < 3:
        polled = consumer.poll(timeout_ms=700)
        quiet = 0 if polled else quiet + 1
        for records in polled.values():
            for record in records:
                elements += decode_record(record.value)
    consumer.close()
    return elements


def positions_file(path: Path, count: int, step_ms: int) -> Path:
    lines = [
        json.dumps({"truck_id": f"T{n % 5}", "time_ms": 1_700_000_000_000 + n * step_ms} | PLACE)
        for n in range(count)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


PLACE = {"lon": 121.5, "lat": 29.8}


def test_replay_publishes_everything_and_says_so(broker, tmp_path):
    path = positions_file(tmp_path / "positions.jsonl", 50, 1_000)
    path.write_text(path.read_text() + "no json\n")
    done = run(broker, "replay", "--speed", "max", path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("published 51 positions")
    elements = elements_on(broker)
    assert sum(isinstance(element, Position) for element in elements) == 50
    assert sum(isinstance(element, Malformed) for element in elements) == 1
    assert any(isinstance(element, Tick) for element in elements)


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "nan", "inf"])
def test_a_speed_that_is_none_is_told(broker, tmp_path, speed):
    path = positions_file(tmp_path / "positions.jsonl", 1, 1)
    done = run(broker, "replay", "--speed", speed, path)
    assert done.returncode == 2
    assert f"'{speed}' is no number above 0" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_not_there_publishes_nothing(broker, tmp_path):
    path = positions_file(tmp_path / "positions.jsonl", 5, 1_000)
    done = run(broker, "replay", "--speed", "max", path, tmp_path / "absent.jsonl")
    assert done.returncode == 2
    assert "there is no such file" in done.stderr
    assert elements_on(broker) == []


def test_another_partition_count_is_refused(broker, tmp_path):
    path = positions_file(tmp_path / "positions.jsonl", 5, 1_000)
    done = run(broker, "replay", "--partitions", "4", path)
    assert done.returncode == 1
    assert "has 3 partitions, not 4" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_simulation_that_is_told_to_stop_has_published_what_it_says(broker, tmp_path, number):
    labels = tmp_path / "labels.jsonl"
    log = tmp_path / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [*MUCKTRACK, "simulate", "--trucks", "50", "--speed", "200", "--labels", str(labels)],
            cwd=ROOT,
            env=environment(broker),
            stderr=output,
        ) as process,
    ):
        assert wait_until(lambda: labels.exists() and labels.stat().st_size > 0, 60)
        process.send_signal(number)
        assert process.wait(30) == 0, log.read_text()
    found = re.search(r"published (\d+) positions · offences labelled (\d+)", log.read_text())
    assert found, log.read_text()
    elements = elements_on(broker)
    assert sum(isinstance(element, Position) for element in elements) == int(found[1]) > 0
    assert len(labels.read_text().splitlines()) == int(found[2])
    newest_ms = max(one.time_ms for one in elements if isinstance(one, Position))
    assert max(one.tick_ms for one in elements if isinstance(one, Tick)) >= newest_ms


def test_simulated_offences_are_found(tmp_path):
    positions, labels, found = (tmp_path / name for name in ("p.jsonl", "labels", "violations"))
    city = ROOT / "producers" / "cities" / "demo"
    for command in (
        ["simulate", "--out", positions, "--labels", labels, "--hours", "2", "--trucks", "100"],
        ["detect", "--city", city, "--violations", found, positions],
    ):
        done = run("127.0.0.1:9", *command)
        assert done.returncode == 0, done.stderr
    done = run("127.0.0.1:9", "score", labels, found)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1].split()
    assert last[0] == "all"
    assert int(last[1]) > 10
    assert last[3] == "100.0%"


def test_a_fleet_that_the_city_does_not_have_is_told(tmp_path):
    done = run("127.0.0.1:9", "simulate", "--out", tmp_path / "p.jsonl", "--trucks", "100000")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "100000 trucks; the city has" in done.stderr


def test_files_that_hold_no_labels_are_told(tmp_path):
    labels = tmp_path / "labels"
    labels.write_text('{"truck_id":"a"}\n')
    done = run("127.0.0.1:9", "score", labels, labels)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(labels) in done.stderr
    assert "`rule`" in done.stderr


def test_the_share_that_help_shows_is_the_fleets_own():
    assert producing.DEFAULT_SHARE == fleet.DEFAULT_SHARE


class Interrupted:
    """A sink that a signal interrupts while it takes its `at`-th call."""

    def __init__(self, at: int) -> None:
        self.calls: list[object] = []
        self.guard = InterruptibleSink(self)
        self._at = at

    def _take(self, *call: object) -> None:
        if len(self.calls) + 1 == self._at:
            self.guard.interrupt()
        self.calls.append(call)

    def publish(self, position: Position) -> None:
        self._take("publish", position)

    def publish_raw(self, value: bytes, truck_id: str | None, timestamp_ms: int | None) -> None:
        self._take("publish_raw", value, truck_id, timestamp_ms)

    def tick(self, tick_ms: int) -> None:
        self._take("tick", tick_ms)

    def flush(self) -> None:
        self._take("flush")


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_signal_in_the_middle_of_a_call_waits_for_its_end(at):
    behind = Interrupted(at)
    sink = behind.guard
    position = Position("T1", 1_700_000_000_000, 121.5, 29.8)
    calls = [
        ("publish", position),
        ("publish_raw", b"no json", None, None),
        ("tick", 1_700_000_000_000),
        ("flush",),
    ]
    for number, (name, *arguments) in enumerate(calls[:at], 1):
        if number == at:
            with pytest.raises(KeyboardInterrupt):
                getattr(sink, name)(*arguments)
        else:
            getattr(sink, name)(*arguments)
    assert behind.calls == calls[:at]


def test_a_signal_between_two_calls_is_heard_at_once():
    with pytest.raises(KeyboardInterrupt):
        Interrupted(at=0).guard.interrupt()
