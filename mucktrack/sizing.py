"""How much of everything so many trucks take: arithmetic over measured figures.

`mucktrack size` prints it for one fleet, and docs/sizing.md for four (`mucktrack.sizing_page`).
The figures stand in `Measured`, each with the command that measures it; whoever measures anew on
machines of his own passes others. Knows nothing of what is counted.
"""

import math
from dataclasses import dataclass
from typing import Final

DAY_S: Final = 86_400
MOST_TRUCKS_A_PARTITION: Final = 100_000
"""A partition of so many trucks is loaded again in a third of a second."""
FEWEST_PARTITIONS: Final = 12


@dataclass(frozen=True, slots=True)
class Measured:
    """On one core of a shared two-core machine; rates are those that were kept up."""

    worker_positions_s: float = 300_000
    """From Kafka in arrays, all rules on, with checkpoints: 466,000 by `mucktrack bench worker`, of
    which a third is left for broker and Redis on the same cores and for smaller arrays."""
    gateway_messages_s: float = 20_000
    """Half of what one acknowledges as fast as it goes: `benchmarks.gateway`."""
    gateway_connections: int = 20_000
    """What `MUCKTRACK_GATEWAY_CONNECTIONS` allows."""
    archiver_positions_s: float = 280_000
    """`benchmarks.archive`."""
    position_bytes: float = 115
    """In Kafka, packed with lz4, from a gateway whose arrays are small; 60 to 64 in larger ones."""
    frame_bytes: float = 85
    """Of `gps.raw`, packed likewise."""
    archived_bytes: float = 46
    """`benchmarks.archive`."""
    violations_a_truck_day: float = 0.1
    """What a city has is its own; the simulated fleet has more."""
    violation_bytes: float = 1_700
    """In Kafka, packed: two phases of 820 bytes."""
    case_bytes: float = 8_000
    """In the database, of a violation: 5,800 with its case as it is opened, and the steps."""
    truck_memory_bytes: float = 1_400
    """Of a worker, with room made in advance: `benchmarks.invented`."""
    register_bytes: float = 1_900
    """Of a worker, for each truck in the register, which every worker loads whole: `mucktrack bench
    memory`."""
    checkpoint_bytes: float = 160
    """Of a truck, in Redis: `benchmarks.checkpoint`."""
    live_bytes: float = 400
    """Of a truck, in Redis: its last position, and its place among all."""
    worker_memory_bytes: float = 750e6
    """Before the trucks: code, the map, records on their way."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Days; those of the topics are `mucktrack.topics.TOPICS`."""

    positions: int = 7
    frames: int = 7
    violations: int = 3 * 365
    archive: int = 730


@dataclass(frozen=True, slots=True)
class Size:
    """What a fleet takes; bytes are decimal."""

    positions_s: float
    partitions: int
    workers: int
    worker_cores: float
    """Busy, of all workers together."""
    gateways: int
    archiver_cores: float
    kafka_brokers: int
    kafka_in_bytes_s: float
    """Positions and frames, before brokers copy them among themselves."""
    kafka_out_bytes_s: float
    """To workers and archiver, and from broker to broker."""
    kafka_disk_bytes: float
    """Of all brokers together."""
    archive_disk_bytes: float
    redis_memory_bytes: float
    worker_memory_bytes: float
    """Of each."""
    database_bytes_a_year: float
    catch_up: float
    """How many times as fast as positions come they can be read after an outage."""


def size(
    trucks: int,
    every_s: float,
    *,
    busy: float = 0.5,
    measured: Measured = Measured(),
    kept: Kept = Kept(),
) -> Size:
    """For `trucks` that all report every `every_s` seconds, by day and by night.

    `busy`: the share of a worker's core that may be taken at that rate. One worker more than that
    asks for is reckoned where it is more than one, so that one may be missing, or be replaced.
    """
    rate = trucks / every_s
    worker_cores = rate / measured.worker_positions_s
    needed = math.ceil(worker_cores / busy)
    workers = 1 if trucks <= 20_000 and needed <= 1 else needed + 1
    copies = 1 if workers == 1 else 3
    partitions = _partitions(trucks, workers)
    in_s = rate * (measured.position_bytes + measured.frame_bytes)
    gateways = max(
        math.ceil(trucks / measured.gateway_connections),
        math.ceil(rate / measured.gateway_messages_s),
    )
    a_day = (
        rate
        * DAY_S
        * (measured.position_bytes * kept.positions + measured.frame_bytes * kept.frames)
    )
    violations_day = trucks * measured.violations_a_truck_day
    return Size(
        positions_s=rate,
        partitions=partitions,
        workers=workers,
        worker_cores=worker_cores,
        gateways=gateways if copies == 1 else gateways + 1,
        archiver_cores=rate / measured.archiver_positions_s,
        kafka_brokers=copies,
        kafka_in_bytes_s=in_s,
        kafka_out_bytes_s=rate * measured.position_bytes * 2 + in_s * (copies - 1),
        kafka_disk_bytes=copies
        * (a_day + violations_day * kept.violations * measured.violation_bytes),
        archive_disk_bytes=rate * DAY_S * measured.archived_bytes * kept.archive,
        redis_memory_bytes=2 * trucks * (measured.checkpoint_bytes + measured.live_bytes),
        worker_memory_bytes=measured.worker_memory_bytes
        + trucks * measured.register_bytes
        + trucks / max(1, workers - 1) * measured.truck_memory_bytes,
        database_bytes_a_year=violations_day * 365 * measured.case_bytes,
        catch_up=workers * measured.worker_positions_s / rate,
    )


def _partitions(trucks: int, workers: int) -> int:
    """A multiple of twelve, which many numbers of workers divide; twice the workers at least, so
    that there is room for growth: the number cannot be changed without judging anew."""
    needed = max(2 * workers, math.ceil(trucks / MOST_TRUCKS_A_PARTITION), FEWEST_PARTITIONS)
    return math.ceil(needed / FEWEST_PARTITIONS) * FEWEST_PARTITIONS
