"""What mucktrack says: violations, trips and rejects as they go to their topics (design sections 3
and 7). Plain values and their JSON; knows nothing of how they came about or where they go.
"""

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from streams.catalogue import Phase, Severity

NAMESPACE: Final = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""Of all ids (design section 7)."""
SOURCE: Final = "mucktrack"

TrackPoint = tuple[int, float, float, float | None]
"""time_ms, lon, lat, speed_kmh"""


class Violation(msgspec.Struct, gc=False):
    """One event on the enforcement queue: a lead until a person has reviewed it."""

    violation_id: str
    """UUIDv5 of truck, rule and start: the same for all phases, and on every run."""
    phase: Phase
    revision: int
    """0 live; counts up when history is judged again."""
    rule: str
    """Of the catalogue (RULES.md)."""
    severity: Severity
    title: str
    """Of the rule, in Chinese."""
    title_en: str
    message: str
    """One sentence, in Chinese: what was measured against what."""
    message_en: str
    truck_id: str
    company: str | None
    permit_ids: list[str]
    """Of the permits in date."""
    trip_id: str | None
    """UUIDv5 of truck and the trip's start."""
    started_ms: int
    """By the truck's clock, as all times here: Unix epoch milliseconds UTC."""
    detected_ms: int
    """When it was known."""
    ended_ms: int | None
    """Null while it is open."""
    lon: float
    """WGS-84 degrees, of the fix that opened, escalated or closed it, or of the event."""
    lat: float
    district: str | None
    """Code of the district in which that is."""
    origin_district: str | None
    """Code of the district in which the trip began."""
    place: dict[str, str | float]
    """Ids of the site, zone or route concerned, with `distance_m`."""
    measured: dict[str, float | str]
    threshold: dict[str, float | str]
    """Numbers in the units of their names; text for a time, hours or ids."""
    track: list[TrackPoint]
    """Fixes as time_ms, lon, lat, speed_kmh, in order; at most 33."""
    city_version: str
    """SHA-256 of the city that it was judged by."""


class Trip(msgspec.Struct, gc=False):
    """One ended trip, from being loaded to being emptied."""

    trip_id: str
    """UUIDv5 of truck and start."""
    truck_id: str
    permit_ids: list[str]
    """Of the permits in date when it began."""
    source_site: str | None
    """Id of the construction site at which it was loaded."""
    dump_site: str | None
    """Id of the site at which it was emptied."""
    origin_district: str | None
    """Code."""
    dump_district: str | None
    """Code."""
    started_ms: int
    """Unix epoch milliseconds UTC."""
    ended_ms: int
    """Unix epoch milliseconds UTC."""
    distance_m: int
    """Straight lines between fixes."""
    load_basis: str
    """How it was known that it was loaded."""
    dump_basis: str
    """How it was known that it was emptied."""
    start_lon: float
    """WGS-84 degrees, as all coordinates here."""
    start_lat: float
    end_lon: float
    end_lat: float


class Reject(msgspec.Struct, gc=False, omit_defaults=True):
    """A position that is no fix, kept with its reason and where it came from: a record of a topic,
    or a line of a file. What does not apply is left out."""

    reason: str
    """The first test of the quality gate that it failed (RULES.md), or what a gateway found."""
    value: Any
    """The original, as `streams.elements` shows it."""
    truck_id: str | None = None
    """Where it could be read."""
    time_ms: int | None = None
    """Where it could be read."""
    topic: str | None = None
    """Of the record that it was in, as the next three."""
    partition: int | None = None
    offset: int | None = None
    index: int | None = None
    """In the array; 0 where the record is no array."""
    file: str | None = None
    """Name of the file that it was in, offline."""
    line: int | None = None


_encoder = msgspec.json.Encoder()


def encode(value: Any) -> bytes:
    """UTF-8 JSON of a violation, trip or reject."""
    return _encoder.encode(value)


def violation_id(truck_id: str, rule: str, started_ms: int) -> str:
    """The same for all phases of a violation, and on every run over the same positions."""
    return named_id(f"{truck_id}|{rule}|{started_ms}")


def trip_id(truck_id: str, started_ms: int) -> str:
    return named_id(f"{truck_id}|trip|{started_ms}")


def named_id(name: str) -> str:
    """What `str(uuid.uuid5(NAMESPACE, name))` gives (RFC 9562, section 5.5) in a third of its
    time: a violation has two."""
    digest = hashlib.sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def ce_id(violation: Violation) -> str:
    """CloudEvents id; consumers deduplicate by it."""
    return f"{violation.violation_id}/{violation.phase}"


def ce_headers(violation: Violation) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0.2 attributes as Kafka headers (Kafka protocol binding, 3.2 binary mode)."""
    moment = datetime.fromtimestamp(violation.detected_ms // 1000, UTC)
    time = f"{moment.isoformat()[:19]}.{violation.detected_ms % 1000:03d}Z"
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", ce_id(violation).encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_type", f"mucktrack.violation.{violation.phase}".encode()),
        ("ce_time", time.encode()),
        ("content-type", b"application/json"),
    ]
