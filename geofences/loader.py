"""A city directory to a `City`, with every fault named (design section 4).

The command line, the worker and the tests call it. `parse_city` is pure; only `read_files` and the
functions on top of it touch the disk.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from geofences.city import City
from geofences.datum import Datum
from geofences.findings import Finding, Report
from geofences.parse_geojson import parse_districts, parse_routes, parse_sites, parse_zones
from geofences.parse_settings import GEOJSON_FILES, Settings, parse_settings
from geofences.parse_tables import parse_permits, parse_trucks
from geofences.records import Parsed
from geofences.references import ParsedFiles, check_references

KNOWN_FILES = ("city.toml", *GEOJSON_FILES, "trucks.csv", "permits.csv")

_TELLS_NOTHING_ABSENT = {"districts.geojson", "trucks.csv"}
"""Absent districts are a fault reported once; without a register any truck may hold a permit.
Absent sites or routes exist not, and references to them dangle."""

_Item = TypeVar("_Item")


class CityError(ValueError):
    """The city cannot be used; its text has one line a fault."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        """All of them, warnings included."""
        super().__init__("\n".join(f.render() for f in findings if f.severity == "error"))


def read_files(directory: Path) -> dict[str, bytes]:
    """The known files that are there, by name. OSError where they cannot be read."""
    return {
        name: (directory / name).read_bytes() for name in KNOWN_FILES if (directory / name).exists()
    }


def city_version(files: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) over name, length and bytes of the known files, sorted by name."""
    digest = hashlib.sha256()
    for name in sorted(set(files) & set(KNOWN_FILES)):
        digest.update(f"{name}\n{len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()


def parse_city(files: Mapping[str, bytes]) -> tuple[City | None, list[Finding]]:
    """The city that `files` (contents by name) describe, and all that is wrong with them; None
    with at least one error."""
    report = Report()
    settings = parse_settings(files.get("city.toml"), report)
    if "districts.geojson" not in files:
        report.error("districts.geojson", "is missing; a city directory needs it")
    parsed = _parse_files(files, settings, report)
    check_references(parsed, report)
    if report.has_errors():
        return None, report.findings
    city = City(
        name=settings.name,
        admin_code=settings.admin_code,
        timezone=settings.timezone,
        version=city_version(files),
        speed_limit_kmh=settings.speed_limit_kmh,
        state_overrides=settings.state_overrides,
        rule_overrides=settings.rule_overrides,
        districts=parsed.districts.sorted_items(),
        sites=parsed.sites.sorted_items(),
        routes=parsed.routes.sorted_items(),
        zones=parsed.zones.sorted_items(),
        trucks=parsed.trucks.sorted_items(),
        permits=parsed.permits.sorted_items(),
    )
    return city, report.findings


def read_city(path: Path) -> tuple[City | None, list[Finding]]:
    """The city in directory `path` and all that is wrong with it; None with at least one error."""
    report = Report()
    if not path.is_dir():
        report.error(str(path), "is no directory; name the directory that holds city.toml")
        return None, report.findings
    try:
        files = read_files(path)
        _warn_of_strays(path, report)
    except OSError as error:
        file = Path(error.filename or path)
        name = str(path) if file == path else file.name
        report.error(name, f"cannot be read: {error.strerror}")
        return None, report.findings
    city, findings = parse_city(files)
    return city, findings + report.findings


def load_city(path: Path) -> City:
    """The city in directory `path`. CityError tells all that is wrong with it."""
    city, findings = read_city(path)
    if city is None:
        raise CityError(findings)
    return city


def _warn_of_strays(path: Path, report: Report) -> None:
    """A misnamed file would silently be no part of the city."""
    for entry in sorted(path.iterdir()):
        if entry.suffix in {".toml", ".geojson", ".csv"} and entry.name not in KNOWN_FILES:
            report.warning(entry.name, f"is not read; a city's files are {', '.join(KNOWN_FILES)}")


def _parse_files(files: Mapping[str, bytes], settings: Settings, report: Report) -> ParsedFiles:
    def parse_shapes(
        name: str, parser: Callable[[bytes, Datum, Report], Parsed[_Item]]
    ) -> Parsed[_Item]:
        return parse(name, lambda content, report: parser(content, settings.datums[name], report))

    def parse(name: str, parser: Callable[[bytes, Report], Parsed[_Item]]) -> Parsed[_Item]:
        if name in files:
            return parser(files[name], report)
        return Parsed({}, None if name in _TELLS_NOTHING_ABSENT else frozenset())

    return ParsedFiles(
        districts=parse_shapes("districts.geojson", parse_districts),
        sites=parse_shapes("sites.geojson", parse_sites),
        routes=parse_shapes("routes.geojson", parse_routes),
        zones=parse_shapes("zones.geojson", parse_zones),
        trucks=parse("trucks.csv", parse_trucks),
        permits=parse("permits.csv", parse_permits),
    )
