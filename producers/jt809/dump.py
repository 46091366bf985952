"""Frames out of hex dumps to plain lines: `mucktrack jt809`.

More forgiving than a `connection`, since people look at what is broken: a wrong CRC is told and the
rest read all the same where the length is right, marks may be missing, and logs often have frames
whose escapes are undone already.
"""

from producers.jt808.errors import ProtocolError
from producers.jt809.cipher import Cipher
from producers.jt809.connection import SHOWN, Connection, Received, Refused
from producers.jt809.framing import CRC_BYTES, crc_of, frame, unescape
from producers.jt809.header import HEADER_BYTES, OUTSIDE_BYTES, Version
from producers.jt809.message import BodyError, decode
from producers.jt809.plain import Plain, plain_header, plain_message

_MOST_BYTES = 16 * 1024 * 1024


class Decoder:
    """`version`: of the frames; None = each tells its own. `cipher`: of all encrypted ones."""

    def __init__(self, version: Version | None = None, cipher: Cipher | None = None) -> None:
        self._version = version
        self._cipher = cipher

    def lines(self, data: bytes) -> list[Plain]:
        """A line for each frame in `data`. One with `error` is no message; as much of it as could
        be read stands beside."""
        if not data:
            return [{"error": "an empty frame"}]
        if data[:1] != b"\x5b" and data[-1:] != b"\x5d":
            data = b"\x5b" + data + b"\x5d"
        whole = self._line(data)
        if "message_id" in whole:
            return [whole]
        link = Connection(_MOST_BYTES, self._cipher_of, self._version)
        events = link.receive(data)
        lines = [
            plain_message(one.message) if isinstance(one, Received) else self._refused(one)
            for one in events
        ]
        if link.size:
            shown = data[-link.size :][:SHOWN].hex()
            lines.append({"error": "the frame does not end; expected 5d", "frame": shown})
        return lines

    def _line(self, wire: bytes) -> Plain:
        try:
            return plain_message(decode(wire, self._version, self._cipher_of))
        except BodyError as error:
            return {"error": str(error)} | plain_header(error.header) | {"frame": wire.hex()}
        except ProtocolError as error:
            told = self._with_wrong_crc(wire)
            return told or {"error": str(error), "frame": wire.hex()}

    def _refused(self, refused: Refused) -> Plain:
        if refused.frame[:1] == b"\x5b" and refused.frame[-1:] == b"\x5d":
            return self._line(refused.frame)
        return {"error": refused.error, "frame": refused.frame.hex()}

    def _with_wrong_crc(self, wire: bytes) -> Plain | None:
        """The message all the same, where it is as long as it says."""
        if wire[:1] != b"\x5b" or wire[-1:] != b"\x5d":
            return None
        for whole in (unescape(wire[1:-1]), wire[1:-1]):
            payload = whole[:-CRC_BYTES]
            length = len(whole) + OUTSIDE_BYTES - CRC_BYTES
            if len(payload) < min(HEADER_BYTES.values()) or int.from_bytes(whole[:4]) != length:
                continue
            try:
                message = decode(frame(payload), self._version, self._cipher_of)
            except ProtocolError:
                continue
            return plain_message(message) | {
                "checksum_ok": False,
                "crc": whole[-CRC_BYTES:].hex(),
                "crc_expected": f"{crc_of(payload):04x}",
            }
        return None

    def _cipher_of(self, centre_id: int) -> Cipher | None:
        return self._cipher
