"""What the tests of the contracts share: the published files, as somebody else would read them, and
a validator that is none of ours."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
SCHEMAS = DOCS / "schemas"


@cache
def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return found


@cache
def validator(name: str) -> Any:
    return jsonschema_rs.validator_for(schema(name), validate_formats=True)


@cache
def asyncapi() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8"))
    return found


def faults(name: str, value: Any) -> list[str]:
    """What is wrong with `value` by the schema."""
    return [
        f"{name}{one.instance_path}: {one.message}" for one in validator(name).iter_errors(value)
    ]


def followed(node: Any, folder: Path = DOCS, root: Any = None) -> Any:
    """`node` of the AsyncAPI document with all its references put in place."""
    root = asyncapi() if root is None else root
    if isinstance(node, list):
        return [followed(one, folder, root) for one in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        file, _, path = node["$ref"].partition("#")
        if file:
            folder, root = folder, json.loads((folder / file).read_text(encoding="utf-8"))
        found = root
        for part in filter(None, path.split("/")):
            found = found[part]
        return followed(found, folder, root)
    return {key: followed(value, folder, root) for key, value in node.items()}
