"""Files of alarms of driver assistance: messages 0x1210 to 0x1212, 0x9208 and 0x9212.

T/JSATL 12 (Jiangsu) and its descendants. An alarm's mark names the terminal with 7 characters in
the one and 30 in the other family; lengths tell which. The alarms themselves are items 0x64 to
0x67 of a location.
"""

from typing import Final

from producers.jt808.kinds import U8, U16, U32, Raw, Text, Time
from producers.jt808.layout import Field, Layout, Listed, OneOf, Record

_STANDARD: Final = "T/JSATL 12"


def _mark(terminal_id: int, reserved: int) -> Record:
    return Record(
        Field("terminal_id", Text(terminal_id)),
        Field("time", Time()),
        Field("number", U8),
        Field("attachments", U8),
        Field("reserved", Raw(reserved)),
    )


SHORT_MARK: Final = _mark(7, 1)
LONG_MARK: Final = _mark(30, 2)
"""An alarm, so that its attachments can be told to be its own."""

_FILE: Final = (Field("name", Text(prefix=U8)), Field("kind", U8), Field("size_bytes", U32))
_ATTACHMENT: Final = Record(Field("name", Text(prefix=U8)), Field("size_bytes", U32))


def _attachments(terminal_id: int, mark: Record) -> Record:
    return Record(
        Field("terminal_id", Text(terminal_id)),
        Field("mark", mark),
        Field("platform_alarm_id", Text(32)),
        Field("kind", U8),
        Field("attachments", Listed(U8, _ATTACHMENT)),
    )


def _upload(mark: Record) -> Record:
    return Record(
        Field("server", Text(prefix=U8)),
        Field("tcp_port", U16),
        Field("udp_port", U16),
        Field("mark", mark),
        Field("platform_alarm_id", Text(32)),
        Field("reserved", Raw(16)),
    )


MESSAGES: Final = {
    0x9208: Layout("upload_attachments", _STANDARD, OneOf(_upload(SHORT_MARK), _upload(LONG_MARK))),
    0x1210: Layout(
        "attachments",
        _STANDARD,
        OneOf(
            _attachments(7, SHORT_MARK),
            _attachments(30, LONG_MARK),
            _attachments(0, _mark(30, 0)),
        ),
    ),
    0x1211: Layout("attachment_begins", _STANDARD, Record(*_FILE)),
    0x1212: Layout("attachment_ends", _STANDARD, Record(*_FILE)),
    0x9212: Layout(
        "attachment_received",
        _STANDARD,
        Record(
            Field("name", Text(prefix=U8)),
            Field("kind", U8),
            Field("result", U8),
            Field(
                "missing",
                Listed(U8, Record(Field("offset", U32), Field("length", U32))),
            ),
        ),
    ),
}
