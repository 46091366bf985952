"""A whole message: header and body, from bytes and to bytes.

`decode` and `encode` are what everybody else uses; `connection` does the same for a stream. Raises
`ProtocolError` and nothing else on bad bytes.
"""

import msgspec

from producers.jt808.errors import ProtocolError
from producers.jt808.framing import MOST_BODY, checksum, frame, unescape, unframed
from producers.jt808.header import Header, Part, Version, read_header, write_header
from producers.jt808.messages import MESSAGES, Body, Unknown


class Message(msgspec.Struct, gc=False):
    """One message, or one part of one."""

    message_id: int
    phone: str
    """The digits on the wire: 12, or 20 in 2019; `header.bare_phone` makes the key of it."""
    serial: int
    """Of the first part where there are several."""
    version: Version
    body: Body
    encryption: int = 0
    """Bits 10 to 12 of the attributes: 0 none, 1 RSA; other than 0, the body is `Unknown`."""
    part: Part | None = None
    """Where this is a part alone; its body is `Unknown`."""
    protocol_version: int = 1
    """2019 only."""
    checksum_ok: bool = True
    length_ok: bool = True
    """Whether the body is as long as the header says."""


def decode(data: bytes, version: Version = "2013", *, strict: bool = True) -> Message:
    """The message in one frame on the wire, with its flags or without them.

    `version` is that of terminals whose header does not tell. A wrong checksum and a wrong length
    raise `ProtocolError` too, unless not `strict`: then they are told in the message.
    """
    return read_payload(unescape(unframed(data)), version, strict=strict)


def read_payload(payload: bytes, version: Version = "2013", *, strict: bool = True) -> Message:
    """`decode` of bytes without flags and escapes, the checksum at their end."""
    if not payload:
        raise ProtocolError("an empty frame")
    header, start = read_header(payload[:-1], version)
    body = payload[start:-1]
    if len(body) > MOST_BODY:
        raise ProtocolError(f"a body of {len(body)} bytes; at most {MOST_BODY} are allowed")
    checksum_ok = checksum(payload) == 0
    length_ok = len(body) == header.length
    if strict and not checksum_ok:
        raise ProtocolError(f"checksum {payload[-1]:#04x}; expected {checksum(payload[:-1]):#04x}")
    if strict and not length_ok:
        raise ProtocolError(f"a body of {len(body)} bytes; the header says {header.length}")
    message = with_body(header, body)
    message.checksum_ok, message.length_ok = checksum_ok, length_ok
    return message


def with_body(header: Header, data: bytes) -> Message:
    """The message of a header and its body's bytes."""
    row = MESSAGES.get(header.message_id)
    body: Body
    if row is None or header.encryption or header.part is not None:
        body = Unknown(data)
    else:
        body = row.read(data, header.version)
    return Message(
        header.message_id,
        header.phone,
        header.serial,
        header.version,
        body,
        header.encryption,
        header.part,
        header.protocol_version,
    )


def body_bytes(message: Message) -> bytes:
    """Raises `ProtocolError` where the body is no body of such a message."""
    if isinstance(message.body, Unknown):
        return message.body.raw
    row = MESSAGES.get(message.message_id)
    if row is None or not isinstance(message.body, row.body):
        wanted = "Unknown" if row is None else row.body.__name__
        raise ProtocolError(
            f"message {message.message_id:#06x} with a body {type(message.body).__name__}; "
            f"allowed is {wanted}"
        )
    return row.write(message.body, message.version)


def encode(message: Message) -> bytes:
    """The frame on the wire; several where the body is longer than 1023 bytes.

    These have serials that follow each other. Raises `ProtocolError` where a value has no room.
    """
    body = body_bytes(message)
    if message.part is not None or len(body) <= MOST_BODY:
        return _frame(message, body, message.serial, message.part)
    pieces = [body[at : at + MOST_BODY] for at in range(0, len(body), MOST_BODY)]
    return b"".join(
        _frame(message, piece, (message.serial + number - 1) & 0xFFFF, Part(number, len(pieces)))
        for number, piece in enumerate(pieces, 1)
    )


def _frame(message: Message, body: bytes, serial: int, part: Part | None) -> bytes:
    header = Header(
        message.message_id,
        message.phone,
        serial,
        message.version,
        len(body),
        message.encryption,
        part,
        message.protocol_version,
    )
    return frame(write_header(header) + body)
