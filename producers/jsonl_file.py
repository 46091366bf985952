"""Positions out of a file with one JSON object a line.

Blocks of whole lines are decoded at once; only a block with a fault, or with blank lines, is gone
through line by line. Used by `producers.files`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import msgspec

from producers.chunk import CHUNK_ELEMENTS, Chunk, InputFileError
from streams.elements import BOM, original
from streams.position import Malformed, Position, decode_position

BLOCK_BYTES = 2 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
"""A line that goes on for longer than this is malformed, whatever it holds, and is passed over."""
SHOWN_BYTES = 64 * 1024
"""What a reject shows of such a line."""

_decoder = msgspec.json.Decoder(Position)
_BLANKS = b" \t\r\n"


def check(path: Path) -> None:
    """Nothing to check before the lines are read: they have no header."""


def read(path: Path) -> Iterator[Chunk]:
    """The chunks of the file. Raises `InputFileError` when reading fails."""
    try:
        with path.open("rb") as file:
            yield from _read(file)
    except OSError as error:
        raise InputFileError(f"{path}: reading failed: {error.strerror}") from error


def _read(file: BinaryIO) -> Iterator[Chunk]:
    line = 1
    while block := file.read(BLOCK_BYTES):
        block += file.readline(MAX_LINE_BYTES)
        if line == 1:
            block = block.removeprefix(BOM)
        too_long, skipped = b"", 0
        if not block.endswith(b"\n") and (skipped := _skip_line(file)):
            start = block.rfind(b"\n") + 1
            block, too_long = block[:start], block[start:]
        yield from _chunks(block, line, file.tell())
        line += block.count(b"\n")
        if skipped:
            yield _too_long(too_long, len(too_long) + skipped, line, file.tell())
            line += 1


def _skip_line(file: BinaryIO) -> int:
    """Go to the end of the line; the bytes passed over."""
    skipped = 0
    while piece := file.readline(BLOCK_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _chunks(block: bytes, first_line: int, bytes_read: int) -> Iterator[Chunk]:
    """The chunks of a block of whole lines."""
    block = block.removesuffix(b"\n")
    line_ends = block.count(b"\n")
    # Where every line end stands between a closing and an opening brace, no object spans lines.
    if line_ends == block.count(b"}\n{") or line_ends == block.count(b"}\r\n{"):
        try:
            positions: list[Position | Malformed] = [*_decoder.decode_lines(block)]
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            positions = []
        if len(positions) == line_ends + 1:
            lines = range(first_line, first_line + len(positions))
            yield Chunk(positions, lines, bytes_read, _LinesOf(block).raw)
            return
    yield from _line_by_line(block, first_line, bytes_read)


def _line_by_line(block: bytes, first_line: int, bytes_read: int) -> Iterator[Chunk]:
    numbered = [
        (number, line)
        for number, line in enumerate(block.split(b"\n"), first_line)
        if line.strip(_BLANKS)
    ]
    for start in range(0, len(numbered), CHUNK_ELEMENTS):
        numbers, lines = zip(*numbered[start : start + CHUNK_ELEMENTS], strict=True)
        yield Chunk([decode_position(line) for line in lines], numbers, bytes_read, _at(lines))


def _too_long(beginning: bytes, length_bytes: int, line: int, bytes_read: int) -> Chunk:
    shown = msgspec.json.encode(original(beginning[:SHOWN_BYTES], length_bytes))
    detail = f"a line of {length_bytes} bytes; allowed are {MAX_LINE_BYTES}"
    return Chunk([Malformed(detail)], [line], bytes_read, _at([shown]))


def _at(lines: Sequence[bytes]) -> Callable[[int], bytes]:
    return lines.__getitem__


class _LinesOf:
    """The lines of a block, split when one is first asked for: rejects are rare."""

    def __init__(self, block: bytes) -> None:
        self._block = block

    @cached_property
    def _lines(self) -> list[bytes]:
        return self._block.split(b"\n")

    def raw(self, index: int) -> bytes:
        return self._lines[index]
