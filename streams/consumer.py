"""Faust's Kafka consumer, made to start each partition where its checkpoint says.

Faust seeks every partition to Kafka's committed offsets after a rebalance, through
`seek_to_committed` alone; here that call hands the partitions to the app's `Intake` instead, which
loads, begins and resumes each. A fetch that was under way meanwhile may return what lay at the
committed offset, so every record carries the **turn** in which it was read: the number of the
`begin` before it. And what one fetch brings of a partition goes through Faust as one event: its own
work for an event, some 60 µs, is several times that of judging a position. Known to `streams.app`,
which gives the app this transport. It must not know what is done with the records.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.logs import get_log
from streams.record import Record

log = get_log(__name__)

FETCH_MAX_WAIT_MS = 50
"""Faust's own 1,500 is hard-coded and puts a third of a second on the median latency."""
MAX_RECORDS = 50
"""Taken from the fetcher in one go; each may be an array of 300 kB."""
MORE_RECORDS = 5_000
MORE_BYTES = 4 * 1024 * 1024
"""A go follows another until there are so many records or bytes."""
COMMIT_S = 5.0
SOON_S = 0.02
"""How often is looked whether a partition has been loaded, where none is."""
LEAVE_S = 5.0
REFUSED_S = 1.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """Records of one partition that were read together, one at least, in the order of offsets."""

    tp: TP
    turn: int
    generation: int
    """Of the group, when Faust took them over."""
    records: Sequence[Record]


class Intake(Protocol):
    """What takes over the partitions a consumer has been given."""

    def assigned(self, consumer: "PositionsConsumer", partitions: set[TP], generation: int) -> None:
        """Bring up these partitions, all paused; called again for the same ones when the
        consumer wants to seek again."""
        ...

    def commit_failed(self) -> None: ...


class OnlyThese:
    """Partitions of which records are wanted, as a live view of Faust's set of those.

    aiokafka takes an empty set for "any", and the set is empty while all are being loaded: a fetch
    under way then gave records that Faust dropped, since they were of no active partition, and the
    next to come were too far ahead.
    """

    def __init__(self, active: set[TP]) -> None:
        self._active = active

    def __contains__(self, tp: object) -> bool:
        return tp in self._active

    def __bool__(self) -> bool:
        return True


class PositionsConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread that talks to Kafka."""

    mundane_level = "debug"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._turns: dict[TP, int] = {}

    async def begin(self, tp: TP, offset: int, turn: int) -> None:
        """Read `tp` from `offset` on; without effect where a later turn has begun."""
        if turn > self._turns.get(tp, 0):
            self._turns[tp] = turn
            await self._seek_wait(self._ensure_consumer(), {tp: offset})

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's name
        max_records: int | None = None,
    ) -> dict[TP, list[tuple[int, list[Record]]]]:
        """The records of each partition, each piece of them with the turn it was taken in."""
        pieces: dict[TP, list[tuple[int, list[Record]]]] = {}
        count = size_bytes = 0
        while count < MORE_RECORDS and size_bytes < MORE_BYTES:
            taken = await self._take_records(
                consumer, OnlyThese(active_partitions), timeout=timeout, max_records=max_records
            )
            if not taken:
                break
            # Nothing is awaited between taking records out of the fetcher and reading the turns,
            # nor between noting a turn and its seek.
            for tp, records in taken.items():
                _add(pieces.setdefault(tp, []), self._turns.get(tp, 0), records)
                count += len(records)
                size_bytes += sum(len(record.value or b"") for record in records)
            timeout = 0.0
        return pieces

    async def _take_records(self, *args: Any, **options: Any) -> dict[TP, list[Record]]:
        """What the fetcher has of them, waiting for some where it has nothing."""
        try:
            taken: dict[TP, list[Record]] = await super()._fetch_records(*args, **options)
        except TopicAuthorizationFailedError as error:
            # Rights come back as they went; ending would only begin the same again.
            log.warning("reading_refused", error=error)
            await asyncio.sleep(REFUSED_S)
            return {}
        return taken

    def stay_in_the_group(self) -> bool:
        """Count as reading: whoever has not read for `broker_max_poll_interval` leaves the group,
        and while outputs or checkpoints are waited for nothing is read. Whether the group's
        coordinator is known. May be called from any thread."""
        if self._consumer is None or self._consumer._coordinator is None:
            return True
        self._consumer._subscription._last_fetch_ended = time.monotonic()
        coordinator = getattr(self._consumer._coordinator, "coordinator_id", None)
        return coordinator is not None

    def end_offset(self, tp: TP) -> int | None:
        """Where the log of `tp` ended when it was fetched last; None = it has not been. What the
        broker says when it is asked is not right on every one. May be called from any thread."""
        consumer = self._consumer
        subscription = None if consumer is None else consumer._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        if assignment is None or tp not in assignment.tps:
            return None
        end: int | None = assignment.state_value(driver.ensure_aiokafka_TP(tp)).highwater
        return end

    async def on_thread_stop(self) -> None:
        """Leave the group. Where Kafka is away, stopping the consumer ends in an error (that of a
        fetch which it has cancelled itself), which would end this thread before it tells that it
        has ended, and the process would wait for that for ever."""
        try:
            async with asyncio.timeout(LEAVE_S):
                await super().on_thread_stop()
        except (asyncio.CancelledError, KafkaError, OSError, TimeoutError) as error:
            log.warning("group_not_left", error=error)

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Read when the consumer starts and makes its fetcher.
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        return consumer

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit what can be committed; Faust's own would end the process while Kafka is away,
        and these offsets are a hint that nothing starts from."""
        consumer = self._ensure_consumer()
        assigned = self.assignment()
        try:
            async with asyncio.timeout(COMMIT_S):
                await consumer.commit(
                    {
                        driver.ensure_aiokafka_TP(tp): offset
                        for tp, offset in offsets.items()
                        if tp in assigned
                    }
                )
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("offsets_not_committed", error=error)
            self.app.intake.commit_failed()
            return False
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's own complains of partitions that are merely quiet or being loaded."""


def _add(pieces: list[tuple[int, list[Record]]], turn: int, records: list[Record]) -> None:
    """To the last piece, if that is of the same turn."""
    if pieces and pieces[-1][0] == turn:
        pieces[-1][1].extend(records)
    else:
        pieces.append((turn, records))


class _Forgetful(dict[TP, int]):
    """Takes the offsets that Faust has read and does not give them back: it would drop what is
    below them, and a record of an earlier turn would make it drop those of the present one."""

    def __getitem__(self, tp: TP) -> None:  # type: ignore[override]
        return None


class PositionsConsumer(driver.Consumer):  # type: ignore[misc]
    """Leaves it to the app's intake where each partition starts."""

    mundane_level = "debug"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._read_offset = _Forgetful()

    def hold(self, partitions: set[TP]) -> None:
        """Read nothing of them until they are resumed; a buffer that runs dry resumes none."""
        self.pause_partitions(partitions)
        self._buffered_partitions.difference_update(partitions)

    async def begin(self, tp: TP, offset: int, turn: int) -> None:
        """Read `tp` from `offset` on; what is read from now on has `turn`, which is above every
        one before. Raises `KafkaError`, `TimeoutError`."""
        await self._thread.call_thread(self._thread.begin, tp, offset, turn)

    def stay_in_the_group(self) -> bool:
        """To be called for as long as the worker works, however long it waits; whether the group's
        coordinator is known."""
        return bool(self._thread.stay_in_the_group())

    def end_offset(self, tp: TP) -> int | None:
        """Where the log of `tp` ends, as far as it is known."""
        end: int | None = self._thread.end_offset(tp)
        return end

    async def commit(self, *_: object, **__: object) -> bool:
        """Nothing: Faust takes records for acknowledged whose agent has raised. See `mark`."""
        return True

    async def mark(self, tp: TP, offset: int) -> None:
        """Tell Kafka how far `tp` is, for those who look at its lag; nothing starts from it."""
        await self._thread.commit({tp: offset})

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109
        """Faust's own would sleep for a second where no partition is active, as after each
        rebalance, and those that have been loaded meanwhile would wait for it."""
        if not (self.flow_active and self._get_active_partitions()):
            await asyncio.sleep(SOON_S)
            return None, None
        return await super()._wait_next_records(timeout)

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: where there is no room, delivering waits. Faust's own would leave the partition
        out, and wait a whole second where it has left out all."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Nothing: see `on_buffer_full`."""

    def _to_message(self, tp: TP, piece: tuple[int, Sequence[Record]]) -> Any:
        """The message that stands for a piece: it has the place of the first record, neither its
        key nor its value, and all of them as `fetched`."""
        turn, records = piece
        message = super()._to_message(tp, records[0])
        message.key = message.value = b""
        message.fetched = Fetched(tp, turn, message.generation_id, records)
        return message

    def _new_consumer_thread(self) -> PositionsConsumerThread:
        return PositionsConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek nothing now. Seeking in the signals of a rebalance would be undone by this call,
        which follows them."""
        partitions = self.assignment()
        self.hold(partitions)
        cast("Intake", self.app.intake).assigned(self, partitions, self.app.consumer_generation_id)
        return {}


class PositionsTransport(driver.Transport):  # type: ignore[misc]
    Consumer = PositionsConsumer
