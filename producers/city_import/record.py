"""One row or feature of an office's file, before it is a record of the city.

The readers make them, the rest of `producers.city_import` completes and converts them. A record
knows where it stands, so that every fault names file, row, column and value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from geofences.findings import Report, shown
from producers.city_import.headings import Heading
from producers.exports.cells import Cell, text_of


@dataclass(slots=True)
class Record:
    """What one row or feature says."""

    file: str
    place: str
    """`row 7` or `feature 3`, counted from 1 as the program that wrote the file does."""
    cells: dict[str, Cell]
    """By field."""
    headings: Mapping[str, Heading]
    """Of the fields: how the file writes them."""
    report: Report
    geometry: dict[str, Any] | None = None
    """GeoJSON, in WGS-84 where it has been converted."""
    folder: str | None = None
    """Of a KML file: the folder that holds it."""
    told_by: dict[str, tuple[str, str]] = field(default_factory=dict)
    """File and place of the fields that a row of another file has told."""
    failed: bool = field(default=False)

    def text(self, name: str) -> str | None:
        """Trimmed text of a field; None where there is none."""
        return text_of(self.cells.get(name))

    def unit(self, name: str) -> str:
        heading = self.headings.get(name)
        return "" if heading is None else heading.unit

    def fault(self, name: str, message: str, value: object = None) -> None:
        """Reports an error of a field; `message` says what is allowed."""
        self.failed = True
        heading = self.headings.get(name)
        file, place = self.told_by.get(name, (self.file, self.place))
        self.report.error(
            file,
            message,
            feature=place,
            field=name if heading is None else heading.text,
            value=None if value is None else shown(value),
        )

    def label(self) -> str:
        return f"{self.file} {self.place}"
