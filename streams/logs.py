"""What a worker says on stderr, where nobody has set up logging before it.

Called by `streams.app`. A library that tries again ten times a second says so once in a while.
"""

import logging
import time

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


def log_to_stderr() -> None:
    """Once for the process; leaves alone what is set up already."""
    if logging.root.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(NotAgain("aiokafka"))
    logging.root.addHandler(handler)
    logging.getLogger("streams").setLevel(logging.INFO)
    # `streams.sinks` says itself what the broker did not take.
    logging.getLogger("aiokafka.producer").setLevel(logging.CRITICAL)
