"""The versions of the city that a worker judges by: its city directory, and what is published.

`streams.app` reads them before the worker starts and lets `Published` look for more every few
seconds. Redis away, a Redis that has lost its data, or a version that does not load leaves those
that are known in force and is said in log and metrics: it never stops detection. How a version is
stored is not known here.
"""

import asyncio
import threading
from pathlib import Path
from typing import Final

from geofences.city import City
from geofences.loader import load_city, parse_city
from streams.checkpoint import StoreAwayError
from streams.cities import (
    BrokenVersionError,
    CityStore,
    PublishedVersion,
)
from streams.logs import get_log
from streams.metrics import Metrics
from streams.permits_ahead import permits_ahead
from streams.succession import PreparedCity, Succession, UnusableCity

log = get_log(__name__)

LOOK_S: Final = 3.0
"""How often is looked for new versions."""
HOUR_MS: Final = 3_600_000

AWAY, BROKEN, GONE, REPLACED = "away", "broken", "gone", "replaced"


class Published:
    """Follows the published versions."""

    def __init__(self, folder: Path, store: CityStore | None, metrics: Metrics) -> None:
        """`folder` is in force where no published version is. Raises `geofences.loader.CityError`
        and `UnusableCity` for what is wrong with it. `store` None = nothing is published."""
        self._store = store
        self._metrics = metrics
        self._waits = metrics.health.waits()
        self._folder_city = PreparedCity.of(load_city(folder))
        self._folder_changed_s = max(file.stat().st_mtime for file in folder.iterdir())
        self._prepared = {self._folder_city.version: self._folder_city}
        self._broken: set[str] = set()
        """Those of which it has been said."""
        self._unusable: set[str] = set()
        """Those that never will be of use; one that is missing may come."""
        self._entries: dict[int, PublishedVersion] = {}
        """All that were ever listed, by the time from which they are in force."""
        self._files: dict[str, dict[str, bytes]] = {}
        """Of each version, to put it back where the store loses it."""
        self._told_of: set[PublishedVersion] = set()
        """Those of which it has been said that they cannot be used, or put back."""
        self._permits_counted = ("", 0)
        """Of which version, and in which hour."""
        self._reading = threading.Lock()
        self._know(Succession(self._folder_city))

    def look(self) -> None:
        """`read`, or leave those that are known in force where Redis is away."""
        try:
            self.read()
        except StoreAwayError as error:
            self._waits.begin("city", "published versions in Redis", after_s=0.0)
            self._metrics.city_failures.labels(AWAY).inc()
            log.warning("cities_unreadable", known=len(self.succession), error=error)
        else:
            self._waits.end()

    def read(self) -> None:
        """Read what is published, and make `succession` of it.

        Takes as long as Redis and compiling new versions take; may run in a thread of its own.
        Raises `StoreAwayError`.
        """
        if self._store is None:
            return
        with self._reading:
            later = []
            for entry in self._listed(self._store):
                city = self._load(self._store, entry.version)
                if city is not None:
                    later.append((entry.from_ms, city))
            succession = Succession(self._folder_city, later)
            if succession.key == self.succession.key:
                return
            self._know(succession)
        for from_ms, version in succession.key[1:]:
            log.info("city_taken_up", city_version=version, from_ms=from_ms)

    def tell(self, now_ms: int) -> None:
        """Let the metrics say which version is in force at a time, and since when it is."""
        succession = self.succession
        number = succession.number_at(now_ms)
        start_s = self._folder_changed_s if number == 0 else succession.from_ms[number] / 1000
        prepared = succession.cities[number]
        self._metrics.note_city(prepared.version, start_s)
        counted = (prepared.version, now_ms // HOUR_MS)
        if counted != self._permits_counted:
            self._permits_counted = counted
            self._metrics.note_permits(*permits_ahead(prepared.compiled.city, now_ms))

    def _know(self, succession: Succession) -> None:
        self.succession = succession
        self._metrics.city_versions.set(len(succession))
        for prepared in succession.cities:
            self._metrics.note_districts(one.code for one in prepared.compiled.city.districts)

    def _listed(self, store: CityStore) -> list[PublishedVersion]:
        """What is published, in order.

        A version that was published is never taken back nor replaced. What was listed before and is
        no more has been lost by the store, and is put back; what has taken its place is left out.
        """
        listed = {entry.from_ms: entry for entry in store.versions()}
        for entry in self._entries.values():
            there = listed.get(entry.from_ms)
            if there is None:
                self._metrics.city_failures.labels(GONE).inc()
                self._put_back(store, entry)
            elif there != entry:
                self._metrics.city_failures.labels(REPLACED).inc()
                if there not in self._told_of:
                    self._told_of.add(there)
                    log.error("city_replaced", city_version=there.version, instead_of=entry.version)
        self._entries = listed | self._entries
        return sorted(self._entries.values())

    def _put_back(self, store: CityStore, entry: PublishedVersion) -> None:
        files = self._files.get(entry.version)
        if files is None:
            return
        try:
            done = store.publish(files, entry.from_ms)
        except StoreAwayError as error:
            # As where this worker may only read: it stays in force here.
            if entry not in self._told_of:
                self._told_of.add(entry)
                log.error("city_lost", city_version=entry.version, error=error)
        else:
            if done:
                log.warning("city_put_back", city_version=entry.version)

    async def follow(self) -> None:
        """Look for new versions for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            await asyncio.to_thread(self.look)

    def _load(self, store: CityStore, version: str) -> PreparedCity | None:
        """A version, prepared; None, said once, where it does not load."""
        if version in self._prepared:
            return self._prepared[version]
        if version in self._unusable:
            return None
        try:
            files = self._files[version] = store.files(version)
            prepared = PreparedCity.of(_parsed(files, version))
        except (BrokenVersionError, UnusableCity) as error:
            if version in self._files:
                self._unusable.add(version)
            self._metrics.city_failures.labels(BROKEN).inc()
            if version not in self._broken:
                self._broken.add(version)
                log.error("city_left_out", city_version=version, error=error)
            return None
        self._prepared[version] = prepared
        return prepared


def _parsed(files: dict[str, bytes], version: str) -> City:
    city, findings = parse_city(files)
    if city is None:
        faults = [finding for finding in findings if finding.severity == "error"]
        raise BrokenVersionError(
            f"it does not load here: {faults[0].render()} (and {len(faults) - 1} more)"
        )
    return city
