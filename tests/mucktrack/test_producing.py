"""`mucktrack replay`, `simulate` and `score`, against a real broker."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from kafka import KafkaConsumer, TopicPartition
from processes import wait_until

from mucktrack.interruptible import InterruptibleSink
from mucktrack.topics import create_topics
from producers.demo_city import DEMO_CITY
from streams.access import KafkaAccess
from streams.position import Malformed, Position, Tick, decode_record

PARTITIONS = 3
MUCKTRACK = [sys.executable, "-m", "mucktrack"]


@pytest.fixture
def broker(fresh_kafka):
    create_topics(KafkaAccess.plain(fresh_kafka), PARTITIONS)
    return fresh_kafka


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


def test_a_replay_that_knows_the_city_ends_with_its_delay(broker, tmp_path):
    city = tmp_path / "city"
    shutil.copytree(DEMO_CITY, city)
    settings = (city / "city.toml").read_text()
    (city / "city.toml").write_text(settings + "\n[state]\nwatermark_delay_s = 3600\n")
    path = positions_file(tmp_path / "positions.jsonl", 50, 1_000)
    jump = {"truck_id": "T0", "time_ms": 1_700_000_900_000, "lon": 121.5, "lat": 59.0}
    path.write_text(path.read_text() + json.dumps(jump) + "\n")
    done = run(broker, "replay", "--speed", "max", "--city", city, path)
    assert done.returncode == 0, done.stderr
    ticks = [element.tick_ms for element in elements_on(broker) if isinstance(element, Tick)]
    assert max(ticks) == 1_700_000_049_000 + 3_600_000
    done = run(broker, "replay", "--city", tmp_path / "absent", path)
    assert done.returncode == 2
    assert "does not load" in done.stderr
    assert done.stderr.count("\n") == 1


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
    *_, total, partial = done.stdout.splitlines()
    last = total.split()
    told = [json.loads(line) for line in labels.read_text().splitlines()]
    left_out = sum(label.get("partial", False) for label in told)
    assert partial == f"{left_out} partial labels not counted"
    assert int(last[1]) == len(told) - left_out
    assert last[0] == "all"
    assert int(last[1]) > 10
    assert last[3] == "100.0%"


def test_a_fleet_that_the_city_does_not_have_is_told(tmp_path):
    done = run("127.0.0.1:9", "simulate", "--out", tmp_path / "p.jsonl", "--trucks", "100000")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "100000 trucks; the city has" in done.stderr


@pytest.mark.parametrize(("noise", "exact"), [("0", True), ("1", False)])
def test_without_noise_terminals_tell_the_moment(tmp_path, noise, exact):
    positions = tmp_path / "p.jsonl"
    options = ("--trucks", "5", "--hours", "0.1", "--noise", noise)
    done = run("127.0.0.1:9", "simulate", "--out", positions, *options)
    assert done.returncode == 0, done.stderr
    times = [json.loads(line)["time_ms"] for line in positions.read_text().splitlines()]
    assert any(time_ms % 1_000 for time_ms in times) == exact


def test_roads_that_cannot_be_read_are_told(tmp_path):
    city = tmp_path / "city"
    shutil.copytree(DEMO_CITY, city)
    (city / "roads.json").write_text('{"features": [1]}')
    done = run("127.0.0.1:9", "simulate", "--out", tmp_path / "p.jsonl", "--city", city)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{city / 'roads.json'}: no GeoJSON of roads" in done.stderr


@pytest.mark.parametrize("text", ["soon", "2026-04-01T21:30", "1999-04-01T21:30+08:00"])
def test_a_start_that_is_no_moment_is_told(tmp_path, text):
    done = run("127.0.0.1:9", "simulate", "--out", tmp_path / "p.jsonl", "--start", text)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"'{text}' is no time with its offset from UTC" in done.stderr


def test_a_fleet_begins_when_it_is_told_to(tmp_path):
    positions = tmp_path / "p.jsonl"
    done = run(
        "127.0.0.1:9",
        *("simulate", "--out", positions, "--trucks", "20", "--hours", "0.1"),
        *("--start", "2026-04-02T21:30+08:00"),
    )
    assert done.returncode == 0, done.stderr
    start_ms = 1_775_136_600_000
    times = [json.loads(line)["time_ms"] for line in positions.read_text().splitlines()]
    assert start_ms <= times[0] <= times[-1] <= start_ms + 360_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk needs /dev/full")
@pytest.mark.parametrize("what", ["--labels", "--out"])
def test_a_full_disk_is_told_with_the_name_of_the_file(broker, tmp_path, what):
    full = tmp_path / "full.jsonl"
    full.symlink_to("/dev/full")
    done = run(broker, "simulate", "--trucks", "50", "--hours", "1", "--speed", "max", what, full)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{full}: " in done.stderr
    assert "No space left on device" in done.stderr


def test_a_simulation_writes_json_lines_into_files_of_their_own(tmp_path):
    for out, labels, part in (
        ("p.csv", "labels", "p.csv: positions are written as JSON lines"),
        ("p", "labels", "name a .jsonl file"),
        ("p.jsonl", "p.jsonl", "two kinds of output"),
        ("p.jsonl", "./p.jsonl", "two kinds of output"),
    ):
        done = run(
            "127.0.0.1:9", "simulate", "--out", tmp_path / out, "--labels", f"{tmp_path}/{labels}"
        )
        assert done.returncode == 2
        assert part in done.stderr
        assert done.stderr.count("\n") == 1
        assert not list(tmp_path.iterdir())


def test_files_that_hold_no_labels_are_told(tmp_path):
    labels = tmp_path / "labels"
    labels.write_text('{"truck_id":"a"}\n')
    done = run("127.0.0.1:9", "score", labels, labels)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(labels) in done.stderr
    assert "`rule`" in done.stderr


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
