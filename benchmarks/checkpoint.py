"""What the checkpoints of a worker cost (design section 10).

`python -m benchmarks.checkpoint` prints, for one partition of many trucks, how long detection
stands still for a checkpoint, how long it takes until it is in Redis (an embedded one), and how
long a partition takes to be loaded; then, for a worker that is never idle and saves its partitions
as a worker does, the share of its processor's time that goes into saving.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from faust.types import TP

from benchmarks.city import benchmark_city
from benchmarks.core import WARM_REPORTS
from benchmarks.load import EVERY_MS, Load
from mucktrack.embedded import valkey
from streams.checkpoint import Checkpoint
from streams.detect import Engine, PreparedCity
from streams.loaded import Loaded
from streams.metrics import Metrics
from streams.redis_checkpoints import RedisCheckpoints
from streams.saving import Saving

TOPIC: Final = "benchmark"
INTERVAL_S: Final = 5.0
BATCH: Final = 5_000
OFFENDING: Final = 0.02


class Partition:
    """One engine, and where it is in its load."""

    def __init__(self, city: PreparedCity, load: Load) -> None:
        self._load = load
        self.trucks = len(load.fleet.truck_ids)
        self.engine = Engine.live(city, 0, 1)
        for truck_id in load.fleet.truck_ids:
            self.engine.trucks.row(truck_id)
        self.taken = 0
        self.take(WARM_REPORTS * self.trucks)

    def upcoming(self, positions: int) -> Any:
        """The next so many positions, as columns: the same for all partitions."""
        return self._load.columns(self.taken, self.taken + positions)

    def take(self, positions: int) -> None:
        """Take the next so many positions, in batches."""
        for start in range(self.taken, self.taken + positions, 10 * BATCH):
            stop = min(start + 10 * BATCH, self.taken + positions)
            batch = self._load.columns(start, stop)
            for first in range(0, len(batch), BATCH):
                self.engine.process_columns(batch[first : first + BATCH])
        self.taken += positions


async def one_partition(partition: Partition, url: str, rounds: int, interval_s: float) -> None:
    """Print what a checkpoint takes after `interval_s` of positions."""
    store = RedisCheckpoints.at(url)
    keeper = await store.load(TOPIC, 0)
    a_round = int(partition.trucks * interval_s * 1000 / EVERY_MS)
    figures: dict[str, list[float]] = {"stands still": [], "packed": [], "in Redis": []}
    written: list[int] = []
    for number in range(rounds + 1):
        started = time.perf_counter()
        copy = partition.engine.changes()
        copied = time.perf_counter()
        state = await asyncio.to_thread(copy.encode)
        packed = time.perf_counter()
        size = await keeper.save(Checkpoint(partition.taken, 1, state))
        saved = time.perf_counter()
        if number == 0:
            print(f"  the whole state: {size / 1e6:.1f} MB, {saved - started:.3f} s")
        else:
            figures["stands still"].append(copied - started)
            figures["packed"].append(packed - copied)
            figures["in Redis"].append(saved - started)
            written.append(size)
        partition.take(a_round)
    for name, times in figures.items():
        print(f"  {name}: {statistics.median(times):.3f} s (at the most {max(times):.3f})")
    print(f"  written: {statistics.median(written) / 1e6:.1f} MB")
    started = time.perf_counter()
    found = (await store.load(TOPIC, 0)).checkpoint
    assert found is not None
    read = time.perf_counter()
    engine = Engine.live(partition.engine.succession, 0, 1)
    engine.restore(found.state)
    print(
        f"  loaded: {time.perf_counter() - started:.3f} s, of which {read - started:.3f} from Redis"
    )
    await store.close()


async def work(partitions: list[Partition], url: str, seconds: float) -> None:
    """Print what part of a worker's processor time goes into saving where it is never idle: all of
    it, in all threads, that does not go into detection."""
    store = RedisCheckpoints.at(url)
    loaded = {
        TP(TOPIC, number): Loaded(one.engine, 0, number, await store.load(TOPIC, number))
        for number, one in enumerate(partitions)
    }
    lock, metrics = asyncio.Lock(), Metrics()

    async def saved(tp: TP, next_offset: int) -> None:
        """Nobody is told."""

    saving = Saving(
        loaded, lock, lambda: True, len(partitions), INTERVAL_S, metrics, saved, _unseated
    )
    task = asyncio.create_task(saving.run())
    spent = detection = 0.0
    started, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - started < seconds:
        making = time.thread_time()
        batch = partitions[0].upcoming(BATCH)
        spent += time.thread_time() - making
        for one, state in zip(partitions, loaded.values(), strict=True):
            async with lock:
                began = time.thread_time()
                one.engine.process_columns(batch)
                detection += time.thread_time() - began
                one.taken += BATCH
                state.next_offset += BATCH
            await asyncio.sleep(0)
    used = time.process_time() - cpu - spent
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    samples = {
        sample.name: sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
    }
    saves = max(1, int(samples["mucktrack_checkpoint_seconds_count"]))
    still_s = samples["mucktrack_checkpoint_copy_seconds_sum"] / saves
    print(
        f"  {saves} checkpoints in {seconds:g} s, each partition every "
        f"{seconds * len(partitions) / saves:.1f} s; detection stood still for "
        f"{still_s * 1000:.1f} ms each"
    )
    print(f"  {(used - detection) / used:.1%} of the processor's time went into them")
    await store.close()


def _unseated(tp: TP, loaded: Loaded, error: Exception) -> None:
    raise error


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkpoint")
    parser.add_argument("--trucks", type=int, default=100_000, help="of the one partition")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--partitions", type=int, default=12, help="of the worker")
    parser.add_argument("--each", type=int, default=10_000, help="trucks of each of them")
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, valkey(Path(folder)) as server:
        city = benchmark_city(options.trucks)
        prepared = PreparedCity.of(city)
        load = Load(city, offending=OFFENDING)
        one = Partition(prepared, load)
        print(f"one partition of {options.trucks:,} trucks, saved every {INTERVAL_S:g} s")
        asyncio.run(one_partition(one, server.address, options.rounds, INTERVAL_S))
        del one, load
        city = benchmark_city(options.each)
        prepared = PreparedCity.of(city)
        load = Load(city, offending=OFFENDING)
        many = [Partition(prepared, load) for _ in range(options.partitions)]
        print(f"{options.partitions} partitions of {options.each:,} trucks, never idle")
        for _ in range(3):
            asyncio.run(work(many, server.address, options.seconds))


if __name__ == "__main__":
    main()
