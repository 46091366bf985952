"""The positions in a message about a vehicle (0x1202, 0x1203), as JT/T 808 locations.

Called by the gateway and by `mucktrack jt809`. Pure.
"""

from datetime import UTC, datetime
from typing import Final

import msgspec

from producers.jt808.errors import ProtocolError
from producers.jt808.items import write_items
from producers.jt808.location import SOUTH, WEST, BadLocation, Location, read_location
from producers.jt809.message import OfVehicle
from producers.jt809.vehicles import (
    Backfill2011,
    Backfill2019,
    Position2011,
    Position2019,
)

BACKFILL: Final = 0x1203
_GMT8_S: Final = 8 * 3600
_MILEAGE: Final = 0x01
_RECORDER_SPEED: Final = 0x03
_ENCRYPTED: Final = 1
_NONE: Final = 0xFFFF
"""What a platform sends as the speed of a terminal that has none."""
_NO_SPEED_KMH: Final = 6553.5
"""The same in JT/T 808: all bits set, in steps of 0.1."""


class Reported(msgspec.Struct, gc=False):
    """One position."""

    location: Location
    encrypted: bool
    """Whether the coordinates are to be taken for none: by the flag of JT/T 809, or by the status
    of JT/T 808."""


def positions_in(body: OfVehicle) -> list[Reported | BadLocation]:
    """Every position of the message, in order; one that cannot be read does not hide the next, and
    what stands behind those that are announced may be more of them."""
    data = body.data
    if isinstance(data, Position2011 | Position2019):
        return [reported(data)]
    if isinstance(data, Backfill2011 | Backfill2019):
        found = [reported(position) for position in data.positions]
        if data.extra:
            announced = len(data.positions)
            error = f"{len(data.extra)} bytes behind the {announced} positions announced"
            found.append(BadLocation(error, data.extra))
        return found
    return []


def reported(position: Position2011 | Position2019) -> Reported | BadLocation:
    if isinstance(position, Position2011):
        location = _location_of(position)
    else:
        try:
            location = read_location(position.location, "2019")
        except ProtocolError as error:
            return BadLocation(str(error), position.location)
    return Reported(location, position.encrypted == _ENCRYPTED or location.encrypted)


def _location_of(position: Position2011) -> Location:
    """In the units of JT/T 808. What 2011 says in whole km and km/h becomes the items for it."""
    lat, lon = _degrees(position.lat), _degrees(position.lon)
    if position.status_bits & SOUTH:
        lat = -abs(lat)
    if position.status_bits & WEST:
        lon = -abs(lon)
    items = {}
    if position.mileage_km * 10 < 1 << 32:
        items[_MILEAGE] = (position.mileage_km * 10).to_bytes(4)
    if position.recorder_speed_kmh * 10 < 1 << 16:
        items[_RECORDER_SPEED] = (position.recorder_speed_kmh * 10).to_bytes(2)
    return Location(
        position.alarm_bits,
        position.status_bits,
        lat,
        lon,
        _signed(position.altitude_m, 16),
        float(position.speed_kmh) if position.speed_kmh != _NONE else _NO_SPEED_KMH,
        position.heading_deg,
        _time_ms(position),
        write_items(items),
    )


def _time_ms(position: Position2011) -> int | None:
    """Unix milliseconds; None where the fields are no time."""
    try:
        local = datetime(
            position.year,
            position.month,
            position.day,
            position.hour,
            position.minute,
            position.second,
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return (int(local.timestamp()) - _GMT8_S) * 1000


def _degrees(millionths: int) -> float:
    """Some platforms send south and west as negative values."""
    return _signed(millionths, 32) / 1e6


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value
