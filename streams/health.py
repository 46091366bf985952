"""Whether a process lives, and what it waits for at the moment.

One `Health` a process, held by its metrics (`streams.registry`). The parts that await Kafka, Redis
or the group say so here; `streams.health_pages` tells it as `/healthz` and `/readyz`, and gauges as
`mucktrack_waiting` and `mucktrack_server_up`. It must not know what is done about a wait.
"""

import threading
import time
from dataclasses import dataclass
from typing import Final, Literal, Self

from streams.logs import get_log

log = get_log(__name__)

For = Literal["starting", "kafka", "redis", "group", "loading", "city", "database"]
Server = Literal["kafka", "redis", "database"]

KEPT_BY: Final[dict[str, Server]] = {
    "kafka": "kafka",
    "redis": "redis",
    "city": "redis",
    "database": "database",
}
"""The server that does not answer where something is waited for; the rest may be waited for
whatever servers do."""

GRACE_S: Final = 2.0
"""What takes no longer is no wait: every micro-batch is acknowledged by Kafka."""
SAID_S: Final = 1.0
"""Nor is it said in the log when it ends."""
HUNG_S: Final = 120.0
"""A process whose loop has not turned for so long is taken for dead."""


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that is waited for."""

    waiting_for: For
    what: str
    since_s: float
    """By the monotonic clock."""
    after_s: float
    """It counts as waiting after so long."""

    def seconds(self) -> float:
        return time.monotonic() - self.since_s

    def counts(self) -> bool:
        return self.seconds() >= self.after_s


class Waits:
    """What one piece of work waits for; all of it ends with the block."""

    def __init__(self, health: "Health") -> None:
        self._health = health
        self._own: dict[tuple[For, str], Wait] = {}

    def begin(self, waiting_for: For, what: str, after_s: float = GRACE_S) -> Self:
        """Again for the same: without effect, the wait has gone on."""
        if (waiting_for, what) not in self._own:
            wait = Wait(waiting_for, what, time.monotonic(), after_s)
            self._own[waiting_for, what] = wait
            self._health.add(wait)
        return self

    def end(self) -> None:
        """Nothing is waited for any more."""
        for wait in self._own.values():
            self._health.remove(wait)
        self._own.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class Health:
    """Filled by the parts, from any thread."""

    def __init__(self, hung_s: float = HUNG_S) -> None:
        self._hung_s = hung_s
        self._lock = threading.Lock()
        self._waits: dict[int, Wait] = {}
        self._beat_s: float | None = None
        self._broken = False
        self._away: set[Server] = set()

    def waits(self) -> Waits:
        """For a piece of work that may wait for several things."""
        return Waits(self)

    def waiting(self, waiting_for: For, what: str, after_s: float = GRACE_S) -> Waits:
        """`with health.waiting("kafka", "outputs"):` around what may take long."""
        return Waits(self).begin(waiting_for, what, after_s)

    def beat(self, *, broken: bool = False) -> None:
        """The loop of the process turns; `broken`: a bug has been met, and the process ends."""
        self._beat_s = time.monotonic()
        self._broken = self._broken or broken

    def ailment(self) -> str | None:
        """Why the process does not live; None = it does. Before its first beat it starts."""
        if self._broken:
            return "a bug has been met; the log has its traceback"
        silent_s = 0.0 if self._beat_s is None else time.monotonic() - self._beat_s
        if silent_s > self._hung_s:
            return f"nothing has moved for {silent_s:.0f} s"
        return None

    def waited_for(self) -> list[Wait]:
        """What is waited for at present, the longest wait first."""
        with self._lock:
            waits = list(self._waits.values())
        return sorted(filter(Wait.counts, waits), key=lambda wait: wait.since_s)

    def add(self, wait: Wait) -> None:
        with self._lock:
            self._waits[id(wait)] = wait

    def remove(self, wait: Wait) -> None:
        with self._lock:
            self._waits.pop(id(wait), None)
        if wait.seconds() >= max(wait.after_s, SAID_S):
            seconds = round(wait.seconds(), 1)
            log.info("wait_ended", waiting_for=wait.waiting_for, what=wait.what, seconds=seconds)

    def waits_for(self, name: str) -> bool:
        return any(wait.waiting_for == name for wait in self.waited_for())

    def answered(self, server: Server, *, answered: bool) -> None:
        """Of work that goes on without the server, so that it is no wait."""
        if answered:
            self._away.discard(server)
        else:
            self._away.add(server)

    def is_up(self, server: str) -> bool:
        """Whether nothing is known of its being away."""
        waited_for = {KEPT_BY.get(wait.waiting_for) for wait in self.waited_for()}
        return server not in self._away and server not in waited_for
