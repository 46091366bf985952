"""What `detect --explain` says: the engine's own verdicts, with reasons that add up to them.

The narrator raises where the clauses of a rule, each answered by a function of the engine, come to
another truth than the engine did; so walking the tracks is a test of every clause.
"""

from collections.abc import Sequence

import pytest
from reference.agreement import prepared_of
from reference.successions import random_succession
from reference.tracks import in_arrival_order, random_case
from shapely import Point, box

from geofences.city import City, District, Site
from geofences.hours import ALWAYS
from streams.catalogue import CATALOGUE, CONDITIONS
from streams.detect import Engine, PreparedCity
from streams.explain.explanation import Ending, Explanation, Verdict
from streams.explain.narrator import Narrator
from streams.explain.situation import kmh, metres
from streams.position import Element, Malformed, Position
from streams.succession import Succession

RICH_CITIES = (63, 78, 149, 23, 46, 69)
"""Seeds whose tracks break what is seldom broken; others follow where these do not suffice."""
MOST_CITIES = 160
START_MS = 1_795_266_000_000
SUCCESSIONS = 12
RULES = [rule.id for rule in CATALOGUE]


def narrate(
    prepared: PreparedCity | Succession, truck_id: str, elements: Sequence[Element]
) -> tuple[list[Explanation], Ending]:
    narrator = Narrator(Engine.offline(prepared), truck_id)
    return list(narrator.take(elements)), narrator.finish()


def judged(
    prepared: PreparedCity | Succession, elements: Sequence[Element]
) -> tuple[list[tuple[int, str]], list[tuple[str, str, str, str]]]:
    """Rejects and violations of all trucks, from one call of the engine."""
    engine = Engine.offline(prepared)
    outcome = engine.process(elements)
    told = [*outcome.violations, *engine.finish().violations]
    return outcome.rejected, [(v.truck_id, v.rule, v.phase, v.violation_id) for v in told]


def test_reasons_add_up_to_what_the_engine_decides_for_every_rule() -> None:
    """On made-up cities, for the trucks that break a rule which none before them broke."""
    missing = set(RULES)
    for seed in (*RICH_CITIES, *range(MOST_CITIES)):
        city, tracks, rng = random_case(seed)
        prepared = PreparedCity.of(city)
        elements = in_arrival_order(rng, tracks)
        rejected, violations = judged(prepared, elements)
        while new := [told for told in violations if told[1] in missing]:
            truck_id = new[0][0]
            missing -= {rule for truck, rule, *_ in violations if truck == truck_id}
            assert_same_verdicts(prepared, truck_id, elements, rejected, violations)
        if not missing:
            return
    pytest.fail(f"no track breaks {missing}")


def assert_same_verdicts(
    prepared: PreparedCity | Succession,
    truck_id: str,
    elements: Sequence[Position],
    rejected: list[tuple[int, str]],
    violations: list[tuple[str, str, str, str]],
) -> None:
    told, ending = narrate(prepared, truck_id, elements)
    reasons = dict(rejected)
    of_truck = [i for i, element in enumerate(elements) if element.truck_id == truck_id]
    assert [one.rejected for one in told] == [reasons.get(i) for i in of_truck]
    assert all(one.why_rejected for one in told if one.rejected)
    occurred = [v for one in told for v in one.violations] + ending.violations
    assert [(truck_id, v.rule, v.phase, v.violation_id) for v in occurred] == [
        violation for violation in violations if violation[0] == truck_id
    ]
    for one in told:
        if one.known is not None:
            assert [verdict.rule for verdict in one.known.rules] == RULES
            assert all(verdict.why for verdict in one.known.rules)
            assert_runs_are_told(one.known.rules)


@pytest.mark.parametrize("seed", range(SUCCESSIONS))
def test_reasons_add_up_where_the_city_changes_under_way(seed: int) -> None:
    """Of every truck; each position is told by the version in force at its time."""
    cities, tracks, rng = random_succession(seed)
    prepared = prepared_of(cities)
    assert isinstance(prepared, Succession)
    elements = in_arrival_order(rng, tracks)
    rejected, violations = judged(prepared, elements)
    for truck_id in sorted({element.truck_id for element in elements}):
        assert_same_verdicts(prepared, truck_id, elements, rejected, violations)
        told, _ = narrate(prepared, truck_id, elements)
        assert [one.city_version for one in told] == [
            prepared.in_force(element.time_ms).version
            for element in elements
            if element.truck_id == truck_id
        ]


def assert_runs_are_told(verdicts: Sequence[Verdict]) -> None:
    for number, verdict in enumerate(verdicts):
        assert (verdict.run is not None) == (verdict.true and number < len(CONDITIONS))


CITY = City(
    name="by hand",
    admin_code="330200",
    timezone="Asia/Shanghai",
    version="0" * 64,
    speed_limit_kmh=30,
    state_overrides={},
    rule_overrides={},
    districts=(District("330201", "all", box(121.0, 29.0, 121.2, 29.2)),),
    sites=(
        Site("pit", "pit", "construction", Point(121.05, 29.05), 100, None, ALWAYS),
        Site("tip", "tip", "disposal", Point(121.15, 29.15), 100, None, ALWAYS),
    ),
)


def fixes(*speeds_kmh: float | None, truck_id: str = "浙B1") -> list[Position]:
    return [
        Position(truck_id, START_MS + 10_000 * n, 121.10 + n / 1e5, 29.10, speed_kmh=speed_kmh)
        for n, speed_kmh in enumerate(speeds_kmh)
    ]


def verdict(told: Explanation, rule: str) -> Verdict:
    assert told.known is not None
    return told.known.rules[RULES.index(rule)]


def test_a_speed_a_hair_over_the_limit_does_not_read_as_the_limit() -> None:
    told, _ = narrate(PreparedCity.of(CITY), "浙B1", fixes(30.0, 30.00001))
    assert verdict(told[0], "speeding").why == "speed 30.0 km/h, not over the limit 30 of the city"
    assert verdict(told[1], "speeding").why == "speed 30.00001 km/h > the limit 30 of the city"


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (50.0, 50.0, "50.0 m"),
        (50.04, 50.0, "50.04 m"),
        (50.04, 60.0, "50.0 m"),
        (49.9999, 50.0, "49.9999 m"),
        (1234.56, float("nan"), "1,234.6 m"),
    ],
)
def test_distances_are_as_fine_as_their_limit_needs(value: float, limit: float, text: str) -> None:
    assert metres(value, limit) == text
    assert kmh(value, limit) == text.replace("m", "km/h")


def test_a_run_says_what_it_lacks_and_what_it_came_to() -> None:
    told, _ = narrate(PreparedCity.of(CITY), "浙B1", fixes(40.0, 40.0, 40.0, 20.0))
    runs = [verdict(one, "speeding").run for one in told]
    assert [run and (run.fixes, run.lasted_s, run.opened) for run in runs] == [
        (1, 0, False), (2, 10, False), (3, 20, True), None,
    ]  # fmt: skip
    assert runs[0] is not None
    assert runs[0].words == "opens at 3 fixes and 20 s"
    assert verdict(told[3], "speeding").ended == "a run of 3 fixes, 20 s, closed"


def test_speed_is_given_or_implied_or_not_known() -> None:
    told, _ = narrate(PreparedCity.of(CITY), "浙B1", fixes(None, None, 7.0))
    assert [one.known and one.known.speed_words for one in told] == [
        "not known: none given, and none implied by a fix shortly before",
        "0.4 km/h, implied by the fix before",
        "7.0 km/h, given",
    ]


def test_other_trucks_and_what_is_no_position_change_nothing() -> None:
    mine, other = fixes(40.0, 41.0, 42.0), fixes(50.0, 50.0, 50.0, truck_id="浙B2")
    alone, _ = narrate(PreparedCity.of(CITY), "浙B1", mine)
    among: list[Element] = [
        element
        for pair in zip(mine, other, strict=True)
        for element in (Malformed("not JSON"), *pair)
    ]
    assert narrate(PreparedCity.of(CITY), "浙B1", among)[0] == alone


def test_a_malformed_position_of_the_truck_is_told() -> None:
    bad = Malformed("Expected `float`, got `str` - at `$.lat`", "浙B1", START_MS)
    told, ending = narrate(PreparedCity.of(CITY), "浙B1", [bad])
    assert [(one.rejected, one.why_rejected) for one in told] == [("malformed", bad.detail)]
    assert ending.highest_ms is None


def test_the_end_tells_what_fell_due_by_the_latest_fix_of_all_trucks() -> None:
    loaded = [
        Position("浙B1", START_MS + 10_000 * n, 121.10, 29.10, speed_kmh=0.0, loaded=True)
        for n in range(2)
    ]
    late = Position("浙B2", START_MS + 3_600_000, 121.10, 29.10)
    told, ending = narrate(PreparedCity.of(CITY), "浙B1", [*loaded, late])
    assert told[1].known is not None
    assert told[1].known.due == ["signal-lost at 21:10:10"]
    assert [(v.rule, v.phase) for v in ending.violations] == [("signal-lost", "opened")]
    assert ending.highest_ms == late.time_ms


def test_how_an_empty_truck_is_known_to_be_is_remembered() -> None:
    lifted = [
        Position(
            "浙B1", START_MS + 10_000 * n, 121.10, 29.10,
            speed_kmh=0.0, loaded=n < 3, lifted=n == 3,
        )
        for n in range(5)
    ]  # fmt: skip
    told, _ = narrate(PreparedCity.of(CITY), "浙B1", lifted)
    words = [one.known.load.words for one in told if one.known]
    assert words[1] == "loaded, known by sensor"
    assert words[3].startswith("empty, known by lift")
    assert words[4].startswith("empty, known by lift")
