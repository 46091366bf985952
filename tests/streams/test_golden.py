"""Golden streams: a folder a scenario in `tests/scenarios`, positions in and verdicts expected.

Each holds a truck that breaks a rule by a hair, and its twin that stays a hair on the right side of
the same threshold and of which nothing is said. All drive through the same small city.
"""

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from reference.agreement import differences
from reference.judging import judge

from geofences.loader import load_city
from streams.detect import Outcome, PreparedCity
from streams.position import Element, decode_record

FOLDER = Path(__file__).parent.parent / "scenarios"
SCENARIOS = sorted(folder.parent.name for folder in FOLDER.glob("*/positions.jsonl"))
SHORT = ("rule", "phase", "truck_id", "started_ms", "detected_ms", "ended_ms")
GOLDEN_RULES = {
    "off-route", "no-permit", "illegal-dumping", "suspected-dumping", "wrong-site", "site-closed",
    "cross-district-dumping", "cross-district-transit",
}  # fmt: skip


@cache
def prepared() -> PreparedCity:
    return PreparedCity.of(load_city(FOLDER / "city"))


def positions(name: str) -> list[Element]:
    values = (FOLDER / name / "positions.jsonl").read_bytes().splitlines()
    return [element for value in values for element in decode_record(value)]


def expected(name: str) -> list[dict[str, Any]]:
    lines = (FOLDER / name / "expected.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def verdicts(outcome: Outcome) -> list[dict[str, Any]]:
    assert outcome.rejected == []
    return [{name: getattr(v, name) for name in SHORT} for v in outcome.violations]


@pytest.mark.parametrize("name", SCENARIOS)
def test_plain(name: str) -> None:
    assert verdicts(judge(prepared(), positions(name))) == expected(name)


@pytest.mark.parametrize("name", SCENARIOS)
def test_cut_into_random_batches(name: str) -> None:
    stream, rng = positions(name), Random(name)
    for _ in range(10):
        cuts = [rng.randrange(len(stream)) for _ in range(rng.randint(1, 9))]
        assert verdicts(judge(prepared(), stream, cuts=cuts)) == expected(name)


@pytest.mark.parametrize("name", SCENARIOS)
def test_stopped_and_restored_anywhere(name: str) -> None:
    stream = positions(name)
    for stop in range(1, len(stream)):
        assert verdicts(judge(prepared(), stream, cuts=[stop], restarts=[0])) == expected(name)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_independent_reading_agrees(name: str) -> None:
    city = prepared().compiled.city
    assert differences(city, prepared(), positions(name), live=False) == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_twin_is_there_and_in_the_right(name: str) -> None:
    trucks = {element.truck_id for element in positions(name)}
    assert len(trucks) == 2
    assert len({verdict["truck_id"] for verdict in expected(name)}) == 1


def test_the_rules_that_people_ask_for_have_a_scenario() -> None:
    assert {verdict["rule"] for name in SCENARIOS for verdict in expected(name)} == GOLDEN_RULES
