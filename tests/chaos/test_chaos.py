"""Small chaos runs on the embedded broker; `make chaos` has the large ones.

That nothing is lost says little unless a run would notice: so workers that break the order that
loses nothing are run too.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from tally import tally

from chaos.run import Plan, chaos_run

SMALL = {
    "positions": 24_000,
    "positions_per_s": 2_000.0,
    "brokers": 0,
    "workers": 2,
    "faults": 4,
    "apart_s": 1.5,
}


def test_nothing_is_lost_or_invented(tmp_path: Path) -> None:
    report = chaos_run(Plan(3, **SMALL), tmp_path)  # type: ignore[arg-type]
    assert report.agrees, report.verdict.compared
    assert report.faults.total() >= 3
    tally(
        "chaos, workers and Redis broken under way",
        faults=report.faults.total(),
        positions=report.cargo["positions"],
        violations=report.verdict.compared[0].received,
    )


@pytest.mark.parametrize("sabotage", ["early", "careless"])
def test_a_worker_that_breaks_the_order_is_noticed(tmp_path: Path, sabotage: str) -> None:
    plan = Plan(3, **SMALL, kinds=("worker killed",), sabotage=sabotage)  # type: ignore[arg-type]
    report = chaos_run(replace(plan, positions=16_000, faults=2, apart_s=3.0), tmp_path)
    assert not report.agrees
    assert any(one.lost for one in report.verdict.compared)
