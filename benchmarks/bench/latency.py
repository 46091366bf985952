"""`bench latency`: from a fix published to its violation readable on the queue, at a steady rate.

Positions are made into record batches beforehand and sent when they are due, once in arrays and
once as single records. A consumer reads `enforcement.violations` as it fills. Each violation is
timed from the moment at which the record of its detecting fix was sent; those that no fix detects
(a truck that fell silent) are left out.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from kafka import KafkaConsumer, TopicPartition

from benchmarks.bench.batches import Frame, paced
from benchmarks.bench.figures import Report, percentile
from benchmarks.bench.servers import PARTITIONS, Servers, servers
from benchmarks.bench.sizes import Sizes
from benchmarks.bench.wire import Connection
from benchmarks.bench.worker import OFFENDING
from benchmarks.city import write_city
from benchmarks.core import WARM_REPORTS
from benchmarks.load import Load
from benchmarks.processes import total
from geofences.loader import load_city
from streams.topics import POSITIONS, VIOLATIONS

STEP_S = 0.05
"""How often positions are sent: as long as a publisher lets an array wait."""
FETCH_WAIT_MS = 5
SETTLE_S = 3.0
"""Nothing has come for so long: the worker is done."""
WITHIN_S = 120.0
GOAL_P50_MS, GOAL_P99_MS = 150.0, 500.0

Fix = tuple[str, int]
"""Truck and time."""


class _Detected(msgspec.Struct):
    truck_id: str
    detected_ms: int


@dataclass(slots=True)
class Times:
    """When fixes were sent and their violations read, by one clock."""

    sent_s: dict[Fix, float] = field(default_factory=dict)
    read_s: list[tuple[Fix, float]] = field(default_factory=list)

    def waits_ms(self) -> list[float]:
        return [(read - self.sent_s[fix]) * 1000 for fix, read in self.read_s if fix in self.sent_s]


class Queue(threading.Thread):
    """Reads a topic from its present end on, and notes when each record came."""

    def __init__(self, kafka: str, topic: str) -> None:
        super().__init__(daemon=True)
        self.records: list[tuple[bytes, float]] = []
        self._ended = threading.Event()
        self._consumer = KafkaConsumer(
            bootstrap_servers=kafka,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )
        parts = self._consumer.partitions_for_topic(topic) or set()
        self._consumer.assign([TopicPartition(topic, number) for number in parts])

    def run(self) -> None:
        while not self._ended.is_set():
            polled = self._consumer.poll(timeout_ms=FETCH_WAIT_MS * 10)
            now_s = time.monotonic()
            for records in polled.values():
                self.records += [(record.value, now_s) for record in records]

    def wait_until_quiet(self) -> None:
        deadline = time.monotonic() + WITHIN_S
        seen, since_s = len(self.records), time.monotonic()
        while time.monotonic() < min(deadline, since_s + SETTLE_S):
            time.sleep(0.05)
            if len(self.records) != seen:
                seen, since_s = len(self.records), time.monotonic()

    def stop(self) -> None:
        self._ended.set()
        self.join()
        self._consumer.close()


def measure(report: Report, sizes: Sizes, say: Callable[[str], None]) -> None:
    """Adds `latency_p50_ms` and `latency_p99_ms`, the greater ones of arrays and single records."""
    worst: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say("latency: a city")
        write_city(folder / "city", sizes.latency_trucks, plan=sizes.plan)
        load = Load(load_city(folder / "city"), offending=OFFENDING)
        for kind, array in (("arrays", 500), ("single records", 1)):
            say(f"latency: {kind}, {sizes.latency_rate:,} positions/s")
            with servers(folder / kind, folder / "city") as platform:
                waits_ms, late_s = _waits(platform, load, sizes, array)
            found = percentile(waits_ms, 0.5), percentile(waits_ms, 0.99)
            worst.append(found)
            rate = f"{sizes.latency_rate:,} positions/s"
            report.at_most(f"latency, {kind}, {rate}, p50, ms", found[0], GOAL_P50_MS)
            report.at_most(f"latency, {kind}, {rate}, p99, ms", found[1], GOAL_P99_MS)
            report.add("  violations timed", f"{len(waits_ms):,}")
            report.add("  sent late at most, ms", f"{late_s * 1000:,.0f}")
    report.figures.latency_p50_ms = max(p50 for p50, _ in worst)
    report.figures.latency_p99_ms = max(p99 for _, p99 in worst)


def _waits(platform: Servers, load: Load, sizes: Sizes, array: int) -> tuple[list[float], float]:
    """Milliseconds of each violation; seconds that the sender was late at most."""
    step = round(sizes.latency_rate * STEP_S)
    warm = WARM_REPORTS * sizes.latency_trucks // step * step
    last = warm + round(sizes.latency_rate * sizes.latency_s / step) * step
    frames = list(paced(load, warm, last, PARTITIONS, array, step))
    platform.fill(paced(load, 0, warm, PARTITIONS, array, step))
    workers = platform.start_workers(1)
    try:
        workers[0].wait_until_ready()
        while total(workers[0].figures(), "mucktrack_positions_total") < warm:
            workers[0].check()
            time.sleep(0.1)
        queue = Queue(platform.kafka.address, VIOLATIONS)
        queue.start()
        times, late_s = Times(), 0.0
        queue.wait_until_quiet()
        with Connection(platform.kafka.address) as connection:
            late_s = max(_send(connection, frames, load, warm, step, times))
        queue.wait_until_quiet()
        queue.stop()
    finally:
        for worker in workers:
            worker.child.stop()
    decode = msgspec.json.Decoder(_Detected).decode
    for value, read_s in queue.records:
        found = decode(value)
        times.read_s.append(((found.truck_id, found.detected_ms), read_s))
    waits_ms = times.waits_ms()
    if not waits_ms:
        raise SystemExit("no violation came of so few positions: more seconds, or a greater rate")
    return waits_ms, late_s


def _send(
    connection: Connection, frames: list[Frame], load: Load, first: int, step: int, times: Times
) -> Iterator[float]:
    """Send each frame when it is due, and note when; how late each was, in seconds."""
    fixes = [_fixes(load, first + number * step, step) for number in range(len(frames))]
    begun_s = time.monotonic()
    for number, frame in enumerate(frames):
        due_s = begun_s + number * STEP_S
        time.sleep(max(0.0, due_s - time.monotonic()))
        now_s = time.monotonic()
        times.sent_s.update(dict.fromkeys(fixes[number], now_s))
        connection.produce(POSITIONS, frame.batches)
        yield now_s - due_s


def _fixes(load: Load, start: int, count: int) -> list[Fix]:
    batch = load.columns(start, start + count)
    ids = load.fleet.truck_ids
    return [
        (ids[truck], time_ms)
        for truck, time_ms in zip(batch.truck.tolist(), batch.time_ms.tolist(), strict=True)
    ]
