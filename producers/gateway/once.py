"""What is said of a terminal once in a while, however often it comes to pass.

Used where a terminal that tries again every few seconds would fill the log. Time is an argument.
"""

from typing import Final

AGAIN_S: Final = 60.0
MOST: Final = 1_000
"""Keys remembered: with more in one minute the rest is not said at all."""


class Once:
    """Lets the same key pass once in `AGAIN_S`."""

    def __init__(self) -> None:
        self._said_s: dict[str, float] = {}
        """Oldest first."""

    def may(self, key: str, now_s: float) -> bool:
        """Whether it may be said now; if so, it counts as said."""
        while self._said_s:
            oldest = next(iter(self._said_s))
            if now_s - self._said_s[oldest] < AGAIN_S:
                break
            del self._said_s[oldest]
        if key in self._said_s or len(self._said_s) >= MOST:
            return False
        self._said_s[key] = now_s
        return True
