"""Watches a running worker and the queue it fills, for `mucktrack up` to show.

Positions and rejects are the worker's own counts, violations are read from the queue, trucks are
those in the live view in Redis. It changes nothing.
"""

import time
from collections import deque
from contextlib import suppress

import redis

from mucktrack.scrape import WorkerFigures, scrape
from mucktrack.view import Snapshot
from mucktrack.violation_queue import Seen, Tally, ViolationQueue
from streams.live import GEO_KEY

LOOK_EVERY_S = 0.5
RATE_OVER_S = 5.0


class Monitor:
    """To be closed when done."""

    def __init__(self, kafka: str, redis_url: str, metrics_host: str, metrics_port: int) -> None:
        self.figures = WorkerFigures()
        self.tally = Tally()
        self._queue = ViolationQueue(kafka)
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
            self.figures = scrape(*self._metrics) or self.figures
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
