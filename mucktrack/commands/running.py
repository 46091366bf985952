"""`mucktrack up`: everything on one machine."""

import click

from mucktrack.options import Number, with_settings
from mucktrack.settings import Settings


@click.command("up")
@with_settings(
    "city",
    "kafka",
    "redis",
    "kafka_port",
    "redis_port",
    "partitions",
    "replication",
    "state_dir",
    "archive",
    "database",
    "office",
    "webhooks",
    "console_host",
    "console_port",
)
@click.option(
    "--trucks",
    type=click.IntRange(1),
    metavar="N",
    default=200,
    show_default=True,
    help="Trucks in the fleet; at most those with a permit and a route to use it on.",
)
@click.option(
    "--speed",
    type=Number(0, min_open=True),
    metavar="FACTOR",
    default=60.0,
    show_default=True,
    help="Simulated seconds a second.",
)
@click.option(
    "--seconds",
    type=Number(0, min_open=True),
    metavar="N",
    help="End after so many seconds, with a summary.",
)
@click.option(
    "--console/--no-console",
    "with_console",
    default=True,
    help="Whether cases are made and the console is served.",
)
def up(
    settings: Settings, trucks: int, speed: float, seconds: float | None, with_console: bool
) -> None:
    """Run everything on this machine.

    That is a simulated fleet, a worker, an archiver, the console, and Kafka and Redis where none
    are given. Says where the console is and who may log in; where its port is taken, it has
    another. Shows positions, trucks and violations as they come. Ctrl-C stops all; the last line
    then sums up.
    """
    from mucktrack.parts import FleetPlan
    from mucktrack.up import up as run_all

    run_all(settings, FleetPlan(trucks, speed), seconds, with_console=with_console)
