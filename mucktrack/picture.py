"""The picture of one moment that `mucktrack up` shows on a terminal, fitted to its size.

Called by `mucktrack.view`. It is given a `Snapshot` and knows nothing of where the figures come
from. Of several layouts, from roomy to tight, the first is taken that has room for all; in the
tightest the rarest rules make way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from mucktrack.violation_queue import Seen
from streams.catalogue import PHASES

SEVERITY_STYLES = {"critical": "bold red", "major": "red", "minor": "yellow", "lead": "cyan"}
FEWEST_LINES = 4
"""Of the latest violations, however small the terminal."""


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


@dataclass(frozen=True, slots=True)
class _Layout:
    """What is shown; less from one to the next."""

    english: bool
    """Beside the Chinese."""
    frames: bool
    """Around the tables; without them a violation takes one line."""
    phases: bool
    """A column for each, else one for all."""
    whole_heading: bool
    """Over as many lines as it takes, else each of its lines cut."""


_LAYOUTS = (
    _Layout(english=True, frames=True, phases=True, whole_heading=True),
    _Layout(english=False, frames=True, phases=True, whole_heading=True),
    _Layout(english=False, frames=False, phases=True, whole_heading=True),
    _Layout(english=False, frames=False, phases=False, whole_heading=True),
    _Layout(english=False, frames=False, phases=False, whole_heading=False),
)


def figures(now: Snapshot) -> str:
    return (
        f"{now.elapsed_s:.0f} s · positions {now.positions:,} ({now.rate:,.0f}/s) · "
        f"trucks {now.trucks:,} · violations {now.violations:,} · rejected {now.rejected:,}"
    )


def picture(
    now: Snapshot, heading: Sequence[str], timezone: ZoneInfo, console: Console
) -> RenderableType:
    """The whole picture, no wider and no higher than the console."""
    for layout in _LAYOUTS:
        top, rules = _top(now, heading, layout), _rules(now, layout, len(now.by_rule))
        if Measurement.get(console, console.options, rules).maximum > console.width:
            continue
        room = console.height - _height(console, top) - _height(console, rules)
        latest, lines = _latest_within(room, now, layout, timezone, console)
        if lines >= FEWEST_LINES or len(latest) == len(now.latest):
            return Group(top, rules, _latest(latest, layout, timezone))
    return _tightest(now, heading, timezone, console)


def _tightest(
    now: Snapshot, heading: Sequence[str], timezone: ZoneInfo, console: Console
) -> RenderableType:
    """The most frequent rules, so that a few lines of the latest violations have room."""
    layout = _LAYOUTS[-1]
    newest = now.latest[-FEWEST_LINES:]
    top, latest = _top(now, heading, layout), _latest(newest, layout, timezone)
    # One line above the rules, one that tells of those not shown.
    room = console.height - _height(console, top) - _height(console, latest) - 2
    return Group(top, _rules(now, layout, max(1, room)), latest)


def _height(console: Console, shown: RenderableType) -> int:
    return len(console.render_lines(shown, console.options.update(height=None), pad=False))


def _top(now: Snapshot, heading: Sequence[str], layout: _Layout) -> Group:
    cut = not layout.whole_heading
    lines = (Text(line, style="dim", no_wrap=cut, overflow="ellipsis") for line in heading)
    return Group(*lines, Text(figures(now), style="bold"))


def _table(layout: _Layout, title: str, *, expand: bool) -> Table:
    if layout.frames:
        return Table(title=title, title_justify="left", expand=expand)
    return Table(box=None, pad_edge=False, expand=expand, header_style="dim")


def _rules(now: Snapshot, layout: _Layout, count: int) -> Table:
    """The `count` most frequent rules."""
    table = _table(layout, "violations by rule", expand=False)
    if layout.english:
        table.add_column("rule", no_wrap=True)
    table.add_column("规则", no_wrap=True)
    for name in PHASES if layout.phases else ("count",):
        table.add_column(name, justify="right", no_wrap=True)
    frequent = sorted(now.by_rule, key=lambda rule: -sum(now.by_rule[rule].values()))
    for rule in frequent[:count]:
        phases = now.by_rule[rule]
        counts = [phases.get(phase, 0) for phase in PHASES]
        names = [rule, now.titles[rule]] if layout.english else [now.titles[rule]]
        shown = counts if layout.phases else [sum(counts)]
        # As `Text`, or what stands in brackets would be taken for a style.
        table.add_row(*map(Text, names), *(f"{one:,}" if one else "" for one in shown))
    if len(frequent) > count:
        table.add_row(f"and {len(frequent) - count} more")
    return table


def _latest_within(
    room: int, now: Snapshot, layout: _Layout, timezone: ZoneInfo, console: Console
) -> tuple[Sequence[Seen], int]:
    """As many of the newest violations as `room` lines hold, and the lines of them."""
    frame = _height(console, _latest([], layout, timezone))
    fewest_each = 1 + layout.frames + layout.english
    for count in range(min(len(now.latest), (room - frame) // fewest_each), 0, -1):
        newest = now.latest[-count:]
        height = _height(console, _latest(newest, layout, timezone))
        if height <= room:
            return newest, height - frame
    return [], 0


def _latest(newest: Sequence[Seen], layout: _Layout, timezone: ZoneInfo) -> Table:
    table = _table(layout, "latest", expand=True)
    if layout.phases:
        table.add_column("time", no_wrap=True)
    table.add_column("truck", no_wrap=True)
    if not layout.frames:
        table.add_column("规则", no_wrap=True)
    table.add_column("what" if layout.frames else "latest", ratio=1, no_wrap=not layout.frames)
    for seen in reversed(newest):
        when = f"{datetime.fromtimestamp(seen.detected_ms / 1000, timezone):%m-%d %H:%M:%S}"
        style = SEVERITY_STYLES.get(seen.severity, "")
        told = (
            [_told(seen, layout, style)]
            if layout.frames
            else [Text(seen.title, style=style), Text(seen.message)]
        )
        table.add_row(*([when] if layout.phases else []), Text(seen.truck_id), *told)
    return table


def _told(seen: Seen, layout: _Layout, style: str) -> Text:
    name = f"{seen.title} {seen.rule}" if layout.english else seen.title
    told = Text(name, style=style)
    told.append(f" {seen.phase}\n", style="dim")
    told.append(seen.message, style="default")
    if layout.english:
        told.append(f"\n{seen.message_en}", style="dim")
    return told
