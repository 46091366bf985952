"""`bench growth --plot`: the growth curves as a picture, a panel for each thing that grows.

Drawn by matplotlib, which is no dependency of mucktrack: `available` is asked first, so that nobody
waits for figures that then cannot be drawn.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from benchmarks.bench.figures import Growth

NAMES = {
    "trucks": "trucks",
    "sites": "sites",
    "routes": "routes",
    "vertices": "vertices of a district",
    "offending": "share of the time offending",
    "batch": "positions in a batch",
}
GOALS = {"trucks": 1.25, "sites": 1.5, "routes": 1.5}
"""Ratio allowed at the greatest size."""


def available() -> bool:
    return importlib.util.find_spec("matplotlib") is not None


def plot(growth: Sequence[Growth], path: Path) -> None:
    """Write the picture. Raises `OSError`."""
    from matplotlib.figure import Figure

    series = {what: [one for one in growth if one.what == what] for what in NAMES}
    drawn = {what: points for what, points in series.items() if points}
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    panels = figure.subplots(2, 3, squeeze=False).flatten()
    for panel, (what, points) in zip(panels, drawn.items(), strict=False):
        panel.plot(
            [one.value for one in points], [one.ns_per_position for one in points], marker="o"
        )
        for one in points:
            panel.annotate(
                f"{one.ratio:.2f}×",
                (one.value, one.ns_per_position),
                textcoords="offset points",
                xytext=(0, 7),
                ha="center",
            )
        if what in GOALS:
            base = points[0].ns_per_position / points[0].ratio
            panel.axhline(base * GOALS[what], linestyle="--", color="grey", linewidth=1)
        if what != "offending":
            panel.set_xscale("log")
        panel.set_ylim(0, 1.3 * max(one.ns_per_position for one in points))
        panel.set_xlabel(NAMES[what])
        panel.set_ylabel("ns a position")
    for panel in panels[len(drawn) :]:
        panel.set_visible(False)
    figure.suptitle("What a position costs in the core, on one core (dashed: the goal)")
    figure.savefig(path, dpi=120)
