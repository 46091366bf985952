"""A short run of `make fuzz`, and that it notices what it is there to notice."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from fuzz.harness import BrokenError, Round
from tally import tally

from streams.detect import Engine, Outcome
from streams.gate import REASONS
from streams.position import Element, Malformed, Position

ROUNDS = 6


def test_hostile_records_never_break_anything() -> None:
    counts = Counter[str]()
    for seed in range(ROUNDS):
        counts += Round(seed).run()
    missing = [reason for reason in REASONS[1:] if not counts[reason]]
    assert not missing
    for what in ("fixes", "violations", "trips", "good violations", "restarts", "files refused"):
        assert counts[what] > 0, what
    names = ("inputs", "records", "fixes", "malformed", "violations", "good", "restarts")
    tally("hostile records", **{name.replace(" ", "_"): counts[name] for name in names})


class Forgetful(Engine):
    """Loses a reject now and then."""

    def process(
        self, elements: Sequence[Element], record_ms: Sequence[int] | None = None
    ) -> Outcome:
        outcome = super().process(elements, record_ms)
        del outcome.rejected[100:101]
        return outcome


class Contagious(Engine):
    """Finds fault with a fix that comes behind a reject."""

    def process(
        self, elements: Sequence[Element], record_ms: Sequence[int] | None = None
    ) -> Outcome:
        outcome = super().process(elements, record_ms)
        rejected = dict(outcome.rejected)
        for i, element in enumerate(elements):
            if i - 1 in rejected and i not in rejected and isinstance(element, Position):
                rejected[i] = "late"
                outcome.fixes -= 1
        outcome.rejected = sorted(rejected.items())
        return outcome


class Spoilt(Engine):
    """Remembers what is no number."""

    def process_columns(self, batch: Any) -> Outcome:
        outcome = super().process_columns(batch)
        self._rows.x[: len(self.trucks)] = float("nan")
        return outcome


class Crashing(Engine):
    """Does not bear what is no JSON."""

    def process(
        self, elements: Sequence[Element], record_ms: Sequence[int] | None = None
    ) -> Outcome:
        details = [one.detail for one in elements if isinstance(one, Malformed)]
        if any(detail.startswith("not JSON") for detail in details):
            raise ZeroDivisionError("a bug")
        return super().process(elements, record_ms)


@pytest.mark.parametrize(
    ("engine", "error", "what"),
    [
        (Forgetful, BrokenError, "told of"),
        (Contagious, BrokenError, "garbage changes a verdict"),
        (Spoilt, BrokenError, "x is not finite"),
        (Crashing, ZeroDivisionError, "a bug"),
    ],
)
def test_an_engine_that_is_broken_is_noticed(
    engine: type[Engine], error: type[Exception], what: str
) -> None:
    with pytest.raises(error, match=what):
        Round(1, engine).run()
