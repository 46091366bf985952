"""A decoded message as a tree for paths (`vector_names`), and the comparison of what is there.

For `test_shared_vectors`; the tree has what the codec says and nothing else, but lengths of blocks,
raw items by id, and parameters by id beside their lists.
"""

import gzip
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from producers.jt808 import freight, item_table, parameters, vendor_items
from producers.jt808.active_safety import STATES
from producers.jt808.declared import Fields
from producers.jt808.header import bare_phone
from producers.jt808.items import read_items
from producers.jt808.location import Location
from producers.jt808.message import Message
from producers.jt808.queries import Parameters

_INDEX = "[]"


def view(message: Message, attributes: int | None = None, length: int = 0) -> dict[str, Any]:
    """`attributes` are the two bytes of the header, `length` that of the body."""
    tree: dict[str, Any] = body_view(message.body)
    tree["header"] = {
        "message_id": message.message_id,
        "serial": message.serial,
        "bare_phone": bare_phone(message.phone),
        "version": message.version,
        "protocol_version": message.protocol_version if message.version == "2019" else 0,
        "encryption": message.encryption,
        "part": message.part,
        "phone": message.phone,
        "checksum_ok": message.checksum_ok,
        "attributes": attributes,
        "length": length,
    }
    return tree


def body_view(body: Any) -> dict[str, Any]:
    tree = dict(_tree(body))
    if isinstance(body, Parameters):
        tree["by_id"] = {
            one.parameter_id: {
                "id": one.parameter_id,
                "length": len(one.value),
                "value": parameters.meaning(one.parameter_id, one.value),
            }
            for one in body.parameters
        }
    if isinstance(body, Fields):
        if "parameters" in tree and isinstance(tree["parameters"], list):
            tree["by_id"] = {
                one["id"]: one | {"length": len(parameters.VALUE.write(one["value"], one, "2019"))}
                for one in tree["parameters"]
            }
        if isinstance(tree.get("parameters"), dict):
            tree["split"] = bytes.fromhex(tree["parameters"]["hex"]).split(b";")[:-1]
        if isinstance(tree.get("data"), dict):
            tree["lengths"] = [
                len(freight.STATE.write(one["state"], {}, "2019"))
                for one in tree["data"]["peripherals"]
            ]
        if "gzip" in tree and tree["gzip"][:2] == b"\x1f\x8b":
            tree["unzipped"] = gzip.decompress(tree["gzip"])
    return tree


def _tree(value: Any) -> Any:
    if isinstance(value, Location):
        return _location(value)
    if isinstance(value, Fields):
        return _tree(value.values)
    if isinstance(value, msgspec.Struct):
        return {name: _tree(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: _tree(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_tree(one) for one in value]
    return value


def _location(location: Location) -> dict[str, Any]:
    items, _ = read_items(location.additional)
    tree: dict[str, Any] = {
        name: getattr(location, name) for name in location.__struct_fields__ if name != "additional"
    }
    tree["items"] = dict(items)
    tree["ids"] = {item_id: item_id for item_id, _ in items}
    tree["meanings"] = {
        item_id: reading
        for item_id, value in items
        if (reading := reading_of(item_id, value)) is not None
    }
    return tree


def reading_of(item_id: int, value: bytes) -> Any:
    """What a standard says of an item, else what a vendor does."""
    meaning = item_table.meaning_of(item_id, value)
    if meaning is not None:
        return meaning.reading
    vendors = vendor_items.meaning_of(item_id, value)
    return None if vendors is None else vendors[1]


def found(tree: Any, path: str, indices: tuple[int, ...]) -> list[Any]:
    """All that is at `path`; nothing where there is no such thing."""
    path, _, change = path.partition("|")
    path, _, factor = path.partition("*" if "**" not in path else "\0")
    if path.startswith("**."):
        path, _, factor = path.removeprefix("**.").partition("*")
        values = list(_anywhere(tree, path))
    else:
        values = list(_at(tree, path.split("."), indices))
    if factor:
        values = [round(value * int(factor)) for value in values if value is not None]
    if change.startswith("or ") and not any(values):
        return [int(change.removeprefix("or "))]
    return [CHANGES[change](value) for value in values] if change in CHANGES else values


def _anywhere(tree: Any, name: str) -> Iterator[Any]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == name:
                yield value
            if key != "header":
                yield from _anywhere(value, name)
    elif isinstance(tree, list):
        for value in tree:
            yield from _anywhere(value, name)


def _at(tree: Any, steps: list[str], indices: tuple[int, ...]) -> Iterator[Any]:
    if not steps:
        yield tree
        return
    step, *rest = steps
    if step == _INDEX:
        values = list(tree.values()) if isinstance(tree, dict) else tree
        if isinstance(values, list):
            chosen = values[indices[0] : indices[0] + 1] if indices else values
            for value in chosen:
                yield from _at(value, rest, indices[1:])
        return
    yield from (one for value in _step(tree, step) for one in _at(value, rest, indices))


def _step(tree: Any, step: str) -> Iterator[Any]:
    if step == "#":
        yield len(tree.encode("gbk") if isinstance(tree, str) else tree)
    elif ":" in step and isinstance(tree, bytes):
        first, _, last = step.partition(":")
        yield tree[int(first or 0) : int(last) if last else None]
    elif isinstance(tree, dict):
        key: Any = int(step) if step.lstrip("-").isdecimal() else step
        if key in tree:
            yield tree[key]
    elif isinstance(tree, list) and step.isdecimal() and int(step) < len(tree):
        yield tree[int(step)]


def _clock(digits: str) -> str:
    return f"{digits[:2]}:{digits[2:]}:00"


CHANGES: dict[str, Callable[[Any], Any]] = {
    "state": lambda name: {text: state for state, text in STATES.items()}.get(name, name),
    "int": lambda digits: str(int(digits)),
    "digits": lambda value: value.rstrip("f") if isinstance(value, str) else value,
    "number": lambda value: float(value) if isinstance(value, str) else value,
    "signed tenths": lambda word: (-1 if word & 0x8000 else 1) * (word & 0x7FFF) / 10,
    "third number": lambda text: float(text.split(",")[2]),
    "spaced": lambda text: text.replace(",", " "),
    "charging": lambda state: state == 2,
    "bool": bool,
    "upper": str.upper,
    "is 2019": lambda version: version == "2019",
    "date": lambda digits: f"20{digits[:2]}-{digits[2:4]}-{digits[4:]}",
    "clock": _clock,
    "seconds": lambda digits: digits[-6:],
    "milliseconds": lambda digits: f"{digits[:2]}:{digits[2:4]}:{digits[4:6]}.{digits[7:]}",
    "high word": lambda bits: bits >> 32,
    "low word": lambda bits: bits & 0xFFFFFFFF,
    "flat": lambda pairs: [number for pair in pairs for number in pair.values()],
}
"""Where a source writes the same value in another way."""


def same(claimed: Any, value: Any) -> bool:
    """Whether a decoded value is the claimed one, whose type may be another."""
    if isinstance(value, bytes):
        return _same_bytes(claimed, value)
    if isinstance(claimed, str) and isinstance(value, str):
        return claimed == value or _same_time(claimed, value)
    if isinstance(claimed, str) and isinstance(value, int):
        return _same_time(claimed, _gmt8(value))
    if isinstance(claimed, list) and isinstance(value, list):
        return len(claimed) == len(value) and all(map(same, claimed, value))
    if claimed == -1 and isinstance(value, int):
        return value in (0xFF, 0xFFFF, 0xFFFFFFFF)
    if isinstance(claimed, float) and isinstance(value, float):
        return abs(claimed - value) < 1e-9
    return bool(claimed == value) and value is not None


def _same_bytes(claimed: Any, value: bytes) -> bool:
    if isinstance(claimed, int):
        return claimed == int.from_bytes(value, "big") or (claimed == -1 and set(value) == {0xFF})
    if isinstance(claimed, list):
        return bytes(one & 0xFF for one in claimed) == value
    return bool(claimed == value.hex() or claimed == value.decode("gbk", "replace"))


def _same_time(claimed: str, value: str) -> bool:
    """Times with and without punctuation, century and zone, dates, and digits behind zeros."""
    mine = re.sub(r"\D", "", value.removesuffix("+08:00"))
    theirs = re.sub(r"\D", "", claimed)
    if len(theirs) < 8:
        return False
    return theirs == mine or f"20{theirs}" == mine or (len(theirs) == 8 and mine[:8] == theirs)


def _gmt8(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms / 1000, UTC) + timedelta(hours=8)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
