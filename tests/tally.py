"""What tests of many made-up examples have compared; printed when the session ends.

Tests call `tally`, `conftest.py` prints `lines()`. Where several processes share the tests, each
hands its counts over as `counts()`, which are joined by `join`. A test that compares nothing is
seen to do so.
"""

from collections import Counter
from collections.abc import Iterator

_COMPARED: dict[str, Counter[str]] = {}


def tally(what: str, **compared: int) -> None:
    """Add to the counts under the heading `what`."""
    _COMPARED.setdefault(what, Counter()).update(compared)


def counts() -> dict[str, dict[str, int]]:
    """All counts of this process, plain, so that they can go to another one."""
    return {what: dict(compared) for what, compared in _COMPARED.items()}


def join(others: dict[str, dict[str, int]]) -> None:
    """Add the counts of another process."""
    for what, compared in others.items():
        tally(what, **compared)


def lines() -> Iterator[str]:
    for what, counts in sorted(_COMPARED.items()):
        yield f"{what}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items())
