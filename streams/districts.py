"""District codes as label values: so many as a city has, and never more than can be borne.

Told of the city's codes by `streams.published`, asked by `streams.metrics`. Pure.
"""

from collections.abc import Iterable

from streams.instruments import MOST_DISTRICTS, NONE, OTHER


class Districts:
    """Which codes have a label of their own. One that has it keeps it: a city published later may
    add to them, and none of them changes its meaning."""

    def __init__(self) -> None:
        self._own: dict[str, None] = {}

    def learn(self, codes: Iterable[str]) -> None:
        """Those of a version of the city, the lowest first where there are too many."""
        for code in sorted(codes):
            if len(self._own) >= MOST_DISTRICTS:
                return
            self._own[code] = None

    def labels(self) -> list[str]:
        """All that `label` can answer."""
        return [*self._own, NONE, *((OTHER,) if len(self._own) >= MOST_DISTRICTS else ())]

    def label(self, code: str | None) -> str:
        if code is None:
            return NONE
        return code if code in self._own else OTHER
