"""Ids of what the files name: given ones, else names, which are then found again by permits.

Called by `producers.city_import.build`. A name serves as an id, so that a city made again of the
same files has the same ids.
"""

import difflib
from collections.abc import Collection, Mapping, Sequence

from producers.city_import.headings import ID_FIELDS, Subject, names_of
from producers.city_import.record import Record

_DISTRICT_DIGITS = 6
"""Of GB/T 2260; longer codes are of places within (GB/T 10114)."""


class Ids:
    """What may be referred to, by subject: each id and each name that only one has."""

    def __init__(self) -> None:
        self._ids: dict[Subject, Mapping[str, str]] = {}

    def has(self, subject: Subject) -> bool:
        return subject in self._ids

    def knows(self, subject: Subject, text: str | None) -> bool:
        return text in self._ids.get(subject, {})

    def add(self, subject: Subject, ids: Collection[str]) -> None:
        self._ids[subject] = {one: one for one in ids}

    def name_all(self, subject: Subject, records: Sequence[Record]) -> None:
        """Gives each record its id; those that have none, or another one's, are reported."""
        id_field = ID_FIELDS[subject]
        seen: dict[str, Record] = {}
        known: dict[str, set[str]] = {}
        for record in records:
            name, own = record.text("name"), record.text(id_field)
            key = own or (name if subject != "districts" else None)
            if key is None:
                _report_nameless(subject, record)
                continue
            key = key.replace(";", "；")
            if key in seen:
                record.fault(
                    id_field if own else "name",
                    f"is that of {seen[key].label()} too; leave one out, or give each an id of its "
                    f"own in {names_of(subject, id_field)}",
                    key,
                )
            seen.setdefault(key, record)
            record.cells[id_field] = key
            record.cells.setdefault("name", key)
            for word in (key, name):
                if word:
                    known.setdefault(word, set()).add(key)
        self._ids[subject] = {word: min(keys) for word, keys in known.items() if len(keys) == 1}

    def resolved(self, record: Record, name: str, text: str, subject: Subject) -> str:
        """The id of what is called `text`; where there is none, that is reported. The code of a
        town or village begins with that of its district."""
        known = self._ids.get(subject, {})
        if subject == "districts" and text not in known and text[:_DISTRICT_DIGITS] in known:
            text = text[:_DISTRICT_DIGITS]
        if text not in known:
            record.fault(name, f"is not among the {subject}{_close(text, known)}", text)
        return known.get(text, text)


def _report_nameless(subject: Subject, record: Record) -> None:
    field = "code" if subject == "districts" else "name"
    what = "code of GB/T 2260" if subject == "districts" else "name"
    record.fault(
        field,
        f"is missing; write the {what} in a column or property called {names_of(subject, field)}",
    )


def _close(text: str, known: Mapping[str, str]) -> str:
    """What may have been meant."""
    close = difflib.get_close_matches(text, known, n=3, cutoff=0.5)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return "; add it there or correct the name" if known else ", of which there are none; give them"
