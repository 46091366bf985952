"""Additional items of a location: id 1, length 1, value (JT/T 808 location report).

`read_items` never fails: what is no whole item any more is handed back as it is. Used by `location`
and by whoever gives items a meaning.
"""

from collections.abc import Iterable, Mapping

from producers.jt808.errors import ProtocolError


def read_items(additional: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """All whole items in order, repeated ones too; and what is left over behind the last."""
    items = []
    at, end = 0, len(additional)
    while at + 2 <= end:
        after = at + 2 + additional[at + 1]
        if after > end:
            break
        items.append((additional[at], additional[at + 2 : after]))
        at = after
    return items, additional[at:]


def find_item(additional: bytes, item_id: int) -> bytes | None:
    """The value of the last whole item of that id, without reading the others."""
    value = None
    at, last = 0, len(additional) - 2
    while at <= last:
        after = at + 2 + additional[at + 1]
        if additional[at] == item_id and after <= last + 2:
            value = additional[at + 2 : after]
        at = after
    return value


def write_items(items: Mapping[int, bytes] | Iterable[tuple[int, bytes]]) -> bytes:
    """Raises `ProtocolError` where an id or a value has no room."""
    written = bytearray()
    for item_id, value in items.items() if isinstance(items, Mapping) else items:
        if not 0 <= item_id <= 0xFF or len(value) > 0xFF:
            raise ProtocolError(
                f"item {item_id:#04x} of {len(value)} bytes; allowed are ids to 0xff of 255 bytes"
            )
        written += bytes((item_id, len(value))) + value
    return bytes(written)
