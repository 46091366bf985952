"""What a worker says on stderr, where nobody has set up logging before it.

Called by `streams.app`. A library that tries again ten times a second says so once in a while.
"""

import logging
import time

from streams.checkpoint import CannotGoOnError

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
REPEAT_S = 30.0


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


def log_to_stderr() -> None:
    """Once for the process; leaves alone what is set up already."""
    if logging.root.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(NotAgain("aiokafka"))
    handler.addFilter(WithoutTraceback())
    logging.root.addHandler(handler)
    logging.getLogger("streams").setLevel(logging.INFO)
    # `streams.sinks` says itself what the broker did not take.
    logging.getLogger("aiokafka.producer").setLevel(logging.CRITICAL)
