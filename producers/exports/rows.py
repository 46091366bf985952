"""Rows of a vendor's export, whatever kind of file they stand in, to chunks of positions.

The readers of text, workbooks and Parquet files give `Rows`; `chunks` makes positions of them, in
WGS-84.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import numpy as np

from geofences.datum import Datum, convert
from producers.chunk import Chunk
from producers.exports.cells import Cell
from producers.exports.columns import RowReader, printable, raw_of
from streams.position import Malformed, Position

_DECIMALS = 7
"""Of degrees that were converted: 1 cm."""


class BadRow(msgspec.Struct):
    """A line that holds no row."""

    detail: str
    text: str
    """As it stands in the file, or its beginning."""


Row = Sequence[Cell] | BadRow


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a file, in order."""

    numbers: Sequence[int]
    """Of each its line or row, from 1."""
    rows: Sequence[Row]
    bytes_read: int


def chunks(
    pieces: Iterable[Rows], header: Sequence[str], reader: RowReader, datum: Datum
) -> Iterator[Chunk]:
    for piece in pieces:
        elements: list[Position | Malformed] = [
            Malformed(row.detail) if isinstance(row, BadRow) else reader.read(row)
            for row in piece.rows
        ]
        to_wgs84(elements, datum)
        yield Chunk(elements, piece.numbers, piece.bytes_read, partial(_raw, header, piece.rows))


def to_wgs84(elements: Sequence[Position | Malformed], datum: Datum) -> None:
    """Converts the positions in place. Coordinates outside the world, and exactly 0, 0, stay as
    they are: the quality gate names them."""
    if datum == "wgs84":
        return
    found = [
        one
        for one in elements
        if isinstance(one, Position)
        and abs(one.lon) <= 180
        and abs(one.lat) <= 90
        and (one.lon != 0 or one.lat != 0)
    ]
    points = np.array([(one.lon, one.lat) for one in found], dtype=np.float64).reshape(-1, 2)
    lon, lat = convert(points[:, 0], points[:, 1], datum, "wgs84")
    for one, x, y in zip(found, lon.tolist(), lat.tolist(), strict=True):
        one.lon, one.lat = round(x, _DECIMALS), round(y, _DECIMALS)


def _raw(header: Sequence[str], rows: Sequence[Row], index: int) -> bytes:
    row = rows[index]
    shown: Any = printable(row.text) if isinstance(row, BadRow) else raw_of(header, row)
    return msgspec.json.encode(shown)
