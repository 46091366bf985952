"""`mucktrack detect --explain TRUCK`: why the engine judged a truck's positions as it did.

All positions of the files go through the engine as in `mucktrack.detect`; what it says of one
truck's positions is printed, or those round a moment alone.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import msgspec

from mucktrack.cities import succession
from mucktrack.detect import check_inputs
from mucktrack.explain_text import lines_of, lines_of_ending
from mucktrack.failures import BadInputError
from mucktrack.moments import moment_ms
from producers.chunk import InputFileError
from producers.exports.reading import AS_OURS, Reading
from producers.files import open_positions
from streams.archive.layout import is_archive
from streams.detect import Engine
from streams.explain.explanation import Ending, Explanation
from streams.explain.narrator import Narrator
from streams.partition import partition_of
from streams.position import Element, Tick
from streams.shown import shown
from streams.succession import Succession

LONGEST_LINE = 10_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which truck, round which moment, and how it is to be shown."""

    truck_id: str
    at: str | None
    """A moment as the user wrote it; None = all."""
    as_json: bool


def explain(
    cities: Sequence[Path], files: Sequence[Path], asked: Asked, reading: Reading = AS_OURS
) -> None:
    """Print the explanations; `cities`: as `mucktrack.cities.succession` reads them.

    Raises `BadInputError` for a city, file, truck or time that cannot be used.
    """
    try:
        check_inputs(files, reading)
        known = succession(cities)
        timezone = known.cities[0].compiled.city.timezone
        at_ms = None if asked.at is None else moment_ms(asked.at, timezone, "--at")
        told_of = _read(known, files, asked.truck_id, reading)
        told = iter(told_of)
        for explanation in told if at_ms is None else round_moment(told, at_ms):
            _show(explanation, asked, several=len(known) > 1)
        if told_of.narrator.positions == 0:
            raise BadInputError(_unknown_truck(asked.truck_id, told_of.seen))
        if at_ms is None:
            _show(told_of.narrator.finish(), asked, several=len(known) > 1)
    except InputFileError as error:
        raise BadInputError(str(error)) from None


def _read(known: Succession, files: Sequence[Path], truck_id: str, reading: Reading) -> "_Reading":
    """Files are judged as they are; an archive as the worker judged it."""
    if not is_archive(files[0]):
        chunks = (chunk.elements for path in files for chunk in open_positions(path, reading))
        return _Reading(
            Narrator(Engine.offline(known), truck_id), ((elements, None) for elements in chunks)
        )
    from producers.archive_folder import Archive

    archive = Archive(files[0])
    partition = partition_of(truck_id, archive.partitions)
    engine = Engine.live(known, partition, archive.partitions)
    parts = archive.read(partition)
    return _Reading(Narrator(engine, truck_id), ((part.elements, part.record_ms) for part in parts))


@dataclass(slots=True)
class _Reading:
    narrator: Narrator
    pieces: Iterator[tuple[Sequence[Element], Sequence[int] | None]]
    seen: set[str] = field(default_factory=set)
    """The trucks that there are."""

    def __iter__(self) -> Iterator[Explanation]:
        for elements, record_ms in self.pieces:
            self.seen.update(
                element.truck_id
                for element in elements
                if not isinstance(element, Tick) and element.truck_id
            )
            yield from self.narrator.take(elements, record_ms)


def round_moment(told: Iterator[Explanation], at_ms: int) -> Iterator[Explanation]:
    """The last fix at or before `at_ms`, the first one after it, and what was rejected between."""
    held: list[Explanation] = []
    for explanation in told:
        if explanation.known is None:
            held.append(explanation)
        elif explanation.time_ms is not None and explanation.time_ms > at_ms:
            yield from held
            yield explanation
            return
        else:
            held = [explanation]
    yield from held


def _unknown_truck(truck_id: str, seen: set[str]) -> str:
    if not seen:
        return f"--explain={truck_id!r}: there is no position of any truck"
    near = difflib.get_close_matches(truck_id, sorted(seen), n=3, cutoff=0.5) or sorted(seen)[:3]
    return (
        f"--explain={truck_id!r}: there is no position of this truck; of others there are "
        f"{len(seen)}, such as {', '.join(map(shown, near))}"
    )


def _show(told: Explanation | Ending, asked: Asked, *, several: bool) -> None:
    """`several`: versions of the city, so that it is to be told which one judged."""
    if asked.as_json:
        click.echo(msgspec.json.encode(told))
        return
    lines = (
        lines_of_ending(told)
        if isinstance(told, Ending)
        else [*lines_of(told, with_city=several), ""]
    )
    click.echo("\n".join(shown(line, LONGEST_LINE) for line in lines))
