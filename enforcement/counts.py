"""How many cases wait, for the heads of everybody's pages: counted about once a second for each
limit of districts, however many ask.

Used by the API.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from enforcement import queries
from enforcement.actions import Actor
from enforcement.database import Database

FRESH_S: Final = 1.0
MOST_KEPT: Final = 1_000
"""Limits of districts; more than there are districts in any city."""


class CaseCounts:
    """Safe for use by several threads."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._counted: dict[frozenset[str] | None, tuple[float, Mapping[str, int]]] = {}

    def of(self, actor: Actor) -> Mapping[str, int]:
        """By state that is not the end, `overdue`, `supervised`."""
        with self._lock:
            until_s, counts = self._counted.get(actor.districts, (0.0, {}))
            if time.monotonic() >= until_s:
                with self._database.read() as session:
                    counts = queries.counts(session, actor, self._now_ms())
                if len(self._counted) >= MOST_KEPT:
                    self._counted.clear()
                self._counted[actor.districts] = time.monotonic() + FRESH_S, counts
        return counts
