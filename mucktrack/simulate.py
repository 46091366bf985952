"""`mucktrack simulate`: a simulated fleet onto the topic, or into a file."""

import time
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from geofences.city import City
from mucktrack import city_check
from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.interruptible import interruptible
from mucktrack.outputs import check_distinct
from producers.demo_city import DEMO_CITY
from producers.fleet import Fleet, SimulationError
from producers.publisher import Publisher, PublishError
from producers.road_map import RoadsError, read_roads
from producers.simulate import (
    HOUR_MS,
    Simulation,
    file_start_ms,
    live_start_ms,
    simulate_to_files,
)
from streams.access import KafkaAccess
from streams.topics import POSITIONS


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be simulated."""

    city: Path | None
    """None = the city that comes along."""
    trucks: int
    share: float
    """Of the loaded trips, that offend."""
    seed: int
    hours: float | None
    """Of event time; None = until a signal."""
    labels: Path | None
    """Where the offences are told."""
    noise: float
    """Of receivers, sensors and networks; 1 = as it usually is, 0 = none."""
    start: datetime | None
    """None = an evening in the past, or for a file, one that is always the same."""

    def start_ms(self, otherwise_ms: int) -> int:
        return otherwise_ms if self.start is None else round(self.start.timestamp() * 1000)


def simulate_to_file(plan: Plan, positions: Path, hours: float) -> None:
    """Write the positions of so many hours as JSON lines. Raises `BadInputError`."""
    if positions.suffix != ".jsonl":
        raise BadInputError(f"{positions}: positions are written as JSON lines; name a .jsonl file")
    check_distinct([positions, plan.labels], inputs=[])
    city = city_check.load(plan.city or DEMO_CITY)
    start_ms = plan.start_ms(file_start_ms(city))
    try:
        fleet = fleet_of(plan, city, start_ms)
        done = simulate_to_files(fleet, positions, plan.labels, start_ms, hours)
    except SimulationError as error:
        raise BadInputError(str(error)) from None
    _say("wrote", done.positions, done.labels)


def simulate(plan: Plan, kafka: KafkaAccess, partitions: int, speed: float | None) -> None:
    """Publish until the hours are over, or until SIGINT or SIGTERM, and say how much it was.

    `speed`: simulated seconds a second; None = as fast as it goes. Raises `BadInputError`, and
    `WorkFailedError` where the broker does not take what is published.
    """
    city = city_check.load(plan.city or DEMO_CITY)
    start_ms = plan.start_ms(live_start_ms(city, time.time_ns() // 1_000_000))
    until_ms = None if plan.hours is None else start_ms + round(plan.hours * HOUR_MS)
    try:
        fleet = fleet_of(plan, city, start_ms)
        with ExitStack() as stack:
            # Unbuffered: the labels are to be there whatever becomes of this process.
            labels = stack.enter_context(
                plan.labels.open("wb", buffering=0) if plan.labels else nullcontext()
            )
            publisher = stack.enter_context(Publisher(kafka, POSITIONS, partitions))
            sink = stack.enter_context(interruptible(publisher))
            simulation = Simulation(fleet, sink, labels)
            try:
                simulation.run(speed=speed, until_ms=until_ms)
            except KeyboardInterrupt:
                simulation.bring_in(publisher)
    except SimulationError as error:
        raise BadInputError(str(error)) from None
    except PublishError as error:
        raise WorkFailedError(str(error)) from None
    except OSError as error:
        raise BadInputError(f"{error.filename or plan.labels}: {error.strerror}") from None
    # The publisher's count: a signal can come when a position is out and not yet counted here.
    _say("published", publisher.counts.positions, simulation.done.labels)


def fleet_of(plan: Plan, city: City, start_ms: int) -> Fleet:
    """Raises `SimulationError`, and `BadInputError` where the city's file of roads cannot be
    used."""
    try:
        roads = read_roads(plan.city or DEMO_CITY)
    except RoadsError as error:
        raise BadInputError(str(error)) from None
    return Fleet(
        city,
        trucks=plan.trucks,
        seed=plan.seed,
        start_ms=start_ms,
        share=plan.share,
        roads=roads,
        noise=plan.noise,
    )


def _say(verb: str, positions: int, labels: int) -> None:
    click.echo(f"{verb} {positions} positions · offences labelled {labels}", err=True)
