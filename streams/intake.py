"""The partitions a worker reads: brought up when assigned, given up when revoked (design section
10, "Nothing lost" and "Seen to work").

A partition is loaded once its checkpoint is; then it is sought and resumed, and `streams.worker`
may take its records. `streams.consumer` calls `assigned`, `streams.app` connects `release` to
Faust's signals. What an engine does with elements is not known here.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka.errors import KafkaError
from faust.types import TP

from streams.checkpoint import Checkpoint, CheckpointStore, StoreAwayError
from streams.consumer import PositionsConsumer
from streams.detect import Engine
from streams.metrics import Metrics

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
RELEASE_S = 5.0
"""How long a partition given up waits for the micro-batch under way. What is not done by then is
done by the next worker: the checkpoint has not moved."""

Crash = Callable[[BaseException], Awaitable[None]]


class CheckpointError(Exception):
    """The checkpoint does not fit the topic; going on would lose or repeat."""


class EngineMaker(Protocol):
    """Makes the engine of one partition."""

    def fresh(self, partition: int) -> Engine: ...

    def restored(self, partition: int, state: bytes) -> Engine: ...

    def bring_up_to_date(self, engine: Engine) -> None: ...


@dataclass(slots=True, eq=False)
class Loaded:
    """A partition that is read."""

    engine: Engine
    next_offset: int
    """Of the record to be taken next."""
    turn: int
    """Records of another turn are none of this one's (`streams.consumer`)."""


class Intake:
    """Which partitions are loaded, and how they come and go."""

    def __init__(
        self,
        partitions: int,
        engines: EngineMaker,
        store: CheckpointStore,
        metrics: Metrics,
        crash: Crash,
    ) -> None:
        """`partitions` is the count of the topic; `crash` ends the process because of a bug."""
        self.loaded: dict[TP, Loaded] = {}
        self.lock = asyncio.Lock()
        """Held while a micro-batch is worked on, and while partitions are given up."""
        self.broken = False
        """A bug has been met: nothing may be saved any more."""
        self.store = store
        self._partitions = partitions
        self._engines = engines
        self._metrics = metrics
        self._crash = crash
        self._bring_ups: dict[TP, asyncio.Task[None]] = {}
        self._closing = False
        self._turns = itertools.count(1)

    def assigned(self, consumer: PositionsConsumer, partitions: set[TP], generation: int) -> None:
        """Bring up `partitions`, all paused, each in a task of its own."""
        self._forget()
        if self._closing:
            return
        self._metrics.partitions_assigned.set(len(partitions))
        for tp in sorted(partitions):
            self._bring_ups[tp] = asyncio.create_task(
                self.guarded(self._bring_up(consumer, tp, generation)), name=f"bring up {tp}"
            )

    def commit_failed(self) -> None:
        self._metrics.commit_failures.inc()

    async def release(self, *, for_good: bool = False) -> None:
        """Give up every partition once the micro-batch under way is done; saves what is due."""
        self._closing = self._closing or for_good
        try:
            async with asyncio.timeout(RELEASE_S), self.lock:
                if not self.broken:
                    await self.save(list(self.loaded.items()), final=True)
        except TimeoutError:
            log.warning("given up in the middle of a micro-batch: the next worker repeats it")
        except StoreAwayError as error:
            log.warning("given up without a last checkpoint, the next worker repeats: %s", error)
        finally:
            self._forget()
            self._metrics.partitions_assigned.set(0)

    def engine_of(self, loaded: Loaded) -> Engine:
        """The engine of a loaded partition, judging by the versions of the city known by now."""
        self._engines.bring_up_to_date(loaded.engine)
        return loaded.engine

    async def save(self, worked_on: Sequence[tuple[TP, Loaded]], *, final: bool = False) -> None:
        """Checkpoint those of the partitions that are due; the caller holds the lock.

        What is no longer loaded, or loaded anew, is left alone: it may be another worker's by now.
        Waits while the store is away, unless this is the final one: then raises `StoreAwayError`.
        """
        for tp, loaded in worked_on:
            is_due = self.store.due(tp.topic, tp.partition, final=final)
            if not is_due or self.loaded.get(tp) is not loaded:
                continue
            checkpoint = Checkpoint(loaded.next_offset, self._partitions, loaded.engine.export())
            pause_s = FIRST_PAUSE_S
            while self.loaded.get(tp) is loaded:
                try:
                    await self.store.save(tp.topic, tp.partition, checkpoint)
                    break
                except StoreAwayError as error:
                    if final:
                        raise
                    log.warning("checkpoint not saved, trying again: %s", error)
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _forget(self) -> None:
        for task in self._bring_ups.values():
            task.cancel()
        self._bring_ups.clear()
        self.loaded.clear()
        self._metrics.partitions_loaded.set(0)
        self._metrics.forget_progress()

    async def guarded(self, work: Awaitable[None]) -> None:
        """Await `work`; an error in it is a bug and ends the process."""
        try:
            await work
        except Exception as error:
            self.broken = True
            await self._crash(error)

    async def _bring_up(self, consumer: PositionsConsumer, tp: TP, generation: int) -> None:
        """Load, seek, resume; gives up when the group has moved on to another generation.

        Retried with back-off while Redis or Kafka is away.
        """
        pause_s = FIRST_PAUSE_S
        while _is_current(consumer, tp, generation):
            try:
                checkpoint = await self.store.load(tp.topic, tp.partition)
                begin = (await consumer.earliest_offsets(tp))[tp]
                loaded = self._load(tp, checkpoint, begin)
                if not _is_current(consumer, tp, generation):
                    return
                await consumer.begin(tp, loaded.next_offset, loaded.turn)
            except (StoreAwayError, KafkaError, OSError, TimeoutError) as error:
                log.warning("%s partition %d not loaded yet: %r", tp.topic, tp.partition, error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            if _is_current(consumer, tp, generation):
                self.loaded[tp] = loaded
                self._metrics.partitions_loaded.set(len(self.loaded))
                consumer.resume_partitions({tp})
                log.info("%s partition %d from %d on", tp.topic, tp.partition, loaded.next_offset)
            return

    def _load(self, tp: TP, checkpoint: Checkpoint | None, begin: int) -> Loaded:
        """`begin` is the log's first offset. Its end is not asked for: brokers are known that
        answer too little, and a record missing is noticed when it is taken."""
        if checkpoint is None:
            return Loaded(self._engines.fresh(tp.partition), begin, next(self._turns))
        if checkpoint.partitions != self._partitions:
            raise CheckpointError(
                f"the checkpoint of {tp.topic} partition {tp.partition} was made with "
                f"{checkpoint.partitions} partitions, now there are {self._partitions}; "
                "trucks would sit in other partitions: go back to that count, or delete the "
                "checkpoints to start at the log's start"
            )
        if checkpoint.next_offset < begin:
            raise CheckpointError(
                f"the checkpoint of {tp.topic} partition {tp.partition} goes on at offset "
                f"{checkpoint.next_offset}, but the log begins at {begin}: records are gone that "
                "have not been processed; delete the checkpoint to go on with those that are left"
            )
        engine = self._engines.restored(tp.partition, checkpoint.state)
        return Loaded(engine, checkpoint.next_offset, next(self._turns))


def _is_current(consumer: PositionsConsumer, tp: TP, generation: int) -> bool:
    return consumer.app.consumer_generation_id == generation and tp in consumer.assignment()
