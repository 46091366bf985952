"""The golden streams: plain, cut into batches, stopped and restored; and that each has its twin."""

from collections import Counter
from random import Random

import pytest
from golden import SCENARIOS, Golden, golden, prepared_city, rejects, verdicts
from reference.agreement import differences
from reference.judging import judge
from tally import tally

from streams.catalogue import CATALOGUE
from streams.detect import Outcome


def assert_as_expected(outcome: Outcome, scenario: Golden) -> None:
    assert verdicts(outcome) == scenario.expected
    assert rejects(outcome, scenario.positions) == scenario.rejected


@pytest.mark.parametrize("name", SCENARIOS)
def test_plain(name: str) -> None:
    scenario = golden(name)
    assert_as_expected(judge(prepared_city(), scenario.positions), scenario)
    tally(
        "golden streams",
        scenarios=1,
        positions=len(scenario.positions),
        verdicts=len(scenario.expected),
        rejects=len(scenario.rejected),
    )


@pytest.mark.parametrize("name", SCENARIOS)
def test_cut_into_random_batches(name: str) -> None:
    scenario, rng = golden(name), Random(name)
    for _ in range(10):
        cuts = [rng.randrange(len(scenario.positions)) for _ in range(rng.randint(1, 9))]
        assert_as_expected(judge(prepared_city(), scenario.positions, cuts=cuts), scenario)


@pytest.mark.parametrize("name", SCENARIOS)
def test_stopped_and_restored_anywhere(name: str) -> None:
    scenario = golden(name)
    for stop in range(1, len(scenario.positions)):
        outcome = judge(prepared_city(), scenario.positions, cuts=[stop], restarts=[0])
        assert_as_expected(outcome, scenario)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_independent_reading_agrees(name: str) -> None:
    city = prepared_city().compiled.city
    assert differences(city, prepared_city(), golden(name).positions, live=False) == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_twin_is_there_and_more_in_the_right(name: str) -> None:
    """Nothing is said of it; where the scenario is about getting worse, less than of the other."""
    scenario = golden(name)
    trucks = {position.truck_id for position in scenario.positions}
    said = {
        truck: Counter((v["rule"], v["phase"]) for v in scenario.expected if v["truck_id"] == truck)
        for truck in trucks
    }
    twin, offender = sorted(said.values(), key=Counter.total)
    assert twin < offender
    assert not twin or "escalated" in {phase for _, phase in offender}


@pytest.mark.parametrize("name", SCENARIOS)
def test_small_enough_to_read(name: str) -> None:
    assert len(golden(name).positions) <= 24
    assert golden(name).about


def test_every_rule_has_a_scenario() -> None:
    rules = {verdict["rule"] for name in SCENARIOS for verdict in golden(name).expected}
    assert rules == {rule.id for rule in CATALOGUE}


def test_every_phase_and_every_reason_of_a_truck_has_a_scenario() -> None:
    """`malformed` and `wrong_partition` are found before a truck is known."""
    scenarios = [golden(name) for name in SCENARIOS]
    phases = {verdict["phase"] for scenario in scenarios for verdict in scenario.expected}
    reasons = {reject["reason"] for scenario in scenarios for reject in scenario.rejected}
    assert phases == {"opened", "escalated", "closed", "occurred"}
    assert reasons == {
        "bad_coordinates", "not_located", "few_satellites", "future_time", "duplicate", "late",
        "impossible_jump",
    }  # fmt: skip
