"""The body of `mucktrack bench`: which measurements run, at what size, and what is written.

Called by `mucktrack.commands.benching`. It knows nothing of how anything is measured.
"""

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from benchmarks.bench import core, detect, growth, latency, memory, worker
from benchmarks.bench.figures import Report
from benchmarks.bench.plot import available, plot
from benchmarks.bench.sizes import FULL, QUICK, Sizes
from mucktrack.embedded import EmbeddedServerError
from mucktrack.failures import BadInputError, WorkFailedError

Measure = Callable[[Report, Sizes, Callable[[str], None]], None]
KINDS: dict[str, Measure] = {
    "core": core.measure,
    "detect": detect.measure,
    "worker": worker.measure,
    "latency": latency.measure,
    "memory": memory.measure,
    "growth": growth.measure,
}
ALL = "all"


def sizes(*, quick: bool, rounds: int | None, trucks: int | None, positions: int | None) -> Sizes:
    """What the options ask for; None = as it is."""
    chosen = QUICK if quick else FULL
    return replace(
        chosen,
        rounds=rounds or chosen.rounds,
        trucks=trucks or chosen.trucks,
        positions=positions or chosen.positions,
    )


def run(kind: str, chosen: Sizes, json: Path | None, picture: Path | None) -> list[str]:
    """Measure; the lines of the table. Progress goes to standard error."""
    _check(kind, json, picture)
    # It says at length that the embedded broker has no idempotent producers.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    report = Report()
    measures = KINDS.values() if kind == ALL else [KINDS[kind]]
    for measure in measures:
        try:
            measure(report, chosen, _say)
        except EmbeddedServerError as error:
            raise WorkFailedError(str(error)) from None
        _write(json, report)
    if picture is not None:
        plot(report.figures.growth, picture)
    return report.lines()


def _check(kind: str, json: Path | None, picture: Path | None) -> None:
    """What cannot be done in the end is said in the beginning."""
    if picture is not None:
        if kind not in (ALL, "growth"):
            raise BadInputError("--plot draws growth: use it with `growth` or `all`")
        if picture.suffix.lower() != ".png":
            raise BadInputError(f"--plot {picture}: the picture is a .png")
        if not available():
            raise BadInputError("--plot needs matplotlib, which is not installed: pip install it")
    for path in (json, picture):
        if path is not None and not path.parent.is_dir():
            raise BadInputError(f"{path}: there is no folder {path.parent}")


def _write(json: Path | None, report: Report) -> None:
    """After each measurement, so that a run that is broken off has told what it had."""
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(report.figures)) + b"\n")


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")
    sys.stderr.flush()
