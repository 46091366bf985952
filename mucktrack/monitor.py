"""Watches a running worker and the queue it fills, for `mucktrack up` to show.

Positions and rejects are the worker's own counts, violations are read from the queue, trucks are
those in the live view in Redis. It changes nothing.
"""

import time
from collections import deque
from contextlib import suppress

import redis

from mucktrack.failures import WorkFailedError
from mucktrack.picture import Snapshot
from mucktrack.scrape import WorkerFigures, scrape
from mucktrack.violation_queue import Seen, Tally, ViolationQueue
from streams.access import KafkaAccess
from streams.live import GEO_KEY
from streams.topics import VIOLATIONS

LOOK_EVERY_S = 0.5
RATE_OVER_S = 5.0
ANSWER_S = 30.0
"""A broker that tells nothing of the queue for so long has failed."""


class Monitor:
    """Counts what happens after it was made. To be closed when done."""

    def __init__(
        self,
        kafka: KafkaAccess,
        redis_url: str,
        metrics_host: str,
        metrics_port: int,
        before: WorkerFigures,
    ) -> None:
        """`before`: what the worker had counted by now. Raises `WorkFailedError`."""
        self._before = before
        self.figures = before.since(before)
        self.tally = Tally()
        self._queue = ViolationQueue(kafka)
        if not self._queue.skip_to_end(ANSWER_S):
            self._queue.close()
            raise WorkFailedError(f"Kafka at {kafka}: {VIOLATIONS} cannot be read")
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
        self._metrics = (metrics_host, metrics_port)
        self._trucks = 0
        self._started = time.monotonic()
        self._next_look_at = 0.0
        self._history: deque[tuple[float, int]] = deque()
        """(when, positions) over the last `RATE_OVER_S`."""

    def look(self, wait_s: float) -> list[Seen]:
        """The violations not seen before; waits up to `wait_s` for the first. Also renews the
        figures, where that is due."""
        fresh = self.tally.add(self._queue.poll(wait_s))
        if time.monotonic() >= self._next_look_at:
            self._next_look_at = time.monotonic() + LOOK_EVERY_S
            if figures := scrape(*self._metrics):
                self.figures = figures.since(self._before)
            with suppress(redis.RedisError):
                self._trucks = int(self._redis.zcard(GEO_KEY))
        return fresh

    def snapshot(self) -> Snapshot:
        now = time.monotonic()
        self._history.append((now, self.figures.positions))
        while now - self._history[0][0] > RATE_OVER_S:
            self._history.popleft()
        then, positions_then = self._history[0]
        gained = self.figures.positions - positions_then
        return Snapshot(
            elapsed_s=now - self._started,
            positions=self.figures.positions,
            rejected=self.figures.rejected,
            rate=gained / (now - then) if now > then else 0.0,
            trucks=self._trucks,
            violations=self.tally.violations,
            by_rule=self.tally.by_rule,
            titles=self.tally.titles,
            latest=list(self.tally.latest),
        )

    def wait_for(self, positions: int, limit_s: float) -> bool:
        """Until the worker has taken `positions` and the queue has been read as far as the worker
        has written it; False when that has not happened within `limit_s`."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            fresh = self.look(LOOK_EVERY_S)
            read = self.tally.records >= self.figures.violations
            if self.figures.positions >= positions and read and not fresh:
                return True
        return False

    def close(self) -> None:
        self._queue.close()
        self._redis.close()
