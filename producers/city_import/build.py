"""A city's files out of an office's spreadsheets and maps.

Called by `mucktrack city new`. Cells are put in the words of a city directory, names become ids;
what the result then has wrong is told by the city's own loader, and each fault is led back to the
file and row that it came from. Pure but for reading the files that are given.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from geofences.city import City
from geofences.findings import Finding, Report
from geofences.loader import parse_city
from geofences.parse_tables import PERMIT_COLUMNS, TRUCK_COLUMNS
from producers.city_import import places, registers
from producers.city_import.headings import Subject
from producers.city_import.names import Ids
from producers.city_import.record import Record
from producers.city_import.settings_file import settings_file
from producers.city_import.sources import Source, read
from producers.feature_collection import feature_collection

_PLACE = re.compile(r"(?:line|feature) (\d+)")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for."""

    name: str
    admin_code: str | None
    """None = that of the districts."""
    timezone: str
    speed_limit_kmh: float | None
    radius_m: float | None
    """Of sites that are points and say none."""
    sources: Mapping[Subject, Sequence[Source]]


@dataclass(slots=True)
class Made:
    """A city's files, and what is to be said of them."""

    city: City | None
    """None where there are errors."""
    files: dict[str, bytes]
    findings: list[Finding]
    notes: list[str]
    origins: dict[str, list[str]] = field(default_factory=dict)
    """By file: the file and row that each of its features or rows came from."""


def make(plan: Plan) -> Made:
    """The files; with errors among the findings there is no city."""
    report = Report()
    given = {
        subject: read(subject, plan.sources.get(subject, ()), report) for subject in plan.sources
    }
    records = {subject: one.records for subject, one in given.items()}
    notes = [note for one in given.values() for note in one.notes]
    book = _Book(plan, records, report)
    files, origins = book.files()
    if report.has_errors():
        return Made(None, files, report.findings, notes, origins)
    city, findings = parse_city(files)
    made = Made(city, files, [], notes, origins)
    made.findings = [*report.findings, *(told_of_source(one, origins) for one in findings)]
    return made


def told_of_source(finding: Finding, origins: Mapping[str, Sequence[str]]) -> Finding:
    """The same fault, with the row it came from."""
    match = _PLACE.match(finding.feature or "")
    from_rows = origins.get(finding.file)
    if match is None or from_rows is None:
        return finding
    number = int(match[1]) - (2 if finding.file.endswith(".csv") else 1)
    if not 0 <= number < len(from_rows):
        return finding
    label = (finding.feature or "")[match.end() :].strip()
    return replace(finding, file=from_rows[number], feature=label or None)


class _Book:
    """The records, in the words of a city directory."""

    def __init__(
        self, plan: Plan, records: Mapping[Subject, Sequence[Record]], report: Report
    ) -> None:
        self._plan = plan
        self._records = records
        self._report = report
        self._ids = Ids()

    def files(self) -> tuple[dict[str, bytes], dict[str, list[str]]]:
        """The files, and where each of their features and rows came from."""
        files: dict[str, bytes] = {}
        origins: dict[str, list[str]] = {}
        for subject, properties_of in self._maps():
            if records := self._records.get(subject, ()):
                self._ids.name_all(subject, records)
                features = [(properties_of(one), one.geometry) for one in records]
                files[f"{subject}.geojson"] = feature_collection(features)
                origins[f"{subject}.geojson"] = [one.label() for one in records]
        if trucks := self._records.get("trucks", ()):
            rows = [registers.truck(one) for one in trucks]
            self._ids.add("trucks", [row["truck_id"] for row in rows])
            files["trucks.csv"] = _table(TRUCK_COLUMNS, rows)
            origins["trucks.csv"] = [one.label() for one in trucks]
        if permits := self._records.get("permits", ()):
            merged = registers.permits(permits, self._ids)
            files["permits.csv"] = _table(PERMIT_COLUMNS, [row for row, _ in merged])
            origins["permits.csv"] = [origin for _, origin in merged]
        files["city.toml"] = self._settings()
        return files, origins

    def _maps(self) -> Sequence[tuple[Subject, Callable[[Record], dict[str, Any]]]]:
        """Districts first, since sites name them."""
        return (
            ("districts", places.district),
            ("sites", lambda one: places.site(one, self._ids, self._plan.radius_m)),
            ("routes", places.route),
            ("zones", places.zone),
        )

    def _settings(self) -> bytes:
        plan = self._plan
        sources: dict[str, list[str]] = {
            subject: [one.path.name for one in some] for subject, some in plan.sources.items()
        }
        return settings_file(
            plan.name, self._admin_code(), plan.timezone, plan.speed_limit_kmh, sources
        )

    def _admin_code(self) -> str:
        """Of the districts, where they are of one city."""
        if self._plan.admin_code is not None:
            return self._plan.admin_code
        codes = [one.text("code") or "" for one in self._records.get("districts", ())]
        heads = {code[:4] for code in codes if len(code) >= 6}
        if len(heads) == 1:
            return f"{heads.pop()}00"
        if heads:
            self._report.error(
                "--admin-code",
                "is not given, and the districts' codes are of several cities; give it",
            )
        return ""


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
