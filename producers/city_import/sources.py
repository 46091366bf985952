"""The files of one subject (its maps, its spreadsheets) to records.

Called by `producers.city_import.build`. A spreadsheet of sites, routes, zones or districts may have
places of its own (longitude and latitude) or tell more of what a map has, row by row, by id or
name. Faults go into the report.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geofences.datum import DATUMS, Datum
from geofences.findings import Report, shown
from producers.chunk import InputFileError
from producers.city_import import maps, spreadsheets
from producers.city_import.headings import ID_FIELDS, Heading, Subject, field_of, names_of
from producers.city_import.record import Record
from producers.exports.cells import Cell, CellError, degrees_reader, text_of

AREAS: Sequence[Subject] = ("districts", "sites", "zones")
_MOST_SHOWN = 30
_NO_DATUM = (
    "has coordinates, and nobody has said of which datum: give --datum wgs84 (GPS, Google Earth, "
    "天地图), gcj02 (高德, 腾讯) or bd09 (百度), or FILE@DATUM; told once for this file"
)
_read_degrees = degrees_reader("deg")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was given."""

    path: Path
    sheet: str | None = None
    datum: Datum | None = None
    """Of its coordinates; None = nobody has said."""


@dataclass(slots=True)
class Given:
    """What the files of one subject say."""

    records: list[Record]
    notes: list[str]
    """How each file was read, a line each."""


def read(subject: Subject, sources: Sequence[Source], report: Report) -> Given:
    """The records of all files, those without a place of their own joined to those that have."""
    given = Given([], [])
    for source in sources:
        try:
            records, note = _read_one(subject, source, report)
        except InputFileError as error:
            file, _, message = str(error).partition(": ")
            report.error(file, message)
            continue
        given.records += records
        given.notes.append(note)
    if subject in ("trucks", "permits"):
        return given
    return Given(_joined(subject, given.records), given.notes)


def _read_one(subject: Subject, source: Source, report: Report) -> tuple[list[Record], str]:
    kind = source.path.suffix.lower()
    if kind in (*spreadsheets.WORKBOOKS, *spreadsheets.TEXTS):
        return _of_spreadsheet(subject, source, report)
    if kind in maps.KINDS and subject not in ("trucks", "permits"):
        return _of_map(subject, source, report)
    allowed = [*spreadsheets.WORKBOOKS, *spreadsheets.TEXTS]
    if subject not in ("trucks", "permits"):
        allowed = [*maps.KINDS, *allowed]
    raise InputFileError(
        f"{source.path}: is no file that is read for {subject}; allowed are {', '.join(allowed)}; "
        "export it as one of these (QGIS does so with shapefiles)"
    )


def _of_spreadsheet(subject: Subject, source: Source, report: Report) -> tuple[list[Record], str]:
    found = spreadsheets.lines(source.path, source.sheet)
    at = spreadsheets.headings_among(found, subject)
    if at is None:
        first = [text for cell in (found[0][1] if found else ()) if (text := text_of(cell))]
        raise InputFileError(
            f"{source.path}: has no heading that is known for {subject} in its first lines; "
            f"{names_of(subject, ID_FIELDS[subject])} would be; there are "
            f"{', '.join(map(repr, first[:_MOST_SHOWN])) or 'none'}{_other_sheets(source)}"
        )
    number, cells = found[at]
    texts = [text_of(cell) for cell in cells]
    columns, unread = _columns(subject, texts, source.path.name, f"row {number}", report)
    headings = {field: heading for field, (_, heading) in columns.items()}
    records = []
    for row, values in found[at + 1 :]:
        taken = {
            field: values[index]
            for field, (index, _) in columns.items()
            if index < len(values) and text_of(values[index]) is not None
        }
        record = Record(source.path.name, f"row {row}", taken, headings, report)
        _place(record, source.datum)
        if taken:
            records.append(record)
    return records, _note(source, headings, unread, len(records), "row")


def _other_sheets(source: Source) -> str:
    """That one can be named, where the first was read because none was."""
    if source.sheet is not None or source.path.suffix.lower() not in spreadsheets.WORKBOOKS:
        return ""
    return f"; it is the first sheet: another is named as {source.path.name}#SHEET"


def _columns(
    subject: Subject, texts: Sequence[str | None], file: str, place: str, report: Report
) -> tuple[dict[str, tuple[int, Heading]], list[str]]:
    """Where each field is, and the headings that are none."""
    columns: dict[str, tuple[int, Heading]] = {}
    unread = []
    for index, text in enumerate(texts):
        if text is None:
            continue
        heading = Heading.of(text)
        field = field_of(subject, heading)
        if field is None:
            unread.append(heading.text)
        elif field in columns:
            message = f"is read as {field}, and so is {columns[field][1].text!r}; rename one"
            report.error(file, message, feature=place, field=heading.text)
        else:
            columns[field] = index, heading
    return columns, unread


def _place(record: Record, datum: Datum | None) -> None:
    """Makes a point of the columns of longitude and latitude, where the row has them. Their
    headings may say the datum: `lng_wgs84`, `经度(GCJ-02)`."""
    if "lon" not in record.cells and "lat" not in record.cells:
        return
    place = []
    for name in ("lon", "lat"):
        try:
            value = _read_degrees(record.cells.get(name))
        except CellError as error:
            record.fault(name, f"{error}; write decimal degrees")
            return
        if value is None:
            record.fault(name, "is empty, and the other coordinate is not; fill it in")
            return
        place.append(value)
    said = re.sub(r"[^a-z0-9]", "", record.unit("lon"))
    own = next((one for one in DATUMS if one == said), datum)
    _set_geometry(record, {"type": "Point", "coordinates": place}, own)


def _of_map(subject: Subject, source: Source, report: Report) -> tuple[list[Record], str]:
    records: list[Record] = []
    headings: dict[str, Heading] = {}
    unread: dict[str, None] = {}
    for feature in maps.features(source.path):
        own: dict[str, Heading] = {}
        cells: dict[str, Cell] = {}
        for key, value in feature.properties.items():
            heading = Heading.of(str(key))
            field = field_of(subject, heading)
            if field is None:
                unread[heading.text] = None
            elif isinstance(value, str | int | float) and text_of(value) is not None:
                cells.setdefault(field, value)
                own.setdefault(field, heading)
        headings |= own
        place = f"feature {feature.number}"
        record = Record(source.path.name, place, cells, own, report, folder=feature.folder)
        if feature.geometry is None:
            record.fault("geometry", "is missing; draw it, or leave the feature out")
        shape = maps.mended(feature.geometry, wants_area=subject in AREAS)
        _set_geometry(record, shape, source.datum)
        records.append(record)
    return records, _note(source, headings, list(unread), len(records), "feature")


def _set_geometry(record: Record, shape: Any, datum: Datum | None) -> None:
    if datum is None:
        _report_no_datum(record)
        return
    try:
        record.geometry = maps.in_wgs84(shape, datum)
    except (ValueError, OverflowError):
        record.fault("geometry", "has coordinates that are no finite numbers; export it again")


def _report_no_datum(record: Record) -> None:
    """Once for a file, since it is so of all of it."""
    record.failed = True
    if not any(one.file == record.file and one.message == _NO_DATUM
               for one in record.report.findings):  # fmt: skip
        record.fault("geometry", _NO_DATUM)


def _joined(subject: Subject, records: Sequence[Record]) -> list[Record]:
    """Rows without a place tell more of the record that has one and the same id or name."""
    id_field = ID_FIELDS[subject]
    placed = [one for one in records if one.geometry is not None or one.failed]
    by_key = _by_key(placed, id_field)
    told: set[str] = set()
    for row in records:
        if row.geometry is not None or row.failed or row.file in told:
            continue
        key = row.text(id_field) or row.text("name")
        found = by_key.get(key or "", []) or by_key.get(row.text("name") or "", [])
        if len(found) == 1:
            for field, cell in row.cells.items():
                if found[0].text(field) is None:
                    found[0].cells[field] = cell
                    found[0].told_by[field] = row.file, row.place
                    found[0].headings = {**found[0].headings, field: row.headings[field]}
            continue
        if not found and "lon" not in row.headings and not _any_on_a_map(row.file, records, by_key):
            told.add(row.file)
            row.report.error(
                row.file,
                "has no column that is read as longitude, nor a row whose name or id is on a map; "
                f"call its columns {names_of('sites', 'lon')} and {names_of('sites', 'lat')}, or "
                "draw what it tells of",
            )
            continue
        value = None if key is None else shown(key)
        what = "is on no map" if not found else f"is on the maps {len(found)} times"
        row.failed = True
        row.report.error(
            row.file,
            f"{what}, and the row has no longitude and latitude; draw it, write 经度 and 纬度, or "
            "correct the name",
            feature=row.place,
            field="name",
            value=value,
        )
    return list(placed)


def _any_on_a_map(
    file: str, records: Iterable[Record], by_key: Mapping[str, Sequence[Record]]
) -> bool:
    rows = (row for row in records if row.file == file and row.geometry is None)
    return any(row.text("name") in by_key for row in rows)


def _by_key(records: Iterable[Record], id_field: str) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        for key in dict.fromkeys((record.text(id_field), record.text("name"))):
            if key is not None:
                found.setdefault(key, []).append(record)
    return found


def _note(
    source: Source, headings: dict[str, Heading], unread: Sequence[str], count: int, noun: str
) -> str:
    read_as = ", ".join(f"{heading.text} = {field}" for field, heading in headings.items())
    left = f"; not read: {', '.join(unread[:_MOST_SHOWN])}" if unread else ""
    plural = "" if count == 1 else "s"
    return f"{source.path.name}: {count} {noun}{plural}; read: {read_as or 'nothing'}{left}"
