"""`mucktrack city`, `topics` and `settings`: what everything else rests on."""

from pathlib import Path

import click

from mucktrack.failures import WorkFailedError
from mucktrack.options import FilePath, required, with_settings
from mucktrack.settings import Settings


@click.group("city")
def city_group() -> None:
    """Check a city's reference data."""


@city_group.command("check")
@click.argument("folder", metavar="DIR", type=FilePath())
def check_city(folder: Path) -> None:
    """Report every fault in a city directory.

    Each with its file, feature, field and value, and what to do. Ends with exit code 2 where there
    are errors; with warnings alone the city is used.
    """
    from mucktrack.city_check import check

    check(folder)


@click.group("topics")
def topics_group() -> None:
    """Make the topics on the broker."""


@topics_group.command("create")
@with_settings("kafka", "partitions", "replication")
def create_topics(settings: Settings) -> None:
    """Make the topics that are missing.

    Those that exist stay as they are.
    """
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


@click.command("settings")
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
