"""The engine against the shared scenarios: the same verdicts and rejects, exactly."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from geofences.loader import load_city
from streams.detect import Engine, PreparedCity
from streams.position import Position, decode_record

SCENARIOS = ("a", "b", "c")
VERDICT = (
    "truck_id", "rule", "phase", "started_ms", "detected_ms", "ended_ms", "violation_id",
)  # fmt: skip


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("name", SCENARIOS)
def test_verdicts_and_rejects(shared_dir: Path, name: str) -> None:
    folder = shared_dir / "scenarios" / name
    values = (folder / "positions.jsonl").read_bytes().splitlines()
    elements = [element for value in values for element in decode_record(value)]
    assert len(elements) == len(values)
    engine = Engine.offline(PreparedCity.of(load_city(folder / "city")))
    judged, ended = engine.process(elements), engine.finish()

    expected = lines(folder / "expected_violations.jsonl")
    assert Counter(
        tuple(getattr(violation, name) for name in VERDICT)
        for violation in judged.violations + ended.violations
    ) == Counter(tuple(verdict.get(name) for name in VERDICT) for verdict in expected)

    rejected = Counter()
    for index, reason in judged.rejected:
        position = elements[index]
        assert isinstance(position, Position)
        rejected[position.truck_id, position.time_ms, reason] += 1
    assert rejected == Counter(
        (reject["truck_id"], reject["time_ms"], reject["reason"])
        for reject in lines(folder / "expected_rejected.jsonl")
    )
    assert judged.fixes == len(elements) - len(judged.rejected)
