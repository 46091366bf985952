"""The command line (design section 8): names, flags and help; the work is done elsewhere.

Each command's body lives in a module of its own and is imported when the command runs, so that
`--help` is quick. `main` is the program's entry point: it turns what stops a command into one line
on standard error and an exit code (0 done, 1 the work failed, 2 wrong usage or bad input).
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from mucktrack.failures import WorkFailedError
from mucktrack.options import required, with_settings
from mucktrack.settings import Settings

POSITION_FILES = click.argument(
    "files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path)
)
TARGET = click.Path(path_type=Path, allow_dash=True)


def main() -> None:
    """Run the command line and end the process."""
    signal.signal(signal.SIGTERM, _end_by_signal)
    try:
        cli.main(prog_name="mucktrack", standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        _say(error)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("mucktrack: interrupted\n")
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read the output has had enough, as `head` does. What is left is not written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _end_by_signal(number: int, _frame: FrameType | None) -> None:
    """Let `with` and `finally` blocks clean up, as they do after Ctrl-C."""
    raise SystemExit(128 + number)


def _say(error: click.ClickException) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "mucktrack"
    hint = f" (see {command} --help)" if isinstance(error, click.UsageError) else ""
    # A log's end may follow the line that says what happened.
    first, _, rest = error.format_message().partition("\n")
    sys.stderr.write(f"{command}: {first.rstrip('.')}{hint}\n" + (f"{rest}\n" if rest else ""))


def _version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from mucktrack.version import version

        click.echo(f"mucktrack {version()}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
    help="Print the version and end.",
)  # fmt: skip
def cli() -> None:
    """Watch muck trucks and put violations on the enforcement queue within a second.

    To see it work: `mucktrack up`. For verdicts over files: `mucktrack detect`.
    """


@cli.command("settings")
@with_settings()
def print_settings(settings: Settings) -> None:
    """Print every setting with its value.

    As lines that a shell can read back, except that secrets are masked.
    """
    from mucktrack.settings_list import settings_lines, unknown_lines

    for line in settings_lines(settings):
        click.echo(line)
    for line in unknown_lines():
        click.echo(line, err=True)


@cli.command("detect")
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
    from mucktrack.detect import Targets
    from mucktrack.detect import detect as detect_files

    targets = Targets(violations, trips, rejected)
    detect_files(required(settings, "city"), files, targets, batch_size)


@cli.command("worker")
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
    from mucktrack.worker import run

    sys.exit(run(settings, metrics_port_file))


@cli.command("up")
@with_settings(
    "city", "kafka", "redis", "kafka_port", "redis_port", "partitions", "replication", "state_dir"
)
@click.option(
    "--trucks",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    default=200,
    show_default=True,
    help="Trucks in the simulated fleet.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    metavar="FACTOR",
    default=10.0,
    show_default=True,
    help="Simulated seconds a second.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="End after so many seconds, with a summary.",
)
def up(settings: Settings, trucks: int, speed: float, seconds: float | None) -> None:
    """Run everything on this machine.

    That is a simulated fleet, a worker, and Kafka and Redis where none are given. Shows positions,
    trucks and violations as they come. Ctrl-C stops all; the last line then sums up.
    """
    from mucktrack.parts import FleetPlan
    from mucktrack.up import up as run_all

    run_all(settings, FleetPlan(trucks, speed), seconds)


@cli.group("city")
def city_group() -> None:
    """Check a city's reference data."""


@city_group.command("check")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def check_city(folder: Path) -> None:
    """Report every fault in a city directory: file, feature, field, value, what to do.

    Ends with exit code 2 where there are errors; with warnings alone the city is used.
    """
    from mucktrack.city_check import check

    check(folder)


@cli.group("topics")
def topics_group() -> None:
    """Make the topics on the broker."""


@topics_group.command("create")
@with_settings("kafka", "partitions", "replication")
def create_topics(settings: Settings) -> None:
    """Make the topics that are missing; those that exist stay as they are."""
    from mucktrack import topics

    try:
        made = topics.create_topics(
            required(settings, "kafka"), settings.partitions, settings.replication
        )
    except topics.TopicError as error:
        raise WorkFailedError(str(error)) from None
    for topic in topics.TOPICS:
        state = "made" if topic.name in made else "exists"
        click.echo(f"{topic.name}: {state}")
