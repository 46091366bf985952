"""A terminal's location, read by its profile, to the position that the rest works with.

`position_of` is called by the gateways for every location (JT/T 808, message 0x0200), so that it
looks up what the profile has compiled and no more. Nothing is guessed: what is absent, too short
or not listed is null. Pure: no clock, no connection.
"""

import msgspec

from geofences.datum import point_to_wgs84
from producers.jt808.location import ENCRYPTED, LOCATED, Location
from producers.profiles.profile import Profile
from streams.position import MAX_TIME_MS, MIN_TIME_MS, Position

MILEAGE, RECORDER_SPEED, SATELLITES = 0x01, 0x03, 0x31
"""Additional items: 4 bytes of 0.1 km, 2 bytes of 0.1 km/h, 1 byte."""
NO_SPEED_KMH = 6553.5
"""All bits set in the location's own speed: what terminals send that have none."""
HIGHEST_HEADING = 360
_DECIMALS = 7
"""Of degrees that were converted: 1 cm, a tenth of what a terminal reports."""


class Quarantined(msgspec.Struct, frozen=True):
    """A location that cannot become a position; the gateway keeps it with its frame."""

    reason: str
    """`encrypted_coordinates` or `malformed`."""
    detail: str


def position_of(
    location: Location,
    profile: Profile,
    truck_id: str,
    terminal_id: str,
    received_ms: int,
    backfill: bool,
    source: str = "jt808",
) -> Position | Quarantined:
    """The position, in WGS-84, or why there can be none.

    Coordinates that are encrypted (status bit 5) are never looked at. A position without a fix, or
    outside the world, is one all the same: the worker's quality gate names it.

    Speed is the location's own, which the standard has in every location; the recorder's (item
    0x03) stands in only where that has all bits set.
    """
    status = location.status_bits
    if status & ENCRYPTED:
        return Quarantined("encrypted_coordinates", "status bit 5: the coordinates are encrypted")
    time_ms, items = location.time_ms, location.items
    if time_ms is None:
        return Quarantined("malformed", "the time is none: not YYMMDDhhmmss in BCD")
    if not MIN_TIME_MS <= time_ms <= MAX_TIME_MS:
        return Quarantined("malformed", f"time_ms {time_ms} is before 2000 or after 2099")
    lon, lat = location.lon, location.lat
    if profile.datum != "wgs84":
        lon, lat = _wgs84(lon, lat, profile)
    speed_kmh: float | None = location.speed_kmh
    if speed_kmh == NO_SPEED_KMH:
        speed_kmh = _tenths(items.get(RECORDER_SPEED), 2)
    heading = location.heading_deg
    satellites = items.get(SATELLITES)
    return Position(
        truck_id,
        time_ms,
        lon,
        lat,
        speed_kmh,
        heading if heading <= HIGHEST_HEADING else None,
        location.altitude_m,
        _tenths(items.get(MILEAGE), 4),
        status & LOCATED != 0,
        satellites[0] if satellites is not None and len(satellites) == 1 else None,
        profile.read_loaded(status, items),
        profile.read_lifted(status, items),
        profile.read_covered(status, items),
        profile.read_load_kg(status, items),
        backfill,
        terminal_id,
        source,
        received_ms,
    )


def _wgs84(lon: float, lat: float, profile: Profile) -> tuple[float, float]:
    """0, 0 and what is outside the world stay as they are, so that the quality gate knows them."""
    if (lon == 0 and lat == 0) or abs(lon) > 180 or abs(lat) > 90:
        return lon, lat
    x, y = point_to_wgs84(lon, lat, profile.datum)
    return round(x, _DECIMALS), round(y, _DECIMALS)


def _tenths(value: bytes | None, length: int) -> float | None:
    """A number of the standard's in steps of 0.1; an item of another length is not the
    standard's."""
    if value is None or len(value) != length:
        return None
    number = int.from_bytes(value)
    return None if number == (1 << 8 * length) - 1 else number / 10
