"""Messages of several parts: gathered until complete, bounded, asked for again, given up.

Time is an argument (seconds of any clock that only rises). Used by `connection`; knows nothing of
frames on the wire and sends nothing itself.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import structs

from producers.jt808.errors import ProtocolError
from producers.jt808.header import Header, Part


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may make its server remember, and for how long."""

    assemblies: int = 16
    """Messages of several parts, unfinished at a time; the oldest has to go for the next."""
    parts: int = 1024
    """Of one message."""
    assembly_bytes: int = 1 << 20
    """Of all unfinished messages of a connection together."""
    resend_after_s: float = 10.0
    """Without a new part, the missing ones are asked for again."""
    resends: int = 3
    """And so often; then the message is given up."""
    resend_parts: int = 125
    """Asked for at a time; the message has a byte for their number."""


@dataclass(slots=True)
class Assembly:
    """One message that is not complete yet."""

    first: Header
    """As its first part has it or would have it, whichever has come."""
    of: int
    """Parts."""
    changed_s: float
    bodies: dict[int, bytes] = field(default_factory=dict)
    frames: dict[int, bytes] = field(default_factory=dict)
    serials: dict[int, int] = field(default_factory=dict)
    size: int = 0
    resends: int = 0
    is_repeat: bool = False
    """Of a message that has been complete: only a part of it may come again."""

    @property
    def missing(self) -> list[int]:
        return [number for number in range(1, self.of + 1) if number not in self.bodies]


class Complete(NamedTuple):
    """A message whose parts are all there."""

    first: Header
    body: bytes
    frames: bytes
    serials: tuple[int, ...]
    """Of the parts, in their order."""


Key = tuple[str, int, int, int]
"""Phone, message id, serial of the first part, number of parts."""


class Assemblies:
    """The unfinished messages of one connection."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[Key, Assembly] = {}
        """Oldest first."""
        self._complete: deque[Key] = deque(maxlen=limits.assemblies)
        """Those that were complete last."""
        self._size = 0
        self.given_up = 0
        """Messages that never became complete."""

    def __len__(self) -> int:
        return len(self._open)

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size

    def add(
        self, header: Header, part: Part, body: bytes, frame: bytes, now_s: float
    ) -> Complete | None:
        """The message that this part completes.

        Raises `ProtocolError` for a part that cannot be, or has no room.
        """
        if not 1 <= part.number <= part.of <= self._limits.parts:
            raise ProtocolError(
                f"part {part.number} of {part.of}; allowed are 1 to {self._limits.parts} parts"
            )
        key = self._key(header, part)
        assembly = self._open.get(key)
        if assembly is None:
            first = structs.replace(header, serial=key[2])
            assembly = self._begin(key, Assembly(first, part.of, now_s))
        self._put(assembly, part.number, body, frame)
        assembly.serials[part.number] = header.serial
        assembly.changed_s = now_s
        if self._size > self._limits.assembly_bytes:
            self._drop(key)
            self.given_up += 1
            raise ProtocolError(
                f"unfinished messages have more than {self._limits.assembly_bytes} bytes"
            )
        if len(assembly.bodies) < part.of:
            return None
        self._drop(key)
        self._complete.append(key)
        numbers = range(1, part.of + 1)
        return Complete(
            assembly.first,
            b"".join(assembly.bodies[n] for n in numbers),
            b"".join(assembly.frames[n] for n in numbers),
            tuple(assembly.serials[n] for n in numbers),
        )

    def due(self, now_s: float) -> list[tuple[Header, list[int]]]:
        """Which parts to ask for again; what has been asked for often enough is given up."""
        asked = []
        for key, assembly in list(self._open.items()):
            if now_s - assembly.changed_s < self._limits.resend_after_s:
                continue
            if assembly.is_repeat:
                self._drop(key)
                continue
            if assembly.resends >= self._limits.resends:
                self._drop(key)
                self.given_up += 1
                continue
            assembly.resends += 1
            assembly.changed_s = now_s
            asked.append((assembly.first, assembly.missing[: self._limits.resend_parts]))
        return asked

    def _key(self, header: Header, part: Part) -> Key:
        """Where the part belongs. Serials of parts follow each other, by the standard, and a part
        that is sent again keeps its own.

        Peers also give every part the same serial, and parts that were asked for new ones; such a
        part goes where one of its number is missing. But a first part with another serial begins
        another message: most terminals answer no question for parts, and what they send next must
        not be mixed with what has been left lying.
        """
        base = (header.serial - part.number + 1) & 0xFFFF
        key = (header.phone, header.message_id, base, part.of)
        if key in self._open:
            return key
        for other, assembly in reversed(self._open.items()):
            alike = other[:2] == key[:2] and other[3] == part.of
            if alike and part.number not in assembly.bodies:
                first_number = next(iter(assembly.bodies))
                same_serial = (other[2] + first_number - 1) & 0xFFFF == header.serial
                if same_serial or (assembly.resends and part.number > 1):
                    return other
        return key

    def _begin(self, key: Key, assembly: Assembly) -> Assembly:
        if len(self._open) >= self._limits.assemblies:
            self._drop(next(iter(self._open)))
            self.given_up += 1
        assembly.is_repeat = key in self._complete
        self._open[key] = assembly
        return assembly

    def _put(self, assembly: Assembly, number: int, body: bytes, frame: bytes) -> None:
        """The last of repeated parts counts."""
        replaced = len(assembly.bodies.get(number, b"")) + len(assembly.frames.get(number, b""))
        grown = len(body) + len(frame) - replaced
        assembly.bodies[number], assembly.frames[number] = body, frame
        assembly.size += grown
        self._size += grown

    def _drop(self, key: Key) -> None:
        self._size -= self._open.pop(key).size
