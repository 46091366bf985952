"""`mucktrack replay`: files of positions played into the topic."""

from collections.abc import Sequence
from pathlib import Path

import click

from mucktrack import city_check
from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.file_progress import file_progress
from mucktrack.file_reading import say_hint
from mucktrack.interruptible import interruptible
from producers.chunk import InputFileError
from producers.exports.reading import AS_OURS, Reading
from producers.files import check_file
from producers.publisher import Publisher, PublishError
from producers.replay import Replayed
from producers.replay import replay as play
from streams.access import KafkaAccess
from streams.detect import PreparedCity
from streams.topics import POSITIONS


def replay(
    kafka: KafkaAccess,
    partitions: int,
    city_folder: Path | None,
    files: Sequence[Path],
    speed: float | None,
    reading: Reading = AS_OURS,
) -> None:
    """Publish the positions in `files` and say how many; `speed` None = as fast as it goes.

    `city_folder`: the worker's, None = not known (see `producers.replay`). Raises `BadInputError`
    for a file or city that cannot be used, `WorkFailedError` where the broker does not take what
    is published.
    """
    try:
        for path in files:
            check_file(path, reading)
        city = None if city_folder is None else PreparedCity.of(city_check.load(city_folder))
        with (
            Publisher(kafka, POSITIONS, partitions) as publisher,
            interruptible(publisher) as sink,
            file_progress(files) as advance,
        ):

            def progress(path: Path, bytes_read: int, done: Replayed) -> None:
                advance(path, bytes_read, done.positions + done.malformed)

            done = play(files, sink, speed, progress, city=city, reading=reading, hint=say_hint)
    except InputFileError as error:
        raise BadInputError(str(error)) from None
    except PublishError as error:
        raise WorkFailedError(str(error)) from None
    behind = f" · late beyond the watermark {done.behind}" if done.behind else ""
    published = done.positions + done.malformed
    click.echo(f"published {published} positions · ticks {done.ticks}{behind}", err=True)
