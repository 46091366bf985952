"""What the API works with, put together by `mucktrack.console` and handed to
`enforcement.api.app.make_app`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from enforcement.actions import Office
from enforcement.database import Database
from enforcement.rulebook import Rulebook
from geofences.city import City
from streams.health import Health


@dataclass(frozen=True, slots=True)
class Parts:
    """All of one enforcement process that an endpoint may ask."""

    database: Database
    rulebook: Rulebook
    office: Office
    health: Health
    now_ms: Callable[[], int]
    city: City | None = None
    """Where no city has been published: that of the directory given; None = none is given."""
    redis: str | None = None
    """URL of the Redis with live positions and published cities; secret."""
    archive: Path | None = None
    """Folder of archived positions."""
    has_tls: bool = False
    """Whether the console is served over TLS, so that cookies may ask for it."""
