"""A terminal's session: registration, authentication, heartbeat, and answers to all of them.

Field lengths of 0x0100 and 0x0102 differ by edition, and peers mix editions up: what the length of
the body rules out is not believed. Knows nothing of headers.
"""

from struct import Struct as Layout

import msgspec

from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version
from producers.jt808.text import read_text, write_fixed, write_text

_ANSWER = Layout(">HHB")
_REGISTER_ANSWER = Layout(">HB")
_REGISTER = {
    "2011": Layout(">HH5s8s7sB"),
    "2013": Layout(">HH5s20s7sB"),
    "2019": Layout(">HH11s30s30sB"),
}
_WIDTHS = {"2011": (5, 8, 7), "2013": (5, 20, 7), "2019": (11, 30, 30)}
_COLOURS = frozenset((*range(10), 91, 92, 93, 94))
"""JT/T 697.7: 0 no plate, 1 blue, 2 yellow, 3 black, 4 white, 5 green, 9 other, 91 and 92 farm
vehicles, 93 and 94 vehicles of new energy."""
_IMEI = 15
_SOFTWARE = 20


class Register(msgspec.Struct, gc=False):
    """A terminal makes itself known (0x0100)."""

    province: int
    city: int
    maker: str
    model: str
    terminal_id: str
    plate_colour: int
    """0 = no plate yet: `plate` is the VIN (in 2011 and 2013)."""
    plate: str
    layout: Version = "2013"
    """Which edition's field lengths it has."""


class RegisterAnswer(msgspec.Struct, gc=False):
    """0x8100."""

    serial: int
    """Of the registration."""
    result: int
    """0 done, 1 vehicle registered already, 2 no such vehicle, 3 terminal registered already, 4 no
    such terminal."""
    code: str = ""
    """For authentication; only where `result` is 0."""


class Authenticate(msgspec.Struct, gc=False):
    """0x0102. `imei` and `software` are there in 2019 alone; None = the layout of 2011 and 2013."""

    code: str
    imei: str | None = None
    software: str | None = None


class Heartbeat(msgspec.Struct, gc=False):
    """0x0002."""


class Unregister(msgspec.Struct, gc=False):
    """0x0003."""


class GeneralAnswer(msgspec.Struct, gc=False):
    """0x0001 from the terminal, 0x8001 from the platform."""

    serial: int
    """Of what is answered."""
    message_id: int
    """Of what is answered."""
    result: int
    """0 done, 1 failed, 2 wrong message, 3 not supported, 4 alarm confirmed (platform)."""


def read_register(data: bytes, version: Version) -> Register:
    """In the layout that the body's length and `version` speak for (`_layout_of`)."""
    layout = _layout_of(data, version)
    fields = _REGISTER[layout]
    if len(data) < fields.size:
        raise ProtocolError(
            f"{len(data)} bytes are too short for a registration; it has {fields.size} and more"
        )
    province, city, maker, model, terminal_id, colour = fields.unpack_from(data)
    return Register(
        province,
        city,
        read_text(maker),
        read_text(model),
        read_text(terminal_id),
        colour,
        read_text(data[fields.size :]),
        layout,
    )


def _layout_of(data: bytes, version: Version) -> Version:
    """By length: 2011 has 25 bytes and a plate, 2013 has 37, 2019 has 76.

    In between, a plate or a vehicle number (17 bytes) of 2011 can be as long as what 2013 has: then
    the edition counts, unless the byte that would be the colour is none and the other's is.
    """
    if len(data) >= _REGISTER["2019"].size:
        return "2019"
    if len(data) < _REGISTER["2013"].size:
        return "2011"
    may_be_2011 = data[24] in _COLOURS and data[25] != 0
    may_be_2013 = data[36] in _COLOURS
    if may_be_2011 == may_be_2013:
        return "2011" if version == "2011" else "2013"
    return "2011" if may_be_2011 else "2013"


def write_register(register: Register, version: Version) -> bytes:
    layout = register.layout
    maker, model, terminal_id = _WIDTHS[layout]
    _check("province", register.province, 0xFFFF)
    _check("city", register.city, 0xFFFF)
    _check("colour of the plate", register.plate_colour, 0xFF)
    return _REGISTER[layout].pack(
        register.province,
        register.city,
        write_fixed(register.maker, maker, "maker"),
        write_fixed(register.model, model, "model"),
        write_fixed(register.terminal_id, terminal_id, "terminal_id"),
        register.plate_colour,
    ) + write_text(register.plate)


def read_register_answer(data: bytes, version: Version) -> RegisterAnswer:
    if len(data) < _REGISTER_ANSWER.size:
        raise ProtocolError(f"{len(data)} bytes are too short for an answer to a registration of 3")
    serial, result = _REGISTER_ANSWER.unpack_from(data)
    return RegisterAnswer(serial, result, read_text(data[3:]))


def write_register_answer(answer: RegisterAnswer, version: Version) -> bytes:
    _check("serial", answer.serial, 0xFFFF)
    _check("result", answer.result, 0xFF)
    return _REGISTER_ANSWER.pack(answer.serial, answer.result) + write_text(answer.code)


def read_authenticate(data: bytes, version: Version) -> Authenticate:
    """2019 has a length, the code, an IMEI and a software version; the others the code alone.

    Peers with a header of 2019 send the code alone, and others the layout of 2019 below an old
    header: a length that fits exactly, and is no printable character, tells those.
    """
    length = data[0] if data else 0
    end = 1 + length + _IMEI
    fits = end <= len(data)
    exact = length < 0x20 and end + _SOFTWARE == len(data)
    if (version == "2019" and fits) or exact:
        return Authenticate(
            read_text(data[1 : 1 + length]),
            read_text(data[1 + length : end]),
            read_text(data[end:]),
        )
    return Authenticate(read_text(data))


def write_authenticate(authenticate: Authenticate, version: Version) -> bytes:
    code = write_text(authenticate.code)
    if authenticate.imei is None and authenticate.software is None:
        return code
    if len(code) > 0xFF:
        raise ProtocolError(f"a code of {len(code)} bytes; at most 255 are allowed")
    imei = write_fixed(authenticate.imei or "", _IMEI, "imei")
    software = write_fixed(authenticate.software or "", _SOFTWARE, "software")
    return bytes((len(code),)) + code + imei + software


def read_general_answer(data: bytes, version: Version) -> GeneralAnswer:
    if len(data) < _ANSWER.size:
        raise ProtocolError(f"{len(data)} bytes are too short for a general answer of 5")
    return GeneralAnswer(*_ANSWER.unpack_from(data))


def write_general_answer(answer: GeneralAnswer, version: Version) -> bytes:
    _check("serial", answer.serial, 0xFFFF)
    _check("message id", answer.message_id, 0xFFFF)
    _check("result", answer.result, 0xFF)
    return _ANSWER.pack(answer.serial, answer.message_id, answer.result)


def _check(what: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise ProtocolError(f"{what} {value}; allowed are 0 to {most}")
