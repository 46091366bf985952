"""Frames out of hex dumps to plain lines, and lines back to frames: `mucktrack jt808`.

More forgiving than a `connection`, since people look at what is broken: a wrong checksum or length
is told and the rest read all the same, flags may be missing, and logs often have frames whose
escapes are undone already.
"""

from typing import Any

from msgspec import structs

from producers.jt808.assembly import Assemblies, Limits
from producers.jt808.build import build
from producers.jt808.errors import ProtocolError
from producers.jt808.framing import FLAG_BYTE, checksum, flagged, unescape, unframed
from producers.jt808.header import Header, Part, Version, read_header
from producers.jt808.message import Message, encode, read_payload, with_body
from producers.jt808.messages import Unknown
from producers.jt808.plain import from_plain, to_plain

Line = dict[str, Any]

_LENGTH_OK = 1
_ALL_OK = 2


class Decoder:
    """Dumps given one after the other, so that the parts of a message find each other.

    `version` is that of terminals whose header does not tell.
    """

    def __init__(self, version: Version = "2013") -> None:
        self._version = version
        self._assemblies = Assemblies(Limits())

    def lines(self, data: bytes) -> list[Line]:
        """A line for each frame in `data`, and one for each message that these complete.

        A line with `error` is no message; as much of it as could be read stands beside.
        """
        lines: list[Line] = []
        for payload in _payloads(data, self._version):
            line, message = self._line(payload)
            lines.append(line)
            if message is not None and message.part is not None:
                lines += self._assembled(message, message.part)
        return lines

    def _line(self, payload: "bytes | _Broken") -> tuple[Line, Message | None]:
        if isinstance(payload, _Broken):
            return {"error": payload.error, "frame": payload.piece.hex()}, None
        wire = flagged(payload)
        try:
            message = read_payload(payload, self._version, strict=False)
            if not message.checksum_ok and not message.length_ok:
                raise ProtocolError("neither the checksum nor the length is right")
        except ProtocolError as error:
            return {"error": str(error)} | self._told(payload) | {"frame": wire.hex()}, None
        line = to_plain(message)
        if not _is_written(message, wire):
            line["frame"] = wire.hex()
        return line, message

    def _told(self, payload: bytes) -> Line:
        """What can be told of a message whose body is wrong."""
        if not _right(payload, self._version):
            return {}
        header, start = read_header(payload[:-1], self._version)
        body = Unknown(payload[start:-1])
        message = Message(header.message_id, header.phone, header.serial, header.version, body)
        message.checksum_ok = checksum(payload) == 0
        return to_plain(message)

    def _assembled(self, message: Message, part: Part) -> list[Line]:
        """The message that its last part completes."""
        header = Header(
            message.message_id,
            message.phone,
            message.serial,
            message.version,
            0,
            message.encryption,
            part,
            message.protocol_version,
        )
        line: Line = {}
        try:
            complete = self._assemblies.add(header, part, message.body.raw, b"", 0.0)
            if complete is None:
                return []
            line = {"assembled_from": list(complete.serials)}
            first = structs.replace(complete.first, part=None)
            return [to_plain(with_body(first, complete.body)) | line]
        except ProtocolError as error:
            head = {"phone": message.phone, "serial": message.serial, "parts": part.of}
            return [{"error": str(error)} | head | line]


class Encoder:
    """Lines of a `Decoder`, or written by hand, one after the other."""

    def __init__(self) -> None:
        self._parts: set[tuple[str, int, int]] = set()
        """Phone, message id and serial of the parts written."""

    def frames(self, line: Any) -> bytes:
        """The bytes on the wire; none for a message whose parts have all been written before.

        Where a line has the frame that it came from and still says the same, that is written.
        Raises `ProtocolError`.
        """
        if isinstance(line, dict) and "error" in line:
            raise ProtocolError(f"no message but an error: {line['error']}")
        message = from_plain(line)
        if message.part is not None:
            self._parts.add((message.phone, message.message_id, message.serial))
        elif self._written(line, message):
            return b""
        return _same_frame(line, message) or encode(message)

    def _written(self, line: Line, message: Message) -> bool:
        serials = build(list[int], line.get("assembled_from", []), "assembled_from")
        keys = [(message.phone, message.message_id, serial) for serial in serials]
        return bool(keys) and self._parts.issuperset(keys)


def _is_written(message: Message, wire: bytes) -> bool:
    """Whether the fields alone give these bytes: not with other padding, an invalid time, a wrong
    checksum, text that is no GBK."""
    try:
        return encode(message) == wire
    except ProtocolError:
        return False


def _same_frame(line: Line, message: Message) -> bytes | None:
    try:
        wire = bytes.fromhex(line["frame"])
        came = read_payload(unescape(unframed(wire)), message.version, strict=False)
    except (KeyError, TypeError, ValueError):
        return None
    return wire if came == message else None


class _Broken:
    """Bytes between two flags whose escapes are wrong."""

    def __init__(self, error: str, piece: bytes) -> None:
        self.error = error
        self.piece = piece


def _payloads(data: bytes, version: Version) -> list[bytes | _Broken]:
    """The frames in a dump, without flags and escapes, the checksum at their end.

    Taken for frames on the wire first. Where these are not all right, but all bytes between the
    outer flags, just as they are, come nearer to it, the dump is one frame with its escapes undone.
    """
    wire = [_unescaped(piece) for piece in data.split(FLAG_BYTE) if piece]
    rights = [0 if isinstance(one, _Broken) else _right(one, version) for one in wire]
    right = sum(rights) if len(wire) <= 1 else min(rights)
    inner = unframed(data)
    if right < _ALL_OK and _right(inner, version) > right:
        return [inner]
    return wire or [_Broken("an empty frame", data)]


def _right(payload: bytes, version: Version) -> int:
    """How much is right: the length that the header tells, and the checksum too."""
    try:
        header, start = read_header(payload[:-1], version)
    except ProtocolError:
        return 0
    if len(payload) - start - 1 != header.length:
        return 0
    return _LENGTH_OK if checksum(payload) else _ALL_OK


def _unescaped(piece: bytes) -> bytes | _Broken:
    try:
        return unescape(piece)
    except ProtocolError as error:
        return _Broken(str(error), piece)
