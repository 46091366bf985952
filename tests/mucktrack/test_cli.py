"""The command line from outside: help, bad input, exit codes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from conftest import ROOT
from processes import wait_until

from mucktrack.cli import cli
from streams.version import PROJECT_FILE

CITY = """\
name = "Testing"
admin_code = "330200"
"""
DISTRICTS = (
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"330203",'
    '"name":"A"},"geometry":{"type":"Polygon","coordinates":[[[121.5,29.8],[121.6,29.8],'
    "[121.6,29.9],[121.5,29.9],[121.5,29.8]]]}}]}"
)
POSITION = '{"truck_id":"浙B12345","time_ms":1700000000000,"lon":121.55,"lat":29.85}\n'


def mucktrack(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if "MUCKTRACK" not in name}
    return subprocess.run(
        [sys.executable, "-m", "mucktrack", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=inherited | environment,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


def paths_of(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path]
    if isinstance(command, click.Group):
        for name, sub in command.commands.items():
            found += paths_of(sub, (*path, name))
    return found


@pytest.fixture
def city(tmp_path: Path) -> Path:
    folder = tmp_path / "city"
    folder.mkdir()
    (folder / "city.toml").write_text(CITY)
    (folder / "districts.geojson").write_text(DISTRICTS)
    return folder


@pytest.fixture
def positions(tmp_path: Path) -> Path:
    path = tmp_path / "positions.jsonl"
    path.write_text(POSITION)
    return path


def assert_one_line(done: subprocess.CompletedProcess[str], code: int, *parts: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for part in parts:
        assert part in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", paths_of(cli), ids=" ".join)
def test_every_command_has_a_help_that_reads_well(path):
    done = mucktrack(*path, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: mucktrack")
    assert "..." not in done.stdout.partition("Commands:")[2], "a summary is cut short"
    assert "INTEGER" not in done.stdout, "a type is shown instead of what is meant"
    for line in done.stdout.splitlines():
        assert len(line) <= 100


SLOW_TO_IMPORT = {"numba", "numpy", "kafka", "aiokafka", "faust", "redis", "shapely", "rich"}


@pytest.mark.parametrize("path", paths_of(cli), ids=" ".join)
def test_help_is_quick_because_it_imports_nothing_slow(path):
    code = (
        "import sys\n"
        "from mucktrack.cli import cli\n"
        "cli.main([*sys.argv[1:], '--help'], standalone_mode=False)\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *path], capture_output=True, text=True, check=True, cwd=ROOT
    )
    imported = set(done.stdout.splitlines()[-1].split())
    assert "click" in imported
    assert not imported & SLOW_TO_IMPORT


def test_the_version_is_the_projects():
    assert mucktrack("--version").stdout.split()[0] == "mucktrack"
    assert f'version = "{mucktrack("--version").stdout.split()[1]}"' in PROJECT_FILE.read_text()


def test_without_a_command_the_help_is_shown():
    done = mucktrack()
    assert done.returncode == 2
    assert "Usage: mucktrack" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["nonsense"], ["No such command 'nonsense'"]),
        (["detect"], ["Missing argument 'FILE…'", "mucktrack detect --help"]),
        (["detect", "--city", "x", "--nonsense", "y"], ["No such option", "--nonsense"]),
        (["up", "--trucks", "0"], ["--trucks", "0"]),
        (["up", "--seconds", "soon"], ["--seconds", "'soon'"]),
        (["up", "--seconds", "nan"], ["--seconds", "'nan' is no finite number"]),
        (["up", "--speed", "inf"], ["--speed", "'inf' is no finite number"]),
        (["simulate", "--hours", "inf"], ["--hours", "inf"]),
        (["simulate", "--hours", "1e305"], ["--hours", "1e+305"]),
        (["simulate", "--share", "nan"], ["--share", "'nan' is no finite number"]),
        (["detect", "--city", "", "x.jsonl"], ["--city", "the path is empty"]),
        (["detect", "--city", "x", ""], ["FILE…", "the path is empty"]),
        (["detect", "--city", "x", "--violations", "", "x.jsonl"], ["--violations", "is empty"]),
        (["city", "check", ""], ["the path is empty"]),
        (["up", "--state-dir", "/proc/x"], ["cannot write /proc/x"]),
        (["topics", "create"], ["kafka is not set", "--kafka", "MUCKTRACK_KAFKA"]),
        (["topics", "create", "--kafka", "here"], ["--kafka=here", "host:port"]),
        (["topics", "create", "--kafka", "h:1", "--partitions", "x"], ["--partitions=x"]),
        (["worker", "--kafka", "h:1"], ["city is not set"]),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments, parts):
    assert_one_line(mucktrack(*arguments), 2, "mucktrack", *parts)


def test_a_variable_that_cannot_be_read_is_named():
    done = mucktrack("settings", MUCKTRACK_PARTITIONS="many")
    assert_one_line(done, 2, "MUCKTRACK_PARTITIONS=many", "whole number")


def test_settings_prints_values_and_masks_secrets():
    done = mucktrack("settings", MUCKTRACK_REDIS="redis://me:geheim@h/0", MUCKTRACK_KAKFA="a:1")
    assert done.returncode == 0
    assert "MUCKTRACK_REDIS=redis://me:***@h/0" in done.stdout
    assert "geheim" not in done.stdout
    assert done.stderr == "MUCKTRACK_KAKFA is not a setting; did you mean MUCKTRACK_KAFKA?\n"


def test_a_broker_that_is_away_is_exit_code_1():
    done = mucktrack("topics", "create", "--kafka", "127.0.0.1:9")
    assert_one_line(done, 1, "Kafka at 127.0.0.1:9")


def test_topics_are_made_and_then_there(fresh_kafka):
    assert mucktrack("topics", "create", "--kafka", fresh_kafka).returncode == 0
    again = mucktrack("topics", "create", MUCKTRACK_KAFKA=fresh_kafka)
    assert again.returncode == 0
    assert "gps.positions: exists" in again.stdout


def test_a_sound_city_passes_the_check(city):
    done = mucktrack("city", "check", city)
    assert done.returncode == 0, done.stdout
    assert "Testing: 1 district, 0 sites" in done.stdout


def test_every_fault_of_a_city_is_told(city):
    (city / "sites.geojson").write_text('{"type":"FeatureCollection","features":[{}]}')
    (city / "permits.csv").write_text("permit_id,hours\nP1,25:00-26:00\n")
    done = mucktrack("city", "check", city)
    assert_one_line(done, 2, str(city), "error")
    assert "error: sites.geojson" in done.stdout
    assert "error: permits.csv" in done.stdout


def test_an_unknown_threshold_is_a_fault(city):
    (city / "city.toml").write_text(CITY + "[state]\nno_such_threshold = 3\n")
    done = mucktrack("city", "check", city)
    assert done.returncode == 2
    assert "no_such_threshold" in done.stdout


def test_detect_judges_files_and_says_how_many(city, positions):
    done = mucktrack("detect", "--city", city, positions)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("positions 1 · violations 0 · trips 0 · rejected 0 · ")


def test_rejects_say_where_they_stood(city, positions, tmp_path):
    positions.write_text(POSITION + "no json\n" + POSITION)
    rejected = tmp_path / "rejected.jsonl"
    done = mucktrack("detect", "--city", city, "--rejected", rejected, positions)
    assert done.returncode == 0, done.stderr
    assert "positions 3 · violations 0 · trips 0 · rejected 2" in done.stderr
    malformed, duplicate = rejected.read_text().splitlines()
    assert '"reason":"malformed"' in malformed
    assert '"value":"no json"' in malformed
    assert '"line":2' in malformed
    assert str(positions) in malformed
    assert '"reason":"duplicate"' in duplicate
    assert '"truck_id":"浙B12345"' in duplicate


@pytest.mark.parametrize(
    ("content", "name", "part"),
    [
        (None, "absent.jsonl", "there is no such file"),
        (POSITION, "positions.txt", ".jsonl"),
        ("a,b\n1,2\n", "positions.csv", "truck_id"),
        ("not parquet", "positions.parquet", "positions.parquet"),
    ],
)
def test_a_file_that_is_none_of_positions_is_one_line(city, tmp_path, content, name, part):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    assert_one_line(mucktrack("detect", "--city", city, path), 2, part)


def test_a_city_with_faults_is_one_line(city, positions):
    (city / "districts.geojson").write_text("{")
    done = mucktrack("detect", "--city", city, positions)
    assert_one_line(done, 2, str(city), "districts.geojson", "city check")


def test_an_output_that_cannot_be_written_is_told_before_any_work(city, positions, tmp_path):
    target = tmp_path / "absent" / "violations.jsonl"
    done = mucktrack("detect", "--city", city, "--violations", target, positions)
    assert_one_line(done, 2, f"cannot write {target}")


def test_an_input_is_not_overwritten(city, positions):
    done = mucktrack("detect", "--city", city, "--rejected", positions, positions)
    assert_one_line(done, 2, str(positions))
    assert positions.read_text() == POSITION


def test_two_kinds_of_output_in_one_file_are_refused(city, positions):
    done = mucktrack("detect", "--city", city, "--trips", "-", positions)
    assert_one_line(done, 2, "standard output")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_interrupted_leaves_no_files(city, positions, tmp_path, number):
    positions.write_text(POSITION * 1_000_000)
    target = tmp_path / "violations.jsonl"
    target.write_text("of before\n")
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "mucktrack", "detect", "--city", str(city)),
            *("--violations", str(target), str(positions)),
        ],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert wait_until(lambda: list(tmp_path.glob(".violations*")))
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told.strip() == "mucktrack: interrupted"
    assert target.read_text() == "of before\n"
    assert not list(tmp_path.glob(".violations*"))


def test_a_reader_that_has_had_enough_is_no_error_to_speak_of(shared_dir):
    scenario = shared_dir / "scenarios" / "a"
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "mucktrack", "detect"),
            *("--city", str(scenario / "city"), str(scenario / "positions.jsonl")),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout.readline().startswith("{")
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr.read() == ""


@pytest.mark.parametrize("batch_size", [1, 97])
def test_the_batch_size_changes_nothing(shared_dir, tmp_path, batch_size):
    scenario = shared_dir / "scenarios" / "b"
    written = {}
    for name, options in (("plain", []), ("cut", ["--batch-size", batch_size])):
        folder = tmp_path / name
        folder.mkdir()
        done = mucktrack(
            *("detect", "--city", scenario / "city", scenario / "positions.jsonl"),
            *("--violations", folder / "violations", "--trips", folder / "trips"),
            *("--rejected", folder / "rejected", *options),
        )
        assert done.returncode == 0, done.stderr
        written[name] = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert written["cut"] == written["plain"]
    assert all(written["plain"].values())
