"""The published schemas are those of the types, and say of positions what the code says."""

import json
from typing import Any

import pytest
from contract_parts import SCHEMAS, faults, validator
from golden import SCENARIOS, golden, prepared_city
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mucktrack.schemas import SCHEMAS as MADE
from mucktrack.schemas import text_of
from streams.catalogue import CATALOGUE
from streams.detect import Engine, Outcome
from streams.output import ce_headers, encode
from streams.position import Malformed, Position, decode_record

TIME_MS = 1_793_584_800_000
FIELDS = Position.__struct_fields__


@pytest.mark.parametrize("name", MADE)
def test_they_are_current(name: str) -> None:
    assert (SCHEMAS / f"{name}.json").read_text(encoding="utf-8") == text_of(name), "make schemas"


def test_there_are_no_others() -> None:
    assert {path.stem for path in SCHEMAS.glob("*.json")} == set(MADE)


@pytest.mark.parametrize("name", ["positions", "violations", "trips", "rejected"])
def test_every_field_that_needs_words_has_some(name: str) -> None:
    made = MADE[name]()
    fields = made.get("properties") or made["$defs"]["Position"]["properties"]
    plain = {"lat", "end_lat", "start_lat", "end_lon", "partition", "offset", "file", "line"}
    silent = {field for field, shape in fields.items() if "description" not in shape}
    plain |= {"phase", "severity", "title_en", "message_en", "truck_id", "company", "satellites"}
    assert silent <= plain | {"measured", "title"}


NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -0.0, 3, 3.0, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 1e300, 10**400]),
)
TIMES = st.sampled_from(
    [TIME_MS, 946_684_800_000, 946_684_799_999, 4_102_444_800_000, 4_102_444_800_001, 1.5e12]
)
TEXTS = st.one_of(
    st.text(max_size=70), st.sampled_from(["", "浙B12345", "x" * 64, "x" * 65, "🚛" * 64])
)
ANYTHING = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.just([]), st.just({}))
GOOD: dict[str, st.SearchStrategy[Any]] = {
    "truck_id": st.just("浙B12345"),
    "time_ms": st.just(TIME_MS),
    "lon": st.floats(-180, 180),
    "lat": st.floats(-90, 90),
}
POSITIONS = st.fixed_dictionaries(
    {name: st.one_of(good, good, good, ANYTHING, TIMES) for name, good in GOOD.items()},
    optional={name: ANYTHING for name in FIELDS if name not in GOOD} | {"more": ANYTHING},
)
GOOD_POSITIONS = st.fixed_dictionaries(GOOD)
TICKS = st.dictionaries(st.sampled_from(["tick_ms", "truck_id", "more"]), TIMES | ANYTHING)
RECORDS = st.one_of(
    POSITIONS,
    TICKS,
    st.lists(st.one_of(GOOD_POSITIONS, GOOD_POSITIONS, POSITIONS, TICKS), max_size=3),
    st.sampled_from([[], {}, None, 1, "x", [[]], [None]]),
    st.recursive(ANYTHING, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)),
)


def is_taken(record: Any) -> bool:
    text = json.dumps(record, ensure_ascii=False)
    return not any(isinstance(one, Malformed) for one in decode_record(text.encode()))


@settings(max_examples=700)
@given(RECORDS)
@example([{"truck_id": "a", "time_ms": TIME_MS, "lon": 1, "lat": 1}] * 1_000)
@example([{"truck_id": "a", "time_ms": TIME_MS, "lon": 1, "lat": 1}] * 1_001)
@example({"tick_ms": TIME_MS})
@example({"tick_ms": TIME_MS, "more": 1})
@example({"tick_ms": 1, "truck_id": "a", "time_ms": TIME_MS, "lon": 1, "lat": 1})
def test_what_is_taken_is_by_the_schema_and_nothing_else(record: Any) -> None:
    assert is_taken(record) == validator("positions").is_valid(record)


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """Of all golden streams, and an hour later, when every run has ended."""
    found = []
    for name in SCENARIOS:
        engine = Engine.offline(prepared_city())
        positions = golden(name).positions
        later_ms = max(one.time_ms for one in positions) + 3_600_000
        later = Position("浙Z99999", later_ms, 121.05, 29.05)
        found += [engine.process([*positions, later]), engine.finish()]
    return found


def phases_of(rule: Any) -> set[str]:
    if rule.id == "signal-lost":
        return {"opened", "closed"}
    if rule.shape == "event":
        return {"occurred"}
    return {"opened", "closed"} | ({"escalated"} if rule.severe else set())


def test_all_rules_in_all_phases_are_by_the_schema(outcomes: list[Outcome]) -> None:
    seen = set()
    for violation in (one for outcome in outcomes for one in outcome.violations):
        seen.add((violation.rule, violation.phase))
        assert faults("violations", json.loads(encode(violation))) == []
        headers = {name: text.decode() for name, text in ce_headers(violation)}
        assert faults("violation-headers", headers) == []
    assert seen == {(rule.id, phase) for rule in CATALOGUE for phase in phases_of(rule)}
    for trip in (one for outcome in outcomes for one in outcome.trips):
        assert faults("trips", json.loads(encode(trip))) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phase", "begun"),
        ("rule", "parking"),
        ("violation_id", "7"),
        ("city_version", "x"),
        ("permit_ids", None),
        ("track", []),
        ("track", [[1, 2.0, 3.0]]),
        ("measured", {"a": None}),
        ("started_ms", 1.5),
    ],
)
def test_the_validator_is_not_blind(outcomes: list[Outcome], field: str, value: Any) -> None:
    violation = json.loads(encode(next(o.violations[0] for o in outcomes if o.violations)))
    assert faults("violations", violation) == []
    assert faults("violations", violation | {field: value})
    del violation[field]
    assert faults("violations", violation)
