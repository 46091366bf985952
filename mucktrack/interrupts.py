"""What SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal is gone) do while there is something to be
put in order: they raise KeyboardInterrupt, so that `with` blocks and `finally` do it.

Used by the commands' bodies; outside of these blocks the signals simply end the process.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _raise() -> None:
    raise KeyboardInterrupt


@contextmanager
def interrupts(act: Callable[[], None] = _raise) -> Iterator[None]:
    """While the block lasts, the first signal calls `act`, and those after it are ignored: putting
    things in order is not to be interrupted, and is bounded in time."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        act()

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
