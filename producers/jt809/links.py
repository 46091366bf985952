"""Bodies that manage the links between two platforms: login, keep-alive, logout, tallies.

JT/T 809, messages 0x1001 to 0x1103 and 0x9001 to 0x9103. Called by `producers.jt809.table`.
"""

from typing import Annotated, Final

from producers.jt809.fields import U8, U16, U32, U64, Counted, Layout, Text

OK: Final = 0
WRONG_ADDRESS: Final = 1
WRONG_ACCESS_CODE: Final = 2
NOT_REGISTERED: Final = 3
WRONG_PASSWORD: Final = 4
NO_RESOURCES: Final = 5
OTHER: Final = 6
"""Results of 0x1002."""


class Login(Layout):
    """0x1001 of 2011: a lower platform logs in on the main link."""

    user_id: U32
    password: Annotated[str, Text(8)]
    down_link_ip: Annotated[str, Text(32)]
    down_link_port: U16


class Login2019(Layout):
    """0x1001 of 2019: with the platform's access code."""

    user_id: U32
    password: Annotated[str, Text(8)]
    centre_id: U32
    down_link_ip: Annotated[str, Text(32)]
    down_link_port: U16


class LoginAnswer(Layout):
    """0x1002."""

    result: U8
    """`OK` and its neighbours."""
    verify_code: U32
    """The upper platform shows it when it opens the sub link (0x9001)."""


class Logout(Layout):
    """0x1003."""

    user_id: U32
    password: Annotated[str, Text(8)]


class Empty(Layout):
    """What has no body: 0x1004, the keep-alives 0x1005, 0x1006, 0x9005, 0x9006, and 0x9004."""


class Disconnected(Layout):
    """0x1007 and 0x9007: the other link has broken."""

    error_code: U8


class Closing(Layout):
    """0x1008 and 0x9008: both links are about to be closed."""

    reason_code: U8


class SubLinkLogin(Layout):
    """0x9001: the upper platform opens the sub link."""

    verify_code: U32


class SubLinkLoginAnswer(Layout):
    """0x9002."""

    result: U8


class SubLinkLogout(Layout):
    """0x9003."""

    verify_code: U32


class Tally(Layout):
    """0x9101 of 2011: positions received between two times, Unix epoch seconds UTC."""

    positions: U32
    start_s: U64
    end_s: U64


class Period(Layout):
    """0x9102 of 2019: of which platform and time a report is asked for."""

    platform_id: Annotated[str, Text(11)]
    start_s: U64
    end_s: U64


class LinkReport(Layout):
    """0x1102 of 2019: how a platform's link and its positions fared between two times."""

    platform_id: Annotated[str, Text(11)]
    start_s: U64
    end_s: U64
    lost_positions: U32
    breaks: U8
    broken_s: U32


class SerialOf(Layout):
    """A message's serial before the link broke."""

    sub_id: U16
    serial: U32
    time_s: U64


class Serials(Layout):
    """0x1103 and 0x9103 of 2019: where each kind of message goes on counting."""

    serials: Annotated[list[SerialOf], Counted(1, SerialOf)]
