"""The engine that reads and writes messages by declared tables (`producers.jt808.declared`).

A table is a row for each field: name, kind, and in which editions or under which flag it is there.
What is read is a dict of plain values (`kinds`). Writing what was read gives the same bytes, but
for zeros around a text. Pure; it knows no message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version
from producers.jt808.kinds import Kind, Named, Number, Raw, Source, Values, hex_bytes, integer

ALL: Final[frozenset[Version]] = frozenset(get_args(Version))
ONLY_2011: Final[frozenset[Version]] = frozenset({"2011"})
UNTIL_2013: Final[frozenset[Version]] = frozenset({"2011", "2013"})
SINCE_2013: Final[frozenset[Version]] = frozenset({"2013", "2019"})
SINCE_2019: Final[frozenset[Version]] = frozenset({"2019"})
REST: Final = "rest"
"""Where bytes are kept that follow the last field of a message."""


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
        return self.kinds.get(integer(beside, self.name), Raw())

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
        return not self.flag or bool(integer(beside, self.flag) & self.mask)


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
                if isinstance(field.kind, Named):
                    continue
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
    return kind.write(fields, {}, version) + hex_bytes(rest)


def _as_hex(value: Any, first: ProtocolError | None) -> bytes:
    """Bytes in place of a layout; what was wrong with the first layout is the better message."""
    try:
        return hex_bytes(value)
    except ProtocolError:
        raise first or ProtocolError(f"{value!r}; allowed are bytes") from None
