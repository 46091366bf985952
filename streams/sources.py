"""Where positions come from, as far as it is told apart: the few ways in that there are.

`source` of a position is free text (design section 3), so what counts by it counts by these.
`streams.batch` makes a column of their numbers. Pure.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

NO_SOURCE: Final = "none"
OTHER_SOURCE: Final = "other"
SOURCES: Final = (NO_SOURCE, "jt808", "jt809", "file", "sim", OTHER_SOURCE)
"""By their number."""

_numbers: Final[dict[str | None, int]] = {
    None: SOURCES.index(NO_SOURCE),
    **{name: number for number, name in enumerate(SOURCES) if name != NO_SOURCE},
}
_OTHER: Final = SOURCES.index(OTHER_SOURCE)


def source_number(source: str | None) -> int:
    """The place in `SOURCES` of what a position says."""
    return _numbers.get(source, _OTHER)


def source_numbers(sources: Sequence[str | None]) -> npt.NDArray[np.uint8] | int:
    """Of each, of one at least; one number where all say the same, as those of one gateway do."""
    if sources.count(sources[0]) == len(sources):
        return source_number(sources[0])
    return np.array([source_number(source) for source in sources], np.uint8)
