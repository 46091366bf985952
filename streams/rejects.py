"""What failed the quality gate, as records for the rejected topic (design section 3).

Called by `streams.worker` for each partition of a micro-batch. It puts together what was rejected
with where it came from; how an original is shown is `streams.elements`' to say.
"""

import base64
from bisect import bisect_right
from collections.abc import Sequence
from functools import partial
from itertools import groupby

import msgspec
from faust.types import EventT

from streams.elements import originals
from streams.output import Reject, encode
from streams.position import MAX_ARRAY, Element, Tick
from streams.sinks import Output

LONGEST_KEY = 1_024
"""Bytes of a record's key that its rejects carry on."""
CUT_BYTES = 1_024
"""Of an original, for a broker that takes only smaller records than `streams.elements` makes."""


def reject_outputs(
    topic: str,
    events: Sequence[EventT],
    starts: Sequence[int],
    elements: Sequence[Element],
    rejected: Sequence[tuple[int, str]],
) -> list[Output]:
    """The records for `topic`, one for each of `rejected` (index into `elements`, reason).

    `starts` says where the elements of each of `events` begin in `elements`.
    """

    def event_of(item: tuple[int, str]) -> int:
        return bisect_right(starts, item[0]) - 1

    outputs: list[Output] = []
    for number, group in groupby(sorted(rejected), key=event_of):
        items = list(group)
        message = events[number].message
        indices = [place - starts[number] for place, _ in items]
        for index, value, (place, reason) in zip(
            indices, originals(message.value, indices, MAX_ARRAY), items, strict=True
        ):
            element = elements[place]
            reject = Reject(
                reason=reason,
                truck_id=None if isinstance(element, Tick) else element.truck_id,
                time_ms=None if isinstance(element, Tick) else element.time_ms,
                value=value,
                topic=message.topic,
                partition=message.partition,
                offset=message.offset,
                index=index,
            )
            outputs.append(_output(topic, reject, message.key))
    return outputs


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
