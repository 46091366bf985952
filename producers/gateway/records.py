"""Frames as received, and what was refused, as records of their topics (design sections 3 and 12).

Used by `producers.gateway.outbox`. Pure.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from producers.arrays import MAX_RECORD_BYTES, cut
from streams.output import Reject, encode

RECORD_BYTES: Final = 256
"""What a record takes in memory besides its value, about."""


class Builder(Protocol):
    """Of a batch of records, as aiokafka has it."""

    def append(
        self,
        *,
        timestamp: int,
        key: bytes | None,
        value: bytes,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> object | None:
        """None = the batch is full. The first record is taken whatever its size."""

    def record_count(self) -> int: ...


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

    @property
    def size_bytes(self) -> int:
        """In memory."""
        return len(self.frame) + RECORD_BYTES

    def append_to(self, builder: Builder) -> bool:
        """False = the batch is full."""
        taken = builder.append(
            timestamp=self.received_ms,
            key=self.key.encode(),
            value=self.frame,
            headers=[
                ("received_ms", b"%d" % self.received_ms),
                ("connection", self.connection.encode()),
                ("protocol", self.protocol.encode()),
            ],
        )
        return taken is not None


class RejectRecord(msgspec.Struct, gc=False, frozen=True):
    """A reject as the worker writes them."""

    value: bytes
    key: str | None
    timestamp_ms: int

    @classmethod
    def of(cls, reject: Reject, key: str | None, now_ms: int) -> "RejectRecord":
        """Of an original that is too long only the beginning is kept."""
        value = encode(reject)
        if len(value) > MAX_RECORD_BYTES:
            shown = msgspec.Raw(cut(encode(reject.value)))
            value = encode(msgspec.structs.replace(reject, value=shown))
        return cls(value, key, now_ms)

    @property
    def size_bytes(self) -> int:
        """In memory."""
        return len(self.value) + RECORD_BYTES

    def append_to(self, builder: Builder) -> bool:
        """False = the batch is full."""
        key = None if self.key is None else self.key.encode()
        taken = builder.append(timestamp=self.timestamp_ms, key=key, value=self.value)
        return taken is not None


Record = RawFrame | RejectRecord
