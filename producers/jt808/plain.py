"""A message as plain data, as `mucktrack jt808` prints it, and back: dicts, numbers, text, hex.

Bodies are told field by field, whatever modules they come from; a location by its own shape
(`plain_location`), wherever it stands. Raises `ProtocolError` on data that is no message.
"""

from typing import Any

import msgspec

from producers.jt808.build import build, fields_of, refuse_unknown
from producers.jt808.declared import Fields, write_fields
from producers.jt808.header import Part, Version
from producers.jt808.kinds import in_hex
from producers.jt808.location import Location, LocationBatch
from producers.jt808.message import Message
from producers.jt808.messages import MESSAGES, Unknown
from producers.jt808.parameters import meaning, name_of
from producers.jt808.plain_location import plain_location
from producers.jt808.queries import Parameter
from producers.jt808.session import Authenticate, Register

_HEX_IDS = {"message_id": 4, "parameter_id": 8}
"""Numbers that are read in hex everywhere, and their digits."""


def to_plain(message: Message) -> dict[str, Any]:
    """What is as usual is left out: no encryption, the right length, no parts."""
    row = MESSAGES.get(message.message_id)
    plain: dict[str, Any] = {"message_id": f"{message.message_id:#06x}"}
    if row is not None:
        plain["message"] = row.name
    plain |= {"version": message.version, "phone": message.phone, "serial": message.serial}
    plain["checksum_ok"] = message.checksum_ok
    if not message.length_ok:
        plain["length_ok"] = False
    if message.encryption:
        plain["encryption"] = message.encryption
    if message.version == "2019" and message.protocol_version != 1:
        plain["protocol_version"] = message.protocol_version
    if message.part is not None:
        plain |= {"part": message.part.number, "parts": message.part.of}
    plain["body"] = _plain(message.body, message.version)
    return plain


def from_plain(plain: Any) -> Message:
    """The message; what only explains others (names, readings) is not looked at."""
    fields = fields_of(plain, "a message")
    refuse_unknown(fields, _KEYS, "message")
    names = _Head.__struct_fields__
    head = build(_Head, {name: fields[name] for name in names if name in fields}, "message")
    part = None if head.part is None else Part(head.part, head.parts or 0)
    row = MESSAGES.get(head.message_id)
    body = fields.get("body", {})
    kind: type[msgspec.Struct] = Unknown
    if row is not None and not (isinstance(body, dict) and set(body) - {"why"} == {"raw"}):
        kind = row.body
    return Message(
        head.message_id,
        head.phone,
        head.serial,
        head.version,
        _declared(head, body)
        if kind is Fields
        else build(kind, _completed(kind, body, head.version), "body"),
        head.encryption,
        part,
        head.protocol_version,
        head.checksum_ok,
        head.length_ok,
    )


class _Head(msgspec.Struct):
    """What stands beside the body."""

    message_id: int
    phone: str
    serial: int
    version: Version
    encryption: int = 0
    protocol_version: int = 1
    part: int | None = None
    parts: int | None = None
    checksum_ok: bool = True
    length_ok: bool = True


_KEYS = (*_Head.__struct_fields__, "body", "message", "frame", "assembled_from")


def _completed(kind: type[msgspec.Struct], body: Any, version: Version) -> Any:
    """With what the edition decides where it is not said: the lengths of a registration's fields,
    and that an authentication of 2019 has an IMEI and a software version."""
    if not isinstance(body, dict):
        return body
    if kind is Register:
        return {"layout": version} | body
    if kind is Authenticate and version == "2019":
        return body if "imei" in body else {"imei": "", "software": ""} | body
    return body


def _declared(head: "_Head", body: Any) -> Any:
    """As its table reads what is written of it: bytes for hex, locations for dicts."""
    values = dict(fields_of(body, "body"))
    layout: Version | None = build(Version | None, values.pop("layout", None), "body.layout")
    data = write_fields(head.message_id, Fields(values, layout), head.version)
    return MESSAGES[head.message_id].read(data, head.version)


def _plain(value: Any, version: Version) -> Any:
    if isinstance(value, Fields):
        layout = {} if value.layout is None else {"layout": value.layout}
        return layout | {name: _plain(one, version) for name, one in value.values.items()}
    if isinstance(value, Location):
        return plain_location(value, version)
    if isinstance(value, LocationBatch):
        told = len(value.locations) if value.count is None else value.count
        locations = [_plain(one, version) for one in value.locations]
        return {"count": told, "kind": value.kind, "locations": locations}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(one, version) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one, version) for key, one in value.items()}
    if isinstance(value, msgspec.Struct):
        return _plain_struct(value, version)
    return value


def _plain_struct(value: msgspec.Struct, version: Version) -> dict[str, Any]:
    """Field by field; the fields of a location inside of it stand among its own."""
    plain: dict[str, Any] = {}
    for name in value.__struct_fields__:
        field = getattr(value, name)
        if isinstance(field, Location):
            plain |= plain_location(field, version)
        elif name in _HEX_IDS and isinstance(field, int):
            plain[name] = f"0x{field:0{_HEX_IDS[name]}x}"
        elif field is not None and (name, field) != ("why", ""):
            plain[name] = _plain(field, version)
    if isinstance(value, Authenticate) and value.imei is None and version == "2019":
        # Said, since without a word an authentication of 2019 has one.
        plain["imei"] = None
    if isinstance(value, Parameter) and name_of(value.parameter_id) is not None:
        plain["name"] = name_of(value.parameter_id)
        plain["reading"] = in_hex(meaning(value.parameter_id, value.value))
    return plain
