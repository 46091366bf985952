"""What tests of many made-up examples have compared; printed when the session ends.

Tests call `tally`, `conftest.py` prints `lines()`. A test that compares nothing is seen to do so.
"""

from collections import Counter
from collections.abc import Iterator

_COMPARED: dict[str, Counter[str]] = {}


def tally(what: str, **compared: int) -> None:
    """Add to the counts under the heading `what`."""
    _COMPARED.setdefault(what, Counter()).update(compared)


def lines() -> Iterator[str]:
    for what, counts in sorted(_COMPARED.items()):
        yield f"{what}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items())
