"""The JSON Schemas of what others write and read, made from the types that do it.

Run by `make schemas`, which writes `docs/schemas`; `docs/asyncapi.yaml` refers to them. Shapes come
from the types, words from their docstrings, units from the names. What the types leave open, since
readers of ours must not stumble over what a newer program says, is closed here in `MORE`.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from enforcement.evidence.container import FORMAT, Manifest
from enforcement.webhooks.events import EVENTS
from enforcement.webhooks.shapes import CaseEvent
from mucktrack.field_docs import field_docs
from producers.gateway.platform_intake import ENCRYPTED, PROTOCOL
from streams.catalogue import CATALOGUE, PHASES
from streams.gate import REASONS
from streams.output import SOURCE, Reject, Trip, Violation
from streams.position import MAX_ARRAY, Position, Tick
from streams.state import BASES

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
UUID: Final = {"type": "string", "format": "uuid"}
SHA256: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
RULES: Final = [rule.id for rule in CATALOGUE]
UNITS: Final = {
    "kmh": "km/h",
    "deg": "degrees",
    "m": "metres",
    "km": "kilometres",
    "kg": "kilograms",
    "bytes": "bytes",
}
"""By the last part of a field's name."""
MORE: Final[Mapping[type, Mapping[str, Schema]]] = {
    Violation: {
        "violation_id": UUID,
        "trip_id": UUID,
        "rule": {"enum": RULES},
        "revision": {"minimum": 0},
        "city_version": SHA256,
        "track": {"minItems": 1, "maxItems": 33},
    },
    Trip: {
        "trip_id": UUID,
        "distance_m": {"minimum": 0},
        "load_basis": {"enum": [one for one in BASES if one]},
        "dump_basis": {"enum": [one for one in BASES if one]},
    },
    Reject: {
        "reason": {"enum": [*(one for one in REASONS if one), ENCRYPTED]},
        "partition": {"minimum": 0},
        "offset": {"minimum": 0},
        "index": {"minimum": 0, "maximum": MAX_ARRAY - 1},
        "line": {"minimum": 1},
    },
}
_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def positions() -> Schema:
    """The value of a record of gps.positions."""
    made = _of("positions", "Record of gps.positions", Position, Tick)
    # A tick that holds anything else is malformed.
    made["$defs"]["Tick"]["additionalProperties"] = False
    position = {"$ref": "#/$defs/Position"}
    array = {"type": "array", "items": position, "minItems": 1, "maxItems": MAX_ARRAY}
    return made | {"anyOf": [position, array, {"$ref": "#/$defs/Tick"}]}


def violations() -> Schema:
    return _top("violations", "Record of enforcement.violations", Violation)


def violation_headers() -> Schema:
    """CloudEvents 1.0.2, Kafka protocol binding, binary mode: UTF-8 text."""
    types = [f"mucktrack.violation.{phase}" for phase in PHASES]
    phases = "|".join(PHASES)
    fields: dict[str, Schema] = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {
            "type": "string",
            "pattern": f"^{_UUID}/({phases})$",
            "description": "violation_id/phase; who reads deduplicates by it.",
        },
        "ce_source": {"const": SOURCE},
        "ce_type": {"enum": types},
        "ce_time": {"type": "string", "format": "date-time", "description": "Is detected_ms."},
        "content-type": {"const": "application/json"},
    }
    return _headers("violation-headers", "Headers of enforcement.violations", fields)


def raw_headers() -> Schema:
    fields: dict[str, Schema] = {
        "received_ms": {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "When the frame was received, Unix epoch milliseconds UTC, in digits.",
        },
        "connection": {
            "type": "string",
            "description": "On which connection, as the log names it: `10.0.0.7:51234`.",
        },
        "protocol": {"enum": ["jt808", PROTOCOL]},
    }
    return _headers("raw-headers", "Headers of gps.raw", fields)


def rejected() -> Schema:
    return _top("rejected", "Record of gps.rejected", Reject)


def trips() -> Schema:
    return _top("trips", "Record of transport.trips", Trip)


def case_event() -> Schema:
    """What webhooks are told. Of a violation it has what was on the queue, be it years ago."""
    made = _top("case-event", "CloudEvent of a webhook", CaseEvent)
    fields, data = made["properties"], made["$defs"]["CaseEventData"]["properties"]
    fields["specversion"] = {"const": "1.0"}
    fields["source"] = {"const": SOURCE}
    fields["time"]["format"] = "date-time"
    fields["type"]["enum"] = [f"mucktrack.case.{event}" for event in EVENTS]
    data["event"]["enum"] = list(EVENTS)
    described = data["violation"].get("description")
    kinds = [{"type": "object"}, {"type": "null"}]
    data["violation"] = {"anyOf": kinds, "description": described}
    return made


def evidence_manifest() -> Schema:
    made = _top("evidence-manifest", "manifest.json of an evidence package", Manifest)
    made["properties"]["format"] = {"const": FORMAT}
    made["required"] = sorted({*made["required"], "format"})
    for name in ("sha256", "packed_sha256"):
        made["$defs"]["Listed"]["properties"][name] |= SHA256
    return made


SCHEMAS: Final[Mapping[str, Callable[[], Schema]]] = {
    "positions": positions,
    "rejected": rejected,
    "violations": violations,
    "violation-headers": violation_headers,
    "trips": trips,
    "raw-headers": raw_headers,
    "case-event": case_event,
    "evidence-manifest": evidence_manifest,
}
"""By file name."""


def _of(name: str, title: str, *types: type) -> Schema:
    """The types as `$defs`."""
    _, defined = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    for made, kind in _described(defined, types).items():
        for field, more in MORE.get(kind, {}).items():
            defined[made]["properties"][field] = _and(defined[made]["properties"][field], more)
    return {"$schema": DIALECT, "$id": f"urn:mucktrack:{name}", "title": title, "$defs": defined}


def _top(name: str, title: str, kind: type) -> Schema:
    """One type, and what it holds as `$defs`."""
    made = _of(name, title, kind)
    top: Schema = made["$defs"].pop(kind.__name__)
    top.pop("title", None)
    if not made["$defs"]:
        del made["$defs"]
    return made | top


def _described(defined: dict[str, Schema], types: tuple[type, ...]) -> dict[str, type]:
    """Puts the words to the fields; the types by their names."""
    kinds = {kind.__name__: kind for kind in _within(types)}
    for made, schema in defined.items():
        words = field_docs(kinds[made])
        for field, shape in schema.get("properties", {}).items():
            if text := " ".join(filter(None, (words.get(field), _unit(field)))):
                shape["description"] = text
    return {made: kinds[made] for made in defined}


def _within(types: tuple[type, ...]) -> list[type]:
    """These and the structs that their fields hold."""
    found: list[type] = []
    waiting: list[Any] = [msgspec.inspect.type_info(kind) for kind in types]
    while waiting:
        info = waiting.pop()
        if isinstance(info, msgspec.inspect.StructType) and info.cls not in found:
            found.append(info.cls)
            waiting += [field.type for field in info.fields]
        for name in ("types", "item_type", "value_type", "type"):
            inner = getattr(info, name, ())
            waiting += inner if isinstance(inner, tuple) else [inner]
    return found


def _and(shape: Schema, more: Schema) -> Schema:
    """`more` for the values that are not null."""
    if "anyOf" not in shape:
        return shape | more
    some = [one if one == {"type": "null"} else one | more for one in shape["anyOf"]]
    return shape | {"anyOf": some}


def _unit(field: str) -> str:
    unit = UNITS.get(field.rpartition("_")[2]) if "_" in field else None
    return f"In {unit}." if unit else ""


def _headers(name: str, title: str, fields: dict[str, Schema]) -> Schema:
    return {
        "$schema": DIALECT,
        "$id": f"urn:mucktrack:{name}",
        "title": title,
        "type": "object",
        "properties": fields,
        "required": list(fields),
    }


def text_of(name: str) -> str:
    """The file, as it stands in `docs/schemas`."""
    return json.dumps(SCHEMAS[name](), ensure_ascii=False, indent=1) + "\n"


def write(folder: Path) -> None:
    """All of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        (folder / f"{name}.json").write_text(text_of(name), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
