"""`mucktrack replay` and `simulate`: positions onto the topic."""

from pathlib import Path

import click

from mucktrack.options import POSITION_FILES, required, with_settings
from mucktrack.settings import Settings

AS_FAST_AS_IT_GOES = "max"


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


@click.command("replay")
@POSITION_FILES
@with_settings("kafka", "partitions")
@click.option(
    "--speed",
    type=_Speed(),
    metavar="FACTOR",
    default="1",
    show_default=True,
    help="Times as fast as recorded; `max` = as fast as it goes.",
)
def replay(files: tuple[Path, ...], settings: Settings, speed: float | None) -> None:
    """Publish the positions in files.

    FILE is .jsonl (a position a line), .csv or .parquet. Positions keep their order and, unless
    --speed says otherwise, the pace at which they were recorded. Ticks go along, so that what is
    due becomes due; the last one ends the replay.
    """
    kafka = required(settings, "kafka")
    from mucktrack.replay import replay as replay_files

    replay_files(kafka, settings.partitions, files, speed)
