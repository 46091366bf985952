"""Where the trucks are now, for the map: read from Redis as `streams.live` writes it.

One reading serves everybody for about a second, and longer where reading takes long; what each
limit of districts gets of it is made once. Redis away: `LiveAwayError`, and nothing is kept.
"""

import gzip
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import redis
from redis.exceptions import RedisError
from sqlalchemy import select, text

from enforcement.actions import Actor
from enforcement.database import Database
from enforcement.intake import NONE_KNOWN
from enforcement.severities import RANKS
from enforcement.tables import LASTING, CaseDistrictRow, CaseRow, ViolationRow
from streams.live import GEO_KEY, REDIS_TIMEOUT_S, TRUCK_KEY

FRESH_S: Final = 1.0
SHARE: Final = 4.0
"""Reading takes at most this fraction (1/4) of the time."""
AWAY_S: Final = 5.0
AWAY: Final = "live positions cannot be read at present"
TRUCKS_A_PIPELINE: Final = 1_000
FIELDS: Final = ("time_ms", "lon", "lat", "speed_kmh", "heading_deg", "loaded", "district")


class LiveAwayError(Exception):
    """Redis does not answer at present, or there is none."""


@dataclass(frozen=True, slots=True)
class LiveTruck:
    """The last fix of a truck."""

    truck_id: str
    time_ms: int
    lon: float
    lat: float
    speed_kmh: float | None
    heading_deg: float | None
    loaded: bool | None
    district: str | None


@dataclass(frozen=True, slots=True)
class Offence:
    """A violation that lasts, of a case that is not ended."""

    severity: str
    case_id: str
    districts: frozenset[str]
    """Of its case."""


@dataclass(slots=True)
class Reading:
    """What was read at one time."""

    at_ms: int
    trucks: Sequence[LiveTruck]
    offences: dict[str, list[Offence]]
    fresh_until_s: float
    """By the monotonic clock."""
    made: dict[frozenset[str] | None, "LiveMap"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LiveMap:
    """GeoJSON, as it is and packed."""

    plain: bytes
    packed: bytes


class LiveTrucks:
    """Safe for use by several threads; they wait for one reading together."""

    def __init__(self, url: str | None, database: Database, now_ms: Callable[[], int]) -> None:
        """`url` of the Redis; None = no live view. Connects when something is asked."""
        self._redis: Any = url and redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
        )
        self._database = database
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._reading: Reading | None = None
        self._away_until_s = 0.0

    def map_for(self, actor: Actor) -> LiveMap:
        """The trucks in his districts, and those in none. Raises `LiveAwayError`."""
        with self._lock:
            reading = self._fresh()
            made = reading.made.get(actor.districts)
            if made is None:
                plain = msgspec.json.encode(_geojson(reading, actor))
                made = reading.made[actor.districts] = LiveMap(plain, gzip.compress(plain, 1))
        return made

    def _fresh(self) -> Reading:
        if self._reading is None or time.monotonic() >= self._reading.fresh_until_s:
            self._reading = None
            began_s = time.monotonic()
            if began_s < self._away_until_s:
                # Or everybody would wait in turn for what does not answer.
                raise LiveAwayError(AWAY)
            try:
                trucks = self._read()
            except (RedisError, OSError) as error:
                self._away_until_s = time.monotonic() + AWAY_S
                raise LiveAwayError(AWAY) from error
            reading = Reading(self._now_ms(), trucks, _offences(self._database), 0.0)
            took_s = time.monotonic() - began_s
            reading.fresh_until_s = time.monotonic() + max(FRESH_S, SHARE * took_s)
            self._reading = reading
        return self._reading

    def _read(self) -> list[LiveTruck]:
        if self._redis is None:
            raise LiveAwayError("no Redis is set, and so there are no live positions")
        trucks: list[LiveTruck] = []
        truck_ids = self._redis.zrange(GEO_KEY, 0, -1)
        for start in range(0, len(truck_ids), TRUCKS_A_PIPELINE):
            some = truck_ids[start : start + TRUCKS_A_PIPELINE]
            with self._redis.pipeline(transaction=False) as pipe:
                for truck_id in some:
                    pipe.hmget(TRUCK_KEY + truck_id, FIELDS)
                for truck_id, values in zip(some, pipe.execute(), strict=True):
                    if values[0] is not None:
                        trucks.append(_truck(truck_id, values))
        return trucks


def _truck(truck_id: str, values: Sequence[str]) -> LiveTruck:
    time_ms, lon, lat, speed_kmh, heading_deg, loaded, district = values
    return LiveTruck(
        truck_id,
        int(time_ms),
        float(lon),
        float(lat),
        float(speed_kmh) if speed_kmh else None,
        float(heading_deg) if heading_deg else None,
        {"1": True, "0": False}.get(loaded),
        district or None,
    )


def _offences(database: Database) -> dict[str, list[Offence]]:
    """By truck."""
    query = (
        select(
            ViolationRow.truck_id, ViolationRow.severity, CaseRow.case_id, CaseDistrictRow.district
        )
        .join(CaseRow, CaseRow.case_id == ViolationRow.case_id)
        .join(CaseDistrictRow, CaseDistrictRow.case_id == CaseRow.case_id)
        .where(text(f"violations.{LASTING}"), CaseRow.ended_ms.is_(None))
    )
    found: dict[tuple[str, str, str], set[str]] = {}
    with database.read() as session:
        for truck_id, severity, case_id, district in session.execute(query):
            found.setdefault((truck_id, severity, case_id), set()).add(district)
    by_truck: dict[str, list[Offence]] = {}
    for (truck_id, severity, case_id), districts in found.items():
        offence = Offence(severity, case_id, frozenset(districts - {NONE_KNOWN}))
        by_truck.setdefault(truck_id, []).append(offence)
    return by_truck


def _geojson(reading: Reading, actor: Actor) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "at_ms": reading.at_ms,
        "features": [
            _feature(truck, _gravest(reading.offences.get(truck.truck_id, ()), actor))
            for truck in reading.trucks
            if actor.sees({truck.district} if truck.district else set())
        ],
    }


def _gravest(offences: Sequence[Offence], actor: Actor) -> Offence | None:
    """Of those that he sees."""
    seen = [offence for offence in offences if actor.sees(set(offence.districts))]
    return max(seen, key=lambda one: RANKS[one.severity], default=None)


def _feature(truck: LiveTruck, offence: Offence | None) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": truck.truck_id,
        "geometry": {"type": "Point", "coordinates": (truck.lon, truck.lat)},
        "properties": {
            "truck_id": truck.truck_id,
            "time_ms": truck.time_ms,
            "speed_kmh": truck.speed_kmh,
            "heading_deg": truck.heading_deg,
            "loaded": truck.loaded,
            "district": truck.district,
            "severity": offence and offence.severity,
            "case_id": offence and offence.case_id,
        },
    }
