"""`mucktrack detect --explain` and `--stats` from outside: the text for people, JSON, bad input."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_cli import assert_one_line, mucktrack

from geofences.loader import load_city
from mucktrack.explain import round_moment
from mucktrack.failures import BadInputError
from mucktrack.moments import moment_ms
from producers.files import open_positions
from streams.detect import Engine, PreparedCity
from streams.explain.explanation import Explanation
from streams.explain.narrator import Narrator

FOLDER = Path(__file__).parent / "explained"
CITY, POSITIONS = FOLDER / "city", FOLDER / "positions.jsonl"
EXPLAIN = ("detect", "--city", CITY, POSITIONS, "--explain", "浙B1")


def test_the_text_for_one_truck() -> None:
    """Loaded at a site, off its route and after hours, lost, and tipped in a field over the border;
    in between are positions that are no fixes."""
    done = mucktrack(*EXPLAIN)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (FOLDER / "expected.txt").read_text("utf-8")


def test_json_holds_the_same() -> None:
    done = mucktrack(*EXPLAIN, "--json")
    assert done.returncode == 0, done.stderr
    *told, ending = map(json.loads, done.stdout.splitlines())
    assert len(told) == 14
    assert [one["rejected"] for one in told if one["rejected"]] == [
        "impossible_jump", "duplicate", "late", "few_satellites",
    ]  # fmt: skip
    assert {rule["rule"] for rule in told[12]["known"]["rules"] if rule["true"]} == {
        "illegal-dumping", "cross-district-dumping",
    }  # fmt: skip
    assert {event["rule"] for event in told[12]["violations"]} == {
        "illegal-dumping", "cross-district-dumping",
    }  # fmt: skip
    assert ending["local_time"] == "2026-11-21 02:32:20"


def explained() -> Iterator[Explanation]:
    narrator = Narrator(Engine.offline(PreparedCity.of(load_city(CITY))), "浙B1")
    for chunk in open_positions(POSITIONS):
        yield from narrator.take(chunk.elements)


@pytest.mark.parametrize(
    ("moment", "numbers"),
    [
        ("2026-11-20T20:58:00", [1]),
        ("2026-11-20T20:59:00", [1, 2]),
        ("2026-11-20T21:01:04", [5, 6, 7]),
        ("2026-11-20T21:01:30", [7, 8, 9, 10, 11]),
        ("2026-11-20T13:02:29Z", [7, 8, 9, 10, 11]),
        ("2026-11-20 21:15", [14]),
        ("2026-12-01", [14]),
    ],
)
def test_a_moment_shows_the_fix_before_and_the_one_after(moment: str, numbers: list[int]) -> None:
    at_ms = moment_ms(moment, "Asia/Shanghai", "--at")
    assert [one.number for one in round_moment(explained(), at_ms)] == numbers


def test_at_is_printed_alone() -> None:
    done = mucktrack(*EXPLAIN, "--at", "2026-11-20T21:14:10")
    assert done.returncode == 0, done.stderr
    text = (FOLDER / "expected.txt").read_text("utf-8")
    start, end = text.index("#12 "), text.index("#14 ")
    assert done.stdout == text[start:end]


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("1795194000000", 1_795_194_000_000),
        ("2026-11-21T01:00:00", 1_795_194_000_000),
        ("2026-11-21 01:00", 1_795_194_000_000),
        ("2026-11-20T17:00:00Z", 1_795_194_000_000),
        ("2026-11-20T18:00:00.5+01:00", 1_795_194_000_500),
    ],
)
def test_moments(text: str, time_ms: int) -> None:
    assert moment_ms(text, "Asia/Shanghai", "--at") == time_ms


@pytest.mark.parametrize(
    "text", ["", "soon", "21:00", "2026-13-01", "1795194000", "1999-12-31", "0001-01-01", "-5", "²"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(BadInputError, match="is no time: give ISO 8601"):
        moment_ms(text, "Asia/Shanghai", "--at")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--explain", "浙B3"], ["浙B3", "no position of this truck", "浙B1"]),
        (["--explain", "浙B1", "--at", "soon"], ["--at: 'soon'", "ISO 8601"]),
        (["--at", "2026-11-20"], ["--at needs --explain TRUCK"]),
        (["--json"], ["--json needs --explain TRUCK"]),
        (["--explain", "浙B1", "--trips", "t.jsonl"], ["--explain", "leave out"]),
        (["--explain", "浙B1", "--stats"], ["--explain", "leave out"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], parts: list[str]) -> None:
    done = mucktrack("detect", "--city", CITY, POSITIONS, *arguments)
    assert_one_line(done, 2, *parts)
    assert done.stdout == ""


def test_stats_count_violations_by_rule_and_phase() -> None:
    done = mucktrack("detect", "--city", CITY, POSITIONS, "--stats")
    assert done.returncode == 0, done.stderr
    summary, head, *rows = done.stderr.splitlines()
    assert " violations 12 " in summary
    assert head.split() == ["rule", "opened", "escalated", "closed", "occurred"]
    table = {row.split()[0]: [int(count) for count in row.split()[1:]] for row in rows}
    assert len(table) == 18
    assert table["off-route"] == [1, 0, 1, 0]
    assert table["illegal-dumping"] == [0, 0, 0, 1]
    assert table["undelivered"] == [0, 0, 0, 0]
    assert sum(table["all"]) == len(done.stdout.splitlines()) == 12
