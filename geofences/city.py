"""The reference data of one city as plain values (design section 4).

A `City` is what the loader makes of a city directory and what everything else reads. It knows
nothing of files, of metres or of the compiled index. All coordinates are WGS-84 degrees
(longitude, latitude): the loader has already converted other datums.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon

from geofences.hours import Validity

SiteKind = Literal["construction", "disposal", "transfer", "parking"]
ZoneKind = Literal["no_go", "speed_limit"]
SITE_KINDS: Final[tuple[SiteKind, ...]] = get_args(SiteKind)
ZONE_KINDS: Final[tuple[ZoneKind, ...]] = get_args(ZoneKind)

SLOWEST_LIMIT_KMH: Final = 5.0
"""A speed limit must be higher; one that is not is a mistake in the data."""


@dataclass(frozen=True, slots=True)
class District:
    code: str
    """GB/T 2260 code."""
    name: str
    shape: Polygon | MultiPolygon


@dataclass(frozen=True, slots=True)
class Site:
    site_id: str
    name: str
    kind: SiteKind
    shape: Polygon | MultiPolygon | Point
    radius_m: float
    """Radius of the circle round a Point; 0 for polygons."""
    district: str | None
    """The district code the register states, where it states one."""
    validity: Validity
    capacity_m3: float | None = None


@dataclass(frozen=True, slots=True)
class Route:
    route_id: str
    name: str
    shape: LineString | MultiLineString
    corridor_m: float


@dataclass(frozen=True, slots=True)
class Zone:
    zone_id: str
    name: str
    kind: ZoneKind
    shape: Polygon | MultiPolygon
    limit_kmh: float | None
    """Given exactly for kind `speed_limit`."""
    validity: Validity


@dataclass(frozen=True, slots=True)
class Truck:
    truck_id: str
    terminal_id: str | None
    company: str | None
    max_load_kg: float | None


@dataclass(frozen=True, slots=True)
class Permit:
    """A permit; an empty tuple sets no limit (for `districts` see design section 5)."""

    permit_id: str
    truck_ids: tuple[str, ...]
    source_site_ids: tuple[str, ...]
    disposal_site_ids: tuple[str, ...]
    route_ids: tuple[str, ...]
    districts: tuple[str, ...]
    validity: Validity


@dataclass(frozen=True, slots=True)
class City:
    """A checked city. Each tuple is sorted by its id; every reference inside it resolves."""

    name: str
    admin_code: str
    timezone: str
    """IANA name; hours and dates of validity are local to it."""
    version: str
    """`city_version`: SHA-256 (hex) of the reference data files it was made from."""
    speed_limit_kmh: float | None
    """City-wide limit; None = no limit."""
    state_overrides: Mapping[str, float]
    """`[state]` of city.toml, names and numbers as given."""
    rule_overrides: Mapping[str, Mapping[str, float]]
    """`[rules.<id>]` of city.toml, names and numbers as given."""
    districts: tuple[District, ...]
    sites: tuple[Site, ...] = ()
    routes: tuple[Route, ...] = ()
    zones: tuple[Zone, ...] = ()
    trucks: tuple[Truck, ...] = ()
    permits: tuple[Permit, ...] = ()
