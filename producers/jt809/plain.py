"""A message as plain data, as `mucktrack jt809` prints it: dicts, numbers, text, hex.

Bodies are told field by field; what holds a position tells it as `mucktrack jt808` does. Called by
`producers.jt809.dump`.
"""

import re
from typing import Any

import msgspec

from producers.jt808.header import Version
from producers.jt808.location import BadLocation
from producers.jt808.plain_location import plain_location
from producers.jt809.fields import Layout
from producers.jt809.header import Header
from producers.jt809.links import Empty
from producers.jt809.locations import reported
from producers.jt809.message import Message, OfPlatform, OfVehicle, Raw
from producers.jt809.routes import route_in
from producers.jt809.vehicles import Nothing, Position2011, Position2019, Route

Plain = dict[str, Any]

_HEX_IDS = ("sub_id", "request_sub_id", "wanted_sub_id")
_OWN = {
    Position2011: ("encrypted", "recorder_speed_kmh", "mileage_km"),
    Position2019: (
        "encrypted",
        "platform_1",
        "alarm_1",
        "platform_2",
        "alarm_2",
        "platform_3",
        "alarm_3",
    ),
}
"""What a position says besides its location."""


def plain_message(message: Message) -> Plain:
    """The header's fields, and `body`."""
    plain: Plain = {"message_id": f"0x{message.message_id:04x}"}
    if (name := _name(message.body)) is not None:
        plain["message"] = name
    return plain | _head(message) | {"checksum_ok": True, "body": _body(message.body)}


def plain_header(header: Header) -> Plain:
    """What can be told of a message whose body cannot."""
    return {"message_id": f"0x{header.message_id:04x}"} | _head(header) | {"checksum_ok": True}


def _head(head: Message | Header) -> Plain:
    plain: Plain = {
        "version": head.version,
        "centre_id": head.centre_id,
        "serial": head.serial,
        "protocol": ".".join(map(str, head.protocol)),
    }
    if head.encrypted:
        plain |= {"encrypted": True, "key": head.key}
    if head.time_s is not None:
        plain["time_s"] = head.time_s
    return plain


def _name(body: object) -> str | None:
    """Of the class that holds it: `LoginAnswer` is told as `login_answer`."""
    if isinstance(body, OfVehicle | OfPlatform):
        return _name(body.data)
    if isinstance(body, Raw | Empty | Nothing):
        return None
    words = re.findall(r"[A-Z][a-z]*", type(body).__name__)
    return "_".join(words).lower()


def _body(body: object) -> Plain:
    if isinstance(body, OfVehicle):
        about: Plain = {"plate": body.plate, "colour": body.colour}
        return about | _sub(body)
    if isinstance(body, OfPlatform):
        return _sub(body)
    return _value(body)  # type: ignore[no-any-return]


def _sub(body: OfVehicle | OfPlatform) -> Plain:
    plain: Plain = {"sub_id": f"0x{body.sub_id:04x}"} | _value(body.data)
    if body.surplus:
        plain["surplus"] = body.surplus.hex()
    return plain


def _value(value: Any) -> Any:
    if isinstance(value, Position2011 | Position2019):
        return _position(value)
    if isinstance(value, Route):
        return {"route": route_in(value.route) or value.route.hex()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_value(one) for one in value]
    if isinstance(value, msgspec.Struct):
        return _fields(value)
    return value


def _fields(value: msgspec.Struct) -> Plain:
    plain: Plain = {}
    for name in value.__struct_fields__:
        field = getattr(value, name)
        if name in _HEX_IDS:
            plain[name] = f"0x{field:04x}"
        elif field or name != "extra":
            plain[name] = _value(field)
    return plain


def _position(position: Position2011 | Position2019) -> Plain:
    told = reported(position)
    own = {name: getattr(position, name) for name in _OWN[type(position)]}
    if isinstance(told, BadLocation):
        return own | {"error": told.error, "location": told.raw.hex()} | _extra(position)
    version: Version = "2013" if isinstance(position, Position2011) else "2019"
    return plain_location(told.location, version) | own | _extra(position)


def _extra(body: Layout) -> Plain:
    return {"extra": body.extra.hex()} if body.extra else {}
