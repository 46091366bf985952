"""The table of messages: a row an id. Modules of bodies are named here and nowhere else.

A row reads a body's bytes and writes them; both are told the edition, since layouts differ.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from producers.jt808 import location, queries, session
from producers.jt808.declared import LAYOUTS, Fields, read_fields, write_fields
from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version

Body = Any
"""A struct of one of the modules of bodies, or `Unknown`."""


class Unknown(msgspec.Struct, gc=False):
    """A body that nobody here can read: its message is unknown, or it is encrypted, or a part."""

    raw: bytes
    why: str = ""
    """What a layout said of them, where there is one."""


class Row(NamedTuple):
    """One message."""

    message_id: int
    name: str
    body: type[msgspec.Struct]
    read: Callable[[bytes, Version], Body]
    """Raises `ProtocolError`."""
    write: Callable[[Body, Version], bytes]
    """Raises `ProtocolError`."""


def empty(message_id: int, name: str, body: type[msgspec.Struct]) -> Row:
    """The row of a message without a body; what peers send in it all the same is not looked at."""
    return Row(message_id, name, body, lambda _data, _version: body(), lambda _body, _version: b"")


def declared(message_id: int) -> Row:
    """The row of a message that a layout reads; what it cannot read is `Unknown`.

    Vendors reuse ids for bodies of their own, which is no reason to refuse the message.
    """

    def read(data: bytes, version: Version) -> Body:
        try:
            return read_fields(message_id, data, version)
        except ProtocolError as error:
            return Unknown(data, str(error))

    def write(body: Body, version: Version) -> bytes:
        return write_fields(message_id, body, version)

    name = LAYOUTS[message_id].name.replace("_", " ")
    return Row(message_id, name, Fields, read, write)


def table(*rows: Iterable[Row]) -> dict[int, Row]:
    """Rows by their ids, which must differ."""
    found: dict[int, Row] = {}
    for row in (row for some in rows for row in some):
        if row.message_id in found:
            raise ValueError(f"two rows for message {row.message_id:#06x}")
        found[row.message_id] = row
    return found


SESSION = (
    Row(
        0x0001,
        "terminal general answer",
        session.GeneralAnswer,
        session.read_general_answer,
        session.write_general_answer,
    ),
    empty(0x0002, "heartbeat", session.Heartbeat),
    empty(0x0003, "unregister", session.Unregister),
    Row(0x0100, "register", session.Register, session.read_register, session.write_register),
    Row(
        0x0102,
        "authenticate",
        session.Authenticate,
        session.read_authenticate,
        session.write_authenticate,
    ),
    Row(
        0x8001,
        "platform general answer",
        session.GeneralAnswer,
        session.read_general_answer,
        session.write_general_answer,
    ),
    Row(
        0x8100,
        "register answer",
        session.RegisterAnswer,
        session.read_register_answer,
        session.write_register_answer,
    ),
)
LOCATIONS = (
    Row(0x0200, "location", location.Location, location.read_location, location.write_location),
    Row(
        0x0201,
        "location answer",
        location.LocationAnswer,
        location.read_answer,
        location.write_answer,
    ),
    Row(
        0x0704, "location batch", location.LocationBatch, location.read_batch, location.write_batch
    ),
)
QUERIES = (
    Row(0x0005, "terminal resend", queries.Resend, queries.read_resend, queries.write_resend),
    Row(
        0x0104, "parameters", queries.Parameters, queries.read_parameters, queries.write_parameters
    ),
    Row(0x8003, "resend", queries.Resend, queries.read_resend, queries.write_resend),
    empty(0x8104, "query parameters", queries.QueryParameters),
    empty(0x8201, "query location", queries.QueryLocation),
)
DECLARED = tuple(map(declared, LAYOUTS))
MESSAGES = table(SESSION, LOCATIONS, QUERIES, DECLARED)
