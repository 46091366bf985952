"""Where a vehicle is: message 0x0200, its batch 0x0704 and the answer 0x0201 to a query.

The fixed 28 bytes (JT/T 808 location report): alarm 4, status 4, latitude 4, longitude 4, altitude
2, speed 2, direction 2, time BCD[6] at offset 22 (the texts of 2013 and 2019 print 21). What
follows are additional items, id 1, length 1, value: kept as they came and read when asked for
(`items`), so that none of them can spoil a location. Knows nothing of headers.
"""

import struct
from struct import Struct as Layout
from typing import Any

import msgspec

from producers.jt808.clock import read_time, write_time
from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version
from producers.jt808.item_table import meaning_of
from producers.jt808.items import find_item, read_items

LOCATED = 1 << 1
SOUTH = 1 << 2
WEST = 1 << 3
ENCRYPTED = 1 << 5

_FIXED = Layout(">IIiiHHH3sBBB")
_WRITTEN = Layout(">IIIIHHH6s")
_HALF = 1 << 31
_DWORD, _SHORT = (0, 0xFFFF_FFFF), (0, 0xFFFF)
_RANGES = {
    "alarm_bits": _DWORD,
    "status_bits": _DWORD,
    "lat": (-2147, 2147),
    "lon": (-2147, 2147),
    "altitude_m": _SHORT,
    "speed_kmh": (0, 6553.5),
    "heading_deg": _SHORT,
}
"""What there is room for."""
_BATCH = Layout(">HB")
_WORD = Layout(">H")


class Location(msgspec.Struct, gc=False):
    """A location report. Values as sent: nobody has asked yet whether they can be true."""

    alarm_bits: int
    status_bits: int
    lat: float
    """Degrees, negative in the south."""
    lon: float
    """Degrees, negative in the west."""
    altitude_m: int = 0
    speed_kmh: float = 0.0
    heading_deg: int = 0
    time_ms: int | None = None
    """Unix milliseconds; None where the six bytes are no time."""
    additional: bytes = b""
    """The additional items, as on the wire; `items.write_items` makes them."""

    @property
    def items(self) -> dict[int, bytes]:
        """Additional items by id, read anew each time; of repeated ones the last."""
        return dict(read_items(self.additional)[0])

    def reading(self, item_id: int) -> Any:
        """What a standard item says, in the unit of `item_table.ITEMS`; None where it is not there,
        or of another length than the standard's."""
        value = find_item(self.additional, item_id)
        meaning = None if value is None else meaning_of(item_id, value)
        return None if meaning is None else meaning.reading

    @property
    def mileage_km(self) -> float | None:
        """Item 0x01."""
        mileage: float | None = self.reading(0x01)
        return mileage

    @property
    def recorder_speed_kmh(self) -> float | None:
        """Item 0x03: what the tachograph says."""
        speed: float | None = self.reading(0x03)
        return speed

    @property
    def satellites(self) -> int | None:
        """Item 0x31."""
        count: int | None = self.reading(0x31)
        return count

    @property
    def located(self) -> bool:
        return self.status_bits & LOCATED != 0

    @property
    def encrypted(self) -> bool:
        """Whether latitude and longitude have been made unreadable on purpose."""
        return self.status_bits & ENCRYPTED != 0


class BadLocation(msgspec.Struct, gc=False):
    """What stands in the place of a location that cannot be read."""

    error: str
    raw: bytes


class LocationBatch(msgspec.Struct, gc=False):
    """Locations stored in the terminal (0x0704, since 2013)."""

    kind: int
    """0 = a regular batch, 1 = backfill from where there was no network."""
    locations: list[Location | BadLocation]
    count: int | None = None
    """As told, where that is not how many there are."""


class LocationAnswer(msgspec.Struct, gc=False):
    """The answer to a query of the location (0x0201)."""

    serial: int
    """Of the query."""
    location: Location


def read_location(data: bytes, version: Version = "2013") -> Location:
    """Raises `ProtocolError` where there are fewer than 28 bytes."""
    try:
        alarm, status, lat, lon, altitude, speed, heading, day, hour, minute, second = (
            _FIXED.unpack_from(data)
        )
    except struct.error:
        raise ProtocolError(
            f"{len(data)} bytes are too short for a location of {_FIXED.size}"
        ) from None
    # Some peers send south and west as negative values, with the bit or without it.
    if status & SOUTH:
        lat = -abs(lat)
    if status & WEST:
        lon = -abs(lon)
    return Location(
        alarm,
        status,
        lat / 1e6,
        lon / 1e6,
        altitude,
        speed / 10,
        heading,
        read_time(day, hour, minute, second),
        data[28:],
    )


def write_location(location: Location, version: Version = "2013") -> bytes:
    """Raises `ProtocolError` where a value has no room.

    A negative latitude without the bit for south is written as a negative value.
    """
    try:
        fixed = _WRITTEN.pack(
            location.alarm_bits,
            location.status_bits,
            _coordinate(location.lat, location.status_bits & SOUTH),
            _coordinate(location.lon, location.status_bits & WEST),
            location.altitude_m,
            round(location.speed_kmh * 10),
            location.heading_deg,
            write_time(location.time_ms),
        )
    except (struct.error, OverflowError, ValueError) as error:
        raise _without_room(location, error) from None
    return fixed + location.additional


def _without_room(location: Location, error: Exception) -> ProtocolError:
    """Names the value that the fixed bytes cannot hold."""
    for name, (least, most) in _RANGES.items():
        value = getattr(location, name)
        if not least <= value <= most:
            return ProtocolError(f"{name} {value}; allowed are {least} to {most}")
    return ProtocolError(f"a location has no room for a value: {error}")


def _coordinate(degrees: float, negated: int) -> int:
    number = round(degrees * 1e6)
    if negated:
        return abs(number)
    if not -_HALF <= number < _HALF:
        raise OverflowError(f"{degrees} degrees")
    return number & 0xFFFFFFFF


def read_batch(data: bytes, version: Version = "2013") -> LocationBatch:
    """Locations by their own lengths, to the end of the body, however many are told."""
    if len(data) < _BATCH.size:
        raise ProtocolError(f"{len(data)} bytes are too short for a batch; it has 3 and more")
    told, kind = _BATCH.unpack_from(data)
    locations: list[Location | BadLocation] = []
    at = _BATCH.size
    while at < len(data):
        start = at + 2
        length = int.from_bytes(data[at:start], "big")
        at = start + length
        piece = data[start:at]
        locations.append(_location_or_error(piece, length, version))
    return LocationBatch(kind, locations, None if told == len(locations) else told)


def _location_or_error(piece: bytes, length: int, version: Version) -> Location | BadLocation:
    if len(piece) < length or not length:
        return BadLocation(f"a location of {length} bytes has {len(piece)}", piece)
    try:
        return read_location(piece, version)
    except ProtocolError as error:
        return BadLocation(str(error), piece)


def write_batch(batch: LocationBatch, version: Version = "2013") -> bytes:
    pieces = [
        one.raw if isinstance(one, BadLocation) else write_location(one, version)
        for one in batch.locations
    ]
    told = len(pieces) if batch.count is None else batch.count
    if not 0 <= told <= 0xFFFF or not 0 <= batch.kind <= 0xFF:
        raise ProtocolError(f"count {told}, kind {batch.kind}; allowed are 65535 and 255 at most")
    written = [_BATCH.pack(told, batch.kind)]
    for piece in pieces:
        if len(piece) > 0xFFFF:
            raise ProtocolError(f"a location of {len(piece)} bytes; at most 65535 are allowed")
        written += [_WORD.pack(len(piece)), piece]
    return b"".join(written)


def read_answer(data: bytes, version: Version = "2013") -> LocationAnswer:
    if len(data) < 2:
        raise ProtocolError(f"{len(data)} bytes are too short for the answer to a location query")
    return LocationAnswer(_WORD.unpack_from(data)[0], read_location(data[2:], version))


def write_answer(answer: LocationAnswer, version: Version = "2013") -> bytes:
    if not 0 <= answer.serial <= 0xFFFF:
        raise ProtocolError(f"serial {answer.serial}; allowed are 0 to 65535")
    return _WORD.pack(answer.serial) + write_location(answer.location, version)
