"""`mucktrack detect`: the engine over files (design section 8).

Reads position files one after another, as if they were one, and writes violations, trips and
rejects as JSON lines. What a worker finds in the same positions is the same.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import click

from mucktrack import city_check
from mucktrack.failures import BadInputError
from mucktrack.file_progress import file_progress
from mucktrack.moments import moment_ms
from mucktrack.outputs import LineFile, open_outputs
from producers.chunk import Chunk, InputFileError
from producers.files import check_file, open_positions
from streams.catalogue import CATALOGUE, PHASES
from streams.detect import Engine, Outcome, PreparedCity
from streams.output import Reject, encode
from streams.succession import Succession


@dataclass(frozen=True, slots=True)
class Targets:
    """Where the outputs go; None = not wanted, `-` = standard output."""

    violations: Path | None
    trips: Path | None
    rejected: Path | None


def detect(
    cities: Sequence[Path],
    files: Sequence[Path],
    targets: Targets,
    batch_size: int | None,
    *,
    with_stats: bool,
) -> None:
    """Judge the positions in `files` and say on standard error how many there were.

    They are judged by `cities`, as `succession` reads them. At most `batch_size` go through the
    engine at a time (None: as they are read); it changes nothing but speed. `with_stats`: say how
    many violations each rule had. Raises `BadInputError` for a city, file or target that cannot be
    used.
    """
    started = time.monotonic()
    try:
        for path in files:
            check_file(path)
        engine = Engine.offline(succession(cities))
        wanted = [targets.violations, targets.trips, targets.rejected]
        with open_outputs(wanted, inputs=files) as (violations, trips, rejected):
            run = _Run(engine, violations, trips, rejected)
            with file_progress(files) as advance:
                for path in files:
                    for chunk in open_positions(path):
                        run.take(path, chunk, batch_size)
                        advance(path, chunk.bytes_read, run.positions)
            run.finish()
    except InputFileError as error:
        raise BadInputError(str(error)) from None
    click.echo(f"{run.summary()} · {time.monotonic() - started:.1f} s", err=True)
    if with_stats:
        for line in stats_table(run.counts):
            click.echo(line, err=True)


def succession(cities: Sequence[Path]) -> Succession:
    """The cities named by `DIR`, one of them, in force from the beginning, and `DIR@TIME`.

    A directory whose own name has an @ in it is one without a time. Raises `BadInputError`.
    """
    first: list[PreparedCity] = []
    later: list[tuple[int, PreparedCity]] = []
    for path in cities:
        folder, at, time_text = str(path).rpartition("@")
        if not at or path.is_dir():
            first.append(PreparedCity.of(city_check.load(path)))
        else:
            city = city_check.load(Path(folder))
            from_ms = moment_ms(time_text, city.timezone, f"--city {path}")
            later.append((from_ms, PreparedCity.of(city)))
    if len(first) != 1:
        raise BadInputError(
            f"{len(first)} cities are given without a time; name one that is in force from the "
            "beginning, and the others as DIR@TIME"
        )
    try:
        return Succession(first[0], later)
    except ValueError as error:
        raise BadInputError(f"--city: {error}; give each its own time") from None


@dataclass(slots=True)
class _Run:
    engine: Engine
    violations: LineFile
    trips: LineFile
    rejected: LineFile
    positions: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Violation events by rule and phase."""

    def take(self, path: Path, chunk: Chunk, batch_size: int | None) -> None:
        """One piece of a file through the engine, its results written."""
        size = len(chunk.elements)
        step = batch_size or size
        for start in range(0, size, step):
            outcome = self.engine.process(chunk.elements[start : start + step])
            self._write(outcome)
            self.rejected.write(outcome.rejected, partial(_reject_line, path, chunk, start))
        self.positions += size

    def finish(self) -> None:
        """The end of the input: what is due occurs, what is open closes."""
        self._write(self.engine.finish())

    def summary(self) -> str:
        return (
            f"positions {self.positions} · violations {self.violations.lines} · "
            f"trips {self.trips.lines} · rejected {self.rejected.lines}"
        )

    def _write(self, outcome: Outcome) -> None:
        self.violations.write(outcome.violations, encode)
        self.counts.update((violation.rule, violation.phase) for violation in outcome.violations)
        self.trips.write(outcome.trips, encode)


def stats_table(counts: Mapping[tuple[str, str], int]) -> list[str]:
    """Lines of a table of violation events: a row a rule, a column a phase, and the sums."""
    rows = [("rule", *PHASES)]
    rows += [
        (rule.id, *(str(counts.get((rule.id, phase), 0)) for phase in PHASES)) for rule in CATALOGUE
    ]
    sums = (sum(counts.get((rule.id, phase), 0) for rule in CATALOGUE) for phase in PHASES)
    rows.append(("all", *map(str, sums)))
    name = max(len(row[0]) for row in rows)
    return [f"{row[0]:<{name}}" + "".join(f"  {cell:>9}" for cell in row[1:]) for row in rows]


def _reject_line(path: Path, chunk: Chunk, start: int, rejected: tuple[int, str]) -> bytes:
    """`rejected`: place, counted from `start`, and reason."""
    index, reason = start + rejected[0], rejected[1]
    element = chunk.elements[index]
    return encode(
        Reject(
            reason=reason,
            truck_id=element.truck_id,
            time_ms=element.time_ms,
            value=chunk.original(index),
            file=str(path),
            line=chunk.lines[index],
        )
    )
