"""A nation's positions as they are sent: ready-made Produce requests in files, and their index.

`make` writes them, in two processes, before the clock of `benchmarks.nation` starts, and
`benchmarks.nation_send` sends them. A request holds what all trucks report in `STEP_S`, as arrays
of about 500 in a batch of each partition, compressed by lz4. Knows nothing of brokers.
"""

import itertools
import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.bench.batches import paced
from benchmarks.bench.wire import produce_request
from benchmarks.load import Load
from streams.topics import POSITIONS

STEP_S = 0.1
ARRAY = 600
"""Positions at most: 2,083 of a partition become four arrays of 521."""
PROCESSES = 2
INDEX = "index.json"


class Request(msgspec.Struct, frozen=True):
    """Where a request is, and what it holds."""

    file: str
    start: int
    """First byte."""
    length: int
    positions: int
    records: int


class Index(msgspec.Struct, frozen=True):
    """All requests, in the order in which they are due, `STEP_S` apart."""

    trucks: int
    rate: int
    seconds: float
    partitions: int
    offending: float
    value_bytes: float
    """Of JSON a position, on average."""
    requests: list[Request]

    @property
    def positions(self) -> int:
        return sum(request.positions for request in self.requests)

    @property
    def records(self) -> int:
        return sum(request.records for request in self.requests)

    @property
    def sent_bytes(self) -> int:
        return sum(request.length for request in self.requests)


def make(
    folder: Path, load: Load, *, trucks: int, rate: int, seconds: float, partitions: int
) -> Index:
    """Write the requests and their index."""
    steps = round(seconds / STEP_S)
    step = round(rate * STEP_S)
    cuts = [steps * number // PROCESSES for number in range(PROCESSES + 1)]
    # Forked: they share the city and the fleet, which take a minute to make.
    context = multiprocessing.get_context("fork")
    global _work
    _work = _Work(folder, load, partitions, step)
    with context.Pool(PROCESSES) as pool:
        parts = pool.starmap(_write, itertools.pairwise(cuts))
    sample = load.positions(0, min(1_000, trucks))
    index = Index(
        trucks=trucks,
        rate=rate,
        seconds=seconds,
        partitions=partitions,
        offending=load.offending,
        value_bytes=len(msgspec.json.encode(sample)) / len(sample),
        requests=[request for part in parts for request in part],
    )
    (folder / INDEX).write_bytes(msgspec.json.encode(index))
    return index


def read_index(folder: Path) -> Index | None:
    """None where there is none."""
    file = folder / INDEX
    return msgspec.json.decode(file.read_bytes(), type=Index) if file.exists() else None


class _Work(msgspec.Struct):
    folder: Path
    load: Load
    partitions: int
    step: int


_work: _Work
"""What forked processes find."""


def _write(first: int, last: int) -> Sequence[Request]:
    work = _work
    requests: list[Request] = []
    name = f"requests-{first}.bin"
    with (work.folder / name).open("wb") as file:
        frames = paced(
            work.load, first * work.step, last * work.step, work.partitions, ARRAY, work.step
        )
        for frame in frames:
            request = produce_request(POSITIONS, frame.batches)
            records = sum(frame.records.values())
            requests.append(Request(name, file.tell(), len(request), frame.positions, records))
            file.write(request)
    return requests
