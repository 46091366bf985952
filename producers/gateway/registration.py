"""Whether a terminal is let in: what 0x8100 and the check of an authentication code answer.

Pure rules over the register of the fleet, what Redis has of the terminal, and who is live. Called
by `producers.gateway.entrance`; knows no sockets, no Redis, no clocks.
"""

import hmac
import secrets
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import msgspec

from producers.gateway.terminals import Terminals
from producers.jt808.header import Version
from producers.plates import plate_key

CODE_BYTES: Final = 8
"""Of chance; written as 16 hexadecimal digits, which every terminal has room for."""


class Terminal(msgspec.Struct, frozen=True):
    """What was said at registration, and what was answered."""

    code: str
    """Secret: who knows it is let in as this terminal."""
    truck_id: str
    maker: str = ""
    model: str = ""
    device: str = ""
    """The maker's own id of the device (0x0100, terminal id)."""
    version: Version = "2013"
    """The edition that it registered in."""
    profile: str = ""
    registered_ms: int = 0

    def __repr__(self) -> str:
        return f"Terminal({self.truck_id!r}, {self.maker!r}, {self.model!r}, {self.device!r})"

    def is_device(self, maker: str, device: str) -> bool:
        return (self.maker, self.device) == (maker, device)


class Registered(IntEnum):
    """The result of 0x8100 (JT/T 808, terminal registration answer)."""

    DONE = 0
    TRUCK_TAKEN = 1
    """The vehicle is registered already: it has another terminal."""
    TRUCK_UNKNOWN = 2
    TERMINAL_TAKEN = 3
    """The terminal is registered already: for another vehicle, or as another device."""
    TERMINAL_UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    result: Registered
    rival: str | None = None
    """Bare phone of the terminal whose truck is claimed."""


def judge(terminals: Terminals, phone: str, plate: str) -> Verdict:
    """Whether the terminal `phone` (bare) may register for the vehicle it states.

    A plate that is empty says nothing: terminals of vehicles without one send none (plate colour
    0), and the register alone decides.
    """
    own_truck = terminals.truck_of.get(phone)
    stated = plate_key(plate)
    rival = terminals.phone_of.get(stated)
    if stated and rival not in (None, phone):
        return Verdict(Registered.TRUCK_TAKEN, rival)
    if own_truck is None:
        return Verdict(Registered.TERMINAL_UNKNOWN)
    if not stated or stated == plate_key(own_truck):
        return Verdict(Registered.DONE)
    known = stated in terminals.phone_of
    return Verdict(Registered.TERMINAL_TAKEN if known else Registered.TRUCK_UNKNOWN)


def code_for(before: Terminal | None, truck_id: str, maker: str, device: str) -> str:
    """The authentication code of a terminal that registers.

    The same device in the same truck gets the code it had: an answer that was lost, or an old
    connection on which the code is still in use, would otherwise lock it out. Another device, or
    another truck, gets a new one, and with it the old device's is worth nothing.
    """
    if before is not None and before.truck_id == truck_id and before.is_device(maker, device):
        return before.code
    return secrets.token_hex(CODE_BYTES)


def is_code_of(terminal: Terminal, code: str) -> bool:
    """In the same time, whatever is wrong with it."""
    return hmac.compare_digest(terminal.code.encode(), code.encode())
