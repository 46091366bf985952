"""The golden streams of `tests/scenarios`, a folder a scenario: read for tests and pictures.

    about.txt        what it tests, in a sentence or two
    positions.jsonl  of two trucks: one breaks a rule by a hair, its twin stays in the right by one
    expected.jsonl   the verdicts, in order: rule, phase, truck and times
    rejected.jsonl   where there are any: the positions that are no fix, and the reasons

All drive through the same small city, `tests/scenarios/city`.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from geofences.loader import load_city
from streams.detect import Outcome, PreparedCity
from streams.position import Position, decode_record

FOLDER = Path(__file__).parent / "scenarios"
SCENARIOS = sorted(file.parent.name for file in FOLDER.glob("*/positions.jsonl"))
VERDICT = ("rule", "phase", "truck_id", "started_ms", "detected_ms", "ended_ms")


@dataclass(frozen=True, slots=True)
class Golden:
    name: str
    about: str
    positions: list[Position]
    expected: list[dict[str, Any]]
    rejected: list[dict[str, Any]]


@cache
def prepared_city() -> PreparedCity:
    return PreparedCity.of(load_city(FOLDER / "city"))


@cache
def golden(name: str, folder: Path = FOLDER) -> Golden:
    """The scenario `name` of `folder`."""
    values = (folder / name / "positions.jsonl").read_bytes().splitlines()
    elements = [element for value in values for element in decode_record(value)]
    return Golden(
        name,
        (folder / name / "about.txt").read_text("utf-8").strip(),
        [element for element in elements if isinstance(element, Position)],
        _lines(folder / name / "expected.jsonl"),
        _lines(folder / name / "rejected.jsonl"),
    )


def verdicts(outcome: Outcome) -> list[dict[str, Any]]:
    """As `expected.jsonl` has them."""
    return [{name: getattr(v, name) for name in VERDICT} for v in outcome.violations]


def rejects(outcome: Outcome, positions: list[Position]) -> list[dict[str, Any]]:
    """As `rejected.jsonl` has them."""
    return [
        {"truck_id": positions[i].truck_id, "time_ms": positions[i].time_ms, "reason": reason}
        for i, reason in outcome.rejected
    ]


def _lines(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
