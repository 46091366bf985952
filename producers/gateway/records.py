"""Frames as received, and what was refused, as records of their topics (design sections 3 and 12).

Used by `producers.gateway.outbox`. Pure.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from producers.arrays import MAX_RECORD_BYTES, cut
from streams.output import Reject, encode

RECORD_BYTES: Final = 256
"""What a record takes in memory besides its value, about."""


class RawFrame(msgspec.Struct, gc=False, frozen=True):
    """A frame as it was received on the wire."""

    frame: bytes
    key: str
    """The terminal's bare phone number, or the platform."""
    received_ms: int
    connection: str
    """Which one, as the log names it: `10.0.0.7:51234`."""
    protocol: str
    """`jt808` or `jt809`."""


@dataclass(slots=True)
class Record:
    """What is written as it is."""

    value: bytes
    key: bytes | None
    timestamp_ms: int
    headers: list[tuple[str, bytes]]

    @property
    def size_bytes(self) -> int:
        """In memory."""
        return len(self.value) + RECORD_BYTES


def raw_record(frame: RawFrame) -> Record:
    headers = [
        ("received_ms", b"%d" % frame.received_ms),
        ("connection", frame.connection.encode()),
        ("protocol", frame.protocol.encode()),
    ]
    return Record(frame.frame, frame.key.encode(), frame.received_ms, headers)


def reject_record(reject: Reject, key: str | None, now_ms: int) -> Record:
    """As the worker writes them; of an original that is too long only the beginning."""
    value = encode(reject)
    if len(value) > MAX_RECORD_BYTES:
        shown = msgspec.Raw(cut(encode(reject.value)))
        value = encode(msgspec.structs.replace(reject, value=shown))
    return Record(value, None if key is None else key.encode(), now_ms, [])
