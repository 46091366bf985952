"""Keeps event time and the wall clock in step. Used by replay and simulator."""

import time

from streams.logs import get_log

log = get_log(__name__)

LONGEST_WAIT_MS = 3_600_000
"""Event time in which nothing happens for longer than this is passed over at once."""


class Pace:
    """Event time runs `speed` times as fast as the clock, from the first call on."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._start_s: float | None = None
        self._start_ms = 0
        self._latest_ms = 0

    def wait_until(self, event_ms: int) -> None:
        """Return when event time has come to `event_ms`; at once where it has been there."""
        if self._start_s is None or event_ms - self._latest_ms > LONGEST_WAIT_MS:
            if self._start_s is not None:
                log.info("gap_passed_over", hours=round((event_ms - self._latest_ms) / 3.6e6, 1))
            self._start_s, self._start_ms = time.monotonic(), event_ms
        if event_ms > self._latest_ms:
            self._latest_ms = event_ms
            due_s = self._start_s + (event_ms - self._start_ms) / 1000 / self._speed
            # Shorter waits cost more than they keep the pace.
            if (wait_s := due_s - time.monotonic()) > 0.001:
                time.sleep(wait_s)
