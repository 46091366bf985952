"""Where a truck has been: from the archive where there is one, and from the tracks of violations.

Asked by the API. Somebody who is limited to districts gets what lies in these (or in none), and
what lies around the violations of cases that he sees, wherever it is. The archive is read by its
columns, in the files of the days concerned; positions that a terminal sent a day late are not
found, and files that are still being written neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from sqlalchemy.orm import Session

from enforcement import queries
from enforcement.actions import Actor
from enforcement.queries import Wanted
from enforcement.tables import ViolationRow
from geofences.city import City
from streams.archive.layout import ArchiveError, day_folders, is_archive, read_about
from streams.logs import get_log
from streams.partition import partition_of

log = get_log(__name__)

LONGEST_MS: Final = 86_400_000
AROUND_MS: Final = 1_800_000
"""What lies so long before and after a violation belongs to its case."""
MOST_VIOLATIONS: Final = 200
COLUMNS: Final = ("time_ms", "lon", "lat", "speed_kmh", "heading_deg", "loaded", "located")


class _Tracked(msgspec.Struct):
    track: list[tuple[int, float, float, float | None]]


@dataclass(frozen=True, slots=True)
class TrackPosition:
    time_ms: int
    lon: float
    lat: float
    speed_kmh: float | None = None
    heading_deg: float | None = None
    loaded: bool | None = None


def track(
    session: Session,
    actor: Actor,
    city: City,
    archive: Path | None,
    truck_id: str,
    from_ms: int,
    to_ms: int,
) -> list[TrackPosition]:
    """In the order of time, from `from_ms` to before `to_ms`."""
    rows = queries.violations(
        session,
        actor,
        Wanted(truck=truck_id, from_ms=from_ms - LONGEST_MS, to_ms=to_ms),
        None,
        MOST_VIOLATIONS,
    )
    found = {one.time_ms: one for one in _of_violations(rows) if from_ms <= one.time_ms < to_ms}
    if archive is not None and is_archive(archive):
        try:
            table = _archived(archive, truck_id, from_ms, to_ms)
        except (ArchiveError, pa.ArrowException, OSError) as error:
            log.error("archive_unreadable", truck_id=truck_id, error=error)
        else:
            spans = [(row.started_ms - AROUND_MS, _end_ms(row) + AROUND_MS) for row in rows]
            # What came later of the same time has been sent again.
            for one in _positions(_limited(table, actor, city, spans)):
                found.setdefault(one.time_ms, one)
                if found[one.time_ms].heading_deg is None:
                    found[one.time_ms] = one
    return [found[time_ms] for time_ms in sorted(found)]


def _end_ms(row: ViolationRow) -> int:
    return max(row.detected_ms, row.ended_ms or 0)


def _of_violations(rows: Sequence[ViolationRow]) -> list[TrackPosition]:
    return [
        TrackPosition(time_ms, lon, lat, speed_kmh)
        for row in rows
        for time_ms, lon, lat, speed_kmh in msgspec.json.decode(row.value, type=_Tracked).track
    ]


def _archived(archive: Path, truck_id: str, from_ms: int, to_ms: int) -> Any:
    """A table of `COLUMNS`, of what may be a fix."""
    partition = partition_of(truck_id, read_about(archive).partitions)
    first = _day(from_ms) - timedelta(days=1)
    last = _day(to_ms) + timedelta(days=1)
    wanted = (
        (pc.field("truck_id") == truck_id)
        & (pc.field("kind") == "position")
        & (pc.field("time_ms") >= from_ms)
        & (pc.field("time_ms") < to_ms)
    )
    tables = []
    for folder in day_folders(archive):
        if first.isoformat() <= folder.name <= last.isoformat():
            tables += [
                pq.read_table(path, columns=list(COLUMNS), filters=wanted)
                for path in sorted(folder.glob(f"{partition:04d}-*.parquet"))
            ]
    if not tables:
        return pa.table({name: [] for name in COLUMNS})
    lon, lat = pc.field("lon"), pc.field("lat")
    on_earth = (lon >= -180) & (lon <= 180) & (lat >= -90) & (lat <= 90)
    somewhere = (lon != 0) | (lat != 0)
    return pa.concat_tables(tables).filter(pc.field("located") & on_earth & somewhere)


def _limited(table: Any, actor: Actor, city: City, spans: Sequence[tuple[int, int]]) -> Any:
    """What he may see of it."""
    if actor.districts is None or not table.num_rows:
        return table
    lon, lat = (np.asarray(table[name], dtype=np.float64) for name in ("lon", "lat"))
    times_ms = np.asarray(table["time_ms"], dtype=np.int64)
    his = np.zeros(table.num_rows, dtype=bool)
    others = np.zeros(table.num_rows, dtype=bool)
    for district in city.districts:
        inside = shapely.intersects_xy(district.shape, lon, lat)
        if district.code in actor.districts:
            his |= inside
        else:
            others |= inside
    seen = his | ~others
    for start_ms, end_ms in spans:
        seen |= (times_ms >= start_ms) & (times_ms <= end_ms)
    return table.filter(pa.array(seen))


def _positions(table: Any) -> list[TrackPosition]:
    columns = [table[name].to_pylist() for name in COLUMNS if name != "located"]
    return [TrackPosition(*values) for values in zip(*columns, strict=True)]


def _day(time_ms: int) -> Any:
    return datetime.fromtimestamp(time_ms / 1_000, UTC).date()
