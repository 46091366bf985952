"""`mucktrack archive`: positions as they came, kept."""

from pathlib import Path

import click

from mucktrack.failures import BadInputError
from mucktrack.options import FilePath, required, with_settings
from mucktrack.settings import SETTINGS, Settings
from streams.topics import POSITIONS


@click.command("archive")
@click.option(
    "--folder",
    type=FilePath(),
    metavar="DIR",
    help=f"The archive; made where there is none.  [{SETTINGS['archive'].variable}]",
)
@with_settings(
    "kafka",
    "partitions",
    "archive_roll_s",
    "archive_days",
    "metrics_host",
    "archive_metrics_port",
)
@click.option("--topic", default=POSITIONS, hidden=True)
@click.option("--metrics-port-file", type=FilePath(), hidden=True)
def archive(
    settings: Settings, folder: Path | None, topic: str, metrics_port_file: Path | None
) -> None:
    """Keep what arrives on Kafka, as Parquet files.

    Every record of gps.positions is kept exactly once, byte for byte, whatever becomes of its
    positions; a file holds those of one day and partition. Works until Ctrl-C or SIGTERM; where it
    goes on next time is said by the files that are there. `mucktrack detect --city DIR ARCHIVE`
    reaches the verdicts of a worker from them.
    """
    required(settings, "kafka")
    folder = folder or settings.archive
    if folder is None:
        raise BadInputError(f"no folder: give --folder or {SETTINGS['archive'].variable}")
    from mucktrack.access import kafka_access
    from mucktrack.archive import archive as keep

    keep(settings, kafka_access(settings), folder, topic, metrics_port_file)
