"""The frames of `frames.jsonl`: written by hand from the standard's tables, with what they say.

`expected` names what is asked of the line that `mucktrack jt808 decode` prints, and may be less
than all of it.
"""

import json
from pathlib import Path
from typing import Any

CASES: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("frames.jsonl").read_text().splitlines()
]
IDS = [case["name"] for case in CASES]
GOOD = [
    case
    for case in CASES
    if "error" not in case["expected"]
    and case["expected"]["checksum_ok"]
    and case["expected"].get("length_ok", True)
]
"""What a connection takes."""


def wire(case: dict[str, Any]) -> bytes:
    return bytes.fromhex(case["hex"])


def is_in(expected: Any, found: Any) -> bool:
    """Whether all that is expected has been found; lists in full, objects as far as told."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            key in found and is_in(value, found[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(expected) == len(found)
            and all(map(is_in, expected, found))
        )
    return bool(expected == found) and isinstance(found, bool) == isinstance(expected, bool)
