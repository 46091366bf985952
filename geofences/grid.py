"""The grid over a city and which of its cells shapes come near; numpy only, used at compile time.

Cells are numbered row by row from the south-west corner. A question about a place then costs a
look at one cell and at the few shapes that come near it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

CELL_M = 225.0
"""200-250 m was measured best: small enough that few cells are border cells, and few enough cells
that those in use stay in the processor's cache (design section 9)."""
MAX_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    west_m: float
    south_m: float
    cell_m: float
    columns: int
    rows: int

    @classmethod
    def over(cls, boxes: Floats) -> "Grid":
        """The smallest grid over all `boxes` ((n, 4): west, south, east, north in metres).

        Cells grow where a far-flung city would need more than `MAX_CELLS`.
        """
        west, south = boxes[:, :2].min(axis=0) - 1.0
        east, north = boxes[:, 2:].max(axis=0) + 1.0
        cell_m = max(CELL_M, float(np.sqrt((east - west) * (north - south) / MAX_CELLS)))
        columns = int((east - west) // cell_m) + 1
        rows = int((north - south) // cell_m) + 1
        return cls(float(west), float(south), cell_m, columns, rows)

    def centres(self) -> Floats:
        """(cells, 2) metres."""
        x = self.west_m + (np.arange(self.columns) + 0.5) * self.cell_m
        y = self.south_m + (np.arange(self.rows) + 0.5) * self.cell_m
        return np.stack([np.tile(x, self.rows), np.repeat(y, self.columns)], axis=1)

    def row_range(self, south_m: Floats, north_m: Floats) -> tuple[Ints, Ints]:
        """First and last row that each span [south, north] meets, within the grid."""
        low = np.floor((south_m - self.south_m) / self.cell_m).astype(np.int32)
        high = np.floor((north_m - self.south_m) / self.cell_m).astype(np.int32)
        return np.clip(low, 0, self.rows - 1), np.clip(high, 0, self.rows - 1)

    def column_range(self, west_m: Floats, east_m: Floats) -> tuple[Ints, Ints]:
        low = np.floor((west_m - self.west_m) / self.cell_m).astype(np.int32)
        high = np.floor((east_m - self.west_m) / self.cell_m).astype(np.int32)
        return np.clip(low, 0, self.columns - 1), np.clip(high, 0, self.columns - 1)

    def cells_near_edges(self, edges: Floats, reach_m: float) -> tuple[Ints, Ints]:
        """All pairs (edge, cell) in which some place of the cell may be within `reach_m` of the
        edge: none is missed, few are in vain."""
        reach = reach_m + 0.01
        columns = self.column_range(
            edges[:, [0, 2]].min(axis=1) - reach, edges[:, [0, 2]].max(axis=1) + reach
        )
        rows = self.row_range(
            edges[:, [1, 3]].min(axis=1) - reach, edges[:, [1, 3]].max(axis=1) + reach
        )
        edge, cell = self._boxes(columns, rows)
        centre = self._centre_of(cell)
        distance = _distances(edges[edge], centre)
        near = distance <= reach + self.cell_m * np.sqrt(0.5)
        return edge[near], cell[near]

    def cells_near_areas(self, areas: list[shapely.Geometry], reach_m: float) -> tuple[Ints, Ints]:
        """All pairs (area, cell) in which some place of the cell may be within `reach_m` of the
        area (in metres)."""
        if not areas:
            return np.zeros(0, np.int32), np.zeros(0, np.int32)
        boxes = shapely.bounds(areas)
        reach = reach_m + 0.01
        area, cell = self._boxes(
            self.column_range(boxes[:, 0] - reach, boxes[:, 2] + reach),
            self.row_range(boxes[:, 1] - reach, boxes[:, 3] + reach),
        )
        centre = shapely.points(self._centre_of(cell))
        shapes = np.array(areas, dtype=object)
        shapely.prepare(shapes)
        near = shapely.dwithin(shapes[area], centre, reach + self.cell_m * np.sqrt(0.5))
        return area[near], cell[near]

    def _boxes(self, columns: tuple[Ints, Ints], rows: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
        """Pairs (item, cell) of every cell in each item's box of columns and rows."""
        width = columns[1] - columns[0] + 1
        count = width * (rows[1] - rows[0] + 1)
        item = np.repeat(np.arange(len(count), dtype=np.int32), count)
        start = np.cumsum(count) - count
        within = np.arange(count.sum()) - start[item]
        cell = (rows[0][item] + within // width[item]) * self.columns
        cell += columns[0][item] + within % width[item]
        return item, cell.astype(np.int32)

    def _centre_of(self, cell: Ints) -> Floats:
        column, row = cell % self.columns, cell // self.columns
        return np.stack(
            [
                self.west_m + (column + 0.5) * self.cell_m,
                self.south_m + (row + 0.5) * self.cell_m,
            ],
            axis=1,
        )


def _distances(edges: Floats, points: Floats) -> Floats:
    """Distance of each point to the edge of the same row, m."""
    start, step = edges[:, :2], edges[:, 2:] - edges[:, :2]
    length2 = np.maximum((step**2).sum(axis=1), 1e-12)
    along = np.clip(((points - start) * step).sum(axis=1) / length2, 0.0, 1.0)
    away: Floats = np.hypot(*(points - start - along[:, None] * step).T)
    return away


def edges_of(shape: shapely.Geometry) -> Floats:
    """All edges (n, 4) of the rings or lines of a shape; edges of no length are left out."""
    parts = shapely.get_parts(shape)
    pieces = []
    for ring in shapely.get_rings(parts) if shapely.get_dimensions(shape) == 2 else parts:
        points = shapely.get_coordinates(ring)
        pieces.append(np.concatenate([points[:-1], points[1:]], axis=1))
    edges = np.concatenate(pieces)
    kept: Floats = edges[(edges[:, :2] != edges[:, 2:]).any(axis=1)]
    return kept if len(kept) else edges[:1]
