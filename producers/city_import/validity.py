"""When something holds, and measures with units, out of the cells of a record.

Used for places and for permits. What cannot be read is reported at the record.
"""

from collections.abc import Callable

from producers.city_import import words
from producers.city_import.record import Record

Convert = Callable[[str], str]


def validity(record: Record) -> dict[str, str]:
    """`valid_from`, `valid_to` and `hours`, those that there are."""
    found: dict[str, str] = {}
    if (both := record.text("validity")) is not None:
        try:
            found["valid_from"], found["valid_to"] = words.days(both)
        except words.WordError as error:
            record.fault("validity", str(error), both)
    for name in ("valid_from", "valid_to"):
        if record.text(name) is not None:
            try:
                found[name] = words.day(record.cells[name])
            except words.WordError as error:
                record.fault(name, str(error), record.text(name))
    if (text := record.text("hours")) is not None:
        found["hours"] = said(record, "hours", text, words.hours) or ""
    return {name: value for name, value in found.items() if value}


def said(record: Record, name: str, text: str, convert: Convert) -> str | None:
    try:
        return convert(text)
    except words.WordError as error:
        record.fault(name, str(error), text)
        return None


def measured(
    record: Record, name: str, text: str, convert: Callable[[str, str], str]
) -> str | None:
    return said(record, name, text, lambda one: convert(one, record.unit(name)))
