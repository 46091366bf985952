"""The partitions a worker reads: brought up when assigned, given up when revoked (design section
10, "Nothing lost" and "Seen to work").

A partition is loaded once its checkpoint is; then it is sought and resumed, and `streams.worker`
may take its records. `streams.consumer` calls `assigned`, `streams.app` connects `release` to
Faust's signals, and `streams.saving` saves what is loaded. What an engine does with elements is not
known here.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

from aiokafka.errors import KafkaError
from faust.types import TP

from streams.checkpoint import (
    Checkpoint,
    CheckpointStore,
    FencedError,
    Keeper,
    LostError,
    StoreAwayError,
)
from streams.consumer import PositionsConsumer
from streams.detect import Engine
from streams.endings import CannotGoOnError
from streams.health import For, Waits
from streams.loaded import Loaded
from streams.logs import get_log
from streams.metrics import Metrics
from streams.pauses import Pauses
from streams.saving import Saving
from streams.snapshot import State, UnknownFormat

log = get_log(__name__)

RELEASE_S: Final = 5.0
"""How long a partition given up waits for the micro-batch under way and for its last checkpoint.
What is not done by then is done by the next worker: the checkpoint has not moved."""

Crash = Callable[[BaseException], Awaitable[None]]


class CheckpointError(CannotGoOnError):
    """The checkpoint does not fit the topic; going on would lose or repeat."""


class EngineMaker(Protocol):
    """Makes the engine of one partition."""

    def fresh(self, partition: int) -> Engine: ...

    def restored(self, partition: int, state: State) -> Engine: ...

    async def learn(self) -> None:
        """Know all that engines are made of by now. Raises `StoreAwayError`."""
        ...

    def bring_up_to_date(self, engine: Engine) -> None: ...


class Intake:
    """Which partitions are loaded, and how they come and go."""

    def __init__(
        self,
        partitions: int,
        engines: EngineMaker,
        store: CheckpointStore,
        interval_s: float,
        fenced_s: float,
        metrics: Metrics,
        crash: Crash,
    ) -> None:
        """`partitions` is the count of the topic, `interval_s` how often each is saved; so long,
        `fenced_s`, the group may take to say that a partition has been given to another worker.
        `crash` ends the process because of a bug."""
        self.loaded: dict[TP, Loaded] = {}
        self.lock = asyncio.Lock()
        """Held while a micro-batch is worked on, and while partitions are given up."""
        self.broken = False
        """A bug has been met: nothing may be saved any more."""
        self.store = store
        self._partitions = partitions
        self._fenced_s = fenced_s
        self._engines = engines
        self._metrics = metrics
        self._crash = crash
        self._bring_ups: dict[TP, asyncio.Task[None]] = {}
        self._fenced: set[TP] = set()
        """Those that another worker has loaded since they were assigned."""
        self._closing = False
        self._group = metrics.health.waiting("group", "to be joined", after_s=0.0)
        self._given_up_s: float | None = time.monotonic()
        """Since when the group is to give it partitions."""
        self._out_of_touch = metrics.health.waits()
        self._turns = itertools.count(1)
        self._consumer: PositionsConsumer | None = None
        self._generation = 0
        self._saving = Saving(
            self.loaded,
            self.lock,
            lambda: not self.broken,
            partitions,
            interval_s,
            metrics,
            self._saved,
            self._unseated,
        )

    def assigned(self, consumer: PositionsConsumer, partitions: set[TP], generation: int) -> None:
        """Bring up `partitions`, all paused, each in a task of its own."""
        self._forget()
        if self._closing:
            return
        self._consumer, self._generation = consumer, generation
        self._metrics.partitions_assigned.set(len(partitions))
        log.info(
            "partitions_assigned",
            partitions=sorted(tp.partition for tp in partitions),
            generation=generation,
        )
        for tp in sorted(partitions):
            self._start(self._bring_up, consumer, tp, generation)
        self.joined()

    def joined(self) -> None:
        """The group has said which partitions are this worker's, be it none."""
        self._group.end()
        if self._given_up_s is not None:
            self._metrics.rebalances.inc()
            self._metrics.rebalance_seconds.observe(time.monotonic() - self._given_up_s)
            self._given_up_s = None

    def stay(self) -> None:
        """To be called every second: however long the worker waits, it works, and stays in the
        group."""
        if self._consumer is None or self._consumer.stay_in_the_group():
            self._out_of_touch.end()
        else:
            self._out_of_touch.begin("kafka", "the group's coordinator")

    def end_offset(self, tp: TP) -> int | None:
        """Where the log of `tp` ends, as far as it is known."""
        return None if self._consumer is None else self._consumer.end_offset(tp)

    async def _saved(self, tp: TP, next_offset: int) -> None:
        if self._consumer is not None:
            await self._consumer.mark(tp, next_offset)

    def commit_failed(self) -> None:
        self._metrics.commit_failures.inc()

    async def release(self, *, for_good: bool = False) -> None:
        """Give up every partition once the micro-batch under way is done; saves what is not
        saved."""
        self._closing = self._closing or for_good
        self._group.begin("group", "to be left" if for_good else "to be joined", after_s=0.0)
        self._given_up_s = self._given_up_s or time.monotonic()
        try:
            async with asyncio.timeout(RELEASE_S), self.lock:
                await self._saving.finish()
        except TimeoutError:
            log.warning("checkpoint_not_saved", error="not in time")
        except StoreAwayError as error:
            log.warning("checkpoint_not_saved", error=error)
        finally:
            if self.loaded:
                given_up = sorted(tp.partition for tp in self.loaded)
                log.info("partitions_given_up", partitions=given_up, for_good=for_good)
            self._forget()
            self._metrics.partitions_assigned.set(0)

    def engine_of(self, loaded: Loaded) -> Engine:
        """The engine of a loaded partition, judging by the versions of the city known by now."""
        self._engines.bring_up_to_date(loaded.engine)
        return loaded.engine

    async def until_it_can_be_kept(self) -> None:
        """Returns when what is processed now can be saved, as far as is known."""
        await self._saving.wait_for_the_store()

    async def save_what_is_due(self) -> None:
        """Save checkpoints, for ever; runs beside the worker."""
        await self._saving.run()

    def _unseated(self, tp: TP, loaded: Loaded, error: FencedError | LostError) -> None:
        """What has been done since the last checkpoint does not count any more."""
        consumer = self._consumer
        if consumer is None or self.loaded.get(tp) is not loaded:
            return
        log.warning("partition_unseated", topic=tp.topic, partition=tp.partition, error=error)
        del self.loaded[tp]
        self._metrics.partitions_loaded.set(len(self.loaded))
        consumer.hold({tp})
        if isinstance(error, FencedError):
            self._metrics.fenced.inc()
            self._start(self._bring_up_unless_taken_away, consumer, tp, self._generation)
        else:
            self._start(self._bring_up, consumer, tp, self._generation)

    async def _bring_up_unless_taken_away(
        self, consumer: PositionsConsumer, tp: TP, generation: int
    ) -> None:
        """Another worker has loaded the partition: so the group has given it to that one, and will
        say so here too, where the next assignment cancels this. Else that one was late, and had
        lost it already; the second time it is one of another group."""
        if tp in self._fenced:
            raise CheckpointError(
                f"{tp.topic} partition {tp.partition} is this worker's, and another works on it: "
                "do not run two consumer groups on one Redis; give each its own"
            )
        self._fenced.add(tp)
        what = f"who has partition {tp.partition}, which another worker has loaded"
        with self._metrics.health.waiting("group", what, after_s=0.0):
            await asyncio.sleep(self._fenced_s)
        await self._bring_up(consumer, tp, generation)

    def _start(
        self,
        bring_up: Callable[[PositionsConsumer, TP, int], Coroutine[Any, Any, None]],
        consumer: PositionsConsumer,
        tp: TP,
        generation: int,
    ) -> None:
        async def work() -> None:
            await self.guarded(bring_up(consumer, tp, generation))

        self._bring_ups[tp] = asyncio.create_task(work(), name=f"bring up {tp}")

    def _forget(self) -> None:
        for task in self._bring_ups.values():
            task.cancel()
        self._bring_ups.clear()
        self._fenced.clear()
        self.loaded.clear()
        self._metrics.partitions_loaded.set(0)
        self._metrics.forget_progress()

    async def guarded(self, work: Awaitable[None]) -> None:
        """Await `work`; an error in it ends the process. Others follow from the first one, such as
        threads that are gone."""
        try:
            await work
        except Exception as error:
            if self.broken:
                log.debug("failed_too", error=error)
                return
            self.broken = True
            await self._crash(error)

    async def _bring_up(self, consumer: PositionsConsumer, tp: TP, generation: int) -> None:
        """Load, seek, resume; gives up when the group has moved on to another generation."""
        what = f"partition {tp.partition}"
        with self._metrics.health.waiting("loading", what, after_s=0.0) as waits:
            began_s = time.monotonic()
            await self._bring_up_patiently(consumer, tp, generation, waits)
            if tp in self.loaded:
                self._metrics.partition_load_seconds.observe(time.monotonic() - began_s)

    async def _bring_up_patiently(
        self, consumer: PositionsConsumer, tp: TP, generation: int, waits: Waits
    ) -> None:
        """Retries with back-off while Redis or Kafka is away."""
        pauses = Pauses()
        while _is_current(consumer, tp, generation):
            try:
                await self._engines.learn()
                begin = (await consumer.earliest_offsets(tp))[tp]
                keeper = await self.store.load(tp.topic, tp.partition)
                # Beside the partitions that are loaded already: a large state takes its time.
                loaded = await asyncio.to_thread(self._load, tp, keeper, begin)
                if not _is_current(consumer, tp, generation):
                    return
                await consumer.begin(tp, loaded.next_offset, loaded.turn)
            except (StoreAwayError, KafkaError, OSError, TimeoutError) as error:
                away: For = "redis" if isinstance(error, StoreAwayError) else "kafka"
                waits.begin(away, f"loading partition {tp.partition}", after_s=0.0)
                log.warning(
                    "partition_not_loaded", topic=tp.topic, partition=tp.partition, error=error
                )
                await pauses.wait()
                continue
            if _is_current(consumer, tp, generation):
                self.loaded[tp] = loaded
                self._metrics.partitions_loaded.set(len(self.loaded))
                consumer.resume_partitions({tp})
                log.info(
                    "partition_loaded",
                    topic=tp.topic,
                    partition=tp.partition,
                    offset=loaded.next_offset,
                    trucks=len(loaded.engine.trucks),
                    from_checkpoint=keeper is not None and keeper.checkpoint is not None,
                )
            return

    def _load(self, tp: TP, keeper: Keeper | None, begin: int) -> Loaded:
        """`begin` is the log's first offset. Its end is not asked for: brokers are known that
        answer too little, and what is missing is noticed when records are taken."""
        checkpoint = None if keeper is None else keeper.checkpoint
        if checkpoint is None:
            return Loaded(self._engines.fresh(tp.partition), begin, next(self._turns), keeper)
        self._check(tp, checkpoint, begin)
        try:
            engine = self._engines.restored(tp.partition, checkpoint.state)
        except UnknownFormat as error:
            raise CheckpointError(
                f"the checkpoint of {tp.topic} partition {tp.partition}: {error}; run the version "
                "that wrote it, or delete the checkpoint to start at the log's start"
            ) from error
        return Loaded(engine, checkpoint.next_offset, next(self._turns), keeper)

    def _check(self, tp: TP, checkpoint: Checkpoint, begin: int) -> None:
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


def _is_current(consumer: PositionsConsumer, tp: TP, generation: int) -> bool:
    return consumer.app.consumer_generation_id == generation and tp in consumer.assignment()
