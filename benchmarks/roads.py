"""A road network, and routes along it: many routes share a road. Used by `benchmarks.city`."""

import numpy as np

from benchmarks.plane import SIDE_M, Floats

CROSSINGS = 40
"""Crossings in a row, and rows."""
PIECES = 5
"""Straight pieces of a road between two crossings."""
MARGIN_M = 2_000.0
"""Between the outermost crossings and the edge of the city."""

Crossing = tuple[int, int]


class Roads:
    """A jittered square grid of winding roads."""

    def __init__(self, random: np.random.Generator) -> None:
        step = (SIDE_M - 2 * MARGIN_M) / (CROSSINGS - 1)
        row = MARGIN_M + step * np.arange(CROSSINGS)
        square = np.stack(np.meshgrid(row, row, indexing="ij"), axis=2)
        self.crossings = square + random.uniform(-0.15, 0.15, square.shape) * step
        """(CROSSINGS, CROSSINGS, 2) metres by column and row."""
        self.east = _roads(self.crossings[:-1], self.crossings[1:], random)
        """Roads to the crossing next in the east (CROSSINGS - 1, CROSSINGS, PIECES + 1, 2)."""
        self.north = _roads(self.crossings[:, :-1], self.crossings[:, 1:], random)

    def line(self, start: Crossing, end: Crossing, turn_column: int) -> Floats:
        """The way from `start` to `end` that changes rows along `turn_column`: (n, 2) metres."""
        ways = [
            self._along_row(start[1], start[0], turn_column),
            self._along_column(turn_column, start[1], end[1]),
            self._along_row(end[1], turn_column, end[0]),
        ]
        line = np.concatenate(ways)
        moved = np.ones(len(line), bool)
        moved[1:] = (line[1:] != line[:-1]).any(axis=1)
        kept: Floats = line[moved]
        return kept

    def _along_row(self, row: int, first: int, last: int) -> Floats:
        return _joined(self.east[min(first, last) : max(first, last), row], first > last)

    def _along_column(self, column: int, first: int, last: int) -> Floats:
        return _joined(self.north[column, min(first, last) : max(first, last)], first > last)


def _roads(start: Floats, end: Floats, random: np.random.Generator) -> Floats:
    share = np.linspace(0.0, 1.0, PIECES + 1)[:, None]
    straight = start[..., None, :] * (1 - share) + end[..., None, :] * share
    straight[..., 1:-1, :] += random.normal(0.0, 40.0, straight[..., 1:-1, :].shape)
    return straight


def _joined(roads: Floats, backwards: bool) -> Floats:
    line: Floats = roads.reshape(-1, 2)
    return line[::-1] if backwards else line
