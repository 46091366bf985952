"""`bench memory`: bytes that a truck takes in a worker's engines, its id and its track included.

Each number of trucks is tried in a process of its own, which is this module as a program: it loads
the city, reads positions as they come from Kafka and judges them in an engine for each partition,
and prints how much memory of its own it had before the first one and after the last. The city's
register, which every worker loads whatever trucks report, is no part of that and is told beside it.
"""

import ctypes
import gc
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.bench.core import OFFENDING
from benchmarks.bench.figures import Report
from benchmarks.bench.sizes import Sizes
from benchmarks.city import Plan, write_city
from benchmarks.core import WARM_REPORTS
from benchmarks.invented import resident_mb
from benchmarks.load import Load, pieces
from benchmarks.processes import environment
from geofences.loader import load_city
from streams.batch import Batch
from streams.detect import Engine, PreparedCity
from streams.partition import partition_of
from streams.position import encode_array
from streams.warm import compile_core

PARTITIONS = 12
GOAL_BYTES = 700.0
GOAL_TRUCKS = 1_000_000
CHUNK = 50_000
LENGTH_BYTES = 4


class Memory(msgspec.Struct):
    """What a process has found."""

    trucks: int
    city_mb: float
    engines_mb: float

    @property
    def bytes_a_truck(self) -> float:
        return self.engines_mb * 1e6 / self.trucks


def measure(report: Report, sizes: Sizes, say: Callable[[str], None]) -> None:
    """Adds `bytes_per_truck`, that of the greatest number of trucks."""
    for trucks in sizes.memory_trucks:
        say(f"memory: {trucks:,} trucks")
        found = _in_a_process(trucks, sizes.plan)
        name = f"memory of {trucks:,} trucks, bytes a truck"
        if trucks >= GOAL_TRUCKS:
            report.at_most(name, found.bytes_a_truck, GOAL_BYTES)
        else:
            report.add(name, f"{found.bytes_a_truck:,.0f}")
        report.add("  city and register loaded, MB", f"{found.city_mb:,.0f}")
        report.figures.bytes_per_truck = found.bytes_a_truck


def _in_a_process(trucks: int, plan: Plan) -> Memory:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_city(folder / "city", trucks, plan=plan)
        _write_records(folder, trucks)
        command = [sys.executable, "-m", "benchmarks.bench.memory", name]
        done = subprocess.run(
            command,
            env=environment() | {"PYTHONMALLOC": "malloc"},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    return msgspec.json.decode(done.stdout, type=Memory)


def _write_records(folder: Path, trucks: int) -> None:
    """Some reports of each truck as arrays, each behind its partition and its length."""
    load = Load(load_city(folder / "city"), offending=OFFENDING)
    homes = [partition_of(truck_id, PARTITIONS) for truck_id in load.fleet.truck_ids]
    order = load.fleet.order.tolist()
    with (folder / "records").open("wb") as file:
        for start, stop in pieces(WARM_REPORTS * trucks, CHUNK):
            by_partition: list[list[int]] = [[] for _ in range(PARTITIONS)]
            for number in range(start, stop):
                by_partition[homes[order[number % trucks]]].append(number - start)
            positions = load.positions(start, stop)
            for partition, places in enumerate(by_partition):
                for first, last in pieces(len(places), 1_000):
                    value = encode_array([positions[place] for place in places[first:last]])
                    file.write(partition.to_bytes(LENGTH_BYTES, "big"))
                    file.write(len(value).to_bytes(LENGTH_BYTES, "big"))
                    file.write(value)


def _judge(folder: Path) -> Memory:
    compile_core()
    begun_mb = _resident_mb()
    city = PreparedCity.of(load_city(folder / "city"))
    engines = [Engine.live(city, number, PARTITIONS) for number in range(PARTITIONS)]
    loaded_mb = _resident_mb()
    with (folder / "records").open("rb") as file:
        while head := file.read(LENGTH_BYTES):
            engine = engines[int.from_bytes(head, "big")]
            value = file.read(int.from_bytes(file.read(LENGTH_BYTES), "big"))
            batch = Batch()
            batch.read(value)
            engine.process_batch(batch)
    del value, batch
    trucks = sum(len(engine.trucks) for engine in engines)
    return Memory(trucks, loaded_mb - begun_mb, _resident_mb() - loaded_mb)


def _resident_mb() -> float:
    """Without what is free: trucks would fill what loading the city has left, and seem to take
    nothing. (Hence `PYTHONMALLOC`: Python's own allocator gives nothing back.)"""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    return resident_mb()


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(_judge(Path(sys.argv[1]))))
