"""One table of a TOML file that people write: typed reading of its keys, every fault named.

Used for terminal profiles and for column mappings. A table reports a fault and goes on, so that one
reading finds all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from geofences.findings import Report, shown

_Choice = TypeVar("_Choice", bound=str)
_Kind = TypeVar("_Kind", int, str)


class Table:
    """One table of a profile. TOML has types: text that looks like a number is none."""

    def __init__(
        self, values: Mapping[str, Any], report: Report, file: str, name: str | None
    ) -> None:
        self._values = values
        self._report = report
        self._file = file
        self._name = name
        self._faulty: set[str] = set()

    def fault(self, key: str, message: str, value: object = None) -> None:
        self._faulty.add(key)
        self._report.error(
            self._file,
            message,
            feature=self._name and f"[{self._name}]",
            field=key,
            value=None if value is None else shown(value),
        )

    def has_fault(self, *keys: str) -> bool:
        return not self._faulty.isdisjoint(keys)

    def has(self, key: str) -> bool:
        return key in self._values

    def value(self, key: str, default: object = None) -> Any:
        return self._values.get(key, default)

    def refuse_unknown(self, allowed: Sequence[str]) -> None:
        for key in self._values:
            if key not in allowed:
                self.fault(shown(key), f"is no key here; allowed are {', '.join(allowed)}")

    def table(self, key: str) -> "Table | None":
        """The table of that name; None where there is none."""
        value = self.value(key)
        if value is None:
            return None
        if isinstance(value, dict):
            return self.within(key, value)
        self.fault(key, f"is no table; write its keys under [{key}]", value)
        return None

    def within(self, key: str, values: Mapping[str, Any]) -> "Table":
        """`values` as the table of that name, which may be written shorter."""
        name = key if self._name is None else f"{self._name}.{key}"
        return Table(values, self._report, self._file, name)

    def text(self, key: str, default: str | None) -> str | None:
        """Text that is not empty; without a default it must be there."""
        value = self.value(key, default)
        if value is None:
            self.fault(key, "is missing; fill it in")
        elif not isinstance(value, str) or (not value.strip() and default is None):
            self.fault(key, "is no text; write a string in quotes", value)
        else:
            return value.strip()
        return None

    def choice(
        self, key: str, allowed: tuple[_Choice, ...], default: _Choice | None
    ) -> _Choice | None:
        value = self.value(key, default)
        if value is None:
            self.fault(key, f"is missing; allowed are {', '.join(map(repr, allowed))}")
        for choice in allowed:
            if value == choice:
                return choice
        if value is not None:
            self.fault(key, f"is not known; allowed are {', '.join(map(repr, allowed))}", value)
        return None

    def whole(self, key: str, default: int, lowest: int, highest: int) -> int | None:
        value = self.value(key, default)
        if type(value) is int and lowest <= value <= highest:
            return value
        self.fault(key, f"is out of range; allowed are {lowest} to {highest}", value)
        return None

    def list_of(self, key: str, kind: type[_Kind]) -> list[_Kind]:
        value = self.value(key, [])
        form = "whole numbers, [0, 1]" if kind is int else 'texts, ["A", "B"]'
        if not isinstance(value, list) or any(type(one) is not kind for one in value):
            self.fault(key, f"is no list of {form}", value)
            return []
        return value
