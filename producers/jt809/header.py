"""The header of every message, and which version of the standard it is of.

JT/T 809-2011: 22 bytes. 2019: 30, the same and the sender's time. Called by
`producers.jt809.message`.

The version bytes do not tell the two apart: they number the agreed protocol, and platforms of 2019
send 1.0.0 as those of 2011 do. A link knows its version from the login. Where nothing is known
(`version_told`), the login tells by its length, and everything else by the eight bytes where 2019
has the time: a time between 2010 and 2100, which begins with four zero bytes, is taken for one.
A body of 2011 could only look like that with a plate that begins with four zero bytes.
"""

import struct
from typing import Final, Literal

import msgspec

from producers.jt808.errors import ProtocolError

Version = Literal["2011", "2019"]

HEADER_BYTES: Final[dict[Version, int]] = {"2011": 22, "2019": 30}
OUTSIDE_BYTES: Final = 4
"""Of a message's length, which counts its marks and CRC."""

_LOGIN: Final = 0x1001
_AFTER_FIXED: Final[dict[int, Version]] = {46: "2011", 8 + 50: "2019"}
"""A login's bytes behind what the headers of both versions have."""
_EARLIEST_S: Final = 1_262_304_000
_LATEST_S: Final = 4_102_444_800
_FIXED: Final = struct.Struct(">IIHI3sBI")
_TIME: Final = struct.Struct(">Q")


class Header(msgspec.Struct, frozen=True):
    """What stands before a body."""

    version: Version
    length: int
    """Bytes as the sender counts them: unescaped, with marks and CRC. Nothing relies on it."""
    serial: int
    message_id: int
    centre_id: int
    """The access code of the lower platform (MSG_GNSSCENTERID)."""
    protocol: tuple[int, int, int]
    """Version bytes."""
    encrypted: bool
    key: int
    time_s: int | None
    """The sender's clock, Unix epoch seconds UTC; 2019 only."""


def read_header(payload: bytes, version: Version | None = None) -> tuple[Header, bytes]:
    """Header and body, still enciphered where it is. `version` as known from the link."""
    if version is None:
        version = version_told(payload)
    size = HEADER_BYTES[version]
    if len(payload) < size:
        raise ProtocolError(f"{len(payload)} bytes; a header of {version} has {size}")
    length, serial, message_id, centre_id, protocol, flag, key = _FIXED.unpack_from(payload)
    if flag > 1:
        raise ProtocolError(f"encryption flag {flag}; allowed are 0 and 1")
    time_s = _TIME.unpack_from(payload, _FIXED.size)[0] if version == "2019" else None
    header = Header(
        version,
        length,
        serial,
        message_id,
        centre_id,
        (protocol[0], protocol[1], protocol[2]),
        bool(flag),
        key,
        time_s,
    )
    return header, payload[size:]


def write_header(header: Header) -> bytes:
    """Raises `ProtocolError` where a value has no place."""
    try:
        fixed = _FIXED.pack(
            header.length,
            header.serial,
            header.message_id,
            header.centre_id,
            bytes(header.protocol),
            header.encrypted,
            header.key,
        )
        return fixed if header.version == "2011" else fixed + _TIME.pack(header.time_s or 0)
    except (struct.error, ValueError) as error:
        raise ProtocolError(f"header: {error}") from None


def version_told(payload: bytes) -> Version:
    """What the frame alone tells (see above)."""
    if len(payload) < _FIXED.size:
        raise ProtocolError(f"{len(payload)} bytes; a header has {_FIXED.size} at least")
    body_bytes = len(payload) - _FIXED.size
    if int.from_bytes(payload[8:10]) == _LOGIN:
        told = _AFTER_FIXED.get(body_bytes)
        if told is not None:
            return told
    if body_bytes < _TIME.size:
        return "2011"
    (time_s,) = _TIME.unpack_from(payload, _FIXED.size)
    return "2019" if _EARLIEST_S <= time_s < _LATEST_S else "2011"
