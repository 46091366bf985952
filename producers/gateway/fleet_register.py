"""Which terminal sits in which truck: trucks.csv of the city in force (design section 4).

`FleetRegister` follows the city directory and the cities published in Redis as a worker does
(`streams.published`), at the cost of one file: geofences are neither read nor compiled. Redis away,
or a version whose trucks.csv cannot be read, leaves the register that is known. Who is connected is
not known here.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from geofences.findings import Report
from geofences.parse_tables import parse_trucks
from producers.gateway.terminals import TRUCKS_FILE, Terminals
from streams.checkpoint import StoreAwayError
from streams.cities import BrokenVersionError, CityStore, PublishedVersion
from streams.health import Health
from streams.logs import get_log

log = get_log(__name__)

LOOK_S: Final = 3.0
"""How often is looked for new versions."""


class UnusableRegister(ValueError):
    """A city directory whose trucks.csv cannot be read; the message is one line."""


class FleetRegister:
    """The terminals in force; `terminals` is another object after every change."""

    def __init__(self, folder: Path, store: CityStore | None, health: Health) -> None:
        """`folder` is in force where no published version is. Raises `UnusableRegister`."""
        self._store = store
        self._waits = health.waits()
        self._folder_terminals = _of_folder(folder)
        self._known: dict[str, Terminals] = {}
        """By version: the one in force and those that are to come."""
        self._broken: set[str] = set()
        """Those of which it has been said."""
        self._in_force: PublishedVersion | None = None
        self._is_away = False
        self.terminals = self._folder_terminals
        log.info("terminals_known", terminals=len(self.terminals.truck_of))

    def look(self, now_ms: int | None = None) -> bool:
        """Take up the version in force at `now_ms`, which is now; whether that has other terminals
        than the one before. May run in a thread of its own."""
        now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        if self._store is None:
            return False
        try:
            usable = self._usable(self._store, now_ms)
        except StoreAwayError as error:
            self._waits.begin("redis", "terminals' codes and published cities", after_s=0.0)
            if not self._is_away:
                log.warning("redis_away", purpose="to look for cities", error=error)
            self._is_away = True
            return False
        if self._is_away:
            log.info("redis_back")
        self._is_away = False
        self._waits.end()
        begun = [entry for entry in usable if entry.from_ms <= now_ms]
        # A Redis that has lost its list takes nothing back: workers put it in place again.
        if not begun or begun[-1] == self._in_force:
            return False
        self._in_force = begun[-1]
        before, self.terminals = self.terminals, self._known[self._in_force.version]
        log.info(
            "city_taken_up",
            city_version=self._in_force.version,
            from_ms=self._in_force.from_ms,
            terminals=len(self.terminals.truck_of),
        )
        return before != self.terminals

    async def follow(self, changed: Callable[[], None]) -> None:
        """Look for ever; `changed` is called on the loop."""
        while True:
            if await asyncio.to_thread(self.look):
                changed()
            await asyncio.sleep(LOOK_S)

    def _usable(self, store: CityStore, now_ms: int) -> list[PublishedVersion]:
        """What is in force and what is to come, with their terminals read.

        Versions to come are read ahead, so that a Redis that is away in the very moment delays
        nothing. Raises `StoreAwayError`.
        """
        usable: list[PublishedVersion] = []
        known: dict[str, Terminals] = {}
        for entry in sorted(store.versions(), reverse=True):
            terminals = known.get(entry.version) or self._read(store, entry.version)
            if terminals is None:
                continue
            known[entry.version] = terminals
            usable.append(entry)
            if entry.from_ms <= now_ms:
                break
        if self._in_force is not None and self._in_force.version in self._known:
            known.setdefault(self._in_force.version, self._known[self._in_force.version])
        self._known = known
        return sorted(usable)

    def _read(self, store: CityStore, version: str) -> Terminals | None:
        if version in self._known:
            return self._known[version]
        try:
            return _of_file(store.files(version))
        except (BrokenVersionError, UnusableRegister) as error:
            if version not in self._broken:
                self._broken.add(version)
                log.error("city_left_out", city_version=version, error=error)
            return None


def _of_folder(folder: Path) -> Terminals:
    file = folder / TRUCKS_FILE
    if not folder.is_dir():
        raise UnusableRegister(f"{folder}: is no directory; name the one that holds city.toml")
    try:
        return _of_file({TRUCKS_FILE: file.read_bytes()} if file.exists() else {})
    except OSError as error:
        raise UnusableRegister(f"{file}: cannot be read: {error.strerror}") from None


def _of_file(files: Mapping[str, bytes]) -> Terminals:
    """Without the file there are no terminals. Raises `UnusableRegister`."""
    if TRUCKS_FILE not in files:
        return Terminals({}, {})
    report = Report()
    trucks = parse_trucks(files[TRUCKS_FILE], report)
    if report.has_errors():
        faults = [finding for finding in report.findings if finding.severity == "error"]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise UnusableRegister(f"{faults[0].render()}{more}")
    return Terminals.of(trucks.sorted_items())
