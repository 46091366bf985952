"""`mucktrack size`: what so many trucks take."""

import click

from mucktrack.options import Number


@click.command("size")
@click.option(
    "--trucks", type=click.IntRange(1, 100_000_000), metavar="N", required=True, help="Trucks."
)
@click.option(
    "--every",
    "every_s",
    type=Number(0, min_open=True),
    metavar="SECONDS",
    default=10.0,
    show_default=True,
    help="How often each reports.",
)
@click.option(
    "--worker-rate",
    type=Number(0, min_open=True),
    metavar="N",
    help="Positions/s that one core of a worker judges, where it was measured on your machines.",
)
def size(trucks: int, every_s: float, worker_rate: float | None) -> None:
    """Print how much of everything so many trucks take.

    Partitions, workers, gateways, Kafka, Redis, disks: what docs/sizing.md has for four fleets,
    with the same arithmetic.
    """
    from mucktrack.sizing import Measured
    from mucktrack.sizing import size as of_fleet
    from mucktrack.sizing_page import lines

    measured = Measured() if worker_rate is None else Measured(worker_positions_s=worker_rate)
    found = lines(of_fleet(trucks, every_s, measured=measured))
    width = max(len(name) for name, _ in found)
    for name, value in found:
        click.echo(f"{name.replace('`', ''):{width}}  {value}")
