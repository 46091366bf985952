"""The tables of a profile: typed reading of their keys, and where a reading stands.

Called by `producers.profiles.parse`. A table reports every fault of its keys and goes on.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from geofences.findings import Report, shown
from producers.profiles.reading import Place

_Choice = TypeVar("_Choice", bound=str)
_Kind = TypeVar("_Kind", int, str)

STATUS_BITS = 32
LOAD_BITS = (8, 9)
"""Of the status: the load from 2013 on, reserved in JT/T 808-2011."""
WIDTHS = (1, 2, 4)
LONGEST_ITEM = 255
"""An additional item says its length in one byte (JT/T 808, message 0x0200)."""


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
            return Table(value, self._report, self._file, key)
        self.fault(key, f"is no table; write its keys under [{key}]", value)
        return None

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

    def bits(self, key: str, count: int) -> tuple[int, int] | None:
        """One bit, or the lowest and the highest of several, of a number of `count` bits."""
        value = self.value(key, [0, count - 1])
        pair = [value, value] if type(value) is int else value
        if (
            isinstance(pair, list)
            and len(pair) == 2
            and all(type(bit) is int for bit in pair)
            and 0 <= pair[0] <= pair[1] < count
        ):
            return pair[0], pair[1]
        message = f"is no bit nor [lowest, highest]; allowed are bits 0 to {count - 1}"
        self.fault(key, message, value)
        return None


def parse_place(table: Table, version: str | None) -> Place | None:
    """In the status bits or in an item, whichever the table says; None with a fault."""
    if table.has("item") == table.has("status_bits"):
        both = "are both given; keep one" if table.has("item") else "are both missing; give one"
        table.fault("item, status_bits", both)
        return None
    if table.has("item"):
        return parse_item_place(table)
    for key in ("byte", "bytes", "bits", "length"):
        if table.has(key):
            table.fault(key, "is of an item, and the reading is in `status_bits`; leave it out")
    bits = table.bits("status_bits", STATUS_BITS)
    if bits is None:
        return None
    if version == "2011" and bits[0] <= LOAD_BITS[1] and bits[1] >= LOAD_BITS[0]:
        message = (
            "holds bits 8-9, which JT/T 808-2011 reserves: what they mean there is unknown; "
            'leave the table out, or state the version "2013" or "2019"'
        )
        table.fault("status_bits", message, table.value("status_bits"))
    return Place(None, 0, STATUS_BITS // 8, bits, None)


def parse_item_place(table: Table) -> Place | None:
    """In an additional item; None with a fault."""
    if not table.has("item"):
        table.fault("item", "is missing; allowed are 1 to 255, e.g. 0xE1")
        return None
    item = table.whole("item", 0, 1, LONGEST_ITEM)
    byte = table.whole("byte", 0, 0, LONGEST_ITEM - 1)
    width = table.value("bytes", 1)
    if type(width) is not int or width not in WIDTHS:
        table.fault("bytes", "is no width; allowed are 1, 2, 4", width)
        return None
    bits = table.bits("bits", 8 * width)
    if item is None or byte is None or bits is None:
        return None
    length = None
    if table.has("length"):
        length = table.whole("length", 0, byte + width, LONGEST_ITEM)
    elif byte + width > LONGEST_ITEM:
        table.fault("byte", f"is beyond the longest item, {LONGEST_ITEM} bytes", byte)
    return Place(item, byte, width, bits, length)
