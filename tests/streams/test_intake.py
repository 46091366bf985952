"""How partitions are brought up, saved and given up while a store takes its time, and others come
and go meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from faust.types import TP
from one_district import one_district

from streams import intake as intake_module
from streams.access import KafkaAccess
from streams.app import Engines
from streams.checkpoint import (
    Checkpoint,
    FencedError,
    Keeper,
    LostError,
    StoreAwayError,
)
from streams.consumer import Fetched
from streams.detect import Engine, PreparedCity
from streams.intake import CheckpointError, Intake
from streams.live import LiveView
from streams.loaded import Loaded
from streams.metrics import Metrics
from streams.partition import partition_of
from streams.position import Position
from streams.sinks import Outputs
from streams.snapshot import State
from streams.succession import Succession
from streams.worker import Topics, Worker

PARTITIONS = 4
FIRST, SECOND, THIRD = (TP("gps.positions", number) for number in range(3))
CITY = Succession(PreparedCity.of(one_district()))
START_MS = 1_795_266_000_000
TRUCKS = {partition_of(f"浙B{number}", PARTITIONS): f"浙B{number}" for number in range(40)}
"""One of each partition."""
FENCED_S = 0.2
INTERVAL_S = 0.05


class Published:
    """The versions that are published; there is one."""

    succession = CITY

    def read(self) -> None:
        """There is nothing to learn."""


ENGINES = Engines(Engine, Published(), PARTITIONS)


@dataclass
class SlowStore:
    """Keeps checkpoints in memory, and takes its time to."""

    away: int = 0
    """How many times it does not answer."""
    kept: dict[TP, Checkpoint] = field(default_factory=dict)
    holders: dict[TP, "SlowKeeper"] = field(default_factory=dict)
    meanwhile: Callable[[], None] | None = None
    """What happens, once, while a checkpoint is on its way."""
    saves: int = 0

    async def load(self, topic: str, partition: int) -> Keeper:
        await asyncio.sleep(0.01)
        tp = TP(topic, partition)
        keeper = self.holders[tp] = SlowKeeper(self, tp, self.kept.get(tp))
        return keeper

    def forget(self) -> None:
        self.kept.clear()
        self.holders.clear()

    async def close(self) -> None:
        """There is nothing to be closed."""


@dataclass(eq=False)
class SlowKeeper:
    store: SlowStore
    tp: TP
    checkpoint: Checkpoint | None = None
    size_bytes: int = 1

    async def save(self, checkpoint: Checkpoint) -> int:
        store = self.store
        await asyncio.sleep(0.01)
        meanwhile, store.meanwhile = store.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        await asyncio.sleep(0.01)
        if store.away:
            store.away -= 1
            raise StoreAwayError("away")
        holder = store.holders.get(self.tp)
        if holder is None:
            raise LostError("lost")
        if holder is not self:
            raise FencedError("another worker")
        kept = store.kept.get(self.tp)
        parts = {} if kept is None else kept.state.parts
        state = State(checkpoint.state.head, parts | checkpoint.state.parts)
        store.kept[self.tp] = Checkpoint(checkpoint.next_offset, checkpoint.partitions, state)
        store.saves += 1
        return 1


@dataclass
class Consumer:
    """What intake needs of one that is given partitions and reads nothing."""

    given: set[TP] = field(default_factory=set)
    begins: dict[TP, list[int]] = field(default_factory=dict)
    reading: set[TP] = field(default_factory=set)
    marks: dict[TP, int] = field(default_factory=dict)
    log_begins: int = 0
    consumer_generation_id: int = 1

    @property
    def app(self) -> "Consumer":
        return self

    def assignment(self) -> set[TP]:
        return self.given

    async def earliest_offsets(self, tp: TP) -> dict[TP, int]:
        return {tp: self.log_begins}

    async def begin(self, tp: TP, offset: int, turn: int) -> None:
        self.begins.setdefault(tp, []).append(offset)

    def hold(self, partitions: set[TP]) -> None:
        self.reading -= partitions

    def resume_partitions(self, partitions: set[TP]) -> None:
        self.reading |= partitions

    async def mark(self, tp: TP, offset: int) -> None:
        self.marks[tp] = offset


class Trial:
    """An intake with what is round it."""

    def __init__(self, store: SlowStore | None = None) -> None:
        self.store = store or SlowStore()
        self.consumer = Consumer()
        self.metrics = Metrics()
        self.crashes: list[BaseException] = []
        self.intake = Intake(
            PARTITIONS, ENGINES, self.store, INTERVAL_S, FENCED_S, self.metrics, self._crash
        )

    async def _crash(self, error: BaseException) -> None:
        self.crashes.append(error)

    def assign(self, *partitions: TP) -> None:
        self.consumer.given = set(partitions)
        self.consumer.consumer_generation_id += 1
        self.consumer.reading.clear()
        self.intake.assigned(  # type: ignore[arg-type]
            self.consumer, set(partitions), self.consumer.consumer_generation_id
        )

    async def loaded(self, *partitions: TP) -> None:
        self.assign(*partitions)
        await until(lambda: set(self.intake.loaded) == set(partitions))

    def take(self, tp: TP, next_offset: int) -> None:
        """As the worker does: the outputs of the records before are acknowledged."""
        loaded = self.intake.loaded[tp]
        truck = TRUCKS[tp.partition]
        loaded.engine.process([Position(truck, START_MS + next_offset, 121.1, 29.1)])
        loaded.next_offset = next_offset

    def offsets(self) -> dict[TP, int]:
        return {tp: checkpoint.next_offset for tp, checkpoint in self.store.kept.items()}

    async def taken(self) -> None:
        await self.loaded(FIRST, SECOND)
        self.take(FIRST, 10)
        self.take(SECOND, 20)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture
async def trial() -> AsyncIterator[Trial]:
    trial = Trial()
    yield trial
    trial.intake._forget()


@pytest.fixture
async def saving(trial: Trial) -> AsyncIterator[Trial]:
    """Saves beside what it does."""
    task = asyncio.create_task(trial.intake.save_what_is_due())
    yield trial
    assert not task.done(), "saving has ended"
    task.cancel()


async def test_everything_is_saved_when_given_up(trial: Trial) -> None:
    await trial.taken()
    await trial.intake.release()
    assert trial.offsets() == {FIRST: 10, SECOND: 20}
    assert trial.consumer.marks == {FIRST: 10, SECOND: 20}
    assert trial.intake.loaded == {}


async def test_what_has_not_moved_is_not_saved(saving: Trial) -> None:
    await saving.loaded(FIRST, SECOND)
    saving.take(FIRST, 10)
    await until(lambda: saving.offsets() == {FIRST: 10})
    await asyncio.sleep(3 * INTERVAL_S)
    await saving.intake.release()
    assert saving.store.saves == 1


async def test_what_is_due_is_saved_and_gone_on_from(saving: Trial) -> None:
    await saving.taken()
    await until(lambda: saving.offsets() == {FIRST: 10, SECOND: 20})
    saving.take(FIRST, 11)
    await until(lambda: saving.offsets() == {FIRST: 11, SECOND: 20})
    await saving.loaded(FIRST, SECOND)
    assert saving.consumer.begins == {FIRST: [0, 11], SECOND: [0, 20]}
    assert saving.intake.loaded[FIRST].engine.highest_ms == START_MS + 11
    assert saving.consumer.reading == {FIRST, SECOND}


async def test_a_partition_may_come_up_while_others_are_given_up(trial: Trial) -> None:
    await trial.taken()
    third = Loaded(ENGINES.fresh(2), 30, 99, SlowKeeper(trial.store, THIRD))
    trial.store.meanwhile = lambda: trial.intake.loaded.update({THIRD: third})
    await trial.intake.release()
    assert trial.offsets() == {FIRST: 10, SECOND: 20}
    assert trial.intake.loaded == {}


async def test_what_is_assigned_anew_meanwhile_is_left_alone(saving: Trial) -> None:
    """A save is under way when the partition is lost, and comes to the same worker again."""
    await saving.taken()
    old = saving.intake.loaded[FIRST]
    saving.store.meanwhile = lambda: saving.assign(FIRST, SECOND)
    await until(lambda: saving.intake.loaded.get(FIRST) not in (None, old))
    await until(lambda: set(saving.intake.loaded) == {FIRST, SECOND})
    new = saving.intake.loaded[FIRST]
    assert new.next_offset == saving.offsets().get(FIRST, 0)
    saving.take(FIRST, 12)
    await until(lambda: saving.offsets().get(FIRST) == 12)
    assert saving.intake.loaded[FIRST] is new, "the old one's end has ended the new one"
    assert saving.crashes == []


async def test_a_save_of_an_old_holder_that_comes_late_ends_nothing(saving: Trial) -> None:
    await saving.taken()
    old = saving.intake.loaded[FIRST]
    assert old.keeper is not None
    late = asyncio.create_task(old.keeper.save(Checkpoint(10, PARTITIONS, State(b"", {}))))
    await saving.store.load(*FIRST)
    with pytest.raises(FencedError):
        await late
    saving.intake._unseated(FIRST, old, FencedError("late"))
    await saving.loaded(FIRST, SECOND)
    new = saving.intake.loaded[FIRST]
    saving.intake._unseated(FIRST, old, FencedError("later"))
    assert saving.intake.loaded[FIRST] is new


async def test_a_store_that_is_away_is_waited_for_while_the_partition_is_ours(
    saving: Trial,
) -> None:
    await saving.taken()
    saving.store.away = 2
    await until(lambda: not saving.intake._saving._store_answers.is_set())
    waiting = asyncio.create_task(saving.intake.until_it_can_be_kept())
    await asyncio.sleep(0)
    assert not waiting.done()
    await until(lambda: saving.offsets() == {FIRST: 10, SECOND: 20})
    await waiting
    saving.take(FIRST, 11)
    saving.store.away = 1_000_000
    await until(lambda: not saving.intake._saving._store_answers.is_set())
    saving.intake._forget()
    await asyncio.wait_for(saving.intake.until_it_can_be_kept(), 5)


async def test_the_last_chance_does_not_wait_for_a_store_that_is_away(trial: Trial) -> None:
    await trial.taken()
    trial.store.away = 2
    async with asyncio.timeout(intake_module.RELEASE_S):
        await trial.intake.release(for_good=True)
    assert trial.store.kept == {}
    assert trial.intake.loaded == {}
    trial.assign(FIRST)
    await asyncio.sleep(0.05)
    assert trial.intake.loaded == {}, "it takes partitions after it has given up for good"


async def test_giving_up_does_not_wait_for_a_save_that_waits_for_the_store(saving: Trial) -> None:
    await saving.taken()
    saving.store.away = 1_000_000
    await until(lambda: not saving.intake._saving._store_answers.is_set())
    async with asyncio.timeout(1):
        await saving.intake.release()
    assert saving.intake.loaded == {}


async def test_nothing_is_saved_after_a_bug(saving: Trial) -> None:
    await saving.taken()
    saving.intake.broken = True
    await asyncio.sleep(4 * INTERVAL_S)
    await saving.intake.release()
    assert saving.store.kept == {}


async def test_nothing_is_saved_while_engines_are_ahead_of_their_outputs(saving: Trial) -> None:
    await saving.loaded(FIRST)
    async with saving.intake.lock:
        saving.take(FIRST, 10)
        await asyncio.sleep(4 * INTERVAL_S)
        assert saving.store.kept == {}
    await until(lambda: saving.offsets() == {FIRST: 10})


async def test_a_store_that_has_lost_its_data_is_begun_anew_with(saving: Trial) -> None:
    await saving.taken()
    await until(lambda: saving.offsets() == {FIRST: 10, SECOND: 20})
    saving.store.forget()
    saving.take(FIRST, 11)
    await until(lambda: saving.consumer.begins[FIRST] == [0, 0])
    await until(lambda: set(saving.intake.loaded) == {FIRST, SECOND})
    assert saving.intake.loaded[FIRST].engine.highest_ms is None
    assert saving.consumer.reading == {FIRST, SECOND}
    saving.take(FIRST, 5)
    await until(lambda: saving.offsets() == {FIRST: 5})
    assert saving.crashes == []


async def test_a_late_worker_that_had_lost_the_partition_is_overtaken(saving: Trial) -> None:
    """It loads, and does nothing more: the group does not take the partition away here."""
    await saving.taken()
    await until(lambda: saving.offsets() == {FIRST: 10, SECOND: 20})
    await saving.store.load(*FIRST)
    saving.take(FIRST, 11)
    await until(lambda: FIRST not in saving.intake.loaded)
    assert FIRST not in saving.consumer.reading
    await until(lambda: FIRST in saving.intake.loaded)
    assert saving.intake.loaded[FIRST].next_offset == 10
    assert saving.crashes == []


async def test_a_partition_that_was_given_to_another_is_waited_for(saving: Trial) -> None:
    await saving.taken()
    await saving.store.load(*FIRST)
    await until(lambda: FIRST not in saving.intake.loaded)
    saving.assign(SECOND)
    await asyncio.sleep(2 * FENCED_S)
    assert set(saving.intake.loaded) == {SECOND}
    assert saving.crashes == []


async def test_two_who_both_have_a_partition_are_told_so(saving: Trial) -> None:
    await saving.loaded(FIRST)
    for offset in (10, 11):
        await until(lambda: FIRST in saving.intake.loaded)
        await saving.store.load(*FIRST)
        saving.take(FIRST, offset)
        await until(lambda: FIRST not in saving.intake.loaded)
    await until(lambda: bool(saving.crashes))
    assert isinstance(saving.crashes[0], CheckpointError)
    assert "two consumer groups on one Redis" in str(saving.crashes[0])
    assert saving.intake.broken


@pytest.mark.parametrize(
    ("partitions", "log_begins", "state", "why"),
    [
        (PARTITIONS + 1, 0, None, "was made with 5 partitions, now there are 4"),
        (PARTITIONS, 11, None, "goes on at offset 10, but the log begins at 11"),
        (PARTITIONS, 0, State(b"x", {}), "cannot be unpacked"),
    ],
)
async def test_a_checkpoint_that_does_not_fit_ends_the_worker(
    trial: Trial, partitions: int, log_begins: int, state: State | None, why: str
) -> None:
    whole = state or ENGINES.fresh(0).export()
    trial.store.kept[FIRST] = Checkpoint(10, partitions, whole)
    trial.consumer.log_begins = log_begins
    trial.assign(FIRST)
    await until(lambda: bool(trial.crashes))
    assert isinstance(trial.crashes[0], CheckpointError)
    assert why in str(trial.crashes[0])
    assert "delete the checkpoint" in str(trial.crashes[0])
    assert trial.consumer.reading == set()


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None


async def test_nothing_is_saved_after_a_bug_in_taking_records() -> None:
    """Their offsets have moved on, and no engine has seen them."""
    trial = Trial()
    await trial.loaded(FIRST)
    loaded = trial.intake.loaded[FIRST]
    worker = Worker(
        Topics(), trial.intake, Outputs(KafkaAccess.plain("127.0.0.1:1"), trial.metrics),
        LiveView(None, trial.metrics), trial.metrics,
    )  # fmt: skip
    no_bytes: Any = 17
    record = Record(FIRST.topic, FIRST.partition, loaded.next_offset, 1_000, None, no_bytes)
    before = loaded.next_offset
    with pytest.raises(TypeError):
        await worker.handle([Fetched(FIRST, loaded.turn, 1, [record])], 1)
    assert loaded.next_offset > before
    await trial.intake.release(for_good=True)
    assert trial.offsets() == {}
