"""The cipher that platforms agree on: a stream of bytes from a key, XORed onto a body.

Called by `producers.jt809.message`. The same call enciphers and deciphers. JT/T 809, data
encryption: the three constants are agreed between the platforms, the key is in each header.
"""

from typing import Final

import msgspec

_WORD: Final = 0xFFFF_FFFF


class Cipher(msgspec.Struct, frozen=True):
    """The constants M1, IA1 and IC1 that two platforms have agreed on; 32 bits each, unsigned."""

    m1: int
    ia1: int
    ic1: int

    def __post_init__(self) -> None:
        for name in ("m1", "ia1", "ic1"):
            value = getattr(self, name)
            if not 0 <= value <= _WORD:
                raise ValueError(f"{name} {value}; allowed are 0 to {_WORD}")

    def apply(self, key: int, data: bytes) -> bytes:
        """`data` enciphered or deciphered.

        The key steps in 32 bits and overflows there, as in the standard's C text, where a key of 0
        counts as 1 and an M1 of 0 as 1.
        """
        m1, ia1, ic1 = self.m1 or 1, self.ia1, self.ic1
        key = key or 1
        out = bytearray(data)
        for at in range(len(out)):
            key = (ia1 * (key % m1) + ic1) & _WORD
            out[at] ^= key >> 20 & 0xFF
        return bytes(out)
