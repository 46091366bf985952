"""What `detect --explain` tells of one position: plain values, ready for JSON or for a terminal.

Made by `streams.explain.narrator`, printed by `mucktrack.explain_text`. Ids and codes come with
names; times are Unix milliseconds, and in words the city's local time.
"""

import msgspec


class Named(msgspec.Struct, gc=False):
    """A site, district, route or zone of the city."""

    id: str
    name: str


class Near(msgspec.Struct, gc=False):
    """Something at a distance, and the limit that the distance is measured against."""

    id: str
    name: str
    distance_m: float
    within: bool
    """What the engine decided: in its reach, in its corridor, near enough."""
    limit_m: float


class PermitSaid(msgspec.Struct, gc=False):
    """A permit that lists the truck."""

    permit_id: str
    in_date: bool
    hours_hold: bool
    limits: list[str]
    """What it limits: `routes`, `districts`, `disposal sites`."""


class Run(msgspec.Struct, gc=False):
    """A run of a condition rule, after this fix."""

    fixes: int
    lasted_s: float
    opened: bool
    escalated: bool
    words: str
    """What it lacks to open or to escalate."""


class Verdict(msgspec.Struct, gc=False, omit_defaults=True):
    """Why a rule was true or false at the fix."""

    rule: str
    title: str
    title_en: str
    true: bool
    why: str
    """The facts that decided: all of them where it is true, the first that failed where not."""
    run: Run | None = None
    ended: str | None = None
    """The run that this fix, or the silence before it, ended."""


class Load(msgspec.Struct, gc=False, omit_defaults=True):
    loaded: bool | None
    words: str
    """How it is known, and what is in the making."""
    sensors: str


class Occurrence(msgspec.Struct, gc=False):
    """A violation event that this position brought about."""

    rule: str
    phase: str
    severity: str
    started_ms: int
    detected_ms: int
    violation_id: str
    message: str
    message_en: str


class Known(msgspec.Struct, gc=False):
    """What the engine knew at an accepted fix."""

    speed_kmh: float | None
    speed_words: str
    load: Load
    trip: str | None
    district: Named | None
    sites_in_reach: list[Near]
    nearest_site: Near | None
    permits: list[PermitSaid]
    routes: list[Near]
    """Of the permits in date, nearest first; the limit is the corridor."""
    districts_allowed: list[Near]
    """By the permits in date, nearest first."""
    no_go_zone: Named | None
    limit_kmh: float | None
    limit_words: str
    stop: str | None
    stay: str | None
    happened: list[str]
    """Load changes and dumps that became known at this fix."""
    due: list[str]
    """What falls due if the truck stays silent."""
    rules: list[Verdict]
    """All rules, in the catalogue's order."""


class Explanation(msgspec.Struct, gc=False):
    """One position of the truck, as the engine took it."""

    truck_id: str
    number: int
    """Of the truck's positions, from 1."""
    time_ms: int | None
    """This, and the place, are None where they could not be read."""
    local_time: str
    lon: float | None
    lat: float | None
    since_last: str
    """The silence and the step since the fix before."""
    rejected: str | None
    """The reason, where it is no fix."""
    why_rejected: str | None
    known: Known | None
    violations: list[Occurrence]
    city_version: str


class Ending(msgspec.Struct, gc=False):
    """What fell due for the truck when the input had ended and the watermark reached its end."""

    truck_id: str
    highest_ms: int | None
    """The highest fix time of all trucks; None where there was no fix."""
    local_time: str
    violations: list[Occurrence]
