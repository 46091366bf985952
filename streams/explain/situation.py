"""All that decides about one fix: the truck's record before and after, and what the city answered.

`streams.explain.narrator` makes it; `reasons` and `knowledge` beside it put it into words. Nothing
is decided here, and nothing is written.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from geofences.index import NONE
from geofences.lookup import district_named, site_named
from streams.detect import Glimpse, PreparedCity
from streams.explain.survey import Survey
from streams.state import NO_TIME
from streams.versions import Version


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the load that became known at the fix, judged where it is dated."""

    basis: str
    """`sensor`, `inferred` or `lift`"""
    time_ms: int
    source: int
    """Name of the site in whose reach the trip began; -1 = none known."""
    origin: int
    """Name of the district where it began."""
    before: int
    """What was known of the load until then."""
    around: Survey
    """Of the place and time that the change is dated at, by the version of that time."""

    @property
    def words(self) -> "Words":
        return Words(self.around.version)


@dataclass(frozen=True, slots=True)
class Situation:
    """One accepted fix."""

    before: Glimpse
    after: Glimpse
    was_forgotten: bool
    around: Survey
    """Of the fix."""
    loading: Change | None
    dump: Change | None
    true_events: frozenset[int]
    """Event rules that the engine found true, by number."""
    words: "Words"

    @property
    def city(self) -> PreparedCity:
        """The version that the fix was judged by."""
        return self.around.version.prepared

    @property
    def limits(self) -> Any:
        """Thresholds in force, a `streams.thresholds.LIMITS` record."""
        return self.city.limits[0]

    @property
    def now(self) -> Any:
        return self.around.now

    @property
    def time_ms(self) -> int:
        return int(self.now.place.time_ms)

    @property
    def silence_ms(self) -> int | None:
        """Since the fix before; None at the first."""
        last_ms = int(self.before.truck.last_ms)
        return None if last_ms == NO_TIME else self.time_ms - last_ms

    def is_true(self, rule: int) -> bool:
        """What the engine decided of a rule at this fix."""
        return rule in self.after.runs or rule in self.true_events


class Words:
    """Names and local times of a version of the city."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self._city = version.prepared.compiled.city
        self._zone = ZoneInfo(self._city.timezone)

    def site(self, number: int) -> str:
        if number == NONE:
            return "none"
        site = self._city.sites[number]
        return f"{site.site_id} {site.name}"

    def site_named(self, name: int) -> str:
        """What is remembered of a site outlasts it."""
        number = site_named(self.version.index, name)
        if number == NONE and name != NONE:
            return f"{self.version.names.site_id(name)} (no site any more)"
        return self.site(number)

    def district_named(self, name: int) -> str:
        number = district_named(self.version.index, name)
        if number == NONE and name != NONE:
            return f"{self.version.names.district_code(name)} (no district any more)"
        return self.district(number)

    def district(self, number: int) -> str:
        if number == NONE:
            return "none"
        district = self._city.districts[number]
        return f"{district.code} {district.name}"

    def route(self, number: int) -> str:
        route = self._city.routes[number]
        return f"{route.route_id} {route.name}"

    def zone(self, number: int) -> str:
        zone = self._city.zones[number]
        return f"{zone.zone_id} {zone.name}"

    def moment(self, time_ms: int) -> str:
        """Local date and time, to the millisecond where there are any."""
        moment = datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(self._zone)
        moment += timedelta(milliseconds=time_ms % 1000)
        timespec = "milliseconds" if time_ms % 1000 else "seconds"
        return moment.replace(tzinfo=None).isoformat(" ", timespec)

    def offset(self, time_ms: int) -> str:
        """The UTC offset of the local time, as `+08:00`."""
        moment = datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(self._zone)
        return moment.isoformat()[-6:]

    def clock(self, time_ms: int, beside_ms: int) -> str:
        """Local time, with the date where it is another day than `beside_ms`."""
        text, beside = self.moment(time_ms), self.moment(beside_ms)
        return text[11:] if text[:10] == beside[:10] else text


def seconds(duration_ms: int) -> str:
    return f"{duration_ms / 1000:,.10g} s" if duration_ms % 1000 else f"{duration_ms // 1000:,} s"


def metres(distance_m: float, beside_m: float = math.nan) -> str:
    """To a tenth, and finer where it would read as the limit `beside_m` without being it."""
    return f"{_told(distance_m, beside_m, 1)} m"


def kmh(speed_kmh: float, beside_kmh: float = math.nan) -> str:
    """To a tenth, and finer where it would read as the limit `beside_kmh` without being it."""
    return f"{_told(speed_kmh, beside_kmh, 1)} km/h"


def _told(value: float, beside: float, digits: int) -> str:
    while round(value, digits) == round(beside, digits) and value != beside and digits < 12:
        digits += 1
    return f"{value:,.{digits}f}"
