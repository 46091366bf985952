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
    phase: Phase
    revision: int
    rule: str
    severity: Severity
    title: str
    title_en: str
    message: str
    message_en: str
    truck_id: str
    company: str | None
    permit_ids: list[str]
    trip_id: str | None
    started_ms: int
    detected_ms: int
    ended_ms: int | None
    lon: float
    lat: float
    district: str | None
    origin_district: str | None
    place: dict[str, str | float]
    measured: dict[str, float | str]
    threshold: dict[str, float | str]
    """Numbers in the units of their names; text for a time, hours or ids."""
    track: list[TrackPoint]
    city_version: str


class Trip(msgspec.Struct, gc=False):
    """One ended trip, from being loaded to being emptied."""

    trip_id: str
    truck_id: str
    permit_ids: list[str]
    source_site: str | None
    dump_site: str | None
    origin_district: str | None
    dump_district: str | None
    started_ms: int
    ended_ms: int
    distance_m: int
    load_basis: str
    dump_basis: str
    start_lon: float
    start_lat: float
    end_lon: float
    end_lat: float


class Reject(msgspec.Struct, gc=False, omit_defaults=True):
    """A position that is no fix, kept with its reason and where it came from: a record of a topic,
    or a line of a file. What does not apply is left out."""

    reason: str
    value: Any
    """The original, as `streams.elements` shows it."""
    truck_id: str | None = None
    time_ms: int | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    index: int | None = None
    file: str | None = None
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
    time = f"{moment:%Y-%m-%dT%H:%M:%S}.{violation.detected_ms % 1000:03d}Z"
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", ce_id(violation).encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_type", f"mucktrack.violation.{violation.phase}".encode()),
        ("ce_time", time.encode()),
        ("content-type", b"application/json"),
    ]
