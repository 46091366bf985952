"""`mucktrack detect`, `worker` and `score`: the engine over files, over the stream, and how good it
is."""

import sys
from pathlib import Path

import click

from mucktrack.failures import BadInputError
from mucktrack.options import POSITION_FILES, TARGET, required, with_settings
from mucktrack.settings import Settings


@click.command("detect")
@POSITION_FILES
@with_settings()
@click.option(
    "--city",
    "cities",
    multiple=True,
    metavar="DIR[@TIME]",
    help="City directory; more of them with the time from which each is in force (ISO 8601; "
    "without an offset the city's local time): --city OLD --city NEW@2026-12-01T00:00  "
    "[MUCKTRACK_CITY]",
)
@click.option(
    "--violations",
    type=TARGET,
    default="-",
    metavar="FILE",
    show_default="standard output",
    help="Where violations go, one JSON object a line.",
)
@click.option("--trips", type=TARGET, metavar="FILE", help="Where ended trips go.")
@click.option(
    "--rejected",
    type=TARGET,
    metavar="FILE",
    help="Where positions that fail the quality gate go, with reason, file and line.",
)
@click.option("--batch-size", type=click.IntRange(min=1), hidden=True)
def detect(
    files: tuple[Path, ...],
    settings: Settings,
    cities: tuple[str, ...],
    violations: Path,
    trips: Path | None,
    rejected: Path | None,
    batch_size: int | None,
) -> None:
    """Judge the positions in files.

    FILE is .jsonl (a position a line), .csv or .parquet; several are read one after another, as if
    they were one. Each position is judged by the city in force at its own time. What is written to
    a file appears when it is complete; `-` is standard output.
    """
    if not cities:
        cities = (str(required(settings, "city")),)
    from mucktrack.detect import Targets
    from mucktrack.detect import detect as detect_files

    detect_files(cities, files, Targets(violations, trips, rejected), batch_size)


@click.command("worker")
@with_settings(
    "kafka",
    "redis",
    "city",
    "partitions",
    "group",
    "metrics_host",
    "metrics_port",
    "state_dir",
)
@click.option("--metrics-port-file", type=click.Path(path_type=Path), hidden=True)
def worker(settings: Settings, metrics_port_file: Path | None) -> None:
    """Judge positions as they arrive on Kafka.

    Works until Ctrl-C or SIGTERM. Several share the work: each takes some of the partitions.
    """
    city, kafka = required(settings, "city"), required(settings, "kafka")
    from mucktrack.worker import run

    sys.exit(run(settings, city, kafka, metrics_port_file))


@click.command("score")
@click.argument("labels", metavar="LABELS", type=click.Path(path_type=Path))
@click.argument("violations", metavar="VIOLATIONS", type=click.Path(path_type=Path))
def score(labels: Path, violations: Path) -> None:
    """Compare violations with the labels of simulated offences.

    LABELS is what `simulate` wrote, VIOLATIONS what `detect` wrote of the same positions. Prints
    recall (offences found) and precision (violations that were offences) for each rule and overall.
    """
    from producers.labels import LinesError, read_labels
    from producers.score import read_violations, table
    from producers.score import score as compare

    try:
        scores = compare(read_labels(labels), read_violations(violations))
    except LinesError as error:
        raise BadInputError(str(error)) from None
    for line in table(scores):
        click.echo(line)
