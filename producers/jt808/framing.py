"""Between bytes on the wire and a payload: flags, escapes, checksum (JT/T 808 4.4, the same in all
editions).

A frame is 0x7E, the escaped payload and its checksum, 0x7E. Used by `message` and `connection`;
knows nothing of headers.
"""

from producers.jt808.errors import ProtocolError

FLAG = 0x7E
FLAG_BYTE = b"\x7e"
MOST_BODY = 1023
"""Bytes; the header has 10 bits for it."""
MOST_PAYLOAD = 17 + 4 + MOST_BODY
"""Bytes of the header of 2019, with that of a part, and a body."""
MOST_BETWEEN_FLAGS = 2 * (MOST_PAYLOAD + 1)
"""Bytes between two flags, where every single one had to be escaped."""


def checksum(data: bytes) -> int:
    """All bytes XORed."""
    # Bytes as one number, folded in half until one byte is left: no loop over bytes.
    folded = int.from_bytes(data, "big")
    width = 4 << len(data).bit_length()
    while width >= 8:
        folded ^= folded >> width
        width >>= 1
    return folded & 0xFF


def checked(data: bytes) -> bytes:
    """Header and body, without the checksum behind them. Raises `ProtocolError`."""
    if not data or checksum(data):
        found = data[-1] if data else 0
        raise ProtocolError(f"checksum {found:#04x}; expected {checksum(data[:-1]):#04x}")
    return data[:-1]


def escape(data: bytes) -> bytes:
    return data.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02")


def unescape(data: bytes) -> bytes:
    """Raises `ProtocolError` where 0x7D is followed by neither 0x01 nor 0x02."""
    marks = data.count(b"\x7d")
    if not marks:
        return data
    if data.count(b"\x7d\x02") + data.count(b"\x7d\x01") != marks:
        raise ProtocolError("an escape 0x7D is followed by neither 0x01 nor 0x02")
    return data.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")


def flagged(data: bytes) -> bytes:
    """The bytes on the wire of header, body and a checksum, whatever that says."""
    return b"\x7e%b\x7e" % escape(data)


def frame(payload: bytes) -> bytes:
    """The bytes on the wire of header and body."""
    return flagged(payload + bytes((checksum(payload),)))


def unframed(data: bytes) -> bytes:
    """What is between the flags of one frame, or `data` itself where it has none."""
    if len(data) >= 2 and data[0] == FLAG and data[-1] == FLAG:
        return data[1:-1]
    return data
