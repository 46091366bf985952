"""How partitions are given up while a store takes its time, and others come and go meanwhile."""

import asyncio
from collections.abc import Callable

import pytest
from faust.types import TP
from one_district import one_district

from streams import intake as intake_module
from streams.app import Engines
from streams.checkpoint import Checkpoint, StoreAwayError
from streams.detect import Engine, PreparedCity
from streams.intake import Intake, Loaded
from streams.metrics import Metrics
from streams.succession import Succession

PARTITIONS = 4
FIRST, SECOND, THIRD = (TP("gps.positions", number) for number in range(3))
CITY = Succession(PreparedCity.of(one_district()))


class Published:
    """The versions that are published; there is one."""

    succession = CITY

    def read(self) -> None:
        """There is nothing to learn."""


ENGINES = Engines(Engine, Published(), PARTITIONS)


class SlowStore:
    """Keeps checkpoints in memory, and takes its time to."""

    def __init__(self, away: int = 0) -> None:
        """`away`: how many times it does not answer."""
        self.kept: dict[TP, Checkpoint] = {}
        self.meanwhile: Callable[[], None] | None = None
        """What happens, once, while a checkpoint is on its way."""
        self._away = away

    async def load(self, topic: str, partition: int) -> Checkpoint | None:
        await asyncio.sleep(0.01)
        return self.kept.get(TP(topic, partition))

    def due(self, topic: str, partition: int, *, final: bool) -> bool:
        return True

    async def save(self, topic: str, partition: int, checkpoint: Checkpoint) -> None:
        await asyncio.sleep(0.01)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        await asyncio.sleep(0.01)
        if self._away:
            self._away -= 1
            raise StoreAwayError("away")
        self.kept[TP(topic, partition)] = checkpoint


async def crash(error: BaseException) -> None:
    raise error


def intake_with(store: SlowStore) -> Intake:
    intake = Intake(PARTITIONS, ENGINES, store, Metrics(), crash)
    intake.loaded |= {FIRST: loaded(FIRST, 10), SECOND: loaded(SECOND, 20)}
    return intake


def loaded(tp: TP, next_offset: int) -> Loaded:
    return Loaded(ENGINES.fresh(tp.partition), next_offset, next_offset)


def offsets(store: SlowStore) -> dict[TP, int]:
    return {tp: checkpoint.next_offset for tp, checkpoint in store.kept.items()}


async def test_everything_is_saved_when_given_up() -> None:
    store = SlowStore()
    intake = intake_with(store)
    await intake.release()
    assert offsets(store) == {FIRST: 10, SECOND: 20}
    assert intake.loaded == {}


async def test_a_partition_may_come_up_while_others_are_given_up() -> None:
    store = SlowStore()
    intake = intake_with(store)
    store.meanwhile = lambda: intake.loaded.update({THIRD: loaded(THIRD, 30)})
    await intake.release()
    assert offsets(store) == {FIRST: 10, SECOND: 20}
    assert intake.loaded == {}


@pytest.mark.parametrize("final", [False, True])
async def test_what_is_forgotten_meanwhile_is_left_alone(final: bool) -> None:
    store = SlowStore()
    intake = intake_with(store)
    # A new assignment, of nothing, has come before partitions were given up.
    store.meanwhile = lambda: intake.assigned(None, set(), 2)  # type: ignore[arg-type]
    if final:
        await intake.release()
    else:
        async with intake.lock:
            await intake.save(list(intake.loaded.items()))
    assert offsets(store) == {FIRST: 10}


async def test_what_is_loaded_anew_meanwhile_is_not_taken_for_what_was_worked_on() -> None:
    store = SlowStore()
    intake = intake_with(store)
    store.meanwhile = lambda: intake.loaded.update({SECOND: loaded(SECOND, 5)})
    async with intake.lock:
        await intake.save(list(intake.loaded.items()))
    assert offsets(store) == {FIRST: 10}


async def test_a_store_that_is_away_is_waited_for_while_the_partition_is_ours() -> None:
    store = SlowStore(away=2)
    intake = intake_with(store)
    async with intake.lock:
        await intake.save(list(intake.loaded.items()))
    assert offsets(store) == {FIRST: 10, SECOND: 20}
    store = SlowStore(away=1)
    intake = intake_with(store)
    store.meanwhile = intake.loaded.clear
    async with intake.lock:
        await intake.save(list(intake.loaded.items()))
    assert store.kept == {}


async def test_the_last_chance_does_not_wait_for_a_store_that_is_away() -> None:
    store = SlowStore(away=1)
    intake = intake_with(store)
    async with asyncio.timeout(intake_module.RELEASE_S):
        await intake.release(for_good=True)
    assert store.kept == {}
    assert intake.loaded == {}
