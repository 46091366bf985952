"""`--columns` and `--truck` from outside, of detect and replay."""

import json
from pathlib import Path

from conftest import ROOT
from test_cli import assert_one_line, mucktrack
from test_producing import broker as broker
from test_producing import elements_on
from test_producing import run as run_with

from streams.position import Malformed, Position, Tick

CITY = ROOT / "producers" / "cities" / "demo"
EXPORTS = ROOT / "tests" / "producers" / "exports"
GBK = EXPORTS / "gbk-with-a-title"
TRACK = EXPORTS / "gpx-1.1" / "浙B55555.gpx"


def test_detect_reads_an_export_and_keeps_what_it_cannot_read(tmp_path: Path) -> None:
    rejected = tmp_path / "rejected.jsonl"
    done = mucktrack(
        *("detect", "--city", CITY, "--columns", GBK / "map.toml", "--rejected", rejected),
        GBK / "export.csv",
    )
    assert done.returncode == 0, done.stderr
    hint, summary = done.stderr.splitlines()
    assert "6 of 10 rows are malformed, the first in line 9: time_ms: '2026/05/01 25:05:00'" in hint
    assert summary.startswith("positions 10 · ")
    rejects = [json.loads(line) for line in rejected.read_text().splitlines()]
    malformed = [one for one in rejects if one["reason"] == "malformed"]
    assert [one["line"] for one in malformed] == [9, 10, 11, 12, 14, 15]
    assert all(one["file"] == str(GBK / "export.csv") for one in rejects)
    assert malformed[1]["value"]["速度"] == "快"
    assert malformed[1]["truck_id"] == "浙B99999"
    assert malformed[4]["value"] == "合计：,7"
    assert [one["reason"] for one in rejects if one["line"] == 7] == ["not_located"]


def test_detect_reads_tracks_and_explains_one() -> None:
    done = mucktrack(
        "detect", "--city", CITY, "--truck", "浙B1", TRACK, "--explain", "浙B1", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["truck_id"] == "浙B1"


def test_what_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text('[columns]\ntruck_id = "车牌"\ntime_ms = "t"\nlon = "x"\nlat = "y"\n')
    file = GBK / "export.csv"
    command = ("detect", "--city", CITY, "--columns", mapping)
    assert_one_line(mucktrack(*command, file), 2, "line 1 is not utf-8", "encoding", "gb18030")
    mapping.write_text('encoding = "gbk"\nheader = 3\n' + mapping.read_text())
    done = mucktrack(*command, file)
    assert_one_line(done, 2, "no column '车牌' (truck_id in", "the file has '车牌号', 'SIM卡号'")
    mapping.write_text("x = 1")
    assert_one_line(mucktrack(*command, file), 2, "map.toml: 'x' is no key here; allowed are")
    done = mucktrack("detect", "--city", CITY, "--columns", tmp_path / "no.toml", file)
    assert_one_line(done, 2, "no.toml: cannot be opened: No such file")
    done = mucktrack("detect", "--city", CITY, "--truck", "", file)
    assert_one_line(done, 2, "--truck=''", "1 to 64 characters")


def test_replay_publishes_an_export_in_its_order(broker: str) -> None:
    folder = EXPORTS / "without-a-header"
    (file,) = folder.glob("*.csv")
    done = run_with(broker, "replay", "--columns", folder / "map.toml", "--speed", "max", file)
    assert done.returncode == 0, done.stderr
    elements = [one for one in elements_on(broker) if not isinstance(one, Tick)]
    assert len(elements) == 4
    mine = [
        one.time_ms for one in elements if isinstance(one, Position) and one.truck_id == "吉A77777"
    ]
    assert mine == sorted(mine)
    assert len(mine) == 3
    assert sum(isinstance(one, Malformed) for one in elements) == 1
