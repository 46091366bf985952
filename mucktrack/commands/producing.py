"""`mucktrack replay` and `simulate`: positions onto the topic."""

from datetime import datetime
from pathlib import Path

import click

from mucktrack.failures import BadInputError
from mucktrack.options import (
    COLUMNS,
    POSITION_FILES,
    TRUCK,
    FilePath,
    Number,
    required,
    with_settings,
)
from mucktrack.settings import Settings

AS_FAST_AS_IT_GOES = "max"
DEFAULT_TRUCKS = 200
DEFAULT_SHARE = 0.1
DEFAULT_HOURS = 12.0
MOST_NOISE = 5.0
MOST_HOURS = 876_600.0
"""A hundred years; times end in 2099."""


class _Speed(click.ParamType):
    name = "speed"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        if value == AS_FAST_AS_IT_GOES:
            return None
        try:
            factor = float(str(value))
        except ValueError:
            factor = 0.0
        if not 0 < factor < float("inf"):
            self.fail(f"{value!r} is no number above 0, nor {AS_FAST_AS_IT_GOES}", param, ctx)
        return factor


class _Address(click.ParamType):
    name = "address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        host, _, port = str(value).rpartition(":")
        if not host or not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65_536:
            self.fail(f"{value!r} is not HOST:PORT; write e.g. 127.0.0.1:8080", param, ctx)
        return host.strip("[]"), int(port)


class _Moment(click.ParamType):
    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or not 2000 <= moment.year < 2100:
            self.fail(
                f"{value!r} is no time with its offset from UTC, from 2000 to 2099; write e.g. "
                "2026-04-01T21:30+08:00",
                param,
                ctx,
            )
        return moment


@click.command("replay")
@POSITION_FILES
@COLUMNS
@TRUCK
@with_settings("city", "kafka", "partitions")
@click.option(
    "--speed",
    type=_Speed(),
    metavar="FACTOR",
    default="1",
    show_default=True,
    help="Times as fast as recorded; `max` = as fast as it goes.",
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Of an archive: the records archived from this day (UTC) on.",
)
def replay(
    files: tuple[Path, ...],
    columns: Path | None,
    truck_id: str | None,
    settings: Settings,
    speed: float | None,
    since: datetime | None,
) -> None:
    """Publish the positions in files.

    FILE is .jsonl (a position a line), .csv or .parquet with our names of fields, .gpx (a truck a
    track), or with --columns a vendor's export. Positions keep their order and, unless
    --speed says otherwise, the pace at which they were recorded. Ticks go along, so that what is
    due becomes due; the last one ends the replay.

    With the worker's city, only positions that pass its quality gate move event time, and a worker
    finds what `mucktrack detect` finds. Without one, an impossible jump moves it too, so that the
    worker may take trucks for silent that are not; and what is due at the end may stay open where
    the city sets watermark_delay_s to more than 360.

    Or FILE is the folder of an archive, alone: its records are put back as they were, each into its
    partition, as fast as it goes. That is for a Kafka that has lost them.
    """
    _log("replay", settings)
    from mucktrack.access import kafka_access
    from streams.archive.layout import is_archive

    if len(files) == 1 and is_archive(files[0]):
        if columns is not None or truck_id is not None:
            raise BadInputError(
                f"{files[0]}: is an archive, of which --columns and --truck say nothing"
            )
        from mucktrack.archive_replay import replay_archive

        day = None if since is None else since.date()
        replay_archive(kafka_access(settings), settings.partitions, files[0], day)
        return
    if since is not None:
        raise BadInputError("--since is for an archive; leave it out")
    from mucktrack.file_reading import reading_of
    from mucktrack.replay import replay as replay_files

    reading = reading_of(columns, truck_id)
    replay_files(kafka_access(settings), settings.partitions, settings.city, files, speed, reading)


@click.command("simulate")
@with_settings("city", "kafka", "partitions")
@click.option(
    "--trucks",
    type=click.IntRange(1),
    metavar="N",
    default=DEFAULT_TRUCKS,
    show_default=True,
    help="Trucks in the fleet; at most those with a permit and a route to use it on.",
)
@click.option(
    "--share",
    type=Number(0, 1),
    metavar="SHARE",
    default=DEFAULT_SHARE,
    show_default=True,
    help="Share of the loaded trips that offend.",
)
@click.option(
    "--noise",
    type=Number(0, MOST_NOISE),
    metavar="FACTOR",
    default=1,
    show_default=True,
    help="How large and frequent the errors of receivers, sensors and networks are; 0 = none.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="N",
    default=1,
    show_default=True,
    help="The same seed gives the same fleet.",
)
@click.option(
    "--speed",
    type=_Speed(),
    metavar="FACTOR",
    default="1",
    show_default=True,
    help="Simulated seconds a second; `max` = as fast as it goes.",
)
@click.option(
    "--start",
    type=_Moment(),
    metavar="TIME",
    help="When the fleet begins, e.g. 2026-04-01T21:30+08:00.  [default: an evening in the past]",
)
@click.option(
    "--hours",
    type=Number(0, MOST_HOURS, min_open=True),
    metavar="N",
    help="End after so many simulated hours.  [default: until Ctrl-C; 12 with --out]",
)
@click.option("--labels", type=FilePath(), metavar="FILE", help="Where offences are told.")
@click.option(
    "--out",
    type=FilePath(),
    metavar="FILE",
    help="Write positions to this .jsonl instead of publishing them.",
)
@click.option(
    "--jt808",
    type=_Address(),
    metavar="HOST:PORT",
    help="Each truck is a JT/T 808 terminal that reports to the gateway there.",
)
@click.option(
    "--tls-ca",
    type=FilePath(),
    metavar="FILE",
    help="With --jt808: speak TLS; PEM of who signed the gateway's certificate.",
)
@click.option(
    "--sent",
    type=FilePath(),
    metavar="FILE",
    help="With --jt808: the positions as the terminals report them, JSON lines.",
)
@click.option(
    "--acked",
    type=FilePath(),
    metavar="FILE",
    help="With --jt808: those that the gateway acknowledged.",
)
def simulate(
    settings: Settings,
    trucks: int,
    share: float,
    noise: float,
    seed: int,
    speed: float | None,
    start: datetime | None,
    hours: float | None,
    labels: Path | None,
    out: Path | None,
    jt808: tuple[str, int] | None,
    tls_ca: Path | None,
    sent: Path | None,
    acked: Path | None,
) -> None:
    """Publish the positions of a simulated fleet.

    Most trucks keep to their permits; a share of the trips offends, and every offence is told in
    the file of labels, against which `mucktrack score` compares what was detected.

    With --jt808 the trucks are terminals: they register, authenticate, report, lose the network in
    tunnels and report afterwards what they stored, and send again what was not acknowledged. What
    the protocol has no words for is lost on the way; --sent and --acked tell the positions as they
    were reported. The gateway knows the trucks by the terminal_id in trucks.csv.
    """
    if jt808 is None and (given := [tls_ca, sent, acked]) != [None] * len(given):
        raise click.UsageError("--tls-ca, --sent and --acked go with --jt808")
    if jt808 is not None and out is not None:
        raise click.UsageError("--jt808 and --out are two targets; give one")
    if out is None and jt808 is None:
        required(settings, "kafka")
    _log("simulate", settings)
    from mucktrack.access import kafka_access
    from mucktrack.simulate import Plan, simulate_to_file
    from mucktrack.simulate import simulate as publish

    plan = Plan(settings.city, trucks, share, seed, hours, labels, noise, start)
    if jt808 is not None:
        from mucktrack.simulate_terminals import Gateway, simulate_terminals

        simulate_terminals(plan, Gateway(*jt808, tls_ca, sent, acked), speed)
    elif out is not None:
        simulate_to_file(plan, out, hours or DEFAULT_HOURS)
    else:
        publish(plan, kafka_access(settings), settings.partitions, speed)


def _log(process: str, settings: Settings) -> None:
    """Who runs these looks at them: text, unless the settings say otherwise."""
    from streams.log_setup import log_to_stderr

    log_to_stderr(process, "text" if settings.log == "auto" else settings.log, settings.log_level)
