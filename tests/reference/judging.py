"""A stream judged by the compiled engine in pieces, as a worker does: batch by batch, with stops.

Called by the tests that show that the pieces make no difference.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise

from streams.detect import Engine, Outcome, PreparedCity
from streams.position import Element


def new_engine(prepared: PreparedCity, *, live: bool) -> Engine:
    return Engine.live(prepared, 0, 1) if live else Engine.offline(prepared)


def judge(
    prepared: PreparedCity,
    elements: Sequence[Element],
    *,
    live: bool = False,
    cuts: Collection[int] = (),
    restarts: Collection[int] = (),
) -> Outcome:
    """All of `elements`, in batches that end at `cuts` (taken modulo the length); after the batches
    numbered in `restarts` a new engine goes on from the exported state."""
    engine, whole = new_engine(prepared, live=live), Outcome()
    edges = sorted({0, *(cut % (len(elements) + 1) for cut in cuts), len(elements)})
    for number, (start, end) in enumerate(pairwise(edges)):
        outcome = engine.process(elements[start:end])
        whole.rejected += [(start + index, reason) for index, reason in outcome.rejected]
        _add(whole, outcome)
        if number in restarts:
            state = engine.export()
            engine = new_engine(prepared, live=live)
            engine.restore(state)
            assert engine.export() == state
    if not live:
        _add(whole, engine.finish())
    return whole


def _add(whole: Outcome, outcome: Outcome) -> None:
    whole.fixes += outcome.fixes
    whole.violations += outcome.violations
    whole.trips += outcome.trips
