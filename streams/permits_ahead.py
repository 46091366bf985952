"""How many permits hold today, and how many in a week: somebody should know before they end.

Asked by `streams.published` of the city in force. Pure.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from geofences.city import City

AHEAD: Final = timedelta(days=7)


def permits_ahead(city: City, now_ms: int) -> tuple[int, int]:
    """Permits that are in date at a time, and those that are a week later."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(city.timezone))
    return _in_date(city, now), _in_date(city, now + AHEAD)


def _in_date(city: City, local: datetime) -> int:
    return sum(permit.validity.in_date(local) for permit in city.permits)
