"""Whether a claim holds of a frame that has been read. For `test_shared_vectors`."""

from collections.abc import Callable
from typing import Any

from vector_claims import Claim
from vector_names import Names
from vector_view import found, same

from producers.jt808.header import bare_phone

ALARM_BITS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "removing": lambda tree: not _block(tree, 0x89) & 1 << 12,
    "vibration": lambda tree: not _block(tree, 0xC5) & 1 << 6,
    "lowBattery": lambda tree: bool(tree["alarm_bits"] & 1 << 7),
}


def holds(claim: Claim, names: Names, tree: dict[str, Any]) -> bool:
    paths = names.get(claim.name, ())
    if paths == "alarm names":
        names_of_alarms = claim.value.split(",")
        return all(name in ALARM_BITS and ALARM_BITS[name](tree) for name in names_of_alarms)
    claimed = claim.value
    if paths == "header.bare_phone":
        claimed = bare_phone(claimed)
    values = [
        value
        for path in ((paths,) if isinstance(paths, str) else paths)
        for value in found(tree, path, claim.indices)
    ]
    if claim.trimmed:
        values = [value.lstrip(claim.trimmed) for value in values]
    return any(same(claimed, value) for value in values)


def _block(tree: dict[str, Any], block: int) -> int:
    return int(next(one["value"] for one in tree["meanings"][0xEB] if one["id"] == block))
