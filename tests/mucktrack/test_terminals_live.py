"""The whole way from TCP: terminals → gateway → Kafka → worker → violations, with connections that
are cut at random, a gateway that is killed, a broker that stands still. `terminals.verdict` says
what is compared with what, and why.
"""

from pathlib import Path

import pytest
from tally import tally
from terminals.run import (
    GATEWAY_KILLED,
    GATEWAY_REPLACED,
    KAFKA_FROZEN,
    WORKER_REPLACED,
    Plan,
    figures,
    run,
    write_city,
)

ENDS_S = 240.0
"""For the terminals, on a machine that does much else."""
PLANS = {
    "connections cut": Plan(1, trucks=1_000, hours=0.2, speed=30, cut_after=6_000),
    GATEWAY_KILLED: Plan(
        3, trucks=300, hours=0.25, speed=40, cut_after=20_000, share=0.5,
        faults=[GATEWAY_KILLED] * 2, apart_s=4.0,
    ),
    KAFKA_FROZEN: Plan(
        2, trucks=200, hours=0.2, speed=25, cut_after=0, share=0.5, faults=[KAFKA_FROZEN]
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_city(tmp_path_factory.mktemp("large") / "city", 1_000)


@pytest.mark.parametrize("name", PLANS)
def test_all_that_is_acknowledged_is_in_kafka_and_judged(
    tmp_path: Path, city: Path, name: str
) -> None:
    plan = PLANS[name]
    report = run(plan, tmp_path, city, ENDS_S)
    there = figures(report)
    assert not report.faults()
    assert there["violations"] > 0
    assert there["trucks too late"] < plan.trucks / 10
    assert there["as backfill"] > 0
    assert there["cuts"] > 0 or not plan.cut_after
    assert there["given up"] > 0 or KAFKA_FROZEN not in plan.faults
    assert there["repeats"] > 0
    tally(f"terminals, {name}", **{what.replace(" ", "_"): n for what, n in there.items()})


@pytest.mark.usefixtures("apache_kafka")
def test_gateway_and_worker_are_replaced_while_terminals_report(tmp_path: Path, city: Path) -> None:
    """An upgrade of both, on Apache Kafka: terminals come in again and send what was not
    acknowledged."""
    plan = Plan(
        4, trucks=200, hours=0.12, speed=30, cut_after=0, share=0.5,
        faults=[GATEWAY_REPLACED, WORKER_REPLACED], apache=True, apart_s=1.0,
    )  # fmt: skip
    report = run(plan, tmp_path, city, ENDS_S)
    there = figures(report)
    assert not report.faults()
    assert there["violations"] > 0
    assert there["trucks too late"] < plan.trucks / 10
    assert there["as backfill"] > 0, "nothing waited with the terminals"
    tally("terminals, upgrade", **{what.replace(" ", "_"): n for what, n in there.items()})
