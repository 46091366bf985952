"""What the compiled engine and the reference make of the same elements, made comparable.

Called by the tests that compare engines. Violations and trips are compared as wholes, in all fields
that both have, whatever their order: at one moment several fall due.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from geofences.city import City
from reference.engine import ReferenceEngine
from reference.versions import Cities
from streams.detect import Engine, Outcome, PreparedCity
from streams.output import Trip, Violation
from streams.position import Element
from streams.succession import Succession

VIOLATION_FIELDS = Violation.__struct_fields__
"""All of design section 7."""
TRIP_FIELDS = (
    "trip_id", "truck_id", "permit_ids", "source_site", "dump_site", "origin_district",
    "dump_district", "started_ms", "ended_ms", "distance_m", "load_basis", "dump_basis",
    "start_lon", "start_lat", "end_lon", "end_lat",
)  # fmt: skip


@dataclass(slots=True)
class Told:
    """All that an engine said of a stream, order apart."""

    rejected: list[tuple[int, str]] = field(default_factory=list)
    violations: Counter[str] = field(default_factory=Counter)
    trips: Counter[str] = field(default_factory=Counter)


def prepared_of(cities: Cities) -> PreparedCity | Succession:
    if isinstance(cities, City):
        return PreparedCity.of(cities)
    (_, first), *later = cities
    return Succession(
        PreparedCity.of(first), [(from_ms, PreparedCity.of(city)) for from_ms, city in later]
    )


def told_by_engine(
    prepared: PreparedCity | Succession, elements: Sequence[Element], *, live: bool
) -> Told:
    engine = Engine.live(prepared, 0, 1) if live else Engine.offline(prepared)
    outcomes = [engine.process(elements)]
    if not live:
        outcomes.append(engine.finish())
    return told(outcomes)


def told(outcomes: Sequence[Outcome]) -> Told:
    return Told(
        outcomes[0].rejected,
        Counter(violation_line(v) for outcome in outcomes for v in outcome.violations),
        Counter(trip_line(trip) for outcome in outcomes for trip in outcome.trips),
    )


def violation_line(violation: Violation) -> str:
    return _line(msgspec.to_builtins(violation), VIOLATION_FIELDS)


def trip_line(trip: Trip) -> str:
    return _line(msgspec.to_builtins(trip), TRIP_FIELDS)


def told_by_reference(cities: Cities, elements: Sequence[Element], *, live: bool) -> Told:
    engine = ReferenceEngine(cities, live=live)
    reasons = [engine.process(element) for element in elements]
    if not live:
        engine.finish()
    return Told(
        [(i, reason) for i, reason in enumerate(reasons) if reason is not None],
        Counter(_line(violation, VIOLATION_FIELDS) for violation in engine.violations),
        Counter(_line(_flat(trip), TRIP_FIELDS) for trip in engine.trips),
    )


def differences(
    cities: Cities, prepared: PreparedCity | Succession, elements: Sequence[Element], *, live: bool
) -> list[str]:
    """What only one of the two says of the stream."""
    ours = told_by_engine(prepared, elements, live=live)
    theirs = told_by_reference(cities, elements, live=live)
    rejected, expected = set(ours.rejected), set(theirs.rejected)
    return [
        *(f"only the engine rejects {index}: {reason}" for index, reason in rejected - expected),
        *(f"only the reference rejects {index}: {why}" for index, why in expected - rejected),
        *(f"only the engine: {line}" for line in ours.violations - theirs.violations),
        *(f"only the reference: {line}" for line in theirs.violations - ours.violations),
        *(f"only the engine, trip: {line}" for line in ours.trips - theirs.trips),
        *(f"only the reference, trip: {line}" for line in theirs.trips - ours.trips),
    ]


def smallest(
    elements: Sequence[Element], is_wrong: Callable[[Sequence[Element]], bool]
) -> list[Element]:
    """Elements that are still wrong when no single one more can be left out."""
    left = list(elements)
    size = max(1, len(left) // 2)
    while True:
        start = 0
        while start < len(left):
            without = left[:start] + left[start + size :]
            if without and is_wrong(without):
                left = without
            else:
                start += size
        if size == 1:
            return left
        size //= 2


def _flat(trip: dict[str, Any]) -> dict[str, Any]:
    start, end = trip["start"], trip["end"]
    return (
        trip
        | dict(zip(("start_lon", "start_lat"), start, strict=True))
        | dict(zip(("end_lon", "end_lat"), end, strict=True))
    )


def _line(values: dict[str, Any], fields: tuple[str, ...]) -> str:
    """A number is compared as a number: 50 and 50.0 are the same."""
    return json.dumps({name: _canonical(values[name]) for name in fields}, ensure_ascii=False)


def _canonical(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _canonical(value[name]) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value
