"""One message between platforms: `decode` makes it of a frame, `encode` a frame of it.

JT/T 809-2011 and 2019. Pure: no sockets, no clocks. Called by `producers.jt809.connection`, by the
gateway and by `mucktrack jt809`.
"""

import struct
from collections.abc import Callable
from typing import Final

import msgspec

from producers.jt808.errors import ProtocolError
from producers.jt809.cipher import Cipher
from producers.jt809.fields import Layout, Text, read, write
from producers.jt809.framing import frame, unframe
from producers.jt809.header import (
    HEADER_BYTES,
    OUTSIDE_BYTES,
    Header,
    Version,
    read_header,
    write_header,
)
from producers.jt809.table import layouts_of, names_request_first, wrapping_of

CipherOf = Callable[[int], Cipher | None]
"""The cipher agreed with the platform of this access code."""

PLATE_BYTES: Final = 21
_PLATE: Final = Text(PLATE_BYTES)
_VEHICLE: Final = struct.Struct(">BH")
_PLATFORM: Final = struct.Struct(">H")
_LENGTH: Final = struct.Struct(">I")


class Raw(msgspec.Struct):
    """A body that no table knows."""

    raw: bytes


class OfVehicle(msgspec.Struct):
    """A sub message about a vehicle: 0x1200, 0x1500, 0x9200 and others."""

    plate: str
    colour: int
    """JT/T 415: 1 blue, 2 yellow, 3 black, 4 white, 9 others."""
    sub_id: int
    data: Layout | Raw
    surplus: bytes = b""
    """What follows the length that the sender gave."""


class OfPlatform(msgspec.Struct):
    """A sub message between platforms: 0x1300, 0x9300 and others."""

    sub_id: int
    data: Layout | Raw
    surplus: bytes = b""


class BodyError(ProtocolError):
    """The frame is whole and its header can be read; its body cannot."""

    def __init__(self, error: str, header: Header) -> None:
        super().__init__(error)
        self.header = header


Body = Layout | OfVehicle | OfPlatform | Raw


class Message(msgspec.Struct):
    """What one platform tells the other."""

    message_id: int
    body: Body
    serial: int = 0
    centre_id: int = 0
    """The access code of the lower platform, in both directions."""
    version: Version = "2011"
    protocol: tuple[int, int, int] = (1, 0, 0)
    """Version bytes, which tell nothing (`producers.jt809.header`)."""
    encrypted: bool = False
    key: int = 0
    time_s: int | None = None
    """2019: when it was sent, Unix epoch seconds UTC."""


def decode(
    wire: bytes, version: Version | None = None, cipher_of: CipherOf | None = None
) -> Message:
    """The message in one frame. Raises `ProtocolError`, where the frame is whole a `BodyError`.

    `version` where the link is known; else the frame itself tells (`producers.jt809.header`).
    """
    header, body = read_header(unframe(wire), version)
    if header.encrypted:
        cipher = cipher_of(header.centre_id) if cipher_of is not None else None
        if cipher is None:
            raise BodyError(
                f"message 0x{header.message_id:04x} is encrypted; no M1, IA1 and IC1 are known "
                f"for access code {header.centre_id}",
                header,
            )
        body = cipher.apply(header.key, body)
    try:
        read_as = read_body(header.message_id, header.version, body)
    except ProtocolError as error:
        raise BodyError(str(error), header) from None
    return Message(
        header.message_id,
        read_as,
        header.serial,
        header.centre_id,
        header.version,
        header.protocol,
        header.encrypted,
        header.key,
        header.time_s,
    )


def encode(message: Message, cipher: Cipher | None = None) -> bytes:
    """Its frame. Raises `ProtocolError` where a value has no place."""
    body = write_body(message.message_id, message.version, message.body)
    header = Header(
        version=message.version,
        length=HEADER_BYTES[message.version] + len(body) + OUTSIDE_BYTES,
        serial=message.serial,
        message_id=message.message_id,
        centre_id=message.centre_id,
        protocol=message.protocol,
        encrypted=message.encrypted,
        key=message.key,
        time_s=message.time_s,
    )
    if message.encrypted:
        if cipher is None:
            raise ProtocolError("to encrypt, M1, IA1 and IC1 are needed")
        body = cipher.apply(message.key, body)
    return frame(write_header(header) + body)


def read_body(message_id: int, version: Version, body: bytes) -> Body:
    """A deciphered body. Raises `ProtocolError`."""
    wrapping = wrapping_of(message_id, version)
    if wrapping == "vehicle":
        return _read_vehicle(message_id, version, body)
    if wrapping == "platform":
        if len(body) < _PLATFORM.size + _LENGTH.size:
            raise ProtocolError(f"0x{message_id:04x}: {len(body)} bytes; expected 6 at least")
        (sub_id,) = _PLATFORM.unpack_from(body)
        data, surplus = _split(body, _PLATFORM.size)
        return OfPlatform(sub_id, _read_data(message_id, sub_id, version, data), surplus)
    return _read_data(message_id, None, version, body)


def write_body(message_id: int, version: Version, body: Body) -> bytes:
    if isinstance(body, OfVehicle):
        try:
            fixed = _PLATE.write(body.plate) + _VEHICLE.pack(body.colour, body.sub_id)
        except struct.error as error:
            raise ProtocolError(f"0x{message_id:04x}: {error}") from None
        data = _data_bytes(body.data)
        if names_request_first(message_id, body.sub_id, version):
            return fixed + data + body.surplus
        return fixed + _LENGTH.pack(len(data)) + data + body.surplus
    if isinstance(body, OfPlatform):
        data = _data_bytes(body.data)
        return _PLATFORM.pack(body.sub_id) + _LENGTH.pack(len(data)) + data + body.surplus
    return _data_bytes(body)


def _read_vehicle(message_id: int, version: Version, body: bytes) -> OfVehicle:
    fixed = PLATE_BYTES + _VEHICLE.size
    if len(body) < fixed:
        raise ProtocolError(
            f"0x{message_id:04x}: {len(body)} bytes; a plate and its sub message have "
            f"{fixed} at least"
        )
    try:
        plate, at = _PLATE.read(body, 0)
    except ProtocolError as error:
        raise ProtocolError(f"0x{message_id:04x} plate: {error}") from None
    colour, sub_id = _VEHICLE.unpack_from(body, at)
    if names_request_first(message_id, sub_id, version):
        data, surplus = body[fixed:], b""
    else:
        data, surplus = _split(body, fixed)
    return OfVehicle(plate, colour, sub_id, _read_data(message_id, sub_id, version, data), surplus)


def _split(body: bytes, at: int) -> tuple[bytes, bytes]:
    """The data behind the length at `at`, and what follows them."""
    if len(body) < at + _LENGTH.size:
        raise ProtocolError(f"{len(body) - at} bytes left; expected a length of 4")
    (length,) = _LENGTH.unpack_from(body, at)
    data = body[at + _LENGTH.size :]
    if length > len(data):
        raise ProtocolError(f"data of {length} bytes announced; {len(data)} there")
    return data[:length], data[length:]


def _read_data(message_id: int, sub_id: int | None, version: Version, data: bytes) -> Layout | Raw:
    refused: ProtocolError | None = None
    longer: Layout | None = None
    for layout in layouts_of(message_id, sub_id, version):
        try:
            body = read(layout, data)
        except ProtocolError as error:
            refused = refused or error
            continue
        if not body.extra:
            return body
        longer = longer or body
    if longer is not None:
        return longer
    if refused is None:
        return Raw(data)
    raise ProtocolError(f"0x{message_id if sub_id is None else sub_id:04x}: {refused}")


def _data_bytes(body: Layout | Raw) -> bytes:
    return body.raw if isinstance(body, Raw) else write(body)
