"""How single values stand in the body of a message: numbers, bytes, text, digits, times.

What is read is plain: numbers, text, bytes. Text is GBK, numbers are big-endian. Used by `layout`,
which puts them together, and by the tables. Raises `ProtocolError`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from producers.jt808.errors import ProtocolError
from producers.jt808.header import Version
from producers.jt808.text import ENCODING

Values = dict[str, Any]
"""Numbers, text, bytes, lists and dicts of these, and locations."""


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
            if self.per == 1 and raw != value:
                raise ValueError
            return raw.to_bytes(self.size, "big", signed=self.signed)
        except (OverflowError, ValueError):
            whole = "whole numbers " if self.per == 1 else ""
            raise ProtocolError(
                f"{value}; allowed are {whole}{self.least / self.per:g} to {self.most / self.per:g}"
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
        data = hex_bytes(value)
        if self.prefix is not None:
            return self.prefix.write(len(data), beside, version) + data
        if self.size is not None and len(data) != self.size:
            raise ProtocolError(f"{len(data)} bytes; allowed are {self.size}")
        return data


@dataclass(frozen=True, slots=True)
class Text:
    """GBK text: of `size` bytes, filled up with zeros; as long as the `prefix` says; or all that is
    left. Zeros before it and behind it are not read, but with a prefix. What is not GBK is
    `{"hex": …}`."""

    size: int | None = None
    prefix: Number | None = None

    def read(self, source: Source, beside: Values) -> str | dict[str, str]:
        data = Raw(self.size, self.prefix).read(source, beside)
        if self.prefix is None:
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
class Named:
    """No bytes: what the number in the field `name` beside it is called, None where nobody knows.

    Only explains: what is written does not depend on it.
    """

    name: str
    names: Mapping[int, str]

    def read(self, source: Source, beside: Values) -> str | None:
        return self.names.get(integer(beside, self.name))

    def write(self, value: Any, beside: Values, version: Version) -> bytes:
        return b""


def in_hex(value: Any) -> Any:
    """A value as JSON can have it: bytes as hexadecimal digits."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: in_hex(one) for name, one in value.items()}
    if isinstance(value, list):
        return [in_hex(one) for one in value]
    return value


def integer(beside: Values, name: str) -> int:
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


def hex_bytes(value: Any) -> bytes:
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
        return hex_bytes(value["hex"])
    if not isinstance(value, str):
        raise ProtocolError(f"{value!r}; allowed is text")
    try:
        return value.encode(ENCODING)
    except UnicodeEncodeError as error:
        raise ProtocolError(f"{value!r}: {value[error.start]!r} is not in GBK") from None
