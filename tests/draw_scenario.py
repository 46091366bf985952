"""Draws golden streams, so that a person can see what each tests: `make pictures`.

    python tests/draw_scenario.py [NAME…]    into the folder `pictures/`

A row a truck: where it was, a closer look at the place that decides, and under them its positions
one by one with what the sensors said, what the engine knew, and the verdicts.
"""

import argparse
import sys
import textwrap
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import matplotlib as mpl
import numpy as np
from draw_map import Window, draw_city
from golden import SCENARIOS, Golden, golden, prepared_city
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from streams.detect import Engine
from streams.output import Violation
from streams.position import Position

OUTPUT: Final = Path(__file__).resolve().parent.parent / "pictures"
LOAD_COLOURS: Final = {True: "saddlebrown", False: "deepskyblue", None: "darkgray"}
LOAD_WORDS: Final = {True: "loaded", False: "empty", None: "unknown"}
VERDICT_COLOUR: Final = "crimson"
SENSORS: Final = ("loaded", "lifted", "covered")
CLOSEST_M, FARTHEST_M = 2.0, 250.0
"""Of a closer look: metres from its middle to each side."""
SAME_M: Final = 0.01


@dataclass(slots=True)
class Course:
    """A truck's positions with what came of each."""

    truck_id: str
    positions: list[Position]
    loads: list[bool | None]
    """What the engine knew after each."""
    rejected: dict[int, str]
    violations: list[Violation]

    @property
    def name(self) -> str:
        """Of the plate, what every font has."""
        return "".join(letter for letter in self.truck_id if letter.isascii())


def courses(scenario: Golden) -> list[Course]:
    """The offender first."""
    engine, found = Engine.offline(prepared_city()), dict[str, Course]()
    violations = []
    for position in scenario.positions:
        course = found.setdefault(position.truck_id, Course(position.truck_id, [], [], {}, []))
        outcome = engine.process([position])
        course.rejected |= {len(course.positions): reason for _, reason in outcome.rejected}
        course.positions.append(position)
        course.loads += engine.loads([position.truck_id])
        violations += outcome.violations
    for violation in violations + engine.finish().violations:
        found[violation.truck_id].violations.append(violation)
    return sorted(found.values(), key=lambda course: -len(course.violations))


def draw(scenario: Golden) -> Any:
    """The figure of a scenario."""
    both = courses(scenario)
    figure = plt.figure(figsize=(13, 8 * len(both)), layout="constrained")
    figure.suptitle(
        f"{scenario.name}\n" + textwrap.fill(scenario.about, 120), fontsize=12, x=0.02, ha="left"
    )
    whole, close = _whole(scenario.positions), _closer(both[0], both[1:])
    rows = figure.subfigures(len(both), 1)
    for course, row in zip(both, np.atleast_1d(rows), strict=True):
        axes = row.subplot_mosaic([["whole", "close"], ["line", "line"]], height_ratios=[2.4, 1])
        row.suptitle(f"{course.name}: {_summary(course)}", x=0.02, ha="left", fontsize=11)
        for name, window in (("whole", whole), ("close", close)):
            margin_m = prepared_city().thresholds.state["site_margin_m"]
            city, is_whole = prepared_city().compiled.city, name == "whole"
            draw_city(axes[name], city, window, margin_m, brief=is_whole)
            _draw_track(axes[name], course, window, says_what=not is_whole)
        axes["whole"].legend(handles=_legend(), fontsize=7, loc="lower left")
        axes["close"].set_title("closer", fontsize=8, loc="left")
        _draw_line(axes["line"], course)
    return figure


def _legend() -> list[Line2D]:
    dots = {"marker": "o", "linestyle": "-"}
    return [
        *(Line2D([], [], color=LOAD_COLOURS[v], label=f"load {LOAD_WORDS[v]}", **dots)
          for v in (None, False, True)),
        Line2D([], [], color="k", marker="x", linestyle="", label="no fix"),
        Line2D([], [], marker="o", markersize=12, linestyle="", markerfacecolor="none",
               markeredgecolor=VERDICT_COLOUR, label="verdict"),
    ]  # fmt: skip


def _summary(course: Course) -> str:
    return "; ".join(f"{v.rule} {v.phase}" for v in course.violations) or "nothing is said of it"


def _on_earth(positions: list[Position]) -> list[Position]:
    return [p for p in positions if (p.lon, p.lat) != (0, 0)]


def _whole(positions: list[Position]) -> Window:
    """All positions, with a margin."""
    lons, lats = zip(*((p.lon, p.lat) for p in _on_earth(positions)), strict=True)
    middle = Window((min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2, 0)
    east, north = middle.metres(max(lons), max(lats))
    return Window(middle.lon, middle.lat, max(300.0, 1.25 * max(east, north)))


def _closer(offender: Course, twins: list[Course]) -> Window:
    """Round the place by which the two differ least, near enough to tell them apart; where they
    drive alike, round that of the verdict."""
    verdict = offender.violations[0]
    found = (FARTHEST_M, verdict.lon, verdict.lat)
    for twin in twins:
        for ours, theirs in zip(offender.positions, twin.positions, strict=False):
            here = Window(ours.lon, ours.lat, 0)
            apart_m = float(np.hypot(*here.metres(theirs.lon, theirs.lat)))
            if SAME_M < apart_m < found[0]:
                found = (apart_m, ours.lon, ours.lat)
    apart_m, lon, lat = found
    return Window(lon, lat, float(np.clip(15 * apart_m, CLOSEST_M, FARTHEST_M)))


def _draw_track(ax: Axes, course: Course, window: Window, *, says_what: bool) -> None:
    fixes = [i for i in range(len(course.positions)) if i not in course.rejected]
    for before, after in pairwise(fixes):
        ends = [course.positions[before], course.positions[after]]
        x, y = window.metres([p.lon for p in ends], [p.lat for p in ends])
        ax.plot(x, y, color=LOAD_COLOURS[course.loads[before]], linewidth=1.5, alpha=0.7, zorder=5)
    places = defaultdict[tuple[float, float], list[int]](list)
    for i, position in enumerate(course.positions):
        places[position.lon, position.lat].append(i)
    for place, numbers in places.items():
        x, y = window.metres(*place)
        if max(abs(x), abs(y)) > window.reach_m:
            continue
        is_fix = any(i not in course.rejected for i in numbers)
        ax.scatter(
            x, y, s=36, zorder=7, color=LOAD_COLOURS[course.loads[numbers[-1]]] if is_fix else "k",
            marker="o" if is_fix else "x",
        )  # fmt: skip
        _note(ax, (x, y), _numbers(numbers), (5, 5), "black")
    for place, said in _verdict_places(course).items():
        x, y = window.metres(*place)
        if max(abs(x), abs(y)) <= window.reach_m:
            ax.scatter(x, y, s=260, zorder=6, facecolors="none", edgecolors=VERDICT_COLOUR, lw=2)
            if says_what:
                _note(ax, (x, y), "\n".join(said), (10, -12), VERDICT_COLOUR)


def _verdict_places(course: Course) -> dict[tuple[float, float], list[str]]:
    places = defaultdict[tuple[float, float], list[str]](list)
    for violation in course.violations:
        places[violation.lon, violation.lat].append(f"{violation.rule} {violation.phase}")
    return places


def _note(ax: Axes, at: tuple[Any, Any], words: str, offset: tuple[int, int], colour: str) -> None:
    ax.annotate(
        words, at, offset, textcoords="offset points", fontsize=8, color=colour, zorder=8,
        va="center" if offset[1] > 0 else "top",
        bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.75},
    )  # fmt: skip


def _numbers(indices: list[int]) -> str:
    """Positions by their numbers from 1: `1-4, 7`."""
    spans: list[list[int]] = []
    for i in indices:
        if spans and i == spans[-1][-1] + 1:
            spans[-1].append(i)
        else:
            spans.append([i])
    return ", ".join(f"{s[0] + 1}-{s[-1] + 1}" if len(s) > 1 else f"{s[0] + 1}" for s in spans)


def _draw_line(ax: Axes, course: Course) -> None:
    """A column a position, in order of arrival; verdicts under them by their times."""
    shown = [n for n in SENSORS if any(getattr(p, n) is not None for p in course.positions)]
    rows = [*(f"says {name}" for name in shown), "known load", "speed, km/h"]
    has_scale = any(p.load_kg is not None for p in course.positions)
    rows += ["load, kg"] * has_scale
    for i, position in enumerate(course.positions):
        cells = ["-" if (v := getattr(position, n)) is None else str(v).lower() for n in shown]
        cells.append(LOAD_WORDS[course.loads[i]])
        cells.append("-" if position.speed_kmh is None else f"{position.speed_kmh:g}")
        cells += ["-" if position.load_kg is None else f"{position.load_kg:g}"] * has_scale
        for row, words in enumerate(cells):
            known = rows[row] == "known load"
            colour = LOAD_COLOURS[course.loads[i]] if known else "black"
            ax.text(i, -row, words, ha="center", va="center", fontsize=8, color=colour,
                    weight="bold" if known else "normal")  # fmt: skip
        if i in course.rejected:
            ax.axvspan(i - 0.5, i + 0.5, color="#eeeeee", zorder=0)
            ax.text(i, 0.75, course.rejected[i], ha="center", fontsize=7)
    bottom = -len(rows) - 0.2
    for violation in course.violations:
        _draw_verdict(ax, course, violation, bottom)
        bottom -= 1.3
    ax.set(xlim=(-0.6, len(course.positions) + 0.2), ylim=(bottom + 0.3, 1.2))
    ax.set_yticks([-row for row in range(len(rows))], rows, fontsize=8)
    ax.set_xticks(
        range(len(course.positions)),
        [f"{i + 1}\n{_clock(p.time_ms)}" for i, p in enumerate(course.positions)],
        fontsize=7 if len(course.positions) < 13 else 6,
    )
    ax.spines[["top", "right", "left"]].set_visible(False)
    zone = prepared_city().compiled.city.timezone
    ax.set_xlabel(f"{_day(course.positions[0].time_ms)}, {zone}", fontsize=8)


def _draw_verdict(ax: Axes, course: Course, violation: Violation, y: float) -> None:
    """From when it started to when it was known."""
    start, known = (_column(course, t) for t in (violation.started_ms, violation.detected_ms))
    ax.plot([start, known], [y, y], color=VERDICT_COLOUR, linewidth=4, solid_capstyle="butt")
    ax.plot([known], [y], marker="D", color=VERDICT_COLOUR)
    times = f"from {_clock(violation.started_ms)}, known {_clock(violation.detected_ms)}"
    if violation.ended_ms is not None:
        times += f", ended {_clock(violation.ended_ms)}"
    ax.text(
        -0.55, y + 0.5, f"{violation.rule} {violation.phase}: {times}", color=VERDICT_COLOUR,
        fontsize=8, va="center", ha="left",
    )  # fmt: skip


def _column(course: Course, time_ms: int) -> float:
    """Where a time lies among the truck's fixes; half a column after the last, when later."""
    fixes = [i for i in range(len(course.positions)) if i not in course.rejected]
    times = [course.positions[i].time_ms for i in fixes]
    if time_ms > times[-1]:
        return fixes[-1] + 0.5
    return float(np.interp(time_ms, times, fixes))


def _local(time_ms: int) -> datetime:
    zone = ZoneInfo(prepared_city().compiled.city.timezone)
    return datetime.fromtimestamp(time_ms / 1000, zone)


def _clock(time_ms: int) -> str:
    milliseconds = f".{time_ms % 1000:03}" if time_ms % 1000 else ""
    return f"{_local(time_ms - time_ms % 1000):%H:%M:%S}{milliseconds}"


def _day(time_ms: int) -> str:
    return f"{_local(time_ms):%Y-%m-%d}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw golden streams into pictures/.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="scenarios; none for all")
    names = parser.parse_args().names or SCENARIOS
    if unknown := sorted(set(names) - set(SCENARIOS)):
        parser.error(f"no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    mpl.use("Agg")
    OUTPUT.mkdir(exist_ok=True)
    for name in names:
        figure = draw(golden(name))
        figure.savefig(OUTPUT / f"{name}.png", dpi=80)
        plt.close(figure)
        print(f"{OUTPUT / name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
