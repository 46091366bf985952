"""The shared frames read: whole ones, bodies alone, a header alone. For `test_shared_vectors`."""

from dataclasses import dataclass
from typing import Any

from vector_names import GO, YEZHIHAO, Names
from vector_names_smallchi import SMALLCHI
from vector_view import body_view, view

from producers.jt808.framing import flagged, unescape, unframed
from producers.jt808.header import bare_phone, read_header
from producers.jt808.message import body_bytes, read_payload
from producers.jt808.messages import MESSAGES

Vector = dict[str, Any]

BODY_OF = {147: "0x0200"}
"""Which they leave out."""
WITHOUT_KIND = {159: b"\xf7", 168: b"\xf7"}
"""Bodies of which their test leaves out the first byte."""
LENGTHS = {136: (29, 8), 156: (29, 47), 157: (29, 47)}
"""Items whose length is wrong, which their reader does not look at: where, and the right one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A vector that has been read: `tree` for its claims, `names` for their names."""

    tree: dict[str, Any]
    names: Names
    again: bytes
    """What is written of the message read, below flags and escapes."""
    came: bytes


def source_of(vector: Vector) -> str:
    return str(vector["source"].get("repo")).partition("/")[2]


def bytes_of(vector: Vector) -> bytes:
    """Some are text, of other protocols."""
    return bytes.fromhex(vector["hex"]) if "hex" in vector else vector["ascii"].encode()


def payload_of(vector: Vector) -> bytes:
    """Without flags and escapes, which some have undone already."""
    inner = unframed(bytes_of(vector))
    undone = vector["structure"]["escaped_on_wire"] is False
    return inner if undone or source_of(vector) == "traccar" else unescape(inner)


def sample_of(number: int, vector: Vector) -> Sample:
    key = BODY_OF.get(number) or vector.get("body_of") or vector["message_id"]
    names = {"traccar": {}, "jt808-server": YEZHIHAO, "go-jt808": GO, "JT808": SMALLCHI}[
        source_of(vector)
    ]
    data = bytes.fromhex(vector["hex"])
    if key is None:
        header, _ = read_header(data)
        tree = {name: getattr(header, name) for name in header.__struct_fields__}
        tree |= {"bare_phone": bare_phone(header.phone)}
        return Sample({"header": tree}, names["header"], b"", b"")
    if "body_of" in vector or vector["message_id"] is None:
        data = bytearray(WITHOUT_KIND.get(number, b"") + data)
        if number in LENGTHS:
            at, right = LENGTHS[number]
            data[at] = right
        row = MESSAGES[int(key, 16)]
        body = row.read(bytes(data), "2013")
        return Sample(body_view(body), names[key], row.write(body, "2013"), bytes(data))
    payload = payload_of(vector)
    strict = False not in vector["structure"].values()
    message = read_payload(payload, strict=strict)
    _, start = read_header(payload[:-1])
    body = payload[start:-1]
    tree = view(message, int.from_bytes(payload[2:4], "big"), len(body))
    return Sample(tree, {**names.get("", {}), **names.get(key, {})}, body_bytes(message), body)


def wire_of(vector: Vector) -> bytes:
    undone = vector.get("structure", {}).get("escaped_on_wire") is False
    if undone or (source_of(vector) == "traccar" and "hex" in vector):
        return flagged(payload_of(vector))
    return bytes_of(vector)
