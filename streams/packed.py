"""Ids of trucks as one text, end to end: what the table of trucks keeps, a batch brings and a
snapshot takes along, without an object for each; and room for more in arrays that grow.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class Packed(NamedTuple):
    """Ids end to end: the i-th is text[ends[i]:ends[i + 1]]."""

    text: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, ids: Iterable[str]) -> "Packed":
        encoded = [one.encode() for one in ids]
        ends = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(one) for one in encoded], out=ends[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), ends)

    def unpacked(self) -> list[str]:
        text = self.text.tobytes()
        return [text[start:end].decode() for start, end in pairwise(self.ends.tolist())]


def larger(array: Any, needed: int, used: int) -> Any:
    """A copy of what is used of `array`, with room for `needed` and as much again."""
    copy = np.zeros(2 * needed, array.dtype)
    copy[:used] = array[:used]
    return copy
