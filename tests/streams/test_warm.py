"""What the warm-up compiles is all that judging takes."""

import json
import subprocess
import sys
from pathlib import Path

SCENARIOS = Path(__file__).parent.parent / "scenarios"
SCRIPT = """
import importlib, json, sys
from pathlib import Path
from geofences.jit import COMPILED_SOURCES
from geofences.loader import load_city
from producers.files import open_positions
from streams.detect import Engine, PreparedCity
from streams.batch import Batch
from streams.position import Tick, encode_array
from streams.waiting import Waiting
from streams.warm import compile_core
from streams.whereabouts import whereabouts

def compiled():
    modules = [importlib.import_module(s[:-3].replace("/", ".")) for s in COMPILED_SOURCES]
    return {
        f"{module.__name__}.{name}": len(value.signatures)
        for module in modules
        for name, value in vars(module).items()
        if hasattr(value, "signatures")
    }

compile_core()
before = compiled()
city = PreparedCity.of(load_city(Path(sys.argv[1]) / "city"))
violations = trips = 0
waiting = Waiting(2)
for path in sorted(Path(sys.argv[1]).glob("*/positions.jsonl")):
    engine = Engine.live(city, 0, 1)
    for chunk in open_positions(path):
        outcome = engine.process(chunk.elements)
        violations, trips = violations + len(outcome.violations), trips + len(outcome.trips)
        rows = outcome.judged.rows
        waiting.note(engine, outcome.judged)
        whereabouts(engine, rows[rows.truck >= 0])
        batch = Batch()
        batch.read(encode_array(chunk.elements[:1000]))
        Engine.live(city, 0, 1).process_batch(batch)
    engine.process([Tick(int(rows.time_ms[-1]) + 90_000_000)])
    Engine.live(city, 0, 1).restore(engine.export())
print(json.dumps([before, compiled(), violations, trips]))
"""


def test_nothing_is_left_to_compile() -> None:
    """In a process of its own: others have compiled here."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(SCENARIOS)],
        capture_output=True,
        text=True,
        check=True,
        cwd=SCENARIOS.parent.parent,
    )
    before, after, violations, trips = json.loads(done.stdout)
    assert violations
    assert trips
    assert before["streams.evidence.describe"]
    assert before["streams.evidence.permits_at_start"]
    assert after == before
