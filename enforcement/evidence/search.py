"""From where on the positions of a truck are needed to reach a verdict again.

What is known of a truck at a violation (loaded, trip, stop, the last fixes) comes from its
positions before, however far back. So more and more of them are judged alone, until the workers'
verdict comes of it to the byte; the package then holds what was judged, from there to the position
or tick that brought the last phase about, and nothing else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from enforcement.evidence.arrivals import Partition, Piece, with_others
from enforcement.evidence.contents import Arrival
from enforcement.evidence.retrial import Bench, Verdicts
from streams.position import Malformed, Position, Tick
from streams.succession import Succession

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
EARLY_MS: Final = 10 * MINUTE_MS
"""A record may say that it is so much older than the position in it: clocks differ."""


class Steps(NamedTuple):
    """In which more and more is taken; None = all that there is."""

    before_ms: tuple[int | None, ...]
    """Before the first violation's beginning."""
    after_ms: tuple[int | None, ...]
    """After the last phase: terminals send later what they stored."""


ALONE: Final = Steps(
    (
        *(10 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS),
        *(16 * HOUR_MS, DAY_MS, 2 * DAY_MS, 4 * DAY_MS, 8 * DAY_MS, 16 * DAY_MS, 32 * DAY_MS),
        None,
    ),
    (2 * HOUR_MS, DAY_MS, None),
)
"""With the truck's positions and the ticks."""
WITH_OTHERS: Final = Steps((HOUR_MS, 8 * HOUR_MS, DAY_MS, 2 * DAY_MS), (2 * HOUR_MS, DAY_MS))
"""Where all positions of the partition have to be judged, which takes its time."""


class Span(NamedTuple):
    """What is taken of a partition."""

    first: int
    """Piece."""
    end: int
    """Piece after the last."""
    from_ms: int | None
    """From which time on the truck's positions count; None = all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which verdicts are to be reached."""

    truck_id: str
    wanted: Verdicts
    started_ms: int
    """When the first violation began."""
    detected_ms: int
    """Of the last phase."""


def search(
    partition: Partition, asked: Asked, successions: Sequence[Succession]
) -> tuple[list[Arrival], Succession] | None:
    """The least that reaches the verdicts, and by which versions; None where nothing does."""
    for steps in (ALONE, WITH_OTHERS):
        for succession in successions:
            bench = Bench(succession, partition.number, partition.count)
            for span in _spans(partition, asked, steps):
                arrivals = _arrivals(partition, span, asked, bench, others=steps is WITH_OTHERS)
                found = _reached(_cut(arrivals, span.from_ms), asked, bench)
                if found is not None:
                    return found, succession
    return None


def _spans(partition: Partition, asked: Asked, steps: Steps) -> Iterator[Span]:
    """Ever more of it."""
    told: set[Span] = set()
    for after_ms in steps.after_ms:
        end = _end(partition.pieces, None if after_ms is None else asked.detected_ms + after_ms)
        for before_ms in steps.before_ms:
            from_ms = None if before_ms is None else asked.started_ms - before_ms
            span = Span(_first(partition.pieces, from_ms), end, from_ms)
            if span not in told:
                told.add(span)
                yield span


def _first(pieces: Sequence[Piece], from_ms: int | None) -> int:
    """The first piece with records of that time; those without times are taken along."""
    if from_ms is not None:
        for number, piece in enumerate(pieces):
            if piece.has_come_to(from_ms - EARLY_MS) is not False:
                return number
    return 0


def _end(pieces: Sequence[Piece], by_ms: int | None) -> int:
    """The number after the first piece that has come to that time."""
    if by_ms is not None:
        for number, piece in enumerate(pieces):
            if piece.has_come_to(by_ms):
                return number + 1
    return len(pieces)


def _arrivals(
    partition: Partition, span: Span, asked: Asked, bench: Bench, *, others: bool
) -> list[Arrival]:
    pieces = partition.pieces[span.first : span.end]
    if others:
        numbers = partition.number, partition.count
        return with_others(pieces, asked.truck_id, bench.succession, numbers)
    return [arrival for piece in pieces for arrival in piece.own()]


def _cut(arrivals: Sequence[Arrival], from_ms: int | None) -> Sequence[Arrival]:
    """From the truck's first position of that time on, with what moved the watermark before."""
    if from_ms is None:
        return arrivals
    clocks: list[Arrival] = []
    for number, arrival in enumerate(arrivals):
        if arrival.clock_ms is not None:
            clocks.append(arrival)
            continue
        element = arrival.element()
        if isinstance(element, Position | Malformed) and (element.time_ms or 0) >= from_ms:
            return [*clocks, *arrivals[number:]]
    return []


def _reached(arrivals: Sequence[Arrival], asked: Asked, bench: Bench) -> list[Arrival] | None:
    if not arrivals or not bench.reaches(arrivals, asked.wanted):
        return None
    needed = arrivals[: bench.shortest(arrivals, asked.wanted)]
    least = _without_idle_clocks(needed, bench.succession)
    return least if bench.reaches(least, asked.wanted) else list(needed)


def _without_idle_clocks(arrivals: Sequence[Arrival], succession: Succession) -> list[Arrival]:
    """Of what moved the watermark between two positions, what moved it furthest."""
    kept: list[Arrival] = []
    furthest: Arrival | None = None
    reached_ms = 0

    def watermark_ms(arrival: Arrival) -> int:
        time_ms = arrival.clock_ms or 0
        limits = succession.in_force(time_ms).limits
        return time_ms - int(limits[0].watermark_delay_ms)

    for arrival in arrivals:
        if arrival.clock_ms is None:
            if furthest is not None:
                kept.append(furthest)
                furthest = None
            kept.append(arrival)
        elif watermark_ms(arrival) > reached_ms:
            reached_ms, furthest = watermark_ms(arrival), arrival
    return kept if furthest is None else [*kept, furthest]


def pruned(succession: Succession, arrivals: Sequence[Arrival]) -> range:
    """The numbers of the versions that were in force at the times of `arrivals`."""
    times = [
        time_ms
        for element in (one.element() for one in arrivals)
        if (time_ms := element.tick_ms if isinstance(element, Tick) else element.time_ms)
    ]
    return range(succession.number_at(min(times)), succession.number_at(max(times)) + 1)
