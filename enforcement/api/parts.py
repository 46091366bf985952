"""What the API is made of: put together by `mucktrack.console` and by tests, handed to
`enforcement.api.app.make_app`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from enforcement.access.sessions import Sessions
from enforcement.access.tokens import Tokens
from enforcement.actions import Office
from enforcement.counts import CaseCounts
from enforcement.database import Database
from enforcement.evidence.contents import Language
from enforcement.evidence.export import Package
from enforcement.live import LiveTrucks
from enforcement.maps import Maps
from enforcement.rulebook import Rulebook
from streams.cities import RedisCities

REDIS_TIMEOUT_S: Final = 2.0
HEARTBEAT_S: Final = 15.0


class MakesEvidence(Protocol):
    """`enforcement.evidence.export.Exporter`."""

    def export(self, wanted: str, who: str, language: Language) -> Package:
        """Raises `enforcement.evidence.export.EvidenceError`."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    database: Database
    office: Office
    sessions: Sessions
    tokens: Tokens
    maps: Maps
    live: LiveTrucks
    counts: CaseCounts
    now_ms: Callable[[], int]
    archive: Path | None = None
    """Folder of the archive of positions, for tracks."""
    secure_cookies: bool = False
    """The console is reached by HTTPS, here or through a proxy."""
    evidence: MakesEvidence | None = None
    """Makes the packages of cases."""
    heartbeat_s: float = HEARTBEAT_S
    """How often who listens to events is told that nothing is new, and asked who he is."""


def make_parts(
    database: Database,
    rulebook: Rulebook,
    city: Path,
    now_ms: Callable[[], int],
    *,
    redis_url: str | None = None,
    archive: Path | None = None,
    secure_cookies: bool = False,
    evidence: MakesEvidence | None = None,
    heartbeat_s: float = HEARTBEAT_S,
) -> Parts:
    """`city`: its directory. Raises `geofences.loader.CityError`; connects to nothing yet."""
    store = None if redis_url is None else RedisCities(redis_url, REDIS_TIMEOUT_S)
    return Parts(
        database=database,
        office=Office(database, rulebook, now_ms),
        sessions=Sessions(database, now_ms),
        tokens=Tokens(database, now_ms),
        maps=Maps(city, store, now_ms),
        live=LiveTrucks(redis_url, database, now_ms),
        counts=CaseCounts(database, now_ms),
        now_ms=now_ms,
        archive=archive,
        secure_cookies=secure_cookies,
        evidence=evidence,
        heartbeat_s=heartbeat_s,
    )
