"""Plain data (dicts, lists, hex) into the structs of bodies by their type hints, for `plain`.

Not msgspec's own conversion, which reads bytes as base64 and knows no unions of structs.
"""

import types
from collections.abc import Iterable
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from producers.jt808.errors import ProtocolError
from producers.jt808.location import BadLocation, Location, LocationBatch
from producers.jt808.plain_location import LOCATION_KEYS, location_from_plain

EXPLAINING = ("name", "reading")
"""What a decoder writes beside the fields, and nobody reads back."""
_WORDS = {int: "an integer", float: "a number", str: "text", bool: "true or false"}


def build(kind: Any, value: Any, what: str) -> Any:
    """`value` as `kind`; `what` names it in the `ProtocolError` where it is no such thing."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return build(_one_of(get_args(kind), value), value, what)
    if origin is list:
        if not isinstance(value, list):
            raise _unexpected(value, what, "a list")
        (item,) = get_args(kind)
        return [build(item, one, f"{what}[{number}]") for number, one in enumerate(value)]
    if origin is dict:
        key_kind, value_kind = get_args(kind)
        return {
            build(key_kind, key, f"{what}: key"): build(value_kind, one, f"{what}.{key}")
            for key, one in fields_of(value, what).items()
        }
    if origin is Literal:
        if value not in get_args(kind):
            raise _unexpected(value, what, f"one of {', '.join(map(str, get_args(kind)))}")
        return value
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(kind, fields_of(value, what), what)
    return _leaf(kind, value, what)


def fields_of(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(value, what, "an object")
    return value


def integer(value: Any, what: str) -> int:
    """Also from text in hex: "0x0200"."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return int(value, 0)
        except ValueError:
            pass
    raise _unexpected(value, what, "an integer")


def short(value: Any) -> str:
    """A value for an error's line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def refuse_unknown(given: dict[str, Any], known: Iterable[str], what: str) -> None:
    """A misspelt field must not be silently left out."""
    for name in given:
        if name not in known:
            raise ProtocolError(f"{what} has no {short(name)}; allowed are {', '.join(known)}")


def _leaf(kind: Any, value: Any, what: str) -> Any:
    if kind is int:
        return integer(value, what)
    if kind is bytes:
        try:
            return bytes.fromhex(value)
        except (TypeError, ValueError):
            raise _unexpected(value, what, "bytes in hex") from None
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind in (str, bool) and isinstance(value, kind):
        return value
    if kind is types.NoneType and value is None:
        return None
    raise _unexpected(value, what, _WORDS.get(kind, str(kind)))


def _struct(cls: type[msgspec.Struct], given: dict[str, Any], what: str) -> Any:
    """The fields of a location inside stand among its own, as `plain` writes them."""
    if cls is Location:
        refuse_unknown(given, LOCATION_KEYS, what)
        return location_from_plain(given, what)
    refuse_unknown(given, _known(cls), what)
    built: dict[str, Any] = {}
    for name, kind in _hints(cls).items():
        if kind is Location:
            built[name] = location_from_plain(given, what)
        elif name in given:
            built[name] = build(kind, given[name], f"{what}.{name}")
    if cls is LocationBatch and built.get("count") == len(built.get("locations", ())):
        del built["count"]
    try:
        return cls(**built)
    except TypeError:
        needed = cls.__struct_fields__[: len(cls.__struct_fields__) - len(cls.__struct_defaults__)]
        missing = [name for name in needed if name not in built]
        raise ProtocolError(f"{what} has no {', '.join(missing)}") from None


@cache
def _hints(cls: type[msgspec.Struct]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {name: hints[name] for name in cls.__struct_fields__}


@cache
def _known(cls: type[msgspec.Struct]) -> dict[str, None]:
    """The fields that there may be, in order."""
    hints = _hints(cls)
    known = [name for name, kind in hints.items() if kind is not Location]
    if len(known) < len(hints):
        known += LOCATION_KEYS
    return dict.fromkeys((*known, *EXPLAINING))


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    """The member of a union that `value` looks like."""
    if value is None and types.NoneType in kinds:
        return types.NoneType
    others = [kind for kind in kinds if kind is not types.NoneType]
    if BadLocation in others and isinstance(value, dict):
        is_bad = "error" in value
        others = [kind for kind in others if (kind is BadLocation) == is_bad]
    return others[0]


def _unexpected(value: Any, what: str, expected: str) -> ProtocolError:
    return ProtocolError(f"{what} is {short(value)}; expected {expected}")
