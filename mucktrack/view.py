"""What `mucktrack up` shows: a table that renews itself on a terminal, else a line now and then.

It is given a `Snapshot` and knows nothing of where the figures come from.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mucktrack.violation_queue import Seen

LINE_EVERY_S = 5.0
MESSAGES_A_LINE = 3
SEVERITY_STYLES = {"critical": "bold red", "major": "red", "minor": "yellow", "lead": "cyan"}
TABLE_FRAME = 5
"""Rows of a table that are not its content: title, header, lines."""
ROWS_A_VIOLATION = 4
"""What it is, and its message in two languages, one of which may need two rows."""
PHASES = ("opened", "escalated", "closed", "occurred")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The figures at one moment."""

    elapsed_s: float = 0.0
    positions: int = 0
    rejected: int = 0
    rate: float = 0.0
    """Positions a second, lately."""
    trucks: int = 0
    """That have reported."""
    violations: int = 0
    by_rule: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Rule → phase → how many."""
    titles: Mapping[str, str] = field(default_factory=dict)
    latest: Sequence[Seen] = ()
    """Newest last."""


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
    """A table that renews itself."""

    def __init__(self, console: Console, heading: Sequence[str], timezone: ZoneInfo) -> None:
        self._heading = heading
        self._timezone = timezone
        self._console = console
        self._live = Live(console=console, auto_refresh=False)
        self._live.start()

    def show(self, now: Snapshot, fresh: Sequence[Seen]) -> None:
        fixed = len(self._heading) + 1 + TABLE_FRAME + len(now.by_rule) + TABLE_FRAME
        room = max(1, (self._console.height - fixed) // ROWS_A_VIOLATION)
        shown = replace(now, latest=now.latest[-room:])
        self._live.update(render(shown, self._heading, self._timezone), refresh=True)

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


def figures(now: Snapshot) -> str:
    return (
        f"{now.elapsed_s:.0f} s · positions {now.positions:,} ({now.rate:,.0f}/s) · "
        f"trucks {now.trucks:,} · violations {now.violations:,} · rejected {now.rejected:,}"
    )


def render(now: Snapshot, heading: Sequence[str], timezone: ZoneInfo) -> RenderableType:
    """The whole picture of one moment."""
    return Group(
        *(Text(line, style="dim") for line in heading),
        Text(figures(now), style="bold"),
        _rules(now),
        _latest(now, timezone),
    )


def _rules(now: Snapshot) -> Table:
    table = Table(title="violations by rule", title_justify="left", expand=False)
    table.add_column("rule", no_wrap=True)
    table.add_column("规则", no_wrap=True)
    for phase in PHASES:
        table.add_column(phase, justify="right")
    for rule in sorted(now.by_rule, key=lambda one: -sum(now.by_rule[one].values())):
        counts = (now.by_rule[rule].get(phase, 0) for phase in PHASES)
        table.add_row(rule, now.titles[rule], *(f"{count:,}" if count else "" for count in counts))
    return table


def _latest(now: Snapshot, timezone: ZoneInfo) -> Table:
    table = Table(title="latest", title_justify="left", expand=True)
    table.add_column("time", no_wrap=True)
    table.add_column("truck", no_wrap=True)
    table.add_column("what", ratio=1)
    for seen in reversed(now.latest):
        when = datetime.fromtimestamp(seen.detected_ms / 1000, timezone)
        what = Text(f"{seen.title} {seen.rule}", style=SEVERITY_STYLES.get(seen.severity, ""))
        what.append(f" {seen.phase}\n", style="dim")
        what.append(f"{seen.message}\n", style="default")
        what.append(seen.message_en, style="dim")
        table.add_row(f"{when:%m-%d %H:%M:%S}", seen.truck_id, what)
    return table
