"""Which terminal sits in which truck: what one trucks.csv says (design section 4).

Made by `producers.gateway.fleet_register`, looked up for every terminal that comes. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from geofences.city import Truck
from producers.jt808.header import bare_phone
from producers.plates import plate_key
from streams.logs import get_log

log = get_log(__name__)

TRUCKS_FILE: Final = "trucks.csv"


@dataclass(frozen=True)
class Terminals:
    """The terminals of one version of the city."""

    truck_of: Mapping[str, str]
    """By the bare phone."""
    phone_of: Mapping[str, str | None]
    """Every truck of the register, by its plate as `plate_key` makes it; None = no terminal."""

    @classmethod
    def of(cls, trucks: Iterable[Truck]) -> "Terminals":
        """A terminal that two trucks have is neither's, since nobody knows whose positions it
        sends; that is logged."""
        truck_of: dict[str, str] = {}
        phone_of: dict[str, str | None] = {}
        twice: set[str] = set()
        for truck in trucks:
            phone = bare_phone(truck.terminal_id) if truck.terminal_id else None
            phone_of[plate_key(truck.truck_id)] = phone
            if phone is not None and truck_of.setdefault(phone, truck.truck_id) != truck.truck_id:
                twice.add(phone)
        for phone in sorted(twice):
            del truck_of[phone]
            log.error("terminal_in_two_trucks", file=TRUCKS_FILE, phone=phone)
        return cls(truck_of, phone_of)
