"""Which terminal a simulated truck has: its phone, its edition of JT/T 808, what its sensors' bytes
mean.

Used by `producers.terminals.terminal`. The kinds are the shipped profiles `simulated-…`, by whose
models a gateway knows them; which truck has which follows from its phone.
"""

import zlib
from dataclasses import dataclass
from typing import Final

from producers.fleet import SimulationError
from producers.jt808.header import Version, bare_phone
from producers.jt808.session import Register
from producers.profiles.profile import Profile, Profiles
from producers.profiles.writing import SensorWriter
from streams.position import Position

MAKER: Final = "SIMUL"
WITHOUT_SENSORS: Final = "2011"
"""Model; in that edition the load is in no terminal's words."""
WITH_SENSORS: Final = ("ITEMS", "BITS")
"""Models."""
EDITIONS: Final[tuple[Version, ...]] = ("2013", "2019")
PHONE_DIGITS: Final = {"2011": 12, "2013": 12, "2019": 20}
YELLOW: Final = 2
"""Plate colour of heavy trucks (JT/T 415)."""
PROVINCE: Final = 33
CITY: Final = 200


@dataclass(frozen=True, slots=True)
class Device:
    """A terminal in a truck."""

    truck_id: str
    phone: str
    """As on the wire."""
    version: Version
    model: str
    profile: Profile
    sensors: SensorWriter

    @property
    def bare_phone(self) -> str:
        return bare_phone(self.phone)

    @property
    def knows_batches(self) -> bool:
        """Message 0x0704 came with the edition of 2013."""
        return self.version != "2011"

    @property
    def register(self) -> Register:
        """What it registers with (0x0100)."""
        return Register(
            PROVINCE, CITY, MAKER, self.model, self.phone[-7:], YELLOW, self.truck_id, self.version
        )


class DeviceMaker:
    """Devices for trucks."""

    def __init__(self, profiles: Profiles) -> None:
        """Raises `ValueError` where the shipped profiles of the simulated fleet are not there."""
        self._kinds: dict[str, tuple[Profile, SensorWriter]] = {}
        for model in (WITHOUT_SENSORS, *WITH_SENSORS):
            profile = profiles.of_model(MAKER, model)
            if profile is None:
                raise ValueError(f"no profile is for {MAKER}/{model}")
            self._kinds[model] = profile, SensorWriter(profile)

    def device_for(self, position: Position) -> Device:
        """The terminal that made `position`, the first of its truck. Raises `SimulationError`
        where trucks.csv has none for it."""
        phone = position.terminal_id
        if not phone or not phone.isdecimal() or len(bare_phone(phone)) > PHONE_DIGITS["2011"]:
            raise SimulationError(
                f"trucks.csv: terminal_id {phone!r} of {position.truck_id} is no phone of up to 12 "
                "digits; fill it in, since a gateway knows trucks by it"
            )
        model, version = _kind(position, zlib.crc32(phone.encode()))
        profile, sensors = self._kinds[model]
        digits = bare_phone(phone).zfill(PHONE_DIGITS[version])
        return Device(position.truck_id, digits, version, model, profile, sensors)


def _kind(position: Position, number: int) -> tuple[str, Version]:
    told = (position.loaded, position.lifted, position.covered, position.load_kg)
    if all(one is None for one in told):
        return WITHOUT_SENSORS, "2011"
    return WITH_SENSORS[number % 2], EDITIONS[number // 2 % 2]
