"""What failed the quality gate, with where on the topic it came from (design section 3).

Used by the worker (`streams.rejects`) and by `mucktrack detect` over an archive, so that both say
the same of the same records. How an original is shown is `streams.elements`' to say. Pure.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Protocol

from streams.elements import originals
from streams.output import Reject
from streams.position import MAX_ARRAY, Element, Tick


class Origin(Protocol):
    """A record of the topic."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...


def rejects(
    origins: Sequence[Origin],
    starts: Sequence[int],
    elements_of: Callable[[int], Sequence[Element]],
    rejected: Sequence[tuple[int, str]],
) -> Iterator[tuple[int, Reject]]:
    """For each of `rejected` (index of the element, reason), in the order of the elements: the
    number of its record among `origins`, and the reject.

    `starts` says where the elements of each of `origins` begin among all of them, `elements_of`
    gives those of the one with a number: asked for where something of it was rejected.
    """

    def number_of(item: tuple[int, str]) -> int:
        return bisect_right(starts, item[0]) - 1

    for number, group in groupby(sorted(rejected), key=number_of):
        items = list(group)
        origin = origins[number]
        indices = [place - starts[number] for place, _ in items]
        elements = elements_of(number)
        for index, value, (_, reason) in zip(
            indices, originals(origin.value, indices, MAX_ARRAY), items, strict=True
        ):
            element = elements[index]
            yield (
                number,
                Reject(
                    reason=reason,
                    truck_id=None if isinstance(element, Tick) else element.truck_id,
                    time_ms=None if isinstance(element, Tick) else element.time_ms,
                    value=value,
                    topic=origin.topic,
                    partition=origin.partition,
                    offset=origin.offset,
                    index=index,
                ),
            )
