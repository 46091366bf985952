"""Trucks and permits in the words of a city directory.

Called by `producers.city_import.build`: records in, rows of CSV files out. What cannot be read is
reported at the record.
"""

from collections.abc import Sequence

from geofences.parse_tables import TRUCK_COLUMNS
from producers.city_import import words
from producers.city_import.headings import Subject, names_of
from producers.city_import.names import Ids
from producers.city_import.record import Record
from producers.city_import.validity import measured, said, validity

_LISTS: Sequence[tuple[str, Subject]] = (
    ("source_site_ids", "sites"),
    ("disposal_site_ids", "sites"),
    ("route_ids", "routes"),
    ("districts", "districts"),
)
_ALIKE = ("valid_from", "valid_to", "hours")
"""What all rows of a permit must say alike."""


def truck(record: Record) -> dict[str, str]:
    row = {name: record.text(name) or "" for name in TRUCK_COLUMNS}
    if row["truck_id"]:
        row["truck_id"] = said(record, "truck_id", row["truck_id"], words.plate) or row["truck_id"]
    else:
        record.fault("truck_id", f"is missing; write it in {names_of('trucks', 'truck_id')}")
    if row["max_load_kg"]:
        load_kg = measured(record, "max_load_kg", row["max_load_kg"], words.kilograms)
        row["max_load_kg"] = load_kg or ""
    return row


def permits(records: Sequence[Record], ids: Ids) -> list[tuple[dict[str, str], str]]:
    """A row each; those with the same permit are one, as is one without a number with the
    one above it (cells that were joined)."""
    found: dict[str, dict[str, list[str]]] = {}
    origins: dict[str, str] = {}
    above: str | None = None
    for record in records:
        key = record.text("permit_id") or above
        if key is None:
            names = names_of("permits", "permit_id")
            record.fault("permit_id", f"is missing; write it in {names}")
            continue
        above = key
        told = _permit(record, ids)
        known = found.setdefault(key, {})
        origins.setdefault(key, record.label())
        for name, values in told.items():
            if name in _ALIKE and known.get(name, values) != values:
                record.fault(
                    name,
                    f"differs from {known[name][0]!r}, which {origins[key]} has for the same "
                    f"permit {key!r}; make them equal, or give it a number of its own",
                    values[0],
                )
            known[name] = list(dict.fromkeys([*known.get(name, ()), *values]))
    return [
        (
            {"permit_id": key, **{name: ";".join(values) for name, values in told.items()}},
            origins[key],
        )
        for key, told in found.items()
    ]


def _permit(record: Record, ids: Ids) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {name: [value] for name, value in validity(record).items()}
    told["truck_ids"] = [
        _truck_of(record, one, ids) for one in words.listed(record.text("truck_ids"))
    ]
    for name, subject in _LISTS:
        text = record.text(name)
        # A name may hold what lists are separated by: so the whole cell is looked for first.
        parts = [text] if text and ids.knows(subject, text) else words.listed(text)
        told[name] = [ids.resolved(record, name, one, subject) for one in parts]
    return told


def _truck_of(record: Record, text: str, ids: Ids) -> str:
    """A plate of the register; without one, any truck may hold a permit."""
    plate = said(record, "truck_ids", text, words.plate)
    if plate is not None and ids.has("trucks"):
        return ids.resolved(record, "truck_ids", plate, "trucks")
    return plate or text
