"""What the parsers of all reference files share: decoding, and records with unique ids.

The GeoJSON, CSV and TOML parsers call it. Knows nothing of what the records are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from geofences.fields import Fields
from geofences.findings import Report

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Record:
    """One feature or row."""

    place: str
    """`feature 12` or `line 3`, counted from 1."""
    label: str
    """The place with the record's id, as findings name it."""
    record_id: str
    """"" where it is missing or wrong, which is reported already."""
    fields: Fields
    geometry: object = None
    """As parsed from GeoJSON."""


@dataclass(frozen=True, slots=True)
class Parsed(Generic[_Item]):
    """What one file gave."""

    items: dict[str, tuple[str, _Item]]
    """The faultless ones by id, each with the label findings name it by."""
    ids: frozenset[str] | None
    """Every id seen, of faulty records too, so that one fault is not reported a second time as a
    dangling reference; None where not all of them are known."""

    def sorted_items(self) -> tuple[_Item, ...]:
        return tuple(self.items[key][1] for key in sorted(self.items))


def decode(content: bytes, file: str, report: Report) -> str | None:
    """UTF-8 text, a byte order mark dropped; None, with a finding, where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        report.error(file, f"is not UTF-8 in line {line}; save it as UTF-8")
        return None


def collect(
    records: Iterator[Record | None], id_field: str, read: Callable[[Record], _Item | None]
) -> Parsed[_Item]:
    """Reads all `records`; None stands for one that could not be made out, and `read` gives None
    for one it reported a fault of."""
    items: dict[str, tuple[str, _Item]] = {}
    first_places: dict[str, str] = {}
    has_all_ids = True
    for record in records:
        if record is None:
            has_all_ids = False
            continue
        key = record.record_id
        has_all_ids = has_all_ids and bool(key)
        if key in first_places:
            message = f"is the id of {first_places[key]} too; make ids unique"
            record.fields.fault(id_field, message, key)
        item = read(record)
        if key:
            first_places.setdefault(key, record.place)
        if item is not None and not record.fields.failed:
            items[key] = (record.label, item)
    return Parsed(items, frozenset(first_places) if has_all_ids else None)
