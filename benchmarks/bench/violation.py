"""What one violation costs a worker: put into words by the engine, encoded, sent, acknowledged.

The engine and the outputs are those of a worker, in micro-batches of its size, with a real broker;
the time is this process' processor time, less all that a position costs without a violation.
"""

import asyncio
import time
from pathlib import Path

from benchmarks.bench.sizes import Sizes
from benchmarks.core import WARM_REPORTS
from benchmarks.load import Load, pieces
from mucktrack.embedded import tansu
from mucktrack.topics import create_topics
from streams.access import KafkaAccess
from streams.detect import Engine, Outcome, PreparedCity
from streams.metrics import Metrics
from streams.output import Violation, ce_headers, encode
from streams.sinks import Output, Outputs
from streams.topics import VIOLATIONS
from streams.worker import MAX_ELEMENTS

PARTITIONS = 12
MOST_POSITIONS = 1_000_000


class _Timed(Engine):
    """An engine that knows how long it took to put what happened into words."""

    reporting_s = 0.0

    def _drain(self, outcome: Outcome) -> None:
        started = time.process_time()
        super()._drain(outcome)
        self.reporting_s += time.process_time() - started


def violation_us(folder: Path, load: Load, sizes: Sizes) -> float:
    """Microseconds a violation, over some thousands of them."""
    engine = _Timed.offline(PreparedCity.of(load.city))
    engine.trucks.rows_of(load.fleet.truck_ids)
    warm = WARM_REPORTS * sizes.trucks
    engine.process_columns(load.columns(0, warm))
    with tansu(folder) as kafka:
        access = KafkaAccess.plain(kafka.address)
        create_topics(access, PARTITIONS)
        return asyncio.run(_spend(engine, access, load, warm, min(sizes.positions, MOST_POSITIONS)))


async def _spend(
    engine: Engine, kafka: KafkaAccess, load: Load, first: int, positions: int
) -> float:
    assert isinstance(engine, _Timed)
    outputs = Outputs(kafka, Metrics())
    sending_s, sent = 0.0, 0
    # Connected, and met every branch once, before the clock starts.
    first, warm = first + MAX_ELEMENTS, load.columns(first, first + MAX_ELEMENTS)
    await outputs.send(_outputs(engine.process_columns(warm).violations))
    engine.reporting_s = 0.0
    for start, stop in pieces(positions, MAX_ELEMENTS):
        found = engine.process_columns(load.columns(first + start, first + stop)).violations
        started = time.process_time()
        await outputs.send(_outputs(found))
        sending_s += time.process_time() - started
        sent += len(found)
    await outputs.close()
    if not sent:
        raise SystemExit("no violation came of so few positions: more of them")
    return (engine.reporting_s + sending_s) / sent * 1e6


def _outputs(violations: list[Violation]) -> list[Output]:
    """As `streams.worker` makes them."""
    return [
        Output(VIOLATIONS, encode(one), one.truck_id.encode(), ce_headers(one))
        for one in violations
    ]
