"""A position in the words of a terminal, and what a platform can read in them.

JT/T 808 has 1e-6 degree, 0.1 km/h, whole degrees of heading, whole seconds, no word for an unknown
altitude, and of the sensors what the terminal's profile has a place for: the rest is lost on the
way, and `reported` is what is left. Used by `producers.terminals.terminal`.
"""

from functools import lru_cache
from typing import Final

from producers.jt808.items import write_items
from producers.jt808.location import LOCATED, SOUTH, WEST, Location, read_location, write_location
from producers.profiles.positions import MILEAGE, NO_SPEED_KMH, SATELLITES, Quarantined, position_of
from producers.profiles.writing import SensorWriter
from producers.terminals.device import Device
from streams.position import Position

ACC: Final = 1
"""Status bit 0: the ignition is on."""
NO_HEADING: Final = 0xFFFF
MOST_MILEAGE: Final = 0xFFFF_FFFE


def location_of(position: Position, device: Device) -> Location:
    """What `device` says of `position` (0x0200)."""
    sensor_bits, sensor_items = _sensors(
        device.sensors, position.loaded, position.lifted, position.covered, position.load_kg
    )
    status = sensor_bits | ACC
    status |= LOCATED if position.located else 0
    status |= SOUTH if position.lat < 0 else 0
    status |= WEST if position.lon < 0 else 0
    items: dict[int, bytes] = {}
    if position.mileage_km is not None:
        mileage = min(MOST_MILEAGE, max(0, round(position.mileage_km * 10)))
        items[MILEAGE] = mileage.to_bytes(4, "big")
    if position.satellites is not None:
        items[SATELLITES] = bytes((min(0xFF, max(0, position.satellites)),))
    heading = position.heading_deg
    return Location(
        0,
        status,
        position.lat,
        position.lon,
        round(position.altitude_m or 0),
        NO_SPEED_KMH if position.speed_kmh is None else position.speed_kmh,
        NO_HEADING if heading is None else round(heading) % 360,
        position.time_ms // 1000 * 1000,
        write_items(items) + sensor_items,
    )


@lru_cache(maxsize=65_536)
def _sensors(
    writer: SensorWriter,
    loaded: bool | None,
    lifted: bool | None,
    covered: bool | None,
    load_kg: float | None,
) -> tuple[int, bytes]:
    """Status bits, and additional items as on the wire: the same from one minute to the next."""
    written = writer.write(loaded, lifted, covered, load_kg)
    return written.status_bits, write_items(
        (item, bytes(value)) for item, value in written.items.items()
    )


def reported(location: Location, device: Device, *, backfill: bool) -> Position:
    """The position that a platform reads, `received_ms` left open."""
    read = position_of(
        read_location(write_location(location)),
        device.profile,
        device.truck_id,
        device.bare_phone,
        0,
        backfill,
    )
    if isinstance(read, Quarantined):
        raise ValueError(f"a simulated location is no position: {read.detail}")
    read.received_ms = None
    return read
