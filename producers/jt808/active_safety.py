"""Alarms of driver assistance and their attachments: T/JSATL 12 (Jiangsu) and its descendants.

Items 0x64 to 0x67 of a location, messages 0x1210 to 0x1212, 0x9208 and 0x9212. An alarm's mark
names the terminal with 7 characters in the one and 30 in the other family; lengths tell which.
"""

from typing import Final

from producers.jt808.layout import (
    U8,
    U16,
    U32,
    Field,
    Layout,
    Listed,
    Number,
    OneOf,
    Raw,
    Record,
    Text,
    Time,
)

_STANDARD: Final = "T/JSATL 12"
_DEGREES: Final = Number(4, signed=True, per=1_000_000)


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

_WHERE: Final = (
    Field("speed_kmh", U8),
    Field("altitude_m", U16),
    Field("lat", _DEGREES),
    Field("lon", _DEGREES),
    Field("time", Time()),
    Field("vehicle_bits", U16),
)
_HEAD: Final = (Field("alarm_id", U32), Field("flag", U8))
_GRADED: Final = (*_HEAD, Field("kind", U8), Field("level", U8))
_AHEAD: Final = (
    *_GRADED,
    Field("speed_ahead_kmh", U8),
    Field("distance_ahead_0p1s", U8),
    Field("departure", U8),
    Field("road_sign", U8),
    Field("road_sign_value", U8),
    *_WHERE,
)
_DRIVER: Final = (*_GRADED, Field("fatigue", U8), Field("reserved", Raw(4)), *_WHERE)
_BLIND_SPOT: Final = (*_HEAD, Field("kind", U8), *_WHERE)
_TYRE: Final = Record(
    Field("position", U8),
    Field("kind_bits", U16),
    Field("pressure_kpa", U16),
    Field("temperature_c", U16),
    Field("battery_percent", U16),
)


def _alarm(fields: tuple[Field, ...], *behind: Field) -> OneOf:
    """With either mark; or with what there is, where neither fits."""
    marks = (SHORT_MARK, LONG_MARK)
    return OneOf(
        *(Record(*fields, Field("mark", mark), *behind) for mark in marks),
        Record(*fields, Field("unread", Raw())),
    )


ITEMS: Final = {
    0x64: ("alarm_ahead", _alarm(_AHEAD)),
    0x65: ("alarm_driver", _alarm(_DRIVER)),
    0x66: ("alarm_tyres", _alarm((*_HEAD, *_WHERE), Field("tyres", Listed(U8, _TYRE)))),
    0x67: ("alarm_blind_spot", _alarm(_BLIND_SPOT)),
}
"""Items of a location: id -> name and layout."""

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
