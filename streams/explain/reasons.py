"""Why each rule was true or false at a fix, in words.

Each rule is a list of clauses; `weigh` holds them against what the engine decided. That they ever
differ would be a bug, and is told as one.
"""

from collections.abc import Callable, Iterator
from typing import Final

from streams.catalogue import CATALOGUE
from streams.explain import conditions, events
from streams.explain.clauses import Clause
from streams.explain.situation import Situation

_CLAUSES: Final[dict[str, Callable[[Situation], Iterator[Clause]]]] = {
    "off-route": conditions.off_route,
    "no-permit": conditions.no_permit,
    "out-of-hours": conditions.out_of_hours,
    "cross-district-transit": conditions.cross_district_transit,
    "no-go-zone": conditions.no_go_zone,
    "speeding": conditions.speeding,
    "uncovered-load": conditions.uncovered_load,
    "lifted-moving": conditions.lifted_moving,
    "overload": conditions.overload,
    "unregistered-source": events.unregistered_source,
    "illegal-dumping": events.illegal_dumping,
    "suspected-dumping": events.suspected_dumping,
    "wrong-site": events.wrong_site,
    "site-closed": events.site_closed,
    "cross-district-dumping": events.cross_district_dumping,
    "signal-lost": events.signal_lost,
    "undelivered": events.undelivered,
}


class Disagreement(AssertionError):
    """The clauses of a rule do not add up to what the engine decided: a bug."""


def weigh(situation: Situation, number: int) -> str:
    """The facts that decided about rule `number`: all where it is true, else the one that failed.

    Raises `Disagreement`.
    """
    facts = []
    holds = True
    for holds, text in _CLAUSES[CATALOGUE[number].id](situation):
        facts.append(text)
        if not holds:
            break
    if holds != situation.is_true(number):
        rule = CATALOGUE[number].id
        raise Disagreement(
            f"{rule} at {situation.time_ms}: the engine says {situation.is_true(number)}, but: "
            + "; ".join(facts)
        )
    return "; ".join(facts) if holds else facts[-1]
