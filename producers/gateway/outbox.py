"""From a gateway's event loop to Kafka: positions, frames as received, what was refused, ticks.

The one piece of the gateways that knows Kafka. What is put is gathered per partition for a moment
and answered when the broker has acknowledged it, or when it was given up; whoever put it
acknowledges it to the terminal only in the first case, and else the terminal sends it again. An
outage of Kafka ends nothing: what waits is answered `False` in time, and it goes on when Kafka is
back.

All of it runs on the event loop, and nothing blocks it (docs/decisions/0008-outbox.md).
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, Final

from producers.broker import PublishError
from producers.gateway.delivery import AWAY, Delivery, connect, wait_for_topics
from producers.gateway.lanes import Batch, Done, Lane, PositionLane, RecordLane
from producers.gateway.records import RawFrame as RawFrame
from producers.gateway.records import RejectRecord
from producers.ticks import TICK_MS
from streams.access import KafkaAccess
from streams.health import Health
from streams.logs import Level, get_log
from streams.output import Reject
from streams.partition import partition_of
from streams.pauses import Pauses
from streams.position import Position
from streams.topics import POSITIONS, RAW, REJECTED

log = get_log(__name__)

LINGER_S: Final = 0.02
DELIVER_S: Final = 10.0
"""For so long a batch is tried; long enough for another broker to take over from one that died."""
MOST_BYTES: Final = 64 * 1024 * 1024
ROOM_AGAIN: Final = 0.75
"""Of the most that is held, so that connections are not stopped and started for each message."""
FULL: Final = 2
"""Times the most that is held: beyond it everything is refused at once."""
CLOSE_S: Final = 5.0
SETTLED_S: Final = 0.01


class Outbox:
    """Made and used on one event loop: `start`, then `put…`, at the end `close`.

    `partitions` is what the topic of positions must have, since it decides where each truck's
    positions go.
    """

    def __init__(
        self,
        kafka: KafkaAccess,
        partitions: int,
        health: Health,
        *,
        tick_s: float = TICK_MS / 1000,
        linger_s: float = LINGER_S,
        deliver_s: float = DELIVER_S,
        most_bytes: int = MOST_BYTES,
        note_delivery_s: Callable[[float], object] = lambda _seconds: None,
    ) -> None:
        """`tick_s`: how often the wall clock goes to every partition; 0 = never. What Kafka does
        not acknowledge within `deliver_s` is answered `False`, at worst after three times that.
        `note_delivery_s` is told how long each batch took to be answered."""
        self._kafka = kafka
        self._partitions = partitions
        self._health = health
        self._waits = health.waits()
        self._tick_s = tick_s
        self._linger_s = linger_s
        self._deliver_s = deliver_s
        self._most_bytes = most_bytes
        self._note_delivery_s = note_delivery_s
        self._positions: list[PositionLane] = []
        self._raw: list[RecordLane] = []
        self._rejected: list[RecordLane] = []
        self._delivery: Delivery | None = None
        self._on_their_way = 0
        """Batches."""
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False
        self.held_bytes = 0
        """Of all that has been put and not yet answered, in memory."""
        self.acknowledged = 0
        self.refused = 0
        """Both count positions, frames and rejects."""

    async def start(self) -> None:
        """Wait for Kafka, and look whether the topics are there.

        Raises `PublishError` where they are not, or Kafka does not let in.
        """
        counts = await wait_for_topics(
            self._kafka, (POSITIONS, RAW, REJECTED), self._health, self._deliver_s
        )
        if counts[POSITIONS] != self._partitions:
            raise PublishError(
                f"Kafka at {self._kafka}: {POSITIONS} has {counts[POSITIONS]} partitions, not "
                f"{self._partitions}: the count decides where each truck's positions go"
            )
        self._positions = [PositionLane(POSITIONS, one) for one in range(counts[POSITIONS])]
        self._raw = [RecordLane(RAW, one) for one in range(counts[RAW])]
        self._rejected = [RecordLane(REJECTED, one) for one in range(counts[REJECTED])]
        self._begin(self._run(), "outbox")
        if self._tick_s:
            self._begin(self._tick(), "outbox-ticks")

    async def watch(self) -> None:
        """For ever; raises what a bug in it has raised."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    @property
    def crowded(self) -> bool:
        """Whether so much is on its way that nothing more should be read; see `room`."""
        return not self._room.is_set()

    async def room(self) -> None:
        """Wait until it is not crowded."""
        await self._room.wait()

    def put(self, position: Position, done: Done) -> None:
        """A position, into the partition of its truck."""
        lane = self._positions[partition_of(position.truck_id, self._partitions)]
        if self._takes(lane, done):
            self._hold(lane.put(position, done))

    def put_raw(self, frame: RawFrame, done: Done) -> None:
        """A frame, into the partition of its terminal."""
        lane = self._raw[partition_of(frame.key, len(self._raw))]
        if self._takes(lane, done):
            self._hold(lane.put(frame, done))

    def put_rejected(self, reject: Reject, done: Done, key: str | None = None) -> None:
        """What is no position, with the reason; `key`: the terminal, where it is known."""
        key = key or reject.truck_id
        lane = self._rejected[partition_of(key or "", len(self._rejected))]
        if self._takes(lane, done):
            self._hold(lane.put(RejectRecord.of(reject, key, _now_ms()), done))

    async def close(self) -> None:
        """Send what waits; what is not acknowledged within some seconds is answered `False`."""
        self._closed = True
        deadline = time.monotonic() + CLOSE_S
        while self.held_bytes and time.monotonic() < deadline:
            self._work.set()
            await asyncio.sleep(SETTLED_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for lane in self._lanes():
            self._give_up(lane)
            self._answer(lane, delivered=False)
        if self._delivery is not None:
            await self._delivery.close()
        self._waits.end()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """By a bug, unless it was cancelled: nothing is taken any more, and the health tells."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.bug("outbox_failed", error)
            self._closed = True
            self._health.beat(broken=True)
            for lane in self._lanes():
                self._give_up(lane)

    def _lanes(self) -> Iterator[Lane]:
        yield from self._positions
        yield from self._raw
        yield from self._rejected

    def _takes(self, lane: Lane, done: Done) -> bool:
        if self._closed or self.held_bytes > FULL * self._most_bytes:
            self.refused += 1
            asyncio.get_running_loop().call_soon(done, False)
            return False
        if not lane.answers:
            lane.oldest_s = time.monotonic()
            self._work.set()
        return True

    def _hold(self, size_bytes: int) -> None:
        self.held_bytes += size_bytes
        if self.held_bytes > self._most_bytes:
            self._room.clear()

    async def _run(self) -> None:
        """Send what has been gathered, at most once in the linger time."""
        pauses = Pauses()
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                await self._send_ready()
            except AWAY as error:
                log.warning("kafka_away", kafka=self._kafka, purpose="to take records", error=error)
                self._let_go()
                self._expire()
                self._work.set()
                await pauses.wait()
            else:
                pauses = Pauses()
                await asyncio.sleep(self._linger_s)

    async def _send_ready(self) -> None:
        self._waits.begin("kafka", "acknowledgements")
        if self._delivery is None:
            self._delivery = await connect(self._kafka, self._deliver_s)
        delivery = self._delivery
        for lane in self._lanes():
            if lane.is_ready and delivery is self._delivery:
                builder = delivery.builder()
                lane.on_its_way = lane.fill(builder)
                try:
                    future = await delivery.send(builder, lane.topic, lane.partition)
                except BaseException:
                    self._answer(lane, delivered=False)
                    raise
                self._on_their_way += 1
                sent_s = time.monotonic()
                future.add_done_callback(partial(self._arrived, delivery, lane, sent_s))
        if not self._on_their_way:
            self._waits.end()

    def _arrived(
        self, delivery: Delivery, lane: Lane, sent_s: float, future: asyncio.Future[object]
    ) -> None:
        self._note_delivery_s(time.monotonic() - sent_s)
        error = None if future.cancelled() else future.exception()
        delivered = error is None and not future.cancelled()
        self._on_their_way -= 1
        self._answer(lane, delivered=delivered)
        if delivered:
            self._waits.end()
            if self._on_their_way:
                self._waits.begin("kafka", "acknowledgements")
        else:
            level: Level = "warning" if delivery is self._delivery else "debug"
            log.at(level, "not_delivered", topic=lane.topic, partition=lane.partition, error=error)
            # In order: what came after it would come before it when the terminal sends it again.
            self._give_up(lane)
            if delivery is self._delivery:
                self._let_go()
        if lane.is_ready or self._delivery is None:
            self._work.set()

    def _let_go(self) -> None:
        """The next batch goes through a new connection, to wherever the brokers are then."""
        delivery, self._delivery = self._delivery, None
        if delivery is not None:
            delivery.let_go()

    def _expire(self) -> None:
        """Give up what has waited for too long for a connection."""
        now_s = time.monotonic()
        for lane in self._lanes():
            if lane.answers and now_s - lane.oldest_s > self._deliver_s:
                self._give_up(lane)

    def _give_up(self, lane: Lane) -> None:
        self._tell(lane.clear(), delivered=False)

    def _answer(self, lane: Lane, *, delivered: bool) -> None:
        batch, lane.on_its_way = lane.on_its_way, None
        if batch is not None:
            self._tell(batch, delivered=delivered)

    def _tell(self, batch: Batch, *, delivered: bool) -> None:
        self.held_bytes -= batch.size_bytes
        if self.held_bytes <= ROOM_AGAIN * self._most_bytes:
            self._room.set()
        if delivered:
            self.acknowledged += len(batch.answers)
        else:
            self.refused += len(batch.answers)
        for done in batch.answers:
            try:
                done(delivered)
            except Exception as error:
                log.bug("answer_failed", error)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            if self.crowded:
                # Terminals that are not read have yet to say what they know of this time.
                continue
            for lane in self._positions:
                lane.tick(_now_ms())
            self._work.set()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
