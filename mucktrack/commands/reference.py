"""`mucktrack city`, `profiles`, `topics` and `settings`: what everything else rests on."""

from pathlib import Path

import click

from mucktrack.failures import WorkFailedError
from mucktrack.options import FilePath, required, with_settings
from mucktrack.settings import Settings


@click.group("city")
def city_group() -> None:
    """Check a city's reference data, and publish it."""


@city_group.command("check")
@click.argument("folder", metavar="DIR", type=FilePath())
def check_city(folder: Path) -> None:
    """Report every fault in a city directory.

    Each with its file, feature, field and value, and what to do. Ends with exit code 2 where there
    are errors; with warnings alone the city is used.
    """
    from mucktrack.city_check import check

    check(folder)


@city_group.command("publish")
@click.argument("folder", metavar="DIR", type=FilePath())
@click.option(
    "--from",
    "from_text",
    metavar="TIME",
    help="When it comes into force, ISO 8601: with an offset, or in the city's local time; at "
    "least 5 minutes ahead.  [default: the first whole minute that is]",
)
@with_settings("redis")
def publish_city(folder: Path, from_text: str | None, settings: Settings) -> None:
    """Put a city in force from a time on.

    Workers take it up without a restart, and judge each position by the city in force at its own
    time. A city that is published is never changed: publish the next one.
    """
    required(settings, "redis")
    from mucktrack.access import redis_url
    from mucktrack.city_publish import publish

    publish(folder, redis_url(settings) or "", from_text)


@city_group.command("versions")
@with_settings("redis")
def city_versions(settings: Settings) -> None:
    """List the published cities and from when each is in force."""
    required(settings, "redis")
    from mucktrack.access import redis_url
    from mucktrack.city_publish import list_versions

    list_versions(redis_url(settings) or "")


@city_group.command("export")
@click.argument("version", metavar="VERSION")
@click.argument("folder", metavar="DIR", type=FilePath())
@with_settings("redis")
def export_city(version: str, folder: Path, settings: Settings) -> None:
    """Write a published city into a new directory.

    VERSION is the `city_version` of a violation, or its first characters.
    """
    required(settings, "redis")
    from mucktrack.access import redis_url
    from mucktrack.city_publish import export

    export(version, folder, redis_url(settings) or "")


@city_group.command("grafana")
@click.argument("city", metavar="CITY", type=FilePath())
@click.argument("folder", metavar="DIR", type=FilePath())
def city_for_grafana(city: Path, folder: Path) -> None:
    """Write the files by which Grafana draws the districts of CITY.

    They go where Grafana serves them: docs/runbook.md says how.
    """
    from mucktrack.city_grafana import write

    write(city, folder)


@click.group("profiles")
def profiles_group() -> None:
    """Check what terminals' readings mean (docs/profiles.md)."""


@profiles_group.command("list")
def list_profiles() -> None:
    """Print the shipped profiles in words."""
    from mucktrack.profiles import print_shipped

    print_shipped()


@profiles_group.command("check")
@click.argument("places", metavar="FILE…", nargs=-1, required=True, type=FilePath())
def check_profiles(places: tuple[Path, ...]) -> None:
    """Check profiles and print in words what they mean.

    FILE is a .toml file or a folder of them. Each fault is told with file, key, value and what is
    allowed. Ends with exit code 2 where there is one.
    """
    from mucktrack.profiles import check

    check(places)


@click.group("topics")
def topics_group() -> None:
    """Make the topics on the broker, and give rights on them."""


@topics_group.command("create")
@with_settings("kafka", "partitions", "replication")
def create_topics(settings: Settings) -> None:
    """Make the topics that are missing.

    Those that exist stay as they are.
    """
    from mucktrack import topics
    from mucktrack.access import kafka_access

    try:
        made = topics.create_topics(
            kafka_access(settings), settings.partitions, settings.replication
        )
    except topics.TopicError as error:
        raise WorkFailedError(str(error)) from None
    for topic in topics.TOPICS:
        state = "made" if topic.name in made else "exists"
        click.echo(f"{topic.name}: {state}")


@topics_group.command("grant")
@with_settings("kafka", "group")
def grant_rights(settings: Settings) -> None:
    """Give each part its rights on the broker, and no more.

    To the users worker, archiver, producer (gateways, replay, simulate), console and admin. Rights
    that they have already stay. For brokers with an authorizer; docs/access.md has the rights.
    """
    from mucktrack.access import kafka_access
    from mucktrack.rights import grant
    from mucktrack.topics import TopicError

    try:
        given = grant(kafka_access(settings), settings.group)
    except TopicError as error:
        raise WorkFailedError(str(error)) from None
    for user, operation, kind, name in given:
        click.echo(f"{user}: {operation} of {kind} {name}")


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
