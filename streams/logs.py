"""What a worker says on stderr, where nobody has set up logging before it.

Called by `streams.app`. A library that tries again ten times a second says so once in a while; and
whatever a message quotes, it stays on its line (`streams.shown`).
"""

import logging
import time
from typing import Any

from streams.checkpoint import CannotGoOnError
from streams.shown import shown

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
REPEAT_S = 30.0
LONGEST_MESSAGE = 2_000
"""Characters; of a line of a traceback too."""


class NotAgain(logging.Filter):
    """Lets the same message of `name` and what is below it pass once in `REPEAT_S`."""

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
        self._said[what] = now
        return True


class WithoutTraceback(logging.Filter):
    """Lets an error that is no bug pass once, as one line."""

    def __init__(self) -> None:
        super().__init__()
        self._said: list[BaseException] = []

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, CannotGoOnError):
            return True
        if error in self._said:
            return False
        self._said.append(error)
        record.msg, record.args, record.exc_info, record.exc_text = str(error), None, None, None
        return True


class OneLine(logging.Formatter):
    """A message is one line, and the lines of a traceback are indented, so that none of them can
    pass for a message."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = shown(record.message, LONGEST_MESSAGE)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"  {shown(line, LONGEST_MESSAGE)}" for line in lines)


def log_to_stderr() -> None:
    """Once for the process; leaves alone what is set up already."""
    if logging.root.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine(FORMAT))
    handler.addFilter(NotAgain("aiokafka"))
    handler.addFilter(WithoutTraceback())
    logging.root.addHandler(handler)
    logging.getLogger("streams").setLevel(logging.INFO)
    # `streams.sinks` says itself what the broker did not take.
    logging.getLogger("aiokafka.producer").setLevel(logging.CRITICAL)
