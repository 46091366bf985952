"""The two CSV files of a city directory (design section 4).

The loader calls one function a file. Faults go into the report, one finding each; references
between files are checked elsewhere.
"""

import csv
import io
from collections.abc import Callable, Iterator
from typing import TypeVar

from geofences.city import Permit, Truck
from geofences.fields import Fields
from geofences.findings import Report, shown
from geofences.records import Parsed, Record, collect, decode

TRUCK_COLUMNS = ("truck_id", "terminal_id", "company", "max_load_kg")
PERMIT_COLUMNS = (
    "permit_id",
    "truck_ids",
    "source_site_ids",
    "disposal_site_ids",
    "route_ids",
    "districts",
    "valid_from",
    "valid_to",
    "hours",
)

_Item = TypeVar("_Item")


def parse_trucks(content: bytes, report: Report) -> Parsed[Truck]:
    """One truck a row."""

    def read(record: Record) -> Truck:
        fields = record.fields
        return Truck(
            record.record_id,
            fields.optional_text("terminal_id"),
            fields.optional_text("company"),
            fields.number("max_load_kg", above=0),
        )

    return _parse(content, "trucks.csv", TRUCK_COLUMNS, read, report)


def parse_permits(content: bytes, report: Report) -> Parsed[Permit]:
    """One permit a row; lists separated by `;`."""

    def read(record: Record) -> Permit:
        fields = record.fields
        return Permit(
            record.record_id,
            fields.ids("truck_ids"),
            fields.ids("source_site_ids"),
            fields.ids("disposal_site_ids"),
            fields.ids("route_ids"),
            fields.ids("districts"),
            fields.validity(),
        )

    return _parse(content, "permits.csv", PERMIT_COLUMNS, read, report)


def _parse(
    content: bytes,
    file: str,
    columns: tuple[str, ...],
    read: Callable[[Record], _Item | None],
    report: Report,
) -> Parsed[_Item]:
    """`columns`: those that must be there, the id first."""
    rows = _rows(content, file, report)
    if rows is None:
        return Parsed({}, None)
    header = [name.strip() for name in rows[0][1]]
    if not _is_header_whole(header, columns, file, report):
        return Parsed({}, None)
    return collect(_records(rows[1:], header, columns[0], file, report), columns[0], read)


def _rows(content: bytes, file: str, report: Report) -> list[tuple[int, list[str]]] | None:
    """The rows that are not blank, each with the number of its (last) line; at least one."""
    text = decode(content, file, report)
    if text is None:
        return None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        report.error(file, f"is not CSV in line {reader.line_num}: {error}; repair the line")
        return None
    if not rows:
        report.error(file, "is empty; give it a header, or remove the file")
        return None
    return rows


def _is_header_whole(
    header: list[str], columns: tuple[str, ...], file: str, report: Report
) -> bool:
    """A column left out or misspelt would silently lift a limit, so all must be there."""
    for name in columns:
        if header.count(name) != 1:
            what = "is missing" if name not in header else "is there twice"
            message = f"{what}; expected are {','.join(columns)}, and cells may be empty"
            report.error(file, message, feature="header", field=f"column {name!r}")
    return all(header.count(name) == 1 for name in columns)


def _records(
    rows: list[tuple[int, list[str]]], header: list[str], id_field: str, file: str, report: Report
) -> Iterator[Record | None]:
    for line, row in rows:
        place = f"line {line}"
        if len(row) != len(header):
            message = f"has {len(row)} cells, the header {len(header)}; repair the line"
            report.error(file, message, feature=place)
            yield None
            continue
        values = dict(zip(header, row, strict=True))
        record_id = values[id_field].strip()
        label = f"{place} {shown(record_id)}" if record_id else place
        fields = Fields(values, report, file, label)
        yield Record(place, label, fields.text(id_field), fields)
