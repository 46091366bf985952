"""Waybill, driver, CAN bus and what is passed through: 0x0701, 0x0702, 0x0705, 0x0900, 0x0901.

The status and the properties of peripherals (0x0900 and 0x8900 of kinds 0xF7 and 0xF8) are those of
T/JSATL 12 and the Guangdong standard, which agree.
"""

from typing import Final

from producers.jt808.kinds import U8, U16, U32, Bcd, Raw, Text, Time
from producers.jt808.layout import (
    ONLY_2011,
    SINCE_2013,
    SINCE_2019,
    By,
    Field,
    Layout,
    Listed,
    OneOf,
    Record,
    Sized,
)

_808: Final = "JT/T 808"

STATE: Final = Record(Field("working", U8), Field("alarm_bits", U32))
"""Of a peripheral."""
PERIPHERAL_STATES: Final = Record(
    Field("peripherals", Listed(U8, Record(Field("id", U8), Field("state", Sized(U8, STATE)))))
)
_PROPERTIES: Final = tuple(
    Field(name, Text(prefix=U8))
    for name in (
        "company",
        "product",
        "hardware_version",
        "software_version",
        "terminal_id",
        "customer",
    )
)
_PERIPHERALS: Final = Record(
    Field(
        "peripherals",
        Listed(U8, Record(Field("id", U8), Field("properties", Sized(U8, Record(*_PROPERTIES))))),
    )
)
_ASKED: Final = OneOf(Record(Field("peripherals", Listed(U8, U8))))

_DRIVER_2011: Final = (
    Field("name", Text(prefix=U8), ONLY_2011),
    Field("identity_card", Text(20), ONLY_2011),
    Field("licence", Text(40), ONLY_2011),
    Field("authority", Text(prefix=U8), ONLY_2011),
)
"""In 2011 a terminal sends the driver alone, without a card going in or out."""

MESSAGES: Final = {
    0x0701: Layout("waybill", _808, Record(Field("waybill", Raw(prefix=U32)))),
    0x8702: Layout("query_driver", _808, Record()),
    0x0702: Layout(
        "driver",
        _808,
        Record(
            *_DRIVER_2011,
            Field("card", U8, SINCE_2013),
            Field("card_time", Time(), SINCE_2013),
            Field("card_read", U8, SINCE_2013, optional=True),
            Field("name", Text(prefix=U8), SINCE_2013),
            Field("licence", Text(20), SINCE_2013),
            Field("authority", Text(prefix=U8), SINCE_2013),
            Field("valid_until", Bcd(4), SINCE_2013),
            Field("identity_card", Text(20), SINCE_2019, optional=True),
        ),
    ),
    0x0705: Layout(
        "can_frames",
        _808,
        Record(
            Field("count", U16),
            Field("received_hhmmssms", Bcd(5)),
            Field("frames", Listed(None, Record(Field("can_id", U32), Field("data", Raw(8))))),
        ),
    ),
    0x8900: Layout(
        "passed_down",
        _808,
        Record(Field("kind", U8), Field("data", By("kind", {0xF7: _ASKED, 0xF8: _ASKED}))),
    ),
    0x0900: Layout(
        "passed_up",
        _808,
        Record(
            Field("kind", U8),
            Field(
                "data",
                By("kind", {0xF7: OneOf(PERIPHERAL_STATES), 0xF8: OneOf(_PERIPHERALS)}),
            ),
        ),
    ),
    0x0901: Layout("compressed", _808, Record(Field("gzip", Raw(prefix=U32)))),
}
