"""Clauses that several rules share: what is asked of a fix, and the words for either answer.

A clause says whether it holds, by what the engine's own functions answered (`streams.explain.
survey`) or remembered, and tells the measured value and the threshold.
"""

import math
from collections.abc import Iterator
from typing import Any

from geofences.index import NONE
from streams.explain.situation import Situation, Words, kmh, metres
from streams.explain.survey import Survey
from streams.state import EMPTY, LOADED

Clause = tuple[bool, str]


def moves(s: Situation) -> Clause:
    limit_kmh = s.limits.stop_speed_kmh
    return over(float(s.now.speed_kmh), float(limit_kmh), f"stop_speed_kmh {limit_kmh:g}")


def over(speed_kmh: float, limit_kmh: float, limit: str) -> Clause:
    """`limit`: the name and value of the limit."""
    if math.isnan(speed_kmh):
        return False, "speed not known"
    speed = kmh(speed_kmh, limit_kmh)
    if speed_kmh > limit_kmh:
        return True, f"speed {speed} > {limit}"
    return False, f"speed {speed}, not over {limit}"


def loaded(s: Situation) -> Clause:
    load = s.after.truck.loaded
    if load == LOADED:
        return True, "loaded"
    return False, "not loaded" if load == EMPTY else "not known to be loaded"


def moves_loaded(s: Situation) -> Iterator[Clause]:
    yield moves(s)
    yield loaded(s)


def has_active(now: Any) -> Clause:
    count = int(now.active_permits)
    return count > 0, f"permits in date: {count}"


def limit_words(limited: bool, what: str) -> str:
    return f"all of them limit the {what}" if limited else f"not all of them limit the {what}"


def site_words(around: Survey, site: Any) -> str:
    margin_m = around.version.prepared.thresholds.state["site_margin_m"]
    distance = metres(site.distance_m, margin_m)
    name = Words(around.version).site(site.number)
    return f"{name} ({distance} from it, site_margin_m {margin_m:g})"


def permitted(around: Survey, what: str) -> set[int]:
    """Numbers of the `sites`, `disposals` or `districts` that the permits in date name."""
    index = around.version.index
    named: set[int] = set()
    for number in around.active:
        permit = index.permits[number]
        start = permit[what]
        named.update(index.items[start : start + permit[f"n_{what}"]].tolist())
    return named


def permit_ids(s: Situation, numbers: list[int]) -> str:
    return ", ".join(s.city.compiled.city.permits[number].permit_id for number in numbers)


def district_not_allowed(around: Survey) -> Iterator[Clause]:
    words = Words(around.version)
    district = int(around.now.place.district)
    if district == NONE:
        yield True, "in no district"
    elif district in permitted(around, "districts"):
        yield False, f"district {words.district(district)} is allowed by a permit in date"
    else:
        yield True, f"no permit in date allows district {words.district(district)}"


def far_from_allowed(around: Survey, border_m: float, near: str) -> Iterator[Clause]:
    allowed = permitted(around, "districts")
    answers = [answer for answer in around.districts if answer.number in allowed]
    if not answers:
        yield True, "no district is allowed"
        return
    first = min(answers, key=lambda answer: (not answer[near], answer.distance_m))
    distance = metres(first.distance_m, border_m)
    where = f"{distance} from allowed district {Words(around.version).district(first.number)}"
    yield not first[near], f"{where}, {'at most' if first[near] else '>'} border_m {border_m:g}"


def sensed(reading: int) -> str:
    """A sensor's reading in words."""
    return ("not told", "false", "true")[int(reading) + 1]
