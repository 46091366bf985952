"""Wire bytes and what they frame: marks, escapes, CRC. JT/T 809, message structure.

A frame is 0x5B, the escaped header, body and CRC, 0x5D. Called by `producers.jt809.message` and
`producers.jt809.connection`; knows nothing of headers.
"""

import re
from binascii import crc_hqx
from typing import Final

from producers.jt808.errors import ProtocolError

BEGIN: Final = 0x5B
END: Final = 0x5D
CRC_BYTES: Final = 2

_ESCAPED: Final = {0x5B: b"\x5a\x01", 0x5A: b"\x5a\x02", 0x5D: b"\x5e\x01", 0x5E: b"\x5e\x02"}
_PLAIN: Final = {pair: bytes([byte]) for byte, pair in _ESCAPED.items()}
_TO_ESCAPE: Final = re.compile(rb"[\x5a\x5b\x5d\x5e]")
_ESCAPES: Final = re.compile(rb"[\x5a\x5e][\x01\x02]")


def frame(payload: bytes) -> bytes:
    """Header and body as they go onto the wire."""
    whole = payload + crc_of(payload).to_bytes(CRC_BYTES)
    return b"\x5b" + _TO_ESCAPE.sub(lambda found: _ESCAPED[found[0][0]], whole) + b"\x5d"


def unframe(wire: bytes) -> bytes:
    """Header and body of one frame. Raises `ProtocolError`.

    What a log shows of a frame is often unescaped already: where the escapes do not give the CRC,
    the bytes as they are may, if the length that the header states is theirs too.
    """
    if len(wire) < 2 or wire[0] != BEGIN or wire[-1] != END:
        raise ProtocolError(f"{wire[:16].hex()}: no frame; expected 5b … 5d")
    inside = wire[1:-1]
    whole = unescape(inside)
    if len(whole) <= CRC_BYTES:
        raise ProtocolError(f"a frame of {len(whole)} bytes; expected a header and a CRC")
    if not _crc_fits(whole):
        if inside == whole or int.from_bytes(inside[:4]) != len(wire) or not _crc_fits(inside):
            raise ProtocolError(
                f"CRC {whole[-CRC_BYTES:].hex()}; the bytes make {crc_of(whole[:-CRC_BYTES]):04x}"
            )
        whole = inside
    return whole[:-CRC_BYTES]


def unescape(escaped: bytes) -> bytes:
    """A byte that begins an escape and is followed by nothing that ends one stands for itself:
    there are senders that escape the marks only. The CRC tells whether that was right."""
    if b"\x5a" not in escaped and b"\x5e" not in escaped:
        return escaped
    return _ESCAPES.sub(lambda found: _PLAIN[found[0]], escaped)


def _crc_fits(whole: bytes) -> bool:
    return crc_of(whole[:-CRC_BYTES]) == int.from_bytes(whole[-CRC_BYTES:])


def crc_of(payload: bytes) -> int:
    """CRC-16 with polynomial 0x1021 that starts from 0xFFFF, over header and body."""
    return crc_hqx(payload, 0xFFFF)
