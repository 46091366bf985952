"""`mucktrack detect --explain TRUCK`: why the engine judged a truck's positions as it did.

All positions of the files go through the engine as in `mucktrack.detect`; what it says of one
truck's positions is printed, or those round a moment alone.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from mucktrack.cities import succession
from mucktrack.detect import check_inputs
from mucktrack.explain_text import lines_of, lines_of_ending
from mucktrack.failures import BadInputError
from mucktrack.moments import moment_ms
from producers.chunk import InputFileError
from producers.files import open_positions
from streams.archive.layout import is_archive
from streams.detect import Engine
from streams.explain.explanation import Ending, Explanation
from streams.explain.narrator import Narrator
from streams.partition import partition_of
from streams.position import Malformed, Position, Tick
from streams.shown import shown

LONGEST_LINE = 10_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which truck, round which moment, and how it is to be shown."""

    truck_id: str
    at: str | None
    """A moment as the user wrote it; None = all."""
    as_json: bool


def explain(cities: Sequence[Path], files: Sequence[Path], asked: Asked) -> None:
    """Print the explanations; `cities`: as `mucktrack.cities.succession` reads them.

    Raises `BadInputError` for a city, file, truck or time that cannot be used.
    """
    try:
        check_inputs(files)
        known = succession(cities)
        timezone = known.cities[0].compiled.city.timezone
        at_ms = None if asked.at is None else moment_ms(asked.at, timezone, "--at")
        narrator = Narrator(Engine.offline(known), asked.truck_id)
        seen: set[str] = set()
        told = _read(narrator, files, asked.truck_id, seen)
        for explanation in told if at_ms is None else round_moment(told, at_ms):
            _show(explanation, asked)
        if narrator.positions == 0:
            raise BadInputError(_unknown_truck(asked.truck_id, seen))
        if at_ms is None:
            _show(narrator.finish(), asked)
    except InputFileError as error:
        raise BadInputError(str(error)) from None


def _read(
    narrator: Narrator, files: Sequence[Path], truck_id: str, seen: set[str]
) -> Iterator[Explanation]:
    """Explanations of the truck's positions; `seen` gets the trucks that there are."""
    for elements in _pieces(files, truck_id):
        seen.update(element.truck_id for element in elements if element.truck_id)
        yield from narrator.take(elements)


def _pieces(files: Sequence[Path], truck_id: str) -> Iterator[Sequence[Position | Malformed]]:
    """What the files hold, or of an archive the truck's partition without its ticks: explanations
    follow event time, in which what is due is told with the truck's next position."""
    if not is_archive(files[0]):
        for path in files:
            for chunk in open_positions(path):
                yield chunk.elements
        return
    from producers.archive_folder import Archive

    archive = Archive(files[0])
    for part in archive.read(partition_of(truck_id, archive.partitions)):
        yield [
            _with_arrival(element, record_ms)
            for element, record_ms in zip(part.elements, part.record_ms, strict=True)
            if not isinstance(element, Tick)
        ]


def _with_arrival(element: Position | Malformed, record_ms: int) -> Position | Malformed:
    """With the record's timestamp as `received_ms` where it has none: so the quality gate reads
    it."""
    if isinstance(element, Malformed) or element.received_ms is not None:
        return element
    return msgspec.structs.replace(element, received_ms=record_ms)


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


def _show(told: Explanation | Ending, asked: Asked) -> None:
    if asked.as_json:
        click.echo(msgspec.json.encode(told))
        return
    lines = lines_of_ending(told) if isinstance(told, Ending) else [*lines_of(told), ""]
    click.echo("\n".join(shown(line, LONGEST_LINE) for line in lines))
