"""A city compiled into plain arrays for the core (design section 4 and principle 4).

`compile_city` runs once for each version of the reference data; `geofences.lookup` answers
questions from the arrays, and tests hold its answers against shapely's. Ids become indices into the
city's tuples, which are sorted by id: a lower index is a lower id. -1 stands for none.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import shapely

from geofences.city import SITE_KINDS, ZONE_KINDS, City, Permit, Site
from geofences.grid import Grid, edges_of
from geofences.hours import Validity
from geofences.projection import Projection

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

NONE = -1
BORDER = -2
"""`district` of a cell that a border crosses: its candidates must be tested."""

CONSTRUCTION, DISPOSAL, TRANSFER, PARKING = range(len(SITE_KINDS))
NO_GO, SPEED_LIMIT = range(len(ZONE_KINDS))

GRID = np.dtype(
    [
        ("west_m", "f8"),
        ("south_m", "f8"),
        ("cell_m", "f8"),
        ("columns", "i4"),
        ("rows", "i4"),
        ("site_margin_m", "f8"),
        ("speed_limit_kmh", "f8"),
    ],
    align=True,
)
CELL = np.dtype(
    [
        ("district", "i4"),
        ("candidates", "i4"),
        ("n_candidates", "i4"),
        ("near_borders", "i4"),
        ("n_near_borders", "i4"),
        ("sites", "i4"),
        ("n_sites", "i4"),
        ("zones", "i4"),
        ("n_zones", "i4"),
        ("routes", "i4"),
        ("n_routes", "i4"),
    ]
)
SITE = np.dtype(
    [
        ("kind", "i4"),
        ("district", "i4"),
        ("validity", "i4"),
        ("lo", "i4"),
        ("hi", "i4"),
        ("x", "f8"),
        ("y", "f8"),
        ("radius_m", "f8"),
    ],
    align=True,
)
"""A polygon has edges lo:hi; a circle has none, but a centre and a radius."""
ZONE = np.dtype(
    [("kind", "i4"), ("validity", "i4"), ("lo", "i4"), ("hi", "i4"), ("limit_kmh", "f8")],
    align=True,
)
ROUTE = np.dtype([("corridor_m", "f8"), ("lo", "i4"), ("hi", "i4")], align=True)
STRETCH = np.dtype([("route", "i4"), ("lo", "i4"), ("hi", "i4")])
"""Edges of a route, one after another, that come near a cell; a cell's are in order of routes."""
PERMIT = np.dtype(
    [
        ("validity", "i4"),
        ("sites", "i4"),
        ("n_sites", "i4"),
        ("disposals", "i4"),
        ("n_disposals", "i4"),
        ("routes", "i4"),
        ("n_routes", "i4"),
        ("districts", "i4"),
        ("n_districts", "i4"),
    ]
)
"""Runs of `items`. `sites` are source and disposal sites; none of `disposals`, `routes` or
`districts` means that there is no limit (design section 5)."""
TRUCK = np.dtype([("permits", "i4"), ("n_permits", "i4"), ("max_load_kg", "f8")], align=True)
VALIDITY = np.dtype([("first", "i4"), ("last", "i4"), ("lo", "i4"), ("hi", "i4")])
"""Days since 1970-01-01, inclusive; `windows[lo:hi]` in minutes, none = always."""
ZONE_OFFSET = np.dtype([("from_ms", "i8"), ("offset_ms", "i8")])

FOREVER_DAYS = 2_000_000


class CityIndex(NamedTuple):
    """What the core knows of a city; every field is an array (record arrays as recarrays)."""

    grid: Any
    plane: Any
    cells: Any
    items: Ints
    """Runs of indices: candidates, borders, sites and zones of cells; the lists of permits."""
    edges: Floats
    strips: Ints
    """Edges of district d that meet grid row r: edges[strips[d * rows + r] : strips[... + 1]]."""
    sites: Any
    zones: Any
    routes: Any
    stretches: Any
    permits: Any
    trucks: Any
    validities: Any
    windows: Ints
    offsets: Any
    """UTC offset of the city's clock from `from_ms` on."""
    site_names: Ints
    """The name of each site: the number that stands for its id in every version (`named`)."""
    sites_named: Ints
    """The site of each name; -1, or nothing at the end, where this version has none."""
    district_names: Ints
    districts_named: Ints

    def named(self, sites: tuple[Ints, Ints], districts: tuple[Ints, Ints]) -> "CityIndex":
        """With the names of those who keep some from one version to the next: (names, sites named)
        and (names, districts named). As compiled, numbers are names."""
        return self._replace(
            site_names=sites[0],
            sites_named=sites[1],
            district_names=districts[0],
            districts_named=districts[1],
        )


@dataclass(frozen=True)
class CompiledCity:
    city: City
    index: CityIndex
    truck_numbers: dict[str, int]
    """Index into `index.trucks` of each truck that the register or a permit names."""

    def register_number(self, truck_id: str) -> int:
        """Index into `index.trucks`; for a truck that nothing names that of an empty entry."""
        return self.truck_numbers.get(truck_id, len(self.truck_numbers))


def compile_city(city: City, *, site_margin_m: float, border_m: float) -> CompiledCity:
    """Compile `city`.

    `site_margin_m`: what a site's reach exceeds its shape by. `border_m`: the greatest distance
    from a district that will be asked for.
    """
    return _Compiler(city, site_margin_m, border_m).compile()


class _Runs:
    """Collects lists of indices into one array, each list remembered as (start, length)."""

    def __init__(self) -> None:
        self.values: list[int] = []

    def add(self, values: Any) -> tuple[int, int]:
        start = len(self.values)
        self.values.extend(int(value) for value in values)
        return start, len(self.values) - start

    def add_by_cell(self, item: Ints, cell: Ints, cells: int) -> tuple[Ints, Ints]:
        """A list of items for each cell, ascending, from pairs; starts and lengths by cell."""
        order = np.lexsort((item, cell))
        counts = np.bincount(cell, minlength=cells).astype(np.int32)
        starts = (len(self.values) + np.cumsum(counts) - counts).astype(np.int32)
        self.values.extend(item[order].tolist())
        return starts, counts


class _Edges:
    """Collects edges into one array."""

    def __init__(self) -> None:
        self.pieces: list[Floats] = [np.zeros((0, 4))]
        self.count = 0

    def add(self, edges: Floats) -> tuple[int, int]:
        lo = self.count
        self.pieces.append(edges)
        self.count += len(edges)
        return lo, self.count


class _Compiler:
    def __init__(self, city: City, site_margin_m: float, border_m: float) -> None:
        self.city = city
        self.site_margin_m = site_margin_m
        self.border_m = border_m
        box = shapely.total_bounds([district.shape for district in city.districts])
        self.projection = Projection.centred(*(float(value) for value in box))
        self.items = _Runs()
        self.edges = _Edges()
        self.districts = [self._metres(district.shape) for district in city.districts]
        self.site_shapes = [self._metres(site.shape) for site in city.sites]
        self.zone_shapes = [self._metres(zone.shape) for zone in city.zones]
        self.route_shapes = [self._metres(route.shape) for route in city.routes]
        self.district_numbers = {d.code: i for i, d in enumerate(city.districts)}
        self.site_numbers = {site.site_id: i for i, site in enumerate(city.sites)}
        self.route_numbers = {route.route_id: i for i, route in enumerate(city.routes)}
        self.validities: dict[Validity, int] = {}
        self.grid = self._grid()

    def compile(self) -> CompiledCity:
        cells = np.zeros(self.grid.columns * self.grid.rows, CELL)
        strips = self._compile_districts(cells)
        sites = self._compile_sites(cells)
        zones = self._compile_zones(cells)
        routes, stretches = self._compile_routes(cells)
        permits = self._compile_permits()
        truck_numbers, trucks = self._compile_trucks()
        validities, windows = self._compile_validities()
        index = CityIndex(
            grid=self._grid_record(),
            plane=self.projection.plane,
            cells=_records(cells),
            items=np.array(self.items.values or [0], dtype=np.int32),
            edges=np.concatenate(self.edges.pieces) if self.edges.count else np.zeros((1, 4)),
            strips=strips,
            sites=sites,
            zones=zones,
            routes=routes,
            stretches=stretches,
            permits=permits,
            trucks=trucks,
            validities=validities,
            windows=windows,
            offsets=utc_offsets(self.city.timezone),
            site_names=_numbers(len(self.city.sites)),
            sites_named=_numbers(len(self.city.sites)),
            district_names=_numbers(len(self.city.districts)),
            districts_named=_numbers(len(self.city.districts)),
        )
        return CompiledCity(self.city, index, truck_numbers)

    def _metres(self, shape: shapely.Geometry) -> shapely.Geometry:
        return shapely.transform(shape, self.projection.project)

    def _grid(self) -> Grid:
        boxes = [shapely.bounds(self.districts) + _grown(self.border_m)]
        for site, shape in zip(self.city.sites, self.site_shapes, strict=True):
            reach = _grown(site.radius_m + self.site_margin_m)
            boxes.append((shapely.bounds(shape) + reach)[None])
        boxes.extend(shapely.bounds(shape)[None] for shape in self.zone_shapes)
        for route, shape in zip(self.city.routes, self.route_shapes, strict=True):
            boxes.append((shapely.bounds(shape) + _grown(route.corridor_m))[None])
        return Grid.over(np.concatenate(boxes))

    def _grid_record(self) -> Any:
        record = np.zeros(1, GRID).view(np.recarray)
        limit = self.city.speed_limit_kmh
        record[0] = (
            self.grid.west_m,
            self.grid.south_m,
            self.grid.cell_m,
            self.grid.columns,
            self.grid.rows,
            self.site_margin_m,
            np.nan if limit is None else limit,
        )
        return record

    def _validity(self, validity: Validity) -> int:
        """Its number; equal ones share it, and few are ever in use at once."""
        return self.validities.setdefault(validity, len(self.validities))

    def _compile_districts(self, cells: Any) -> Ints:
        rows = self.grid.rows
        district_edges = [edges_of(shape) for shape in self.districts]
        strips = np.zeros(len(district_edges) * rows + 1, dtype=np.int32)
        centres = self.grid.centres()
        bordered: list[tuple[Ints, Ints]] = []
        near: list[tuple[Ints, Ints]] = []
        crossed = np.zeros(len(cells), dtype=bool)
        for number, edges in enumerate(district_edges):
            first, last = self.grid.row_range(
                edges[:, [1, 3]].min(axis=1) - 0.01, edges[:, [1, 3]].max(axis=1) + 0.01
            )
            edge = np.repeat(np.arange(len(edges)), last - first + 1)
            start = np.cumsum(last - first + 1) - (last - first + 1)
            row = first[edge] + np.arange(len(edge)) - start[edge]
            order = np.argsort(row, kind="stable")
            self.edges.add(edges[edge[order]])
            strips[number * rows + 1 : (number + 1) * rows + 1] = np.bincount(row, minlength=rows)

            _, on_border = self.grid.cells_near_edges(edges, 0.0)
            crossed[on_border] = True
            _, near_border = self.grid.cells_near_edges(edges, self.border_m)
            shape = self.districts[number]
            shapely.prepare(shape)
            inside = np.flatnonzero(shapely.intersects_xy(shape, centres[:, 0], centres[:, 1]))
            bordered.append(_pairs(number, np.union1d(on_border, inside)))
            near.append(_pairs(number, np.unique(near_border)))
        candidate = _joined(bordered)
        starts, counts = self.items.add_by_cell(*candidate, len(cells))
        cells["candidates"], cells["n_candidates"] = starts, counts
        cells["near_borders"], cells["n_near_borders"] = self.items.add_by_cell(
            *_joined(near), len(cells)
        )
        items = np.array([*self.items.values, NONE], dtype=np.int32)
        lowest = np.where(counts > 0, items[np.minimum(starts, len(items) - 1)], NONE)
        cells["district"] = np.where(crossed, BORDER, lowest)
        return np.cumsum(strips, dtype=np.int32)

    def _compile_sites(self, cells: Any) -> Any:
        sites = np.zeros(max(1, len(self.city.sites)), SITE)
        reaches = []
        for number, (site, shape) in enumerate(zip(self.city.sites, self.site_shapes, strict=True)):
            lo, hi = (0, 0) if site.radius_m else self.edges.add(edges_of(shape))
            centre = shapely.get_coordinates(shapely.centroid(shape))[0]
            sites[number] = (
                SITE_KINDS.index(site.kind),
                self.district_numbers.get(site.district or "", NONE),
                self._validity(site.validity),
                lo,
                hi,
                *centre,
                site.radius_m,
            )
            # A polygon of 128 corners, 1.002 times as wide, holds the whole circle.
            circle = shapely.buffer(shape, 1.002 * site.radius_m, quad_segs=32)
            reaches.append(circle if site.radius_m else shape)
        cells["sites"], cells["n_sites"] = self.items.add_by_cell(
            *self.grid.cells_near_areas(reaches, self.site_margin_m), len(cells)
        )
        return _records(sites)

    def _compile_zones(self, cells: Any) -> Any:
        zones = np.zeros(max(1, len(self.city.zones)), ZONE)
        for number, (zone, shape) in enumerate(zip(self.city.zones, self.zone_shapes, strict=True)):
            limit = np.nan if zone.limit_kmh is None else zone.limit_kmh
            lo, hi = self.edges.add(edges_of(shape))
            kind = ZONE_KINDS.index(zone.kind)
            zones[number] = (kind, self._validity(zone.validity), lo, hi, limit)
        cells["zones"], cells["n_zones"] = self.items.add_by_cell(
            *self.grid.cells_near_areas(self.zone_shapes, 0.0), len(cells)
        )
        return _records(zones)

    def _compile_routes(self, cells: Any) -> tuple[Any, Any]:
        routes = np.zeros(max(1, len(self.city.routes)), ROUTE)
        near = [np.zeros((3, 0), np.int32)]
        for number, (route, shape) in enumerate(
            zip(self.city.routes, self.route_shapes, strict=True)
        ):
            edges = edges_of(shape)
            lo, hi = self.edges.add(edges)
            routes[number] = (route.corridor_m, lo, hi)
            edge, cell = self.grid.cells_near_edges(edges, route.corridor_m)
            near.append(np.stack([cell, np.full_like(cell, number), edge + np.int32(lo)]))
        triples = np.concatenate(near, axis=1)
        cell, number, edge = triples[:, np.lexsort(triples[::-1])]
        goes_on = (
            (cell[1:] == cell[:-1]) & (number[1:] == number[:-1]) & (edge[1:] == edge[:-1] + 1)
        )
        starts = np.flatnonzero(np.concatenate([[True], ~goes_on]))[: len(cell)]
        ends = np.concatenate([starts[1:], [len(cell)]]) - 1
        stretches = np.zeros(max(1, len(starts)), STRETCH)
        if len(starts):
            stretches["route"], stretches["lo"] = number[starts], edge[starts]
            stretches["hi"] = edge[ends] + 1
        counts = np.bincount(cell[starts], minlength=len(cells))
        cells["routes"], cells["n_routes"] = np.cumsum(counts) - counts, counts
        return _records(routes), _records(stretches)

    def _compile_permits(self) -> Any:
        permits = np.zeros(max(1, len(self.city.permits)), PERMIT)
        for number, permit in enumerate(self.city.permits):
            sources = [self.site_numbers[site] for site in permit.source_site_ids]
            disposals = [self.site_numbers[site] for site in permit.disposal_site_ids]
            routes = [self.route_numbers[route] for route in permit.route_ids]
            permits[number] = (
                self._validity(permit.validity),
                *self.items.add(dict.fromkeys(sources + disposals)),
                *self.items.add(disposals),
                *self.items.add(routes),
                *self.items.add(sorted(self._districts_of(permit))),
            )
        return _records(permits)

    def _districts_of(self, permit: Permit) -> set[int]:
        """The districts a permit allows; none = no limit (design section 5, active permits)."""
        if permit.districts:
            return {self.district_numbers[code] for code in permit.districts}
        allowed = set()
        for site_id in (*permit.source_site_ids, *permit.disposal_site_ids):
            number = self._district_of_site(self.city.sites[self.site_numbers[site_id]])
            if number is not None:
                allowed.add(number)
        for route_id in permit.route_ids:
            line = self.route_shapes[self.route_numbers[route_id]]
            touched = shapely.intersects(line, self.districts)
            allowed.update(int(number) for number in np.flatnonzero(touched))
        return allowed

    def _district_of_site(self, site: Site) -> int | None:
        if site.district is not None:
            return self.district_numbers[site.district]
        shape = self.site_shapes[self.site_numbers[site.site_id]]
        holding = np.flatnonzero(shapely.intersects(shapely.centroid(shape), self.districts))
        return int(holding[0]) if len(holding) else None

    def _compile_trucks(self) -> tuple[dict[str, int], Any]:
        permits_of: dict[str, list[int]] = {truck.truck_id: [] for truck in self.city.trucks}
        for number, permit in enumerate(self.city.permits):
            for truck_id in permit.truck_ids:
                permits_of.setdefault(truck_id, []).append(number)
        limits = {truck.truck_id: truck.max_load_kg for truck in self.city.trucks}
        trucks = np.zeros(len(permits_of) + 1, TRUCK)
        trucks["max_load_kg"] = np.nan
        for number, (truck_id, permits) in enumerate(permits_of.items()):
            limit = limits.get(truck_id)
            run = self.items.add(permits)
            trucks[number] = (*run, np.nan if limit is None else limit)
        return {truck_id: i for i, truck_id in enumerate(permits_of)}, _records(trucks)

    def _compile_validities(self) -> tuple[Any, Ints]:
        validities = np.zeros(max(1, len(self.validities)), VALIDITY)
        windows: list[tuple[int, int]] = []
        for number, validity in enumerate(self.validities):
            lo = len(windows)
            windows.extend((window.start_min, window.end_min) for window in validity.windows)
            validities[number] = (
                -FOREVER_DAYS if validity.first is None else _day(validity.first),
                FOREVER_DAYS if validity.last is None else _day(validity.last),
                lo,
                len(windows),
            )
        return _records(validities), np.array(windows or [(0, 0)], dtype=np.int32)


def utc_offsets(timezone: str) -> Any:
    """UTC offset of `timezone` from each of its clock changes on, 1999 to 2101."""
    zone = ZoneInfo(timezone)

    def offset_ms(second: int) -> int:
        offset = datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset()
        return int((offset or timedelta()).total_seconds() * 1000)

    week = 7 * 86_400
    start = int(datetime(1999, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(2101, 1, 1, tzinfo=UTC).timestamp())
    changes = [(start * 1000, offset_ms(start))]
    for before in range(start, end, week):
        before_change, after_change = before, before + week
        if offset_ms(after_change) == offset_ms(before):
            continue
        while after_change - before_change > 1:
            middle = (before_change + after_change) // 2
            if offset_ms(middle) == offset_ms(before):
                before_change = middle
            else:
                after_change = middle
        changes.append((after_change * 1000, offset_ms(after_change)))
    return _records(np.array(changes, dtype=ZONE_OFFSET))


def _numbers(count: int) -> Ints:
    return np.arange(count, dtype=np.int32)


def _records(array: npt.NDArray[Any]) -> Any:
    return array.view(np.recarray)


def _grown(margin_m: float) -> Floats:
    return np.array([-margin_m, -margin_m, margin_m, margin_m])


def _pairs(number: int, cells: Ints) -> tuple[Ints, Ints]:
    return np.full(len(cells), number, dtype=np.int32), cells.astype(np.int32)


def _joined(pairs: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    return np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs])


def _day(day: date) -> int:
    return (day - date(1970, 1, 1)).days
