"""Which lines of a log are left out: what is said again and again, and what floods.

Put on the handler by `streams.logs`. Nothing is left out without being counted.
"""

import logging
import threading
import time
from typing import Final

from streams.endings import CannotGoOnError
from streams.log_lines import Event

SAID: Final = "_said_in_the_log"
"""An attribute of errors."""
REPEAT_S: Final = 30.0
WINDOW_S: Final = 10.0
MOST_IN_A_WINDOW: Final = 100
"""Lines of one event: enough to follow what a few terminals do, too few to fill a disk."""
MOST_EVENTS: Final = 1_000
"""Names that are told apart; libraries make up theirs."""


class NotAgain(logging.Filter):
    """Lets the same message of `name` and what is below it pass once in `REPEAT_S`: a library that
    tries again ten times a second says so once in a while."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._said: dict[tuple[str, object], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not super().filter(record):
            return True
        now = time.monotonic()
        what = record.name, record.msg
        if now - self._said.get(what, -REPEAT_S) < REPEAT_S:
            return False
        if len(self._said) >= MOST_EVENTS:
            self._said.clear()
        self._said[what] = now
        return True


class ErrorOnce(logging.Filter):
    """Lets an error pass once, however many say it on its way out of the process; one that is no
    bug without its traceback, as one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        if getattr(error, SAID, False):
            return False
        setattr(error, SAID, True)
        if isinstance(error, CannotGoOnError):
            record.msg, record.args = Event("cannot_go_on", {"error": error}), None
            record.exc_info = record.exc_text = None
        return True


class NotTooOften(logging.Filter):
    """Lets `MOST_IN_A_WINDOW` lines of an event pass in `WINDOW_S`; the next one that passes has
    the number of those that did not, as `left_out`. Whoever connects can bring events about."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._began_s = time.monotonic()
        self._lines: dict[str, int] = {}
        self._left_out: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        event = _kind(record.msg)
        with self._lock:
            now_s = time.monotonic()
            if now_s - self._began_s >= WINDOW_S or len(self._lines) >= MOST_EVENTS:
                self._began_s = now_s
                self._lines.clear()
            lines = self._lines[event] = self._lines.get(event, 0) + 1
            if lines > MOST_IN_A_WINDOW:
                self._left_out[event] = self._left_out.get(event, 0) + 1
                return False
            left_out = self._left_out.pop(event, 0)
        if left_out:
            record.left_out = left_out
        return True


def _kind(message: object) -> str:
    """Of which not too many are to pass. What people do is one event, and many actions."""
    if isinstance(message, Event):
        return f"{message.name} {message.fields.get('action', '')}"
    return str(message)
