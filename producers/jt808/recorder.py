"""The driving recorder's data: 0x8700, 0x8701 and 0x0700, around frames of GB/T 19056-2012.

A frame is a mark (0x557A up, 0xAA75 down by the standard; peers mix them up), command, length,
a reserved byte, data, and all of it XORed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from producers.jt808.errors import ProtocolError
from producers.jt808.framing import checksum
from producers.jt808.header import Version
from producers.jt808.kinds import U8, U16, Bcd, Kind, Number, Raw, Source, Text, Time, Values
from producers.jt808.layout import Field, Layout, Listed, OneOf, Record

MARKS: Final = (b"\x55\x7a", b"\xaa\x75")
_AROUND: Final = 7
"""Bytes of a frame that are no data."""

_MINUTES: Final = Number(4, signed=True)
_PLACE: Final = (
    Field("lon_0p0001min", _MINUTES),
    Field("lat_0p0001min", _MINUTES),
    Field("altitude_m", Number(2, signed=True)),
)
_LICENCE: Final = Field("licence", Text(18))
_NOW: Final = Field("time", Time())
_SPAN: Final = (Field("start", Time()), Field("end", Time()))
_SPEED: Final = Record(Field("speed_kmh", U8), Field("signal_bits", U8))
_VEHICLE: Final = Record(
    Field("vin", Text(17)), Field("plate", Text(12)), Field("plate_kind", Text(12))
)


@dataclass(frozen=True, slots=True)
class Times:
    """Exactly `count` items."""

    count: int
    item: Kind

    def read(self, source: Source, beside: Values) -> list[Any]:
        return [self.item.read(source, beside) for _ in range(self.count)]

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        if not isinstance(value, list) or len(value) != self.count:
            raise ProtocolError(f"allowed are lists of {self.count}")
        return Listed(None, self.item).write(value, beside, version)


def _blocks(*fields: Field) -> Listed:
    return Listed(None, Record(*fields))


UP: Final[dict[int, Kind]] = {
    0x00: Record(Field("standard_year", Bcd(1)), Field("amendment", U8)),
    0x01: Record(_LICENCE),
    0x02: Record(_NOW),
    0x03: Record(
        _NOW,
        Field("installed", Time()),
        Field("initial_0p1km", Bcd(4)),
        Field("odometer_0p1km", Bcd(4)),
    ),
    0x04: Record(_NOW, Field("pulses_a_km", U16)),
    0x05: _VEHICLE,
    0x06: Record(_NOW, Field("signals", U8), Field("names", Times(8, Text(10)))),
    0x07: Record(
        Field("ccc_code", Text(7)),
        Field("model", Text(16)),
        Field("made_yymmdd", Bcd(3)),
        Field("made_number", Text(4)),
        Field("reserved", Text(5)),
    ),
    0x08: _blocks(Field("start", Time()), Field("seconds", Times(60, _SPEED))),
    0x09: _blocks(
        Field("start", Time()),
        Field("minutes", Times(60, Record(*_PLACE, Field("speed_kmh", U8)))),
    ),
    0x10: _blocks(
        Field("end", Time()), _LICENCE, Field("fifths_of_seconds", Times(100, _SPEED)), *_PLACE
    ),
    0x11: _blocks(_LICENCE, *_SPAN, Field("from", Record(*_PLACE)), Field("to", Record(*_PLACE))),
    0x12: _blocks(_NOW, _LICENCE, Field("event", U8)),
    0x13: _blocks(_NOW, Field("event", U8)),
    0x14: _blocks(_NOW, Field("event", U8)),
    0x15: _blocks(
        Field("state", U8),
        *_SPAN,
        Field(
            "seconds",
            Times(60, Record(Field("recorder_speed_kmh", U8), Field("reference_speed_kmh", U8))),
        ),
    ),
}
"""Command -> what a recorder answers."""

_PERIOD: Final = Record(*_SPAN, Field("most_blocks", U16))
DOWN: Final[dict[int, Kind]] = {
    **dict.fromkeys(range(0x08, 0x0A), _PERIOD),
    **dict.fromkeys(range(0x10, 0x16), _PERIOD),
    0x82: _VEHICLE,
    0x83: Record(Field("installed", Time())),
    0xC2: Record(_NOW),
}
"""Command -> what a recorder is told; data of the others stay bytes."""


@dataclass(frozen=True, slots=True)
class Framed:
    """A whole frame; `ProtocolError` where it is none, so that its bytes are kept."""

    commands: Mapping[int, Kind]

    def _data(self, command: int) -> Kind:
        kind = self.commands.get(command)
        return OneOf() if kind is None else OneOf(kind)

    def read(self, source: Source, beside: Values) -> Values:
        data = source.take(source.left)
        if data[:2] not in MARKS or checksum(data):
            raise ProtocolError("no frame of GB/T 19056")
        if len(data) != _AROUND + int.from_bytes(data[3:5], "big"):
            raise ProtocolError(f"{len(data)} bytes are not the length that the frame says")
        inside = self._data(data[2]).read(Source(data[6:-1], source.version), {})
        return {"mark": data[:2], "command": data[2], "reserved": data[5], "data": inside}

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        head = Record(Field("mark", Raw(2)), Field("command", U8))
        if not isinstance(value, dict) or value.keys() != {"mark", "command", "reserved", "data"}:
            raise ProtocolError("allowed are mark, command, reserved, data")
        begins = head.write({name: value[name] for name in ("mark", "command")}, {}, version)
        inside = self._data(value["command"]).write(value["data"], {}, version)
        frame = b"".join(
            (
                begins,
                U16.write(len(inside), {}, version),
                U8.write(value["reserved"], {}, version),
                inside,
            )
        )
        return frame + bytes((checksum(frame),))


_COMMAND: Final = Field("command", U8)

MESSAGES: Final = {
    0x8700: Layout(
        "query_recorder",
        "JT/T 808",
        Record(_COMMAND, Field("frame", OneOf(Framed(DOWN)), optional=True)),
    ),
    0x8701: Layout(
        "set_recorder", "JT/T 808", Record(_COMMAND, Field("frame", OneOf(Framed(DOWN))))
    ),
    0x0700: Layout(
        "recorder",
        "JT/T 808",
        Record(Field("answers_serial", U16), _COMMAND, Field("frame", OneOf(Framed(UP)))),
    ),
}
