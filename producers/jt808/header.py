"""The header of a message: bytes to struct and back (JT/T 808 4.4, message header).

2011 and 2013: id 2, attributes 2, phone BCD[6], serial 2. 2019, told by bit 14 of the attributes:
id 2, attributes 2, protocol version 1, phone BCD[10], serial 2. Where bit 13 is set, the number of
parts 2 and this part's own 2, from 1 on. Used by `message` and `connection`.
"""

from struct import Struct as Layout
from typing import Literal

import msgspec

from producers.jt808.errors import ProtocolError
from producers.jt808.framing import MOST_BODY
from producers.jt808.text import write_digits

Version = Literal["2011", "2013", "2019"]

LENGTH_BITS = 0x03FF
ENCRYPTION_BITS = 0x1C00
ENCRYPTION_SHIFT = 10
PART_BIT = 0x2000
VERSION_BIT = 0x4000
_PART_BYTES = 4

_OLD = Layout(">HH6sH")
_NEW = Layout(">HHB10sH")
_PART = Layout(">HH")


class Part(msgspec.Struct, frozen=True, gc=False):
    """Which part of a message a frame carries."""

    number: int
    """From 1 on."""
    of: int


class Header(msgspec.Struct, frozen=True, gc=False):
    """What stands before the body."""

    message_id: int
    phone: str
    """The digits on the wire: 12, or 20 in 2019. Peers also send digits above 9, `a` to `f`."""
    serial: int
    version: Version
    length: int
    """Bytes of the body, as told."""
    encryption: int = 0
    """Bits 10 to 12 of the attributes: 0 none, 1 RSA."""
    part: Part | None = None
    protocol_version: int = 1
    """2019 only."""


def bare_phone(phone: str) -> str:
    """A phone without the zeros before it: the key of a terminal everywhere."""
    return phone.lstrip("0") or "0"


def read_header(payload: bytes, version: Version = "2013") -> tuple[Header, int]:
    """The header and where the body begins.

    `version` is that of terminals whose header does not tell. Raises `ProtocolError`.
    """
    if len(payload) < _OLD.size:
        raise ProtocolError(f"{len(payload)} bytes are too short for a header of {_OLD.size}")
    protocol_version = 1
    message_id, attributes, digits, serial = _OLD.unpack_from(payload)
    start = _OLD.size
    if attributes & VERSION_BIT:
        if len(payload) < _NEW.size:
            raise ProtocolError(f"{len(payload)} bytes are too short for a header of {_NEW.size}")
        message_id, attributes, protocol_version, digits, serial = _NEW.unpack_from(payload)
        start, version = _NEW.size, "2019"
    elif version == "2019":
        version = "2013"
    part = None
    if attributes & PART_BIT:
        if len(payload) < start + _PART_BYTES:
            raise ProtocolError(f"{len(payload)} bytes are too short for the header of a part")
        of, number = _PART.unpack_from(payload, start)
        part, start = Part(number, of), start + _PART_BYTES
    header = Header(
        message_id,
        digits.hex(),
        serial,
        version,
        attributes & LENGTH_BITS,
        (attributes & ENCRYPTION_BITS) >> ENCRYPTION_SHIFT,
        part,
        protocol_version,
    )
    return header, start


def write_header(header: Header) -> bytes:
    """Raises `ProtocolError` where a value has no room."""
    _check("message id", header.message_id, 0xFFFF)
    _check("serial", header.serial, 0xFFFF)
    _check("encryption", header.encryption, 7)
    _check("length of a body", header.length, MOST_BODY)
    attributes = header.length | header.encryption << ENCRYPTION_SHIFT
    if header.part is not None:
        _check("number of a part", header.part.number, 0xFFFF)
        _check("number of parts", header.part.of, 0xFFFF)
        attributes |= PART_BIT
    if header.version == "2019":
        _check("protocol version", header.protocol_version, 0xFF)
        data = _NEW.pack(
            header.message_id,
            attributes | VERSION_BIT,
            header.protocol_version,
            write_digits(header.phone, 10, "phone"),
            header.serial,
        )
    else:
        phone = write_digits(header.phone, 6, "phone")
        data = _OLD.pack(header.message_id, attributes, phone, header.serial)
    return data if header.part is None else data + _PART.pack(header.part.of, header.part.number)


def _check(what: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise ProtocolError(f"{what} {value}; allowed are 0 to {most}")
