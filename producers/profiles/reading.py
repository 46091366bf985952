"""Where in a terminal's location a sensor's reading stands, and what its values mean.

The data of a profile, and what is compiled from it once so that a reading costs a look into a
table. Pure: knows neither TOML nor positions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Meaning = TypeVar("Meaning")

Reader = Callable[[int, Mapping[int, bytes]], Meaning | None]
"""Status bits and additional items of a location (JT/T 808, message 0x0200) in; what they mean out,
None = unknown."""

_LONGEST_TABLE = 8
"""Bits of a reading whose meanings are laid out as a table."""


@dataclass(frozen=True, slots=True)
class Place:
    """A whole number within the status bits or within an additional item."""

    item: int | None
    """Id of the additional item; None = the status bits."""
    byte: int
    """The first byte of the number in the item, counted from 0."""
    bytes: int
    """How many bytes the number has, highest first."""
    bits: tuple[int, int]
    """The lowest and the highest bit of the number that count; bit 0 is the lowest."""
    length: int | None
    """Bytes that the item has to have; None = any that reach so far."""

    @property
    def width(self) -> int:
        """Bits of the reading."""
        return self.bits[1] - self.bits[0] + 1

    @property
    def highest(self) -> int:
        """The highest reading there can be."""
        return (1 << self.width) - 1


@dataclass(frozen=True, slots=True)
class Switch:
    """A reading that means true or false; a value in neither list is unknown."""

    place: Place
    true: frozenset[int]
    false: frozenset[int]


@dataclass(frozen=True, slots=True)
class Scale:
    """A reading that is a weight."""

    place: Place
    kg: float
    """Kilograms in one step of the reading."""
    unknown: frozenset[int]
    """Readings that are none, such as 65535."""


def compile_switch(switch: Switch | None) -> Reader[bool]:
    if switch is None:
        return unknown
    meanings = dict.fromkeys(switch.true, True) | dict.fromkeys(switch.false, False)
    if switch.place.width <= _LONGEST_TABLE:
        table = tuple(meanings.get(value) for value in range(switch.place.highest + 1))
        return _reader(switch.place, table.__getitem__)
    return _reader(switch.place, meanings.get)


def compile_scale(scale: Scale | None) -> Reader[float]:
    if scale is None:
        return unknown
    kg, none = scale.kg, scale.unknown

    def weight(value: int) -> float | None:
        # Rounded, since 0.1 times a whole number is often none that 0.1 kg can be read from.
        return None if value in none else round(value * kg, 6)

    return _reader(scale.place, weight)


def unknown(_status: int, _items: Mapping[int, bytes]) -> None:
    """The reader of what a terminal does not tell."""


def _reader(place: Place, meaning: Callable[[int], Meaning | None]) -> Reader[Meaning]:
    low, mask = place.bits[0], place.highest
    if place.item is None:
        return lambda status, _items: meaning(status >> low & mask)
    item, start, end, length = place.item, place.byte, place.byte + place.bytes, place.length

    def read(_status: int, items: Mapping[int, bytes]) -> Meaning | None:
        value = items.get(item)
        if value is None or len(value) < end or (length is not None and len(value) != length):
            return None
        return meaning(int.from_bytes(value[start:end]) >> low & mask)

    return read
