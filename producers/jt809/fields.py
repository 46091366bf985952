"""Message bodies declared as fields: one class a message, read and written by the same table.

A body is a msgspec Struct whose annotations carry the layout, in the order of the wire:

    class Answer(Layout):
        result: U8
        server_ip: Annotated[str, Text(32)]
        server_port: U16

`read` and `write` follow it. What a sender puts behind the declared fields is kept in `extra`, so
that nothing is lost and a longer body of a later version is still read. Called by
`producers.jt809.message`; knows no message.
"""

import struct
import typing
from abc import ABC, abstractmethod
from functools import cache
from typing import Annotated, Any, Final, TypeVar

import msgspec

from producers.jt808.errors import ProtocolError

TEXT: Final = "gb18030"
"""A superset of GBK, which the standards name: every GBK text has the same bytes."""


_CODES: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Layout(msgspec.Struct, kw_only=True):
    """The base of declared bodies and records. Fields are given by name."""

    extra: bytes = b""
    """What followed the declared fields."""


L = TypeVar("L", bound=Layout)


class Kind(ABC):
    """How one field stands on the wire."""

    @abstractmethod
    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """The value at `at`, and where the next field begins."""

    @abstractmethod
    def write(self, value: Any) -> bytes: ...


class UInt(Kind):
    """An unsigned integer, most significant byte first."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, data: bytes, at: int) -> tuple[int, int]:
        return int.from_bytes(_take(data, at, self.size)), at + self.size

    def write(self, value: int) -> bytes:
        try:
            return value.to_bytes(self.size)
        except OverflowError:
            raise ProtocolError(f"{value}; allowed are 0 to {256**self.size - 1}") from None


class Text(Kind):
    """Text in a fixed place, filled up with zero bytes: behind it, or with `left` before it.

    Read without the zero bytes on either side, since senders fill up on the wrong one.
    """

    def __init__(self, size: int, *, left: bool = False) -> None:
        self.size = size
        self.left = left

    def read(self, data: bytes, at: int) -> tuple[str, int]:
        return text_of(_take(data, at, self.size).strip(b"\0")), at + self.size

    def write(self, value: str) -> bytes:
        written = _bytes_of(value)
        if len(written) > self.size:
            raise ProtocolError(f"{value!r} has {len(written)} bytes; allowed are {self.size}")
        return written.rjust(self.size, b"\0") if self.left else written.ljust(self.size, b"\0")


class Bcd(Kind):
    """Decimal digits, two a byte; a nibble above 9 stands as its hexadecimal digit."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, data: bytes, at: int) -> tuple[str, int]:
        return _take(data, at, self.size).hex(), at + self.size

    def write(self, value: str) -> bytes:
        try:
            written = bytes.fromhex(value)
        except ValueError:
            written = b""
        if len(value) != self.size * 2 or len(written) != self.size:
            raise ProtocolError(f"{value!r}; allowed are {self.size * 2} digits")
        return written


class Raw(Kind):
    """So many bytes as they are."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, data: bytes, at: int) -> tuple[bytes, int]:
        return _take(data, at, self.size), at + self.size

    def write(self, value: bytes) -> bytes:
        if len(value) != self.size:
            raise ProtocolError(f"{len(value)} bytes; allowed are {self.size}")
        return value


class Rest(Kind):
    """All that is left, as bytes; the last field."""

    def read(self, data: bytes, at: int) -> tuple[bytes, int]:
        return data[at:], len(data)

    def write(self, value: bytes) -> bytes:
        return value


class RestText(Kind):
    """All that is left, as text; the last field."""

    def read(self, data: bytes, at: int) -> tuple[str, int]:
        return text_of(data[at:]), len(data)

    def write(self, value: str) -> bytes:
        return _bytes_of(value)


class Sized(Kind):
    """`inner`, which takes all it is given, behind its length in `width` bytes."""

    def __init__(self, width: int, inner: Kind) -> None:
        self.length = UInt(width)
        self.inner = inner

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        size, at = self.length.read(data, at)
        return self.inner.read(_take(data, at, size), 0)[0], at + size

    def write(self, value: Any) -> bytes:
        written = self.inner.write(value)
        return self.length.write(len(written)) + written


class Record(Kind):
    """Another declared layout, inside this one."""

    def __init__(self, layout: type[Layout]) -> None:
        self.layout = layout

    def read(self, data: bytes, at: int) -> tuple[Layout, int]:
        return _read_fields(self.layout, data, at)

    def write(self, value: Layout) -> bytes:
        return write(value)


class Counted(Kind):
    """A list of records behind their number in `width` bytes."""

    def __init__(self, width: int, layout: type[Layout]) -> None:
        self.count = UInt(width)
        self.record = Record(layout)

    def read(self, data: bytes, at: int) -> tuple[list[Layout], int]:
        count, at = self.count.read(data, at)
        records: list[Layout] = []
        for _ in range(count):
            if at >= len(data):
                # A count is no reason to make so many empty records.
                raise ProtocolError(f"{count} records announced, {len(records)} there")
            record, at = self.record.read(data, at)
            records.append(record)
        return records, at

    def write(self, value: list[Layout]) -> bytes:
        return self.count.write(len(value)) + b"".join(map(self.record.write, value))


U8 = Annotated[int, UInt(1)]
U16 = Annotated[int, UInt(2)]
U32 = Annotated[int, UInt(4)]
U64 = Annotated[int, UInt(8)]
LongText = Annotated[str, Sized(4, RestText())]
LongBytes = Annotated[bytes, Sized(4, Rest())]


def read(layout: type[L], data: bytes) -> L:
    """The body that `data` holds. Raises `ProtocolError` that names the field."""
    body, end = _read_fields(layout, data, 0)
    if end < len(data):
        body.extra = data[end:]
    return body


def write(body: Layout) -> bytes:
    """Its bytes. Raises `ProtocolError` where a value has no place."""
    parts = []
    for name, kind in fields_of(type(body)):
        try:
            parts.append(kind.write(getattr(body, name)))
        except ProtocolError as error:
            raise ProtocolError(f"{type(body).__name__}.{name}: {error}") from None
    parts.append(body.extra)
    return b"".join(parts)


@cache
def fields_of(layout: type[Layout]) -> tuple[tuple[str, Kind], ...]:
    """The declared fields in the order of the wire."""
    hints = typing.get_type_hints(layout, include_extras=True)
    return tuple(
        (name, kind)
        for name in layout.__struct_fields__
        for kind in getattr(hints[name], "__metadata__", ())
        if isinstance(kind, Kind)
    )


def text_of(data: bytes) -> str:
    try:
        return data.decode(TEXT)
    except UnicodeDecodeError:
        raise ProtocolError(f"{_shown(data)} is no GBK text") from None


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode(TEXT)
    except UnicodeEncodeError:
        raise ProtocolError(f"{text!r} has no GBK bytes") from None


def _read_fields(layout: type[L], data: bytes, at: int) -> tuple[L, int]:
    numbers = _leading_numbers(layout)
    values: list[Any] = []
    if len(data) - at >= numbers.size:
        values.extend(numbers.unpack_from(data, at))
        at += numbers.size
    for name, kind in fields_of(layout)[len(values) :]:
        try:
            value, at = kind.read(data, at)
        except ProtocolError as error:
            raise ProtocolError(f"{layout.__name__}.{name}: {error}") from None
        values.append(value)
    return layout(*values), at


@cache
def _leading_numbers(layout: type[Layout]) -> struct.Struct:
    """The numbers that a layout begins with, in one go: a position of 2011 is nothing else."""
    codes = ">"
    for _, kind in fields_of(layout):
        if not isinstance(kind, UInt) or kind.size not in _CODES:
            break
        codes += _CODES[kind.size]
    return struct.Struct(codes)


def _take(data: bytes, at: int, size: int) -> bytes:
    taken = data[at : at + size]
    if len(taken) < size:
        raise ProtocolError(f"{len(taken)} bytes left; expected {size}")
    return taken


def _shown(data: bytes) -> str:
    return data.hex() if len(data) <= 24 else f"{data[:24].hex()}…"
