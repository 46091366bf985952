"""The engine once more over the positions of a package: whether they alone give the same verdict.

Used at export, to find how far back positions are needed, and by `evidence verify`. Pure: the same
engine as the workers', live, over one partition.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from enforcement.evidence.contents import Arrival, CityInForce, Event
from geofences.loader import city_version, parse_city
from streams.detect import Engine, PreparedCity, UnusableCity
from streams.output import Violation, encode
from streams.state import NEVER
from streams.succession import Succession

MOST_KEPT: Final = 4
_prepared: dict[str, PreparedCity] = {}
_lock = Lock()


class CityFaultError(Exception):
    """Reference data cannot be judged by; one line."""


Verdicts = Mapping[str, Sequence[str]]
"""The phases of each violation, by its id: JSON as it goes to the queue, in order."""


def prepared(files: Mapping[str, bytes]) -> PreparedCity:
    """Those used last are kept, since a large city takes its time. Raises `CityFaultError`."""
    version = city_version(files)
    with _lock:
        known = _prepared.pop(version, None) or _prepare(files)
        _prepared[version] = known
        while len(_prepared) > MOST_KEPT:
            del _prepared[next(iter(_prepared))]
        return known


def _prepare(files: Mapping[str, bytes]) -> PreparedCity:
    city, findings = parse_city(files)
    if city is None:
        faults = [finding for finding in findings if finding.severity == "error"]
        raise CityFaultError(f"city {city_version(files)}: {faults[0].render()}")
    try:
        return PreparedCity.of(city)
    except UnusableCity as error:
        raise CityFaultError(f"city {city.version}: {error.findings[0].render()}") from None


def succession_of(
    in_force: Sequence[CityInForce], cities: Mapping[str, PreparedCity]
) -> Succession:
    """Raises `CityFaultError` where they are no succession."""
    try:
        found = [(one.from_ms, cities[one.city_version]) for one in in_force]
        (first,) = (city for from_ms, city in found if from_ms is None)
        later = [(from_ms, city) for from_ms, city in found if from_ms is not None]
        return Succession(first, later)
    except KeyError as error:
        raise CityFaultError(f"city {error.args[0]} is missing") from None
    except ValueError:
        raise CityFaultError("the versions of the city do not follow on one another") from None


@dataclass(frozen=True, slots=True)
class Bench:
    """By what is judged."""

    succession: Succession
    partition: int
    partitions: int

    def judge(self, arrivals: Sequence[Arrival]) -> list[Violation]:
        """All violations that the engine finds in them. Raises `PackageError` for what cannot have
        arrived."""
        elements = [one.element() for one in arrivals]
        stamps = [NEVER if one.record_ms is None else min(one.record_ms, NEVER) for one in arrivals]
        engine = Engine.live(self.succession, self.partition, self.partitions)
        return engine.process(elements, stamps).violations

    def verdicts(self, arrivals: Sequence[Arrival], wanted: Verdicts) -> dict[str, list[str]]:
        """The phases of the violations in `wanted`."""
        found: dict[str, list[str]] = defaultdict(list)
        for violation in self.judge(arrivals):
            if violation.violation_id in wanted:
                found[violation.violation_id].append(encode(violation).decode())
        return found

    def reaches(self, arrivals: Sequence[Arrival], wanted: Verdicts) -> bool:
        """Whether it says all that `wanted` says, and nothing else before it."""
        found = self.verdicts(arrivals, wanted)
        return all(
            found.get(violation_id, [])[: len(phases)] == list(phases)
            for violation_id, phases in wanted.items()
        )

    def shortest(self, arrivals: Sequence[Arrival], wanted: Verdicts) -> int:
        """How many of `arrivals`, with which it is reached, are needed from the first on."""
        return bisect_left(
            range(len(arrivals)), True, key=lambda count: self.reaches(arrivals[:count], wanted)
        )


def wanted_of(events: Sequence[Event]) -> dict[str, list[str]]:
    """What the workers said. What a later judgement of history said (a revision) was not said by
    them."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for event in events:
        violation = event.violation()
        if violation.revision == 0:
            wanted[violation.violation_id].append(event.value)
    return wanted
