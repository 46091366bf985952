"""What `mucktrack up` shows: a picture that renews itself on a terminal, else a line now and then.

It is given a `Snapshot` and knows nothing of where the figures come from.
"""

import time
from collections.abc import Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live

from mucktrack.picture import Snapshot, figures, picture
from mucktrack.violation_queue import Seen

LINE_EVERY_S = 5.0
MESSAGES_A_LINE = 3


class View(Protocol):
    """Shows snapshots until it is closed."""

    def show(self, now: Snapshot, fresh: Sequence[Seen]) -> None:
        """`fresh`: the violations seen since the last call."""
        ...

    def close(self) -> None: ...


def open_view(console: Console, heading: Sequence[str], timezone: str) -> View:
    """`heading`: lines that say where to look. `timezone`: in which times are shown (IANA)."""
    if console.is_terminal:
        return LiveView(console, heading, ZoneInfo(timezone))
    return PlainView(console, heading)


class LiveView:
    """A picture that renews itself."""

    def __init__(self, console: Console, heading: Sequence[str], timezone: ZoneInfo) -> None:
        self._heading = heading
        self._timezone = timezone
        self._console = console
        self._live = Live(console=console, auto_refresh=False)
        self._live.start()

    def show(self, now: Snapshot, fresh: Sequence[Seen]) -> None:
        shown = picture(now, self._heading, self._timezone, self._console)
        self._live.update(shown, refresh=True)

    def close(self) -> None:
        self._live.stop()


class PlainView:
    """Lines for logs and pipes."""

    def __init__(
        self, console: Console, heading: Sequence[str], every_s: float = LINE_EVERY_S
    ) -> None:
        self._console = console
        self._every_s = every_s
        self._next_line_at = time.monotonic() + every_s
        self._fresh: list[Seen] = []
        for line in heading:
            self._print(line)

    def show(self, now: Snapshot, fresh: Sequence[Seen]) -> None:
        self._fresh.extend(fresh)
        if time.monotonic() < self._next_line_at:
            return
        self._next_line_at = time.monotonic() + self._every_s
        self._print(figures(now))
        for seen in self._fresh[-MESSAGES_A_LINE:]:
            self._print(f"  {seen.rule} {seen.phase} · {seen.truck_id} · {seen.message}")
        self._fresh.clear()

    def close(self) -> None:
        """Nothing is held."""

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)
