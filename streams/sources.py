"""Where positions come from, as far as it is told apart: the few ways in that there are.

`source` of a position is free text (design section 3), so what counts by it counts by these.
`streams.batch` and `streams.reading.record` make a column of their numbers. Pure.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

SOURCES: Final = ("none", "jt808", "jt809", "file", "sim", "other")
"""By their number; the first where nothing is said, the last for all other texts."""
NO_SOURCE, OTHER_SOURCE = 0, len(SOURCES) - 1

_texts: Final = [name.encode() for name in SOURCES[:OTHER_SOURCE]]
SOURCE_LENGTHS: Final = np.array([-1, *map(len, _texts[1:])])
"""By number, of the texts that stand for themselves; no text is as long as the first."""
SOURCE_NAMES: Final = np.array([list(text.ljust(8)) for text in _texts], np.uint8)

_numbers: Final[dict[str | None, int]] = {
    None: NO_SOURCE,
    **{SOURCES[number]: number for number in range(NO_SOURCE + 1, OTHER_SOURCE)},
}


def source_number(source: str | None) -> int:
    """The place in `SOURCES` of what a position says."""
    return _numbers.get(source, OTHER_SOURCE)


def source_numbers(sources: Sequence[str | None]) -> npt.NDArray[np.uint8] | int:
    """Of each, of one at least; one number where all say the same, as those of one gateway do."""
    if sources.count(sources[0]) == len(sources):
        return source_number(sources[0])
    return np.array([source_number(source) for source in sources], np.uint8)
