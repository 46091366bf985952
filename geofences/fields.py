"""One record of reference data, read field by field: GeoJSON properties, a CSV row, a TOML table.

The parsers call it. A `Fields` reports every fault of its record and goes on, so that the caller
asks `failed` once at the end. Knows the shapes of values, not which record has which fields.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeVar

from geofences.findings import Report, shown
from geofences.hours import Validity, Window, parse_hours

_Choice = TypeVar("_Choice", bound=str)

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Fields:
    """The values of one record and where they stand."""

    def __init__(
        self, values: Mapping[str, object], report: Report, file: str, feature: str | None = None
    ) -> None:
        self._values = values
        self._report = report
        self._file = file
        self._feature = feature
        self._faulty: set[str] = set()

    @property
    def failed(self) -> bool:
        return bool(self._faulty)

    def has_fault(self, field: str) -> bool:
        return field in self._faulty

    def fault(self, field: str, message: str, value: object = None) -> None:
        """Reports an error of this record; `message` says what is allowed."""
        self._faulty.add(field)
        self._report.error(
            self._file,
            message,
            feature=self._feature,
            field=field,
            value=None if value is None else shown(value),
        )

    def optional_text(self, name: str) -> str | None:
        """Trimmed text, a whole number as text, or None where missing, null or empty."""
        value = self._values.get(name)
        if value is None:
            return None
        text = as_text(value)
        if text is None:
            self.fault(name, "is no text; write a string", value)
            return None
        if any("\ud800" <= character <= "\udfff" for character in text):
            self.fault(name, "holds half of a surrogate pair; write whole characters", value)
            return None
        return text or None

    def text(self, name: str) -> str:
        """Text that must be there; "" where it is not."""
        text = self.optional_text(name)
        if text is None and not self.has_fault(name):
            self.fault(name, "is missing or empty; fill it in")
        return text or ""

    def number(
        self,
        name: str,
        *,
        above: float = -math.inf,
        at_least: float = -math.inf,
        at_most: float = math.inf,
    ) -> float | None:
        """A finite number, also when written as text; None where missing, null, empty or wrong."""
        value = self._values.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        number = as_number(value)
        if number is None:
            self.fault(name, "is not a finite number; write a plain number", value)
            return None
        if not (number > above and at_least <= number <= at_most):
            allowed = [f"above {above:g}"] * math.isfinite(above)
            allowed += [f"at least {at_least:g}"] * math.isfinite(at_least)
            allowed += [f"at most {at_most:g}"] * math.isfinite(at_most)
            self.fault(name, f"is out of range; allowed is {' and '.join(allowed)}", value)
            return None
        return number

    def choice(self, name: str, allowed: Sequence[_Choice]) -> _Choice | None:
        """One of `allowed`; None, with a finding, where it is none of them."""
        text = self.text(name)
        found = next((choice for choice in allowed if choice == text), None)
        if found is None and not self.has_fault(name):
            self.fault(name, f"is not known; allowed are {', '.join(allowed)}", text)
        return found

    def ids(self, name: str) -> tuple[str, ...]:
        """Ids separated by `;`, trimmed, each once, in the order given."""
        pieces = (piece.strip() for piece in (self.optional_text(name) or "").split(";"))
        return tuple(dict.fromkeys(piece for piece in pieces if piece))

    def validity(self) -> Validity:
        """`valid_from`, `valid_to` and `hours` (design section 4); all may be empty."""
        return Validity(self._date("valid_from"), self._date("valid_to"), self._hours())

    def _hours(self) -> tuple[Window, ...]:
        text = self.optional_text("hours")
        try:
            return parse_hours(text or "")
        except ValueError as error:
            self.fault("hours", str(error))
            return ()

    def _date(self, name: str) -> date | None:
        text = self.optional_text(name)
        if text is None:
            return None
        try:
            if not _DATE.fullmatch(text):
                raise ValueError
            return date.fromisoformat(text)
        except ValueError:
            self.fault(name, "is not a date; write it as 2026-11-22, or leave it empty", text)
            return None


def as_text(value: object) -> str | None:
    """Trimmed text of a string or whole number (ids are often numbers in JSON); else None."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
        return str(value)
    return None


def as_number(value: object) -> float | None:
    """A finite number, or text that is one; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
