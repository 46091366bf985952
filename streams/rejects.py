"""What failed the quality gate, as records for the rejected topic (design section 3).

Called by `streams.worker` for each partition of a micro-batch. What a reject says is put together
in `streams.origin`.
"""

import base64
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from streams.origin import rejects
from streams.output import Reject, encode
from streams.position import Element
from streams.record import Record
from streams.sinks import Output

LONGEST_KEY = 1_024
"""Bytes of a record's key that its rejects carry on."""
CUT_BYTES = 1_024
"""Of an original, for a broker that takes only smaller records than `streams.elements` makes."""


def reject_outputs(
    topic: str,
    records: Sequence[Record],
    starts: Sequence[int],
    elements_of: Callable[[int], Sequence[Element]],
    rejected: Sequence[tuple[int, str]],
) -> list[Output]:
    """The records for `topic`, one for each of `rejected` (index of the element, reason).

    `starts` says where the elements of each of `records` begin among all of them, `elements_of`
    gives those of the one with a number.
    """
    return [
        _output(topic, reject, records[number].key)
        for number, reject in rejects(records, starts, elements_of, rejected)
    ]


def _output(topic: str, reject: Reject, key: bytes | None) -> Output:
    return Output(
        topic,
        encode(reject),
        key[:LONGEST_KEY] if key is not None else None,
        shortened=partial(_cut, reject),
    )


def _cut(reject: Reject) -> bytes:
    """`reject` with no more than the beginning of its original, in the form that
    `streams.elements.original` gives what is cut."""
    value = reject.value
    total = None
    if isinstance(value, dict):
        total = value.get("length_bytes")
        kept = value["text"].encode() if "text" in value else base64.b64decode(value["base64"])
    elif isinstance(value, str):
        kept = value.encode()
    else:
        kept = encode(value)
    cut = {
        "base64": base64.b64encode(kept[:CUT_BYTES]).decode(),
        "cut": True,
        "length_bytes": len(kept) if total is None else total,
    }
    return encode(msgspec.structs.replace(reject, value=cut))
