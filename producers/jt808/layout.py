"""The engine that reads and writes messages by declared tables (`producers.jt808.tables`).

A table is a row for each field: name, kind, and in which versions or under which flag it is there.
What is read is a dict of plain values; text is GBK, numbers are big-endian. Writing what was read
gives the same bytes, but for zeros before a text. Pure; it knows no message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, get_args

from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version
from producers.jt808.text import ENCODING

Values = dict[str, Any]
"""Numbers, text, bytes, lists and dicts of these, and locations."""

ALL: Final[frozenset[Version]] = frozenset(get_args(Version))
ONLY_2011: Final[frozenset[Version]] = frozenset({"2011"})
UNTIL_2013: Final[frozenset[Version]] = frozenset({"2011", "2013"})
SINCE_2013: Final[frozenset[Version]] = frozenset({"2013", "2019"})
SINCE_2019: Final[frozenset[Version]] = frozenset({"2019"})
REST: Final = "rest"
"""Where bytes are kept that follow the last field of a message."""


class Source:
    """A body being read: what is left of it, and the terminal's version."""

    def __init__(self, data: bytes, version: Version) -> None:
        self._data = data
        self._at = 0
        self.version = version

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` bytes; `ProtocolError` where there are fewer."""
        if count > self.left:
            raise ProtocolError(f"{count} bytes wanted, {self.left} left")
        self._at += count
        return self._data[self._at - count : self._at]

    def mark(self) -> int:
        return self._at

    def back(self, mark: int) -> None:
        self._at = mark


class Kind(Protocol):
    """How one value stands in a body. `beside` are the fields of the same record, so far."""

    def read(self, source: Source, beside: Values) -> Any: ...

    def write(self, value: Any, beside: Values, version: Version) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Number:
    """An integer of `size` bytes, or where `per` is not 1 a float of so many steps a unit."""

    size: int
    signed: bool = False
    per: int = 1

    def read(self, source: Source, beside: Values) -> int | float:
        raw = int.from_bytes(source.take(self.size), "big", signed=self.signed)
        return raw if self.per == 1 else raw / self.per

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ProtocolError(f"{value!r}; allowed are numbers")
        try:
            raw = round(value * self.per)
            return raw.to_bytes(self.size, "big", signed=self.signed)
        except (OverflowError, ValueError):
            raise ProtocolError(
                f"{value}; allowed are {self.least / self.per:g} to {self.most / self.per:g}"
            ) from None

    @property
    def least(self) -> int:
        return -(1 << (8 * self.size - 1)) if self.signed else 0

    @property
    def most(self) -> int:
        return (1 << (8 * self.size - int(self.signed))) - 1


U8: Final = Number(1)
U16: Final = Number(2)
U32: Final = Number(4)
U64: Final = Number(8)


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes as they are: `size`, as many as the `prefix` says, or all that is left."""

    size: int | None = None
    prefix: Number | None = None

    def read(self, source: Source, beside: Values) -> bytes:
        if self.prefix is not None:
            return source.take(int(self.prefix.read(source, beside)))
        return source.take(source.left if self.size is None else self.size)

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        data = _bytes(value)
        if self.prefix is not None:
            return self.prefix.write(len(data), beside, version) + data
        if self.size is not None and len(data) != self.size:
            raise ProtocolError(f"{len(data)} bytes; allowed are {self.size}")
        return data


@dataclass(frozen=True, slots=True)
class Text:
    """GBK text: of `size` bytes, filled up with zeros (read before it and behind it, written
    behind); as long as the `prefix` says; or all that is left. What is not GBK is `{"hex": …}`."""

    size: int | None = None
    prefix: Number | None = None

    def read(self, source: Source, beside: Values) -> str | dict[str, str]:
        data = Raw(self.size, self.prefix).read(source, beside)
        if self.size is not None:
            data = data.strip(b"\0")
        try:
            text = data.decode(ENCODING)
        except UnicodeDecodeError:
            return {"hex": data.hex()}
        return text if text.encode(ENCODING) == data else {"hex": data.hex()}

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        data = _gbk(value)
        if self.size is None:
            return Raw(None, self.prefix).write(data, beside, version)
        if len(data) > self.size:
            raise ProtocolError(f"{value!r} has {len(data)} bytes; allowed are {self.size}")
        return data.ljust(self.size, b"\0")


@dataclass(frozen=True, slots=True)
class Bcd:
    """Digits, two a byte. A byte that is no digits stays visible as hexadecimal."""

    size: int

    def read(self, source: Source, beside: Values) -> str:
        return source.take(self.size).hex()

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        return Raw(self.size).write(value, beside, version)


@dataclass(frozen=True, slots=True)
class Time:
    """BCD[6] of the terminal's clock as `2026-07-07T19:23:59+08:00` (JT/T 808: GMT+8 throughout).

    What is no time, as the zeros that mean "without limit", stays digits: `000000000000`.
    """

    def read(self, source: Source, beside: Values) -> str:
        digits = source.take(6).hex()
        return _spelled(digits) if _is_time(digits) else digits

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        if not isinstance(value, str):
            raise ProtocolError(f"{value!r}; allowed are times as {_spelled('260707192359')}")
        digits = value
        if len(value) == 25 and value.startswith("20") and value.endswith("+08:00"):
            digits = "".join(c for c in value[2:19] if c.isdigit())
            if not _is_time(digits) or _spelled(digits) != value:
                raise ProtocolError(f"{value!r}; allowed are times of this century")
        return Raw(6).write(digits, beside, version)


@dataclass(frozen=True, slots=True)
class Listed:
    """As many items as the `prefix` says, or as fill what is left."""

    prefix: Number | None
    item: Kind

    def read(self, source: Source, beside: Values) -> list[Any]:
        if self.prefix is None:
            items = []
            while source.left:
                items.append(self.item.read(source, beside))
            return items
        count = int(self.prefix.read(source, beside))
        if count > source.left:
            raise ProtocolError(f"{count} items said, {source.left} bytes left")
        return [self.item.read(source, beside) for _ in range(count)]

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise ProtocolError(f"{value!r}; allowed are lists")
        items = b"".join(self.item.write(item, beside, version) for item in value)
        if self.prefix is None:
            return items
        return self.prefix.write(len(value), beside, version) + items


@dataclass(frozen=True, slots=True)
class Sized:
    """A block whose length stands before it. What cannot be read in it stays bytes."""

    prefix: Number
    inside: Kind

    def read(self, source: Source, beside: Values) -> Any:
        block = source.take(int(self.prefix.read(source, beside)))
        return OneOf(self.inside).read(Source(block, source.version), beside)

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        block = OneOf(self.inside).write(value, beside, version)
        return self.prefix.write(len(block), beside, version) + block


class OneOf:
    """All that is left, as the first of `kinds` that reads it to the end; else bytes."""

    def __init__(self, *kinds: Kind) -> None:
        self.kinds: Final = kinds

    def read(self, source: Source, beside: Values) -> Any:
        start = source.mark()
        for kind in self.kinds:
            try:
                value = kind.read(source, beside)
                if not source.left:
                    return value
            except ProtocolError:
                pass
            source.back(start)
        return Raw().read(source, beside)

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        if isinstance(value, bytes):
            return value
        first: ProtocolError | None = None
        for kind in self.kinds:
            try:
                return kind.write(value, beside, version)
            except ProtocolError as error:
                first = first or error
        return _as_hex(value, first)


@dataclass(frozen=True, slots=True)
class By:
    """As the kind for the value of the field `name` beside it; bytes to the end for another."""

    name: str
    kinds: Mapping[int, Kind]

    def _kind(self, beside: Values) -> Kind:
        return self.kinds.get(_integer(beside, self.name), Raw())

    def read(self, source: Source, beside: Values) -> Any:
        return self._kind(beside).read(source, beside)

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        return self._kind(beside).write(value, beside, version)


@dataclass(frozen=True, slots=True)
class Field:
    """A row of a table.

    `flag`: there only where the field of this name, before it, has one of the bits `mask`.
    `optional`: it and all behind it may be missing at the end of the body.
    """

    name: str
    kind: Kind
    versions: frozenset[Version] = ALL
    flag: str = ""
    mask: int = 0
    optional: bool = False

    def expected(self, beside: Values, version: Version) -> bool:
        if version not in self.versions:
            return False
        return not self.flag or bool(_integer(beside, self.flag) & self.mask)


class Record:
    """Fields one after the other, as a dict."""

    def __init__(self, *fields: Field) -> None:
        self.fields: Final = fields

    def read(self, source: Source, beside: Values) -> Values:
        values: Values = {}
        for field in self.fields:
            if not field.expected(values, source.version):
                continue
            if field.optional and not source.left:
                break
            try:
                values[field.name] = field.kind.read(source, values)
            except ProtocolError as error:
                raise ProtocolError(f"{field.name}: {error}") from None
        return values

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        if not isinstance(value, dict):
            raise ProtocolError(f"{value!r}; allowed are fields by name")
        parts: list[bytes] = []
        left = dict(value)
        for field in self.fields:
            if not field.expected(value, version):
                continue
            if field.name not in left:
                if field.optional:
                    break
                raise ProtocolError(f"{field.name} is missing")
            try:
                parts.append(field.kind.write(left.pop(field.name), value, version))
            except ProtocolError as error:
                raise ProtocolError(f"{field.name}: {error}") from None
        if left:
            known = ", ".join(field.name for field in self.fields if version in field.versions)
            raise ProtocolError(
                f"{next(iter(left))!r} is no field here; there are {known or 'none'}"
            )
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Layout:
    """A message: its name, the standard that has it, and what its body is."""

    name: str
    standard: str
    kind: Kind


def read(kind: Kind, data: bytes, version: Version) -> Values:
    """A whole body; bytes behind the last field are `rest`. `ProtocolError` says which field."""
    source = Source(data, version)
    values = kind.read(source, {})
    if not isinstance(values, dict):
        raise ProtocolError(f"none of its layouts fits {len(data)} bytes")
    if source.left:
        values[REST] = source.take(source.left)
    return values


def write(kind: Kind, values: Values, version: Version) -> bytes:
    """A whole body. `ProtocolError` says which field, and what is allowed."""
    rest = values.get(REST, b"")
    fields = {name: value for name, value in values.items() if name != REST}
    return kind.write(fields, {}, version) + _bytes(rest)


def in_hex(value: Any) -> Any:
    """A value as JSON can have it: bytes as hexadecimal digits."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: in_hex(one) for name, one in value.items()}
    if isinstance(value, list):
        return [in_hex(one) for one in value]
    return value


def _integer(beside: Values, name: str) -> int:
    value = beside.get(name)
    if not isinstance(value, int):
        raise ProtocolError(f"{name}: {value!r}; allowed are integers")
    return value


def _is_time(digits: str) -> bool:
    if not digits.isdecimal():
        return False
    try:
        datetime.strptime(digits, "%y%m%d%H%M%S")
    except ValueError:
        return False
    return True


def _spelled(digits: str) -> str:
    year, month, day, hour, minute, second = (digits[i : i + 2] for i in range(0, 12, 2))
    return f"20{year}-{month}-{day}T{hour}:{minute}:{second}+08:00"


def _bytes(value: Any) -> bytes:
    """Bytes, or hexadecimal digits as JSON has them."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str) and value.isascii():
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
    raise ProtocolError(f"{value!r}; allowed are hexadecimal digits, two a byte")


def _gbk(value: Any) -> bytes:
    if isinstance(value, dict) and value.keys() == {"hex"}:
        return _bytes(value["hex"])
    if not isinstance(value, str):
        raise ProtocolError(f"{value!r}; allowed is text")
    try:
        return value.encode(ENCODING)
    except UnicodeEncodeError as error:
        raise ProtocolError(f"{value!r}: {value[error.start]!r} is not in GBK") from None


def _as_hex(value: Any, first: ProtocolError | None) -> bytes:
    """Bytes in place of a layout; what was wrong with the first layout is the better message."""
    try:
        return _bytes(value)
    except ProtocolError:
        raise first or ProtocolError(f"{value!r}; allowed are bytes") from None
