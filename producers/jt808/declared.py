"""All messages that are read by tables: a row each for `messages`, and their bodies.

What a table cannot read stays `Unknown`: vendors reuse ids for layouts of their own, and such a
message is no reason to refuse it.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import msgspec

from producers.jt808 import (
    areas,
    attachments,
    freight,
    information,
    multimedia,
    parameters,
    recorder,
    terminal_control,
    vendor,
    video,
)
from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version
from producers.jt808.kinds import Values
from producers.jt808.layout import REST, Layout, read, write

EDITIONS: Final[tuple[Version, ...]] = ("2013", "2019", "2011")
"""The more likely ones first."""

LAYOUTS: Final[Mapping[int, Layout]] = {
    message_id: layout
    for module in (
        terminal_control,
        parameters,
        information,
        areas,
        recorder,
        freight,
        multimedia,
        attachments,
        video,
        vendor,
    )
    for message_id, layout in module.MESSAGES.items()
}


class Fields(msgspec.Struct, gc=False):
    """A body read by its table: values by the names of its rows."""

    values: Values
    layout: Version | None = None
    """The edition whose layout it has, where that is not its header's."""


def read_fields(message_id: int, data: bytes, version: Version) -> Fields:
    """By the layout of `version`; by that of another edition where it alone fits to the last byte,
    since peers mix editions up. Raises `ProtocolError`, naming the field."""
    kind = LAYOUTS[message_id].kind
    own: Fields | ProtocolError
    try:
        own = Fields(read(kind, data, version))
        if REST not in own.values:
            return own
    except ProtocolError as error:
        own = error
    for layout in EDITIONS:
        with suppress(ProtocolError):
            values = read(kind, data, layout)
            if REST not in values:
                return Fields(values, layout)
    if isinstance(own, ProtocolError):
        raise own
    return own


def write_fields(message_id: int, fields: Fields, version: Version) -> bytes:
    """Raises `ProtocolError`, naming the field."""
    return write(LAYOUTS[message_id].kind, fields.values, fields.layout or version)
