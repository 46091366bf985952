"""A file's positions in another order than they lie in it: from its end, or by their times.

Some vendors export the newest first. The engine takes positions as they come and rejects what is
older than the truck's last fix, so that the order is put right here, as a property of the file. The
rows are laid in a file of the system's folder for such, and read again in order: 16 bytes a row
stay in memory.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from tempfile import TemporaryFile
from typing import IO

import msgspec
import numpy as np

from producers.chunk import CHUNK_ELEMENTS, Chunk
from producers.exports.columns import Order
from streams.position import Malformed, Position

_BEFORE_ALL = -(2**63)


class _Kept(msgspec.Struct, array_like=True):
    line: int
    position: Position | None
    detail: str
    truck_id: str | None
    time_ms: int | None
    raw: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Kept)


def reordered(chunks: Iterable[Chunk], order: Order) -> Iterator[Chunk]:
    """The same elements in `order`; a row that is malformed stays beside the one before it."""
    if order == "as_is":
        yield from chunks
        return
    with TemporaryFile() as spool:
        starts, times, bytes_read = _keep(chunks, spool)
        if order == "sorted":
            indices = np.argsort(np.frombuffer(times, dtype=np.int64), kind="stable")
        else:
            indices = np.arange(len(times))[::-1]
        for first in range(0, len(indices), CHUNK_ELEMENTS):
            some = indices[first : first + CHUNK_ELEMENTS].tolist()
            yield _chunk([_taken(spool, starts, index) for index in some], bytes_read)


def _keep(chunks: Iterable[Chunk], spool: IO[bytes]) -> "tuple[array[int], array[int], int]":
    """Where each element begins, and the end; its time; and how far the file was read."""
    starts, times = array("q", [0]), array("q")
    bytes_read, time_ms = 0, _BEFORE_ALL
    for chunk in chunks:
        bytes_read = chunk.bytes_read
        for index, element in enumerate(chunk.elements):
            kept = _encoder.encode(_kept(element, chunk.lines[index], chunk.raw(index)))
            spool.write(kept)
            starts.append(starts[-1] + len(kept))
            if isinstance(element, Position):
                time_ms = element.time_ms
            times.append(time_ms)
    return starts, times, bytes_read


def _kept(element: Position | Malformed, line: int, raw: bytes) -> _Kept:
    if isinstance(element, Position):
        return _Kept(line, element, "", None, None, raw)
    return _Kept(line, None, element.detail, element.truck_id, element.time_ms, raw)


def _taken(spool: IO[bytes], starts: "array[int]", index: int) -> _Kept:
    spool.seek(starts[index])
    return _decoder.decode(spool.read(starts[index + 1] - starts[index]))


def _chunk(kept: Sequence[_Kept], bytes_read: int) -> Chunk:
    elements: list[Position | Malformed] = [
        one.position or Malformed(one.detail, one.truck_id, one.time_ms) for one in kept
    ]
    raws = [one.raw for one in kept]
    return Chunk(elements, [one.line for one in kept], bytes_read, partial(_raw, raws))


def _raw(raws: Sequence[bytes], index: int) -> bytes:
    return raws[index]
