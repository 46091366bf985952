"""Where a run of `mucktrack up` begins, on servers that may hold earlier ones.

A worker reads the log from where it left off, or from its start. Until it is through with what lies
there its figures are those of earlier runs, and a fleet whose time is not later than theirs would
be rejected. `mucktrack.up` calls this between the worker's start and the fleet's.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import closing

from kafka.errors import KafkaError

from geofences.city import City
from mucktrack.failures import WorkFailedError
from mucktrack.scrape import WorkerFigures
from producers.broker import PublishError, connect, reason
from producers.simulate import HOUR_MS, live_start_ms
from streams.access import KafkaAccess
from streams.position import MIN_TIME_MS, encode_tick
from streams.topics import POSITIONS

STALLED_S = 60.0
"""A worker that takes no record for so long has failed."""
POLL_S = 0.1
ACKNOWLEDGED_S = 15.0
PAUSE_MS = 2 * HOUR_MS
"""Between two fleets: enough for a truck to be on the other side of the city without a jump."""
DAY_MS = 24 * HOUR_MS


def catch_up(
    kafka: KafkaAccess, partitions: int, figures_now: Callable[[], WorkerFigures | None]
) -> WorkerFigures:
    """Wait until the worker has processed what is on the topic by now; its figures then.

    `figures_now` gives the worker's figures, None where it does not answer, and raises where it has
    failed. Raises `WorkFailedError` when the broker or the worker gets no further.
    """
    marks = _mark(kafka, partitions)
    progress: Mapping[int, int] = {}
    deadline = time.monotonic() + STALLED_S
    while time.monotonic() < deadline:
        figures = figures_now()
        if figures is not None:
            if all(figures.next_offsets.get(one, 0) > marks[one] for one in marks):
                # Those that told of the last offset may be from just before the rest was counted.
                return figures_now() or figures
            if figures.next_offsets != progress:
                progress, deadline = figures.next_offsets, time.monotonic() + STALLED_S
        time.sleep(POLL_S)
    raise WorkFailedError(
        f"worker: it has not come to the end of {POSITIONS}, and has taken no record for "
        f"{STALLED_S:g} s"
    )


def fleet_start_ms(city: City, now_ms: int, after_ms: int | None) -> int:
    """When a live fleet begins: at its usual hour, on the first day that is late enough after
    `after_ms`, the highest time a worker knows (None = none)."""
    start_ms = live_start_ms(city, now_ms)
    if after_ms is None:
        return start_ms
    days = -((start_ms - PAUSE_MS - after_ms) // DAY_MS)
    return start_ms + max(0, days) * DAY_MS


def _mark(kafka: KafkaAccess, partitions: int) -> dict[int, int]:
    """Put a tick that moves no watermark, being of the earliest time there is, at the end of each
    partition; their offsets.

    The broker is not asked for the ends: the embedded one answers too little.
    """
    value = encode_tick(MIN_TIME_MS)
    try:
        with closing(
            connect(kafka, POSITIONS, partitions, None, round(ACKNOWLEDGED_S * 1000))
        ) as producer:
            sent = [producer.send(POSITIONS, value, partition=one) for one in range(partitions)]
            return {one.partition: one.offset for one in (it.get(ACKNOWLEDGED_S) for it in sent)}
    except PublishError as error:
        raise WorkFailedError(str(error)) from None
    except KafkaError as error:
        raise WorkFailedError(f"Kafka at {kafka}: {reason(error)}") from None
