"""Where a reading stands, as the tables of a profile say it.

Called by `producers.profiles.parse`.
"""

from producers.profiles.reading import Place
from producers.toml_table import Table

STATUS_BITS = 32
LOAD_BITS = (8, 9)
"""Of the status: the load from 2013 on, reserved in JT/T 808-2011."""
WIDTHS = (1, 2, 4)
LONGEST_ITEM = 255
"""An additional item says its length in one byte (JT/T 808, message 0x0200)."""


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
    bits = _bits(table, "status_bits", STATUS_BITS)
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
    bits = _bits(table, "bits", 8 * width)
    if item is None or byte is None or bits is None:
        return None
    length = None
    if table.has("length"):
        length = table.whole("length", 0, byte + width, LONGEST_ITEM)
    elif byte + width > LONGEST_ITEM:
        table.fault("byte", f"is beyond the longest item, {LONGEST_ITEM} bytes", byte)
    return Place(item, byte, width, bits, length)


def _bits(table: Table, key: str, count: int) -> tuple[int, int] | None:
    """One bit, or the lowest and the highest of several, of a number of `count` bits."""
    value = table.value(key, [0, count - 1])
    pair = [value, value] if type(value) is int else value
    if (
        isinstance(pair, list)
        and len(pair) == 2
        and all(type(bit) is int for bit in pair)
        and 0 <= pair[0] <= pair[1] < count
    ):
        return pair[0], pair[1]
    message = f"is no bit nor [lowest, highest]; allowed are bits 0 to {count - 1}"
    table.fault(key, message, value)
    return None
