"""`mucktrack detect`, `worker` and `score`: the engine over files, over the stream, and how good it
is."""

import sys
from pathlib import Path

import click

from mucktrack.failures import BadInputError
from mucktrack.options import (
    COLUMNS,
    POSITION_FILES,
    TARGET,
    TRUCK,
    FilePath,
    required,
    with_settings,
)
from mucktrack.settings import Settings


@click.command("detect")
@POSITION_FILES
@COLUMNS
@TRUCK
@with_settings()
@click.option(
    "--city",
    "cities",
    multiple=True,
    type=FilePath(),
    metavar="DIR[@TIME]",
    help="City directory; more of them with the time from which each is in force (ISO 8601; "
    "without an offset the city's local time): --city OLD --city NEW@2026-12-01T00:00  "
    "[MUCKTRACK_CITY]",
)
@click.option(
    "--violations",
    type=TARGET,
    metavar="FILE",
    show_default="standard output",
    help="Where violations go, one JSON object a line.",
)
@click.option("--trips", type=TARGET, metavar="FILE", help="Where ended trips go.")
@click.option(
    "--rejected",
    type=TARGET,
    metavar="FILE",
    help="Where positions that fail the quality gate go, with reason and where they came from.",
)
@click.option(
    "--stats", is_flag=True, help="Print how many violations there were, by rule and phase."
)
@click.option(
    "--explain",
    metavar="TRUCK",
    help="Instead of violations, print for each position of a truck what was known, and why each "
    "rule was true or false.",
)
@click.option(
    "--at",
    metavar="TIME",
    help="With --explain: the fix at or before TIME and the one after. ISO 8601, local to the city "
    "without an offset, or Unix milliseconds.",
)
@click.option("--json", "as_json", is_flag=True, help="With --explain: one JSON object a line.")
@click.option("--batch-size", type=click.IntRange(min=1), hidden=True)
def detect(
    files: tuple[Path, ...],
    columns: Path | None,
    truck_id: str | None,
    settings: Settings,
    cities: tuple[Path, ...],
    violations: Path | None,
    trips: Path | None,
    rejected: Path | None,
    stats: bool,
    explain: str | None,
    at: str | None,
    as_json: bool,
    batch_size: int | None,
) -> None:
    """Judge the positions in files.

    FILE is .jsonl (a position a line), .csv or .parquet with our names of fields, .gpx (a truck a
    track), or with --columns a vendor's export; several are read one after another, as if they were
    one. Or it is the folder of an archive, alone: then the verdicts are those of a worker
    that has come as far. Each position is judged by the city in force at its own time. What is
    written to a file appears when it is complete; `-` is standard output.
    """
    cities = cities or (required(settings, "city"),)
    from mucktrack.file_reading import reading_of

    reading = reading_of(columns, truck_id)
    if explain is not None:
        if violations or trips or rejected or stats:
            raise click.UsageError(
                "--explain prints explanations alone; leave out --violations, --trips, --rejected "
                "and --stats"
            )
        from mucktrack.explain import Asked
        from mucktrack.explain import explain as explain_truck

        explain_truck(cities, files, Asked(explain, at, as_json), reading)
        return
    if at is not None or as_json:
        raise click.UsageError(f"{'--json' if at is None else '--at'} needs --explain TRUCK")
    from mucktrack.detect import Targets
    from mucktrack.detect import detect as detect_files
    from mucktrack.outputs import STANDARD_OUTPUT

    targets = Targets(violations or STANDARD_OUTPUT, trips, rejected)
    detect_files(cities, files, targets, batch_size, with_stats=stats, reading=reading)


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
    "checkpoint_s",
    "trucks_a_partition",
    "state_dir",
)
@click.option("--metrics-port-file", type=FilePath(), hidden=True)
def worker(settings: Settings, metrics_port_file: Path | None) -> None:
    """Judge positions as they arrive on Kafka.

    Works until Ctrl-C or SIGTERM. Several share the work: each takes some of the partitions.
    """
    city = required(settings, "city")
    from mucktrack.access import kafka_access
    from mucktrack.worker import run

    sys.exit(run(settings, city, kafka_access(settings), metrics_port_file))


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
