"""What the user should know of a file while it is read: that it runs backwards, is misread, or
writes plates in another way than the city.

Called by `mucktrack detect` and `replay` for every file. Nothing is changed: positions are taken as
they come, and what is late is rejected by the quality gate (design section 3).
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from producers.chunk import Chunk
from producers.exports.columns import Columns
from producers.plates import plate_key
from streams.position import Malformed, Position

Say = Callable[[str], None]

MOST_WATCHED = 200_000
"""Positions at the beginning of a file; what it is like has shown by then."""
_FIRST_LOOK = 1_000
"""Elements after which something is said, or at the end of a shorter file."""


def watched(
    path: Path,
    chunks: Iterator[Chunk],
    columns: Columns | None,
    say: Say,
    trucks: Collection[str] = (),
) -> Iterator[Chunk]:
    """The chunks as they are; `say` is told each hint once. `trucks`: those of the city, where one
    judges the file."""
    seen = _Seen(frozenset(trucks), {plate_key(truck): truck for truck in trucks})
    said: set[str] = set()
    for chunk in chunks:
        if seen.elements < MOST_WATCHED:
            seen.take(chunk)
            if seen.elements >= _FIRST_LOOK:
                _say_new(seen.hints(path, columns), said, say)
        yield chunk
    _say_new(seen.hints(path, columns), said, say)


def _say_new(hints: dict[str, str], said: set[str], say: Say) -> None:
    for kind, hint in hints.items():
        if kind not in said:
            said.add(kind)
            say(hint)


@dataclass(slots=True)
class _Seen:
    trucks: frozenset[str]
    """Of the city."""
    written: dict[str, str]
    """These, by what a plate has in common with itself however it is written."""
    elements: int = 0
    malformed: int = 0
    first: str = ""
    """The first of those that are malformed: where, and why."""
    steps: int = 0
    """Positions with one before of the same truck."""
    back: int = 0
    """Steps to an earlier time."""
    late: int = 0
    """Positions older than the newest one before of the same truck."""
    last: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each truck the time of its last position, and of its newest."""

    def take(self, chunk: Chunk) -> None:
        self.elements += len(chunk.elements)
        for index, element in enumerate(chunk.elements):
            if isinstance(element, Malformed):
                self.malformed += 1
                self.first = self.first or f"line {chunk.lines[index]}: {element.detail}"
            else:
                self._step(element)

    def _step(self, position: Position) -> None:
        time_ms = position.time_ms
        before = self.last.get(position.truck_id)
        if before is None:
            self.last[position.truck_id] = time_ms, time_ms
            return
        self.steps += 1
        self.back += time_ms < before[0]
        self.late += time_ms < before[1]
        self.last[position.truck_id] = time_ms, max(time_ms, before[1])

    def hints(self, path: Path, columns: Columns | None) -> dict[str, str]:
        """By kind."""
        hints = {}
        if 2 * self.malformed > self.elements:
            hints["malformed"] = (
                f"{path}: {self.malformed} of {self.elements} rows are malformed, the first in "
                f"{self.first}"
            )
        if 2 * self.late > self.steps:
            backwards = 2 * self.back > self.steps
            how = "it runs backwards" if backwards else "its parts are not in the order of time"
            hints["late"] = (
                f"{path}: {self.late} of {self.steps + len(self.last)} positions are older than "
                f"one before of the same truck and are rejected as late: {how}; "
                f"{_advice(columns, backwards)}"
            )
        for truck in self.last:
            known = self.written.get(plate_key(truck))
            if known is not None and truck not in self.trucks:
                hints["plates"] = (
                    f"{path}: truck {truck!r} is unknown to the city, which has {known!r}: write "
                    "plates as it does, or take what is between their parts out by a `pattern` of "
                    "truck_id in --columns, such as '^(..)[^0-9A-Z]*(.+)$'"
                )
                break
        return hints


def _advice(columns: Columns | None, backwards: bool) -> str:
    if columns is None:
        return 'sort it by time, or read it by --columns with order = "sorted"'
    if columns.order == "reversed" and backwards:
        return f'leave order = "reversed" out of {columns.file}'
    return f'write order = "{"reversed" if backwards else "sorted"}" in {columns.file}'
