"""Saving the checkpoints of a worker's partitions, beside detection (design section 10).

`streams.intake` starts `Saving.run` with the worker, and calls `finish` when partitions are given
up. Detection stands still only while memory is copied: the rest, encoding and writing, goes on
beside it, one partition at a time, and never takes more than its share of the work, so that the
interval grows with the state. What is saved is as of the end of a micro-batch, whose outputs are
acknowledged. What a state holds, and where it is kept, is not known here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from faust.types import TP

from streams.checkpoint import Checkpoint, FencedError, LostError, StoreAwayError
from streams.loaded import Loaded
from streams.logs import get_log
from streams.metrics import Metrics
from streams.pauses import Pauses
from streams.snapshot import State, StateCopy

log = get_log(__name__)

SHARE: Final = 0.035
"""Of a worker's time that may go into copying and packing; writing takes about half as much again,
so that all of it stays under a twentieth."""
LOOK_S: Final = 0.1


class Saving:
    """Saves the loaded partitions of one worker."""

    def __init__(
        self,
        loaded: dict[TP, Loaded],
        lock: asyncio.Lock,
        may_save: Callable[[], bool],
        partitions: int,
        interval_s: float,
        metrics: Metrics,
        saved: Callable[[TP, int], Awaitable[None]],
        unseated: Callable[[TP, Loaded, FencedError | LostError], None],
    ) -> None:
        """`lock` is held while an engine is ahead of its outputs; `may_save` is False where one
        has stayed so, because of a bug. `saved` is told the offset of each checkpoint, `unseated`
        of a partition that may not be saved any more, and why."""
        self._loaded = loaded
        self._lock = lock
        self._may_save = may_save
        self._partitions = partitions
        self._interval_s = interval_s
        self._metrics = metrics
        self._saved = saved
        self._unseated = unseated
        self._not_before_s = 0.0
        self._one_at_a_time = asyncio.Lock()
        self._store_answers = asyncio.Event()
        self._store_answers.set()

    async def run(self) -> None:
        """Save what is due, for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            if time.monotonic() < self._not_before_s:
                continue
            due = self._most_overdue()
            if due is not None:
                await self._save(*due)

    async def wait_for_the_store(self) -> None:
        """Returns when the store answers, as far as is known: what is processed while it is away
        would all be repeated after a crash."""
        await self._store_answers.wait()

    async def finish(self) -> None:
        """Save all that is not saved yet, once; the caller holds the lock.

        Raises `StoreAwayError` where that cannot be done now.
        """
        if not self._may_save():
            return
        if not self._store_answers.is_set():
            raise StoreAwayError("the store has not answered for a while")
        async with self._one_at_a_time:
            outcomes = await asyncio.gather(
                *(
                    self._write(tp, loaded, self._copy(loaded), patient=False)
                    for tp, loaded in list(self._loaded.items())
                    if loaded.next_offset != loaded.saved_offset
                ),
                return_exceptions=True,
            )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _most_overdue(self) -> tuple[TP, Loaded] | None:
        before_s = time.monotonic() - self._interval_s
        waiting = [
            (tp, loaded)
            for tp, loaded in self._loaded.items()
            if loaded.next_offset != loaded.saved_offset and loaded.saved_at_s <= before_s
        ]
        return min(waiting, key=lambda one: one[1].saved_at_s, default=None)

    async def _save(self, tp: TP, loaded: Loaded) -> None:
        async with self._lock:
            if self._loaded.get(tp) is not loaded or not self._may_save():
                return
            copy = self._copy(loaded)
            # Taken while the other is held, as `finish` does: nobody copies in between.
            await self._one_at_a_time.acquire()
        try:
            await self._write(tp, loaded, copy, patient=True)
        finally:
            self._one_at_a_time.release()
        self._not_before_s = time.monotonic() + copy.cost_s * (1 / SHARE - 1)

    def _copy(self, loaded: Loaded) -> "_Copy":
        started_s = time.monotonic()
        changes = None if loaded.keeper is None else loaded.engine.changes()
        copy = _Copy(loaded.next_offset, changes, started_s)
        copy.cost_s = time.monotonic() - started_s
        self._metrics.checkpoint_copy_seconds.observe(copy.cost_s)
        return copy

    async def _write(self, tp: TP, loaded: Loaded, copy: "_Copy", *, patient: bool) -> None:
        """Write what was copied; `patient`: try again until it is written or the partition is no
        longer ours. It must be written before anything that is copied later."""
        if copy.changes is not None and not await self._keep(tp, loaded, copy, patient=patient):
            return
        loaded.saved_offset, loaded.saved_at_s = copy.next_offset, copy.at_s
        await self._saved(tp, copy.next_offset)

    async def _keep(self, tp: TP, loaded: Loaded, copy: "_Copy", *, patient: bool) -> bool:
        """Whether it is kept; False where the partition is no longer ours."""
        assert loaded.keeper is not None  # noqa: S101
        assert copy.changes is not None  # noqa: S101
        state, encoding_s = await asyncio.to_thread(_encode, copy.changes)
        copy.cost_s += encoding_s
        checkpoint = Checkpoint(copy.next_offset, self._partitions, state)
        pauses = Pauses()
        waits = self._metrics.health.waits()
        try:
            while self._loaded.get(tp) is loaded:
                try:
                    written = await loaded.keeper.save(checkpoint)
                except StoreAwayError as error:
                    self._metrics.checkpoint_failures.inc()
                    if not patient:
                        raise
                    self._store_answers.clear()
                    waits.begin("redis", f"checkpoint of partition {tp.partition}", after_s=0.0)
                    log.warning("checkpoint_waits", partition=tp.partition, error=error)
                    await pauses.wait()
                else:
                    self._metrics.checkpoint_seconds.observe(time.monotonic() - copy.at_s)
                    self._metrics.checkpoint_bytes.inc(written)
                    if self._loaded.get(tp) is not loaded:
                        return False
                    self._metrics.note_checkpoint(
                        tp.partition, copy.next_offset, loaded.keeper.size_bytes
                    )
                    return True
        except (FencedError, LostError) as error:
            self._unseated(tp, loaded, error)
        finally:
            waits.end()
            self._store_answers.set()
        return False


def _encode(changes: StateCopy) -> tuple[State, float]:
    """The state, and the processor's time it took."""
    started_s = time.thread_time()
    state = changes.encode()
    return state, time.thread_time() - started_s


@dataclass(slots=True)
class _Copy:
    next_offset: int
    changes: StateCopy | None
    """None = checkpoints are kept nowhere."""
    at_s: float
    cost_s: float = 0.0
    """Of the worker's time."""
