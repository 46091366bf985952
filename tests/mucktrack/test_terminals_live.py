"""The whole way from TCP: terminals → gateway → Kafka → worker → violations, with connections that
are cut at random, a gateway that is killed, a broker that stands still. `terminals.verdict` says
what is compared with what, and why.
"""

import asyncio
import time
from pathlib import Path

import pytest
from chaos.verdict import verdict
from tally import tally
from terminals.large_city import large_city
from terminals.verdict import delivered, judged
from terminals.way import Told, Way

ENDS_S = 240.0
"""For the terminals, on a machine that does much else."""
LEAST_RECALL = 0.9
"""With the errors of receivers and sensors, over the same fleet in files it is no higher."""
FROZEN_S = 16.0
"""Longer than the outbox tries to deliver a batch."""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return large_city(tmp_path_factory.mktemp("large") / "city", 3)


def check(way: Way, told: Told, name: str, *, in_order: bool = True) -> None:
    """What must be true however the way was disturbed. Not `in_order`: Kafka refused positions
    while it took later ones, so that the worker found them late, as `detect` over the archive does.
    """
    found = delivered(way)
    assert told.left == 0
    assert found.acknowledged == told.acknowledged == told.sent == found.sent == found.in_kafka
    assert not found.lost
    assert not found.without_frame
    assert not found.invented
    same = asyncio.run(verdict(way.kafka, way.archive, [str(way.city)], way.folder))
    assert same.agrees, same.compared
    beside = judged(way)
    if in_order:
        assert not found.out_of_order
        assert beside.before_the_end > 0
        assert not beside.missing
        assert not beside.invented
        assert not beside.different
        for rule, of_files in beside.found_before_the_end.items():
            assert beside.found[rule].found >= of_files.found
    total = beside.found["all"]
    assert total.recall is not None
    assert total.recall > LEAST_RECALL
    tally(
        name,
        positions=found.in_kafka,
        repeats=found.repeats,
        late=len(found.out_of_order),
        cuts=told.proxy.get("cuts", 0),
        violations=beside.violations,
        labels=total.labels,
        found=total.found,
    )


def test_a_thousand_terminals_whose_connections_are_cut(tmp_path: Path, city: Path) -> None:
    with Way(tmp_path, city, seed=1, cut_after=6_000) as way:
        way.simulate("--trucks", "1000", "--hours", "0.25", "--speed", "30", "--share", "0.4")
        told = way.finish(ENDS_S)
        assert told.proxy["cuts"] > 300
        assert told.again > 0
        assert told.backfilled > 0
        check(way, told, "terminals, connections cut")


def test_a_gateway_that_is_killed_in_the_middle(tmp_path: Path, city: Path) -> None:
    with Way(tmp_path, city, seed=2, cut_after=20_000) as way:
        way.simulate("--trucks", "300", "--hours", "0.25", "--speed", "40", "--share", "0.5")
        for lines in (3_000, 9_000):
            way.until(lambda lines=lines: way.acknowledged_lines() > lines)
            way.kill_gateway()
            way.start_gateway()
        told = way.finish(ENDS_S)
        assert told.again > 0
        check(way, told, "terminals, gateway killed")


def test_a_broker_that_stands_still_for_longer_than_the_gateway_tries(
    tmp_path: Path, city: Path
) -> None:
    with Way(tmp_path, city, seed=3, cut_after=0) as way:
        way.simulate("--trucks", "200", "--hours", "0.25", "--speed", "25", "--share", "0.5")
        way.until(lambda: way.acknowledged_lines() > 3_000)
        way.freeze("kafka")
        time.sleep(FROZEN_S)
        assert way.is_alive("gateway")
        way.thaw("kafka")
        told = way.finish(ENDS_S)
        assert told.again > 0
        check(way, told, "terminals, broker frozen", in_order=False)
