"""Bodies about video: authorisation, live pictures, recordings.

JT/T 1078 (video over JT/T 809), sub messages of 0x1700 to 0x1B00 and of 0x9700 to 0x9B00. Called by
`producers.jt809.table`.
"""

from typing import Annotated

from producers.jt809.fields import U8, U16, U32, U64, Counted, Layout, Raw, Text


class Authorisation(Layout):
    """0x1701: the codes that open the videos of a platform."""

    platform_id: Annotated[str, Text(11)]
    code_1: Annotated[str, Text(64)]
    """For vehicles of its own."""
    code_2: Annotated[str, Text(64)]
    """For those that cross its district."""


class LiveAnswer(Layout):
    """0x1801: where a live picture can be fetched."""

    result: U8
    server_ip: Annotated[str, Text(32, left=True)]
    server_port: U16


class LiveStopped(Layout):
    """0x1802."""

    result: U8


class Recording(Layout):
    """One recording in a list. Times are Unix epoch seconds UTC."""

    channel: U8
    start_s: U64
    end_s: U64
    alarm_bits: U64
    media: U8
    stream: U8
    storage: U8
    size_bytes: U32


class Recordings(Layout):
    """0x1901: what a vehicle has recorded."""

    recordings: Annotated[list[Recording], Counted(4, Recording)]


class DownloadReady(Layout):
    """0x1B02: where a recording has been put."""

    result: U8
    session: U16
    server_ip: Annotated[str, Text(32, left=True)]
    tcp_port: U16
    user: Annotated[str, Text(49, left=True)]
    password: Annotated[str, Text(22, left=True)]
    path: Annotated[str, Text(200, left=True)]


class Live(Layout):
    """0x9801: a live picture is wanted."""

    channel: U8
    media: U8
    code: Annotated[str, Text(64)]
    position: Annotated[bytes, Raw(36)]
    """Where the vehicle is, for one that crosses a district."""


class Download(Layout):
    """0x9B01: a recording is wanted."""

    channel: U8
    start_s: U64
    end_s: U64
    alarm_bits: U64
    media: U8
    stream: U8
    storage: U8
    size_bytes: U32
    code: Annotated[str, Text(64)]
    position: Annotated[bytes, Raw(36)]


class DownloadControl(Layout):
    """0x9B03: go on, halt or end."""

    session: U16
    command: U8
