"""Routes inside of messages (0x120E, 0x1602), which are those of JT/T 808 (0x8606).

Called by `producers.jt809.plain`.
"""

from typing import Any

from producers.jt808.areas import ROUTE
from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version
from producers.jt808.layout import REST, read

_EDITIONS: tuple[Version, ...] = ("2019", "2013")
"""JT/T 809-2019 names the JT/T 808 of its own year; platforms send what their terminals gave."""


def route_in(raw: bytes) -> dict[str, Any] | None:
    """The fields of a route, by the edition that it fits to the last byte; None for none."""
    for edition in _EDITIONS:
        try:
            fields = read(ROUTE, raw, edition)
        except ProtocolError:
            continue
        if REST not in fields:
            return fields
    return None
