"""What the reference engine keeps of a truck, and the defaults of every threshold.

Called by the rest of `reference`. Plain values; it decides nothing.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from geofences.city import Site
from reference.geometry import Place
from streams.position import Position

STATE_THRESHOLDS: Mapping[str, float] = {
    "forget_s": 30 * 86_400,
    "max_speed_kmh": 150,
    "max_gap_s": 600,
    "load_confirm": 2,
    "load_dwell_s": 300,
    "dump_dwell_s": 180,
    "stop_speed_kmh": 5,
    "stop_radius_m": 50,
    "site_margin_m": 50,
    "watermark_delay_s": 360,
}
"""Design sections 3 to 5, by the names `[state]` of city.toml overrides."""

RULE_THRESHOLDS: Mapping[str, Mapping[str, float]] = {
    "off-route": {"min_fixes": 3, "min_s": 60, "severe_s": 900},
    "no-permit": {"min_fixes": 3, "min_s": 60},
    "out-of-hours": {"min_fixes": 3, "min_s": 60},
    "cross-district-transit": {"min_fixes": 3, "min_s": 60, "border_m": 100},
    "no-go-zone": {"min_fixes": 2, "min_s": 0},
    "speeding": {"min_fixes": 3, "min_s": 20},
    "uncovered-load": {"min_fixes": 3, "min_s": 30},
    "lifted-moving": {"min_fixes": 2, "min_s": 0},
    "overload": {"min_fixes": 3, "min_s": 60, "tolerance": 1.05},
    "unregistered-source": {},
    "illegal-dumping": {},
    "suspected-dumping": {},
    "wrong-site": {},
    "site-closed": {},
    "cross-district-dumping": {"border_m": 100},
    "signal-lost": {"offline_s": 600},
    "undelivered": {"max_trip_s": 4 * 3600},
}
"""Design section 6, by the names `[rules.<id>]` of city.toml overrides."""

SEVERITY: Mapping[str, str] = {
    "off-route": "minor",
    "no-permit": "major",
    "out-of-hours": "minor",
    "cross-district-transit": "lead",
    "no-go-zone": "minor",
    "speeding": "minor",
    "uncovered-load": "major",
    "lifted-moving": "major",
    "overload": "major",
    "unregistered-source": "major",
    "illegal-dumping": "critical",
    "suspected-dumping": "lead",
    "wrong-site": "major",
    "site-closed": "minor",
    "cross-district-dumping": "critical",
    "signal-lost": "minor",
    "undelivered": "major",
}
SEVERE: Mapping[str, str] = {"off-route": "major"}
"""What it escalates to."""

RECENT_FIXES = 8
"""An event's track."""


@dataclass
class Fix:
    """A position that passed the quality gate."""

    position: Position
    place: Place
    speed_kmh: float | None
    """Given, or implied by the previous fix."""
    odometer_mm: int
    """Straight lines between the truck's fixes up to this one."""

    @property
    def time_ms(self) -> int:
        return self.position.time_ms


@dataclass
class Reading:
    """Readings of `loaded` that differ from what is known and are not yet enough."""

    value: bool
    first: Fix
    count: int = 1


@dataclass
class Stay:
    site: Site | None
    """As the version of the truck's last fix has it; None = not at all."""
    first: Fix
    established: bool = False


@dataclass
class Stop:
    first: Fix
    suspected: bool = False


@dataclass
class Trip:
    trip_id: str
    start: Fix
    source: Site | None
    origin_district: str | None
    load_basis: str
    undelivered: bool = False


@dataclass
class Run:
    """Fixes in a row at which a rule is true."""

    fixes: list[Fix]
    opened: bool = False
    escalated: bool = False

    @property
    def started_ms(self) -> int:
        return self.fixes[0].time_ms


@dataclass
class TruckState:
    truck_id: str
    recent: deque[Fix] = field(default_factory=lambda: deque(maxlen=RECENT_FIXES))
    jump_row: list[Place] = field(default_factory=list)
    """The positions in a row that failed the test for jumps, the last of those that agree."""
    loaded: bool | None = None
    reading: Reading | None = None
    has_reported_loaded: bool = False
    has_reported_lifted: bool = False
    lowered_since_dump: bool = True
    """`lifted` was false at or after the fix at which the last dump became known, or none did."""
    true_is_stale: bool = False
    """The truck has tipped by its lift, and its sensor may still say loaded."""
    stay: Stay | None = None
    stop: Stop | None = None
    trip: Trip | None = None
    signal_lost: bool = False
    runs: dict[str, Run] = field(default_factory=dict)

    @property
    def last(self) -> Fix | None:
        return self.recent[-1] if self.recent else None
