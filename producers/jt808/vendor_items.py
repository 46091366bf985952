"""What vendors' items of a location mean, which are in no standard: a row each.

Vendors use the same ids for different things. A row says which lengths of value it is for, and
stands here only where no other meaning of that id and length has been seen. A profile of the
terminal, where there is one, knows better.
"""

from typing import Any, Final, NamedTuple

from producers.jt808.kinds import U8, U16, U32, Bcd, Kind, Number, Raw, Source, Text
from producers.jt808.layout import By, Field, Listed, OneOf, Record, Sized

_BLOCK: Final = Record(
    Field("id", U16),
    Field(
        "value",
        By(
            "id",
            {
                0x0023: Text(),  # fuel, litres
                0x002D: Number(2, per=1000),  # battery, V
                0x0089: U32,  # alarms, bits that are 0
                0x00A8: U8,  # battery, percent
                0x00B2: Bcd(10),  # ICCID
                0x00C5: U32,  # alarms, bits that are 0
                0x00CE: Number(2, per=100),  # supply, V
            },
        ),
    ),
)
_SATELLITES: Final = Listed(U8, Raw(4))
_CELL: Final = Record(Field("lac", U16), Field("cell_id", U32), Field("signal", U8, optional=True))


class VendorItem(NamedTuple):
    """A row: an item, the lengths that it can have (none: any), its name, its layout."""

    item_id: int
    lengths: frozenset[int]
    name: str
    kind: Kind


def _row(item_id: int, name: str, kind: Kind, *lengths: int) -> VendorItem:
    return VendorItem(item_id, frozenset(lengths), name, kind)


ITEMS: Final = (
    _row(
        0x07,
        "satellites_in_use",
        Record(
            Field("beidou", _SATELLITES),
            Field("gps", _SATELLITES),
            Field("glonass", _SATELLITES),
            Field("galileo", _SATELLITES),
        ),
    ),
    _row(0x51, "temperatures_0p1c_signed_by_bit_15", Listed(None, U16)),
    _row(0x52, "turning_direction", U8, 1),
    _row(
        0x54,
        "wifi",
        Record(
            Field("networks", Listed(U8, Record(Field("mac", Bcd(6)), Field("signal", U8)))),
        ),
    ),
    _row(0x56, "battery", Record(Field("tenths", U8), Field("unread", Raw(1))), 2),
    _row(0x58, "humidities", Listed(None, U16)),
    _row(0x61, "supply_v", Number(2, per=100), 2),
    _row(0x69, "battery_v", Number(2, per=100), 2),
    _row(0xD4, "battery_percent", U8, 1),
    _row(
        0xE1,
        "cells",
        Record(Field("mcc", U16), Field("mnc", U16), Field("cells", Listed(None, _CELL))),
        10,
    ),
    _row(0xE4, "battery", Record(Field("charging", U8), Field("percent", U8)), 2),
    _row(0xEB, "blocks", Listed(None, Sized(U16, _BLOCK))),
    _row(0xF1, "supply_v", Number(4, per=1000), 4),
    _row(0xF6, "imei", Bcd(8), 8),
    _row(
        0xF7,
        "battery",
        Record(Field("voltage_v", Number(4, per=1000)), Field("state", U8), Field("percent", U8)),
        6,
    ),
    _row(0xF8, "steps", U16, 2),
    _row(
        0xF8,
        "terminal",
        Record(
            Field("kind", U8),
            Field("imei", Bcd(8)),
            Field("iccid", Bcd(10)),
            Field("model", Text(10)),
        ),
        29,
    ),
    _row(0xFA, "alarm_bits", U32, 4),
    _row(
        0xFB,
        "battery",
        Record(Field("percent", U8), Field("voltage_0p01v", U16), Field("state", U8)),
        4,
    ),
)


def meaning_of(item_id: int, value: bytes) -> tuple[str, Any] | None:
    """Name and value of a vendor's item; None where it is not known. Never raises.

    Text is told first: what is printable throughout is no number.
    """
    if len(value) > 3 and value.isascii() and value.decode("ascii").rstrip("\r\n").isprintable():
        return "text", value.decode("ascii").rstrip("\r\n")
    for row in ITEMS:
        if row.item_id == item_id and (not row.lengths or len(value) in row.lengths):
            reading = OneOf(row.kind).read(Source(value, "2013"), {})
            known = reading.isdecimal() if isinstance(reading, str) else reading != value
            return (row.name, reading) if known else None
    return None
