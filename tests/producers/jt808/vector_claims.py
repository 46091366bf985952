"""What the shared frames claim, as (name, indices, value): brought out of each source's own form.

A claim is one asserted value. For `test_shared_vectors`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from vector_names import EXPECTED, LOCATION, TRACCAR, Names
from vector_names_smallchi import ITEMS, VALUES
from vector_samples import Vector


@dataclass(frozen=True, slots=True)
class Claim:
    """One asserted value; `source` is how the vectors have it."""

    name: str
    indices: tuple[int, ...]
    value: Any
    source: str
    trimmed: str = ""
    """Characters that their test takes off the beginning first."""


def claims_of_json(value: Any, name: str = "", indices: tuple[int, ...] = ()) -> Iterator[Claim]:
    """A claim for each leaf of decoded JSON; lists of plain values are one."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from claims_of_json(one, f"{name}.{key}" if name else key, indices)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, one in enumerate(value):
            yield from claims_of_json(one, name, (*indices, index))
    else:
        yield Claim(name, indices, value, f"{name}{list(indices) or ''}")


_CALLS = re.compile(
    r"\.(ToString\(\"[^\"]*\"\)|ToHexString\(\)|ToArray\(\)|TrimStart\([^)]*\)|Value(?=$|\.))"
)
_ITEM_VARIABLE = re.compile(r"^jt808_?0x0200_?0x([0-9a-f]{2})\.", re.IGNORECASE)
_DEMO_ITEM = re.compile(r"^jT808LocationAttachImpl0X([0-9A-F]{2})\.")
_ATTACHED = re.compile(r"^\(\([^)]*\)(.*?)\w+LocationAttachData\[.*?0[xX]([0-9A-Fa-f]{2})\]\)\.")
_PARAMETER = re.compile(
    r"^(?:\(\(JT808_0x8103_(0x\w+)\)item\)|jT808_0X8103_(0XF\w+))\.", re.IGNORECASE
)
_CONTROL = re.compile(r"^.*GetCommandParameter<(\w+)CommandParameter>\(\)\.Value(\.Value)?$")
_VEHICLE_CONTROL = re.compile(r"^jT?t?808_0x8500_(0x\w+)\.")
_RECORDER = re.compile(r"JT808_CarDVR_Up_0x\w\w_")


def claim_of_expression(text: str, value: Any) -> Claim:
    """Of an assertion in C#."""
    if text.startswith('"'):
        return Claim("", (), json.loads(json.loads(text)), text)
    trimmed = re.search(r"TrimStart\('?(.?)'?\)", text)
    name = _name(text)
    indices = tuple(map(int, re.findall(r"\[(\d+)\]", name)))
    name = re.sub(r"\[\d+\]", "", name)
    characters = "" if trimmed is None else trimmed.group(1) or " "
    if isinstance(value, dict):
        value = _value(value["expr"])
    return Claim(name, indices, value, text, characters)


def _name(text: str) -> str:
    control = _CONTROL.match(text)
    if control:
        return f"{control.group(1)}.Value"
    bodies = re.match(r"^\(\(\w+\)[\w.]+\)\.(\w+)$", text)
    attached = _ATTACHED.match(text)
    if attached:
        before = re.sub(r"^\w+\.", "", attached.group(1))
        text = f"x.{before}0x{attached.group(2).lower()}.{text[attached.end() :]}"
    for pattern in (_ITEM_VARIABLE, _DEMO_ITEM):
        found = pattern.match(text)
        if found:
            text = f"x.0x{found.group(1).lower()}.{text[found.end() :]}"
    found = _PARAMETER.match(text) or _VEHICLE_CONTROL.match(text)
    if found:
        number = next(group for group in found.groups() if group)
        text = f"x.0x{number[2:].upper()}.{text[found.end() :]}"
    elif bodies and not attached:
        text = f"x.{bodies.group(1)}"
    text = _RECORDER.sub("", _CALLS.sub("", text))
    item = re.match(r"^item(\d)\.", text)
    return text.split(".", 1)[-1] + (f"[{item.group(1)}]" if item else "")


def _value(text: str) -> Any:
    """Of an expression in C#."""
    time = re.match(r'^Convert\.ToDateTime\("(.*)"\)$', text)
    if time:
        return time.group(1)
    if text in VALUES:
        return VALUES[text]
    zeros = re.match(r"^new byte\[(\d+)\]$", text)
    if zeros:
        return [0] * int(zeros.group(1))
    if text.startswith("new "):
        inside = text[text.index("{") + 1 : text.rindex("}")]
        return [int(number, 0) for number in re.findall(r"0x\w+|\d+", inside)]
    number = re.search(r"(?:\._|_)0x([0-9A-Fa-f]+)(?:\.|$)", text)
    if number:
        return int(number.group(1), 16)
    words = [word for word in re.split(r"[.()]", text) if word]
    for word in words:
        if word in VALUES:
            return VALUES[word]
    return text


def claims_of(vector: Vector, names: Names) -> Iterator[tuple[Claim, Names]]:
    """All that is asserted, each with the names to look it up by."""
    expected = vector["expected"]
    for name, value in expected.items():
        if name in EXPECTED:
            yield Claim(name, (), value, f"expected.{name}"), EXPECTED
    for claim in claims_of_json(expected.get("decoded_json", {})):
        yield claim, names
    for claim in claims_of_json(expected.get("attributes", {})):
        yield replace(claim, name=f"attributes.{claim.name}"), names
    for claim in claims_of_json(expected.get("fields", {})):
        yield claim, names
    for claim in claims_of_json(expected.get("items") or {}):
        yield claim, {name: f"locations.[].{paths[0]}" for name, paths in LOCATION.items()}
    for name, value in expected.get("additional", {}).items():
        places = (ITEMS[name], f"location.{ITEMS[name]}")
        yield Claim(name, (), value, f"additional.{name}"), {name: places}
    for name, value in expected.get("traccar_attribute", {}).items():
        yield Claim(name, (), value, name), TRACCAR
    for asserted in vector["asserts_raw"]:
        if isinstance(asserted, dict):  # text repeats what `expected` has
            for claim in expressed(asserted):
                yield claim, names


def expressed(asserted: dict[str, Any]) -> Iterator[Claim]:
    """A whole item as JSON is a claim for each of its values."""
    claim = claim_of_expression(asserted["expr"], asserted["value"])
    if claim.name:
        yield claim
        return
    for one in claims_of_json(claim.value):
        yield replace(one, name=f"0x{claim.value['AttachInfoId']:02x}.{one.name}")
