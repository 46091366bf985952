"""The city as GeoJSON, for the map: the version that is in force, or the one that a violation
names.

Used by the API. Versions come from the city's directory and, where there is a Redis, from what is
published (`streams.cities`); Redis away leaves those that are known. Nothing is judged here.
"""

import gzip
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from shapely.geometry import mapping

from geofences.city import City
from geofences.hours import Validity
from geofences.loader import load_city, parse_city
from streams.checkpoint import StoreAwayError
from streams.cities import BrokenVersionError, CityStore
from streams.logs import get_log
from streams.thresholds import resolve

log = get_log(__name__)

LOOK_S: Final = 3.0
MOST_KEPT: Final = 8
"""Versions that are kept in memory."""


@dataclass(frozen=True, slots=True)
class CityMap:
    """One version."""

    city: City
    plain: bytes
    """GeoJSON."""
    packed: bytes


class Maps:
    """Safe for use by several threads."""

    def __init__(self, folder: Path, store: CityStore | None, now_ms: Callable[[], int]) -> None:
        """`folder` is in force where no published version is. Raises
        `geofences.loader.CityError`."""
        self._store = store
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._folder = _made(load_city(folder))
        self._made: dict[str, CityMap] = {}
        self._broken: set[str] = set()
        self._listed: list[tuple[int, str]] = []
        self._look_at_s = 0.0

    def in_force(self) -> CityMap:
        """By the wall clock."""
        with self._lock:
            self._look()
            begun = [version for from_ms, version in self._listed if from_ms <= self._now_ms()]
            for version in reversed(begun):
                found = self._version(version)
                if found is not None:
                    return found
            return self._folder

    def version(self, version: str) -> CityMap | None:
        """One that is, was or will be in force; None = it is not known."""
        with self._lock:
            self._look()
            if version == self._folder.city.version:
                return self._folder
            if version not in {one for _, one in self._listed}:
                return None
            return self._version(version)

    def _look(self) -> None:
        if self._store is None or time.monotonic() < self._look_at_s:
            return
        try:
            self._listed = [(one.from_ms, one.version) for one in self._store.versions()]
        except StoreAwayError as error:
            log.warning("cities_unreadable", error=error)
        self._look_at_s = time.monotonic() + LOOK_S

    def _version(self, version: str) -> CityMap | None:
        if version == self._folder.city.version:
            return self._folder
        if version in self._made or version in self._broken or self._store is None:
            return self._made.get(version)
        try:
            city, _ = parse_city(self._store.files(version))
        except StoreAwayError as error:
            log.warning("city_unreadable", city_version=version, error=error)
            return None
        except BrokenVersionError as error:
            log.warning("city_left_out", city_version=version, error=error)
            return None
        if city is None:
            self._broken.add(version)
            return None
        while len(self._made) >= MOST_KEPT:
            del self._made[next(iter(self._made))]
        self._made[version] = _made(city)
        return self._made[version]


def _made(city: City) -> CityMap:
    plain = msgspec.json.encode(_geojson(city))
    return CityMap(city, plain, gzip.compress(plain, 6))


def _geojson(city: City) -> dict[str, Any]:
    features = [
        *(_feature("district", one.code, one.name, one.shape) for one in city.districts),
        *(
            _feature(
                *("site", one.site_id, one.name, one.shape),
                kind=one.kind,
                radius_m=one.radius_m,
                district=one.district,
                **_validity(one.validity),
            )
            for one in city.sites
        ),
        *(
            _feature("route", one.route_id, one.name, one.shape, corridor_m=one.corridor_m)
            for one in city.routes
        ),
        *(
            _feature(
                *("zone", one.zone_id, one.name, one.shape),
                kind=one.kind,
                limit_kmh=one.limit_kmh,
                **_validity(one.validity),
            )
            for one in city.zones
        ),
    ]
    return {
        "type": "FeatureCollection",
        "name": city.name,
        "admin_code": city.admin_code,
        "timezone": city.timezone,
        "city_version": city.version,
        "site_margin_m": resolve(city)[0].state["site_margin_m"],
        "features": features,
    }


def _feature(layer: str, place_id: str, name: str, shape: Any, **more: Any) -> Mapping[str, Any]:
    """Ids are unique within a layer only."""
    return {
        "type": "Feature",
        "id": f"{layer}/{place_id}",
        "geometry": mapping(shape),
        "properties": {"layer": layer, "id": place_id, "name": name, **more},
    }


def _validity(validity: Validity) -> dict[str, Any]:
    return {
        "valid_from": validity.first and validity.first.isoformat(),
        "valid_to": validity.last and validity.last.isoformat(),
        "hours": [
            f"{_clock(one.start_min)}-{_clock(one.end_min % 1440 or 1440)}"
            for one in validity.windows
        ],
    }


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
