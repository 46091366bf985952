"""Commands to a terminal and what it says of itself: attributes, control, upgrade, tracking."""

from typing import Final

from producers.jt808.kinds import U8, U16, U32, Bcd, Raw, Text, Time
from producers.jt808.layout import SINCE_2019, UNTIL_2013, By, Field, Layout, Listed, Record

_VERSIONS: Final = (
    Field("iccid", Bcd(10)),
    Field("hardware_version", Text(prefix=U8)),
    Field("firmware_version", Text(prefix=U8)),
    Field("gnss_bits", U8),
    Field("network_bits", U8),
)

_CONTROL: Final = Record(Field("id", U16), Field("value", By("id", {0x0001: U8, 0xF001: U8})))
"""0x0001 is the doors (JT/T 808-2019); ids from 0xF001 on are the manufacturer's, and one byte long
as far as seen."""

MESSAGES: Final = {
    0x0004: Layout("query_time", "JT/T 808-2019", Record()),
    0x8004: Layout("time", "JT/T 808-2019", Record(Field("time", Time()))),
    0x8105: Layout(
        "control_terminal",
        "JT/T 808",
        Record(Field("command", U8), Field("parameters", Text())),
    ),
    0x8107: Layout("query_attributes", "JT/T 808", Record()),
    0x0107: Layout(
        "attributes",
        "JT/T 808",
        Record(
            Field("terminal_kind_bits", U16),
            Field("maker_id", Text(5)),
            Field("model", Text(20), UNTIL_2013),
            Field("terminal_id", Text(7), UNTIL_2013),
            Field("model", Text(30), SINCE_2019),
            Field("terminal_id", Text(30), SINCE_2019),
            *_VERSIONS,
        ),
    ),
    0x8108: Layout(
        "upgrade",
        "JT/T 808",
        Record(
            Field("kind", U8),
            Field("maker_id", Text(5)),
            Field("firmware_version", Text(prefix=U8)),
            Field("package", Raw(prefix=U32)),
        ),
    ),
    0x0108: Layout("upgraded", "JT/T 808", Record(Field("kind", U8), Field("result", U8))),
    0x1FC4: Layout(
        "upgrade_progress",
        "Guangdong active safety",
        Record(
            Field("answers_serial", U16),
            Field("kind", U8),
            Field("state", U8),
            Field("progress_percent", U8),
            Field("error", U8),
        ),
    ),
    0x8202: Layout(
        "track",
        "JT/T 808",
        Record(Field("interval_s", U16), Field("duration_s", U32, optional=True)),
    ),
    0x8203: Layout(
        "confirm_alarm",
        "JT/T 808",
        Record(Field("alarm_serial", U16), Field("alarm_bits", U32)),
    ),
    0x8204: Layout("check_link", "JT/T 808-2019", Record()),
    0x8500: Layout(
        "control_vehicle",
        "JT/T 808",
        Record(
            Field("control_bits", U8, UNTIL_2013),
            Field("controls", Listed(U16, _CONTROL), SINCE_2019),
        ),
    ),
    0x8A00: Layout(
        "platform_rsa_key", "JT/T 808", Record(Field("exponent", U32), Field("modulus", Raw(128)))
    ),
    0x0A00: Layout(
        "terminal_rsa_key", "JT/T 808", Record(Field("exponent", U32), Field("modulus", Raw(128)))
    ),
}
