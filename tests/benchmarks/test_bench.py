"""`mucktrack bench`: each measurement at a tiny size gives its figures. None is held against a
speed: the machine that tests run on is nobody's."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from benchmarks.bench.command import run
from benchmarks.bench.figures import Figures, Report, percentile
from benchmarks.bench.sizes import QUICK

TINY = replace(
    QUICK,
    trucks=300,
    positions=20_000,
    singles=1_000,
    scalar=300,
    latency_rate=1_000,
    latency_s=4.0,
    latency_trucks=200,
    memory_trucks=(400,),
    growth_positions=4_000,
    growth_trucks=(100, 200),
    growth_base_trucks=100,
    growth_places=(100, 150),
    growth_vertices=(400, 800),
)
KEYS = {
    "core_positions_per_s",
    "detect_positions_per_s",
    "worker_array_positions_per_s",
    "worker_single_positions_per_s",
    "decode_only_positions_per_s",
    "noop_single_positions_per_s",
    "scalar_positions_per_s",
    "latency_p50_ms",
    "latency_p99_ms",
    "bytes_per_truck",
    "violation_us",
    "growth",
}


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("core", {"core_positions_per_s", "scalar_positions_per_s"}),
        ("detect", {"detect_positions_per_s"}),
        (
            "worker",
            {
                "worker_array_positions_per_s",
                "worker_single_positions_per_s",
                "decode_only_positions_per_s",
                "noop_single_positions_per_s",
                "violation_us",
            },
        ),
        ("latency", {"latency_p50_ms", "latency_p99_ms"}),
        ("memory", {"bytes_per_truck"}),
    ],
)
def test_a_measurement_gives_its_figures(kind: str, found: set[str], tmp_path: Path) -> None:
    lines = run(kind, TINY, tmp_path / "figures.json", None)
    figures = json.loads((tmp_path / "figures.json").read_bytes())
    assert set(figures) == KEYS
    assert figures.pop("growth") == []
    assert {name for name, value in figures.items() if value is not None} == found
    assert all(figures[name] > 0 for name in found)
    assert all(line == line.rstrip() for line in lines)
    assert any(kind in line for line in lines)


def test_growth_is_a_list_and_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "growth.png"
    lines = run("growth", TINY, tmp_path / "figures.json", picture)
    growth = json.loads((tmp_path / "figures.json").read_bytes())["growth"]
    assert {one["what"] for one in growth} == {
        "trucks", "sites", "routes", "vertices", "offending", "batch",
    }  # fmt: skip
    for one in growth:
        assert set(one) == {"what", "value", "ns_per_position", "ratio"}
        assert one["ns_per_position"] > 0
    # Each series is reckoned from one of its sizes.
    assert [one["what"] for one in growth].count("trucks") == 2
    assert all(
        any(one["ratio"] == 1.0 for one in growth if one["what"] == what)
        for what in ("trucks", "sites", "routes", "vertices", "offending", "batch")
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert any("≤ 1.25×" in line for line in lines)


def test_nothing_measured_is_null() -> None:
    figures = json.loads(msgspec.json.encode(Figures()))
    assert set(figures) == KEYS
    assert figures.pop("growth") == []
    assert set(figures.values()) == {None}


def test_a_goal_is_met_or_not() -> None:
    report = Report()
    report.at_least("fast", 2.0, 1.0)
    report.at_most("slow", 2.0, 1.0)
    report.add("told", "7")
    assert [row.met for row in report.rows] == [True, False, None]
    assert report.lines() == ["fast  2  ≥ 1  met", "slow  2  ≤ 1  not met", "told  7"]


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.5, 2.0), (0.75, 3.0), (0.99, 4.0), (1.0, 4.0)]
)
def test_percentile(share: float, expected: float) -> None:
    assert percentile([4.0, 2.0, 1.0, 3.0], share) == expected
