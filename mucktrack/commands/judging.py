"""`mucktrack detect`, `worker` and `score`: the engine over files, over the stream, and how good it
is."""

import sys
from pathlib import Path

import click

from mucktrack.failures import BadInputError
from mucktrack.options import POSITION_FILES, TARGET, FilePath, required, with_settings
from mucktrack.settings import Settings


@click.command("detect")
@POSITION_FILES
@with_settings("city")
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
    violations: Path,
    trips: Path | None,
    rejected: Path | None,
    batch_size: int | None,
) -> None:
    """Judge the positions in files.

    FILE is .jsonl (a position a line), .csv or .parquet; several are read one after another, as if
    they were one. What is written to a file appears when it is complete; `-` is standard output.
    """
    city = required(settings, "city")
    from mucktrack.detect import Targets
    from mucktrack.detect import detect as detect_files

    detect_files(city, files, Targets(violations, trips, rejected), batch_size)


@click.command("worker")
@with_settings(
    "kafka",
    "redis",
    "city",
    "partitions",
    "group",
    "metrics_host",
    "metrics_port",
    "session_timeout_s",
    "state_dir",
)
@click.option("--metrics-port-file", type=FilePath(), hidden=True)
def worker(settings: Settings, metrics_port_file: Path | None) -> None:
    """Judge positions as they arrive on Kafka.

    Works until Ctrl-C or SIGTERM. Several share the work: each takes some of the partitions.
    """
    city, kafka = required(settings, "city"), required(settings, "kafka")
    from mucktrack.worker import run

    sys.exit(run(settings, city, kafka, metrics_port_file))


@click.command("score")
@click.argument("labels", metavar="LABELS", type=FilePath())
@click.argument("violations", metavar="VIOLATIONS", type=FilePath())
def score(labels: Path, violations: Path) -> None:
    """Compare violations with the labels of simulated offences.

    LABELS is what `simulate` wrote, VIOLATIONS what `detect` wrote of the same positions. Prints
    recall (offences found) and precision (alarms that were offences) for each rule and overall.

    A label and an alarm (a violation with all its phases) agree where truck and rule are the same
    and their times, give or take a minute, overlap. `found`: labels with which an alarm agrees;
    `right`: alarms with which a label agrees.

    Partial labels are of offences cut off by the beginning or end of the simulation, or about as
    short as the rule's threshold: to find one is right, not to find it is no miss, and so they are
    not counted. Hence, and because an offence that pauses may be two alarms, there may be more
    alarms than labels.
    """
    from producers.labels import LinesError, read_labels
    from producers.score import partial_line, read_violations, table
    from producers.score import score as compare

    try:
        told = read_labels(labels)
        scores = compare(told, read_violations(violations))
    except LinesError as error:
        raise BadInputError(str(error)) from None
    for line in table(scores):
        click.echo(line)
    click.echo(partial_line(told))
