"""Terminals that claim what is another's: signs that somebody tampers with them.

Each is told in the log and in what Redis has of the terminal, the same one once in a minute, and
counted in the metrics. Found by
`producers.gateway.entrance`; what is done about it is decided there.
"""

import time
from typing import Final, Literal

from producers.gateway.metrics import GatewayMetrics
from producers.gateway.once import Once
from producers.gateway.tasks import Tasks
from producers.gateway.terminal_store import TerminalStore
from streams.checkpoint import StoreAwayError
from streams.logs import get_log

log = get_log(__name__)

Kind = Literal["truck_claimed", "other_device", "flapping"]

WORDS: Final[dict[Kind, str]] = {
    "truck_claimed": "another terminal registers for the truck of a live one",
    "other_device": "another device registers as a terminal that is live",
    "flapping": "a terminal comes in again and again from different connections",
}
LONGEST: Final = 200


class Conflicts:
    """Where conflicts are told."""

    def __init__(self, store: TerminalStore, metrics: GatewayMetrics, tasks: Tasks) -> None:
        self._store = store
        self._metrics = metrics
        self._tasks = tasks
        self._once = Once()

    def report(self, kind: Kind, phone: str, detail: str) -> None:
        """`phone`: the bare phone whose place is claimed."""
        self._metrics.conflicts.labels(kind).inc()
        if not self._once.may(f"{kind} {phone}", time.monotonic()):
            return
        log.warning("terminal_conflict", conflict=WORDS[kind], phone=phone, detail=detail)
        self._tasks.start(self._note(kind, phone), "conflict")

    async def _note(self, kind: Kind, phone: str) -> None:
        try:
            await self._store.note_conflict(phone, kind, time.time_ns() // 1_000_000)
        except StoreAwayError as error:
            log.warning("redis_away", purpose="to note a conflict", phone=phone, error=error)
