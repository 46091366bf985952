"""`mucktrack detect`: the engine over files or an archive (design section 8).

Reads position files one after another, as if they were one, and writes violations, trips and
rejects as JSON lines. What a worker finds in the same positions is the same. An archive is judged
partition by partition as a worker judges them, ticks and timestamps included.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import click

from mucktrack.cities import succession
from mucktrack.failures import BadInputError
from mucktrack.file_progress import Advance, file_progress
from mucktrack.file_reading import say_hint
from mucktrack.outputs import LineFile, open_outputs
from producers.chunk import Chunk, InputFileError
from producers.exports.reading import AS_OURS, Reading
from producers.files import check_file, open_positions
from producers.hints import watched
from streams.archive.layout import is_archive
from streams.catalogue import CATALOGUE, PHASES
from streams.detect import Engine, Outcome
from streams.output import Reject, encode
from streams.position import Element, Tick
from streams.succession import Succession

RejectsOf = Callable[[Sequence[tuple[int, str]]], Iterator[Reject]]
"""Gives the rejects for (index into the elements, reason), in order."""


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
    reading: Reading = AS_OURS,
) -> None:
    """Judge the positions in `files`, or in one archive, and say on standard error how many there
    were.

    They are judged by `cities`, as `mucktrack.cities` reads them. At most `batch_size` go through
    the engine at a time (None: as they are read); it changes nothing but speed. `reading` is how
    files are to be read. `with_stats`: say
    how many violations each rule had. Raises `BadInputError` for a city, file or target that cannot
    be used.
    """
    started = time.monotonic()
    try:
        check_inputs(files, reading)
        city = succession(cities)
        wanted = [targets.violations, targets.trips, targets.rejected]
        with open_outputs(wanted, inputs=files) as (violations, trips, rejected):
            run = _Run(violations, trips, rejected, batch_size)
            with file_progress(files) as advance:
                if is_archive(files[0]):
                    _judge_archive(run, city, files[0], advance)
                else:
                    _judge_files(run, city, files, reading, advance)
    except InputFileError as error:
        raise BadInputError(str(error)) from None
    click.echo(f"{run.summary()} · {time.monotonic() - started:.1f} s", err=True)
    if with_stats:
        for line in stats_table(run.counts):
            click.echo(line, err=True)


def check_inputs(files: Sequence[Path], reading: Reading = AS_OURS) -> None:
    """Raises `InputFileError` where one can't be read, and for an archive that is not alone."""
    for path in files:
        if not is_archive(path):
            check_file(path, reading)
        elif reading != AS_OURS:
            raise InputFileError(
                f"{path}: is an archive, of which --columns and --truck say nothing"
            )
        elif len(files) > 1:
            raise InputFileError(
                f"{path}: is an archive, which is judged alone; leave out the rest"
            )


def _judge_files(
    run: "_Run", city: Succession, files: Sequence[Path], reading: Reading, advance: Advance
) -> None:
    engine = Engine.offline(city)
    trucks = {truck.truck_id for version in city.cities for truck in version.compiled.city.trucks}
    for path in files:
        chunks = open_positions(path, reading)
        for chunk in watched(path, chunks, reading.columns, say_hint, trucks):
            run.take(engine, chunk.elements, None, partial(_rejects_of, path, chunk))
            advance(path, chunk.bytes_read, run.positions)
    run.finish(engine)


def _judge_archive(run: "_Run", city: Succession, folder: Path, advance: Advance) -> None:
    """As a worker does, as far as it has come by the last record: what is open then stays open."""
    from producers.archive_folder import Archive

    archive = Archive(folder)
    for partition in range(archive.partitions):
        engine = Engine.live(city, partition, archive.partitions)
        for chunk in archive.read(partition):
            run.take(engine, chunk.elements, chunk.record_ms, chunk.rejects)
            advance(folder, chunk.bytes_read, run.positions)


@dataclass(slots=True)
class _Run:
    violations: LineFile
    trips: LineFile
    rejected: LineFile
    batch_size: int | None
    positions: int = 0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Violation events by rule and phase."""

    def take(
        self,
        engine: Engine,
        elements: Sequence[Element],
        record_ms: Sequence[int] | None,
        rejects_of: RejectsOf,
    ) -> None:
        """Elements through the engine, what comes of them written."""
        step = self.batch_size or max(1, len(elements))
        rejected: list[tuple[int, str]] = []
        for start in range(0, len(elements), step):
            part = slice(start, start + step)
            outcome = engine.process(elements[part], record_ms and record_ms[part])
            self._write(outcome)
            rejected += [(start + index, reason) for index, reason in outcome.rejected]
        rejects = rejects_of(rejected)
        self.rejected.write(rejected, lambda _: encode(next(rejects)))
        self.positions += sum(type(element) is not Tick for element in elements)

    def finish(self, engine: Engine) -> None:
        """The end of the input: what is due occurs, what is open closes."""
        self._write(engine.finish())

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


def _rejects_of(path: Path, chunk: Chunk, rejected: Sequence[tuple[int, str]]) -> Iterator[Reject]:
    for index, reason in rejected:
        element = chunk.elements[index]
        yield Reject(
            reason=reason,
            truck_id=element.truck_id,
            time_ms=element.time_ms,
            value=chunk.original(index),
            file=str(path),
            line=chunk.lines[index],
        )
