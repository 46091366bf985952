"""A location (0x0200) inside another message. Used by the tables."""

from dataclasses import dataclass
from typing import Any

from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version
from producers.jt808.kinds import Source, Values
from producers.jt808.location import Location, read_location, write_location
from producers.jt808.plain_location import location_from_plain

FIXED: int = 28
"""Bytes of a location without additional items."""


@dataclass(frozen=True, slots=True)
class Located:
    """A `Location` of `size` bytes, or of all that is left; written from plain data too."""

    size: int | None = None

    def read(self, source: Source, beside: Values) -> Location:
        data = source.take(source.left if self.size is None else self.size)
        return read_location(data, source.version)

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        if isinstance(value, dict):
            value = location_from_plain(value, "location")
        if not isinstance(value, Location):
            raise ProtocolError(f"{value!r}; allowed are locations")
        data = write_location(value, version)
        if self.size is not None and len(data) != self.size:
            raise ProtocolError("a location has no room for additional items here")
        return data
