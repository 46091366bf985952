"""`mucktrack city`, `profiles`, `topics`, `checkpoints` and `settings`: what everything else rests
on."""

from pathlib import Path
from typing import Any, Literal

import click

from mucktrack.failures import WorkFailedError
from mucktrack.options import FilePath, Number, required, with_settings
from mucktrack.settings import Settings


@click.group("city")
def city_group() -> None:
    """Make a city of what an office has, check its reference data, and publish it."""


@city_group.command("check")
@click.argument("folder", metavar="DIR", type=FilePath())
def check_city(folder: Path) -> None:
    """Report every fault in a city directory.

    Each with its file, feature, field and value, and what to do. Ends with exit code 2 where there
    are errors; with warnings alone the city is used.
    """
    from mucktrack.city_check import check

    check(folder)


_GIVEN: dict[str, Any] = {"multiple": True, "metavar": "FILE"}
"""A file of one subject; several are read together."""


@city_group.command("new")
@click.argument("folder", metavar="DIR", type=FilePath())
@click.option("--name", help="The city's name, e.g. 临江市.")
@click.option(
    "--admin-code", metavar="CODE", help="Its code of GB/T 2260.  [default: that of its districts]"
)
@click.option(
    "--timezone", default="Asia/Shanghai", show_default=True, help="Of all hours and dates."
)
@click.option(
    "--datum",
    type=click.Choice(["wgs84", "gcj02", "bd09"]),
    help="Of all coordinates in the files: wgs84 (GPS, Google Earth, 天地图), gcj02 (高德, 腾讯) "
    "or bd09 (百度). Of one file: FILE@DATUM.",
)
@click.option(
    "--districts", **_GIVEN, help="Areas with name and code: a map, or a map and a table."
)
@click.option(
    "--sites",
    **_GIVEN,
    help="Construction, disposal, transfer and parking sites: maps, or tables with 经度 and 纬度, "
    "or both, joined by name.",
)
@click.option("--routes", **_GIVEN, help="Permitted routes: lines on maps.")
@click.option("--zones", **_GIVEN, help="No-go and speed-limit zones: areas on maps.")
@click.option("--trucks", **_GIVEN, help="The register of trucks: tables.")
@click.option("--permits", **_GIVEN, help="Permits: tables, a row each, or one for each truck.")
@click.option(
    "--radius",
    "radius_m",
    type=Number(0, min_open=True),
    metavar="METRES",
    help="Of sites that are points and say none.",
)
@click.option(
    "--speed-limit",
    "speed_limit_kmh",
    type=Number(5, min_open=True),
    metavar="KMH",
    help="Where no zone has a lower one.",
)
@click.option(
    "--example",
    is_flag=True,
    help="Write the files of a small made-up city into DIR instead, to try and to copy from.",
)
def new_city(
    folder: Path,
    name: str | None,
    admin_code: str | None,
    timezone: str,
    datum: Literal["wgs84", "gcj02", "bd09"] | None,
    districts: tuple[str, ...],
    sites: tuple[str, ...],
    routes: tuple[str, ...],
    zones: tuple[str, ...],
    trucks: tuple[str, ...],
    permits: tuple[str, ...],
    radius_m: float | None,
    speed_limit_kmh: float | None,
    example: bool,
) -> None:
    """Make a city directory of spreadsheets and maps.

    FILE is a map (.geojson, .json, .kml, .kmz) or a table (.xlsx, .xls, .csv, .tsv, .txt), with
    headings in Chinese or English, in any order; of a workbook FILE#SHEET names the sheet. Says how
    each heading was read, converts coordinates to WGS-84, and checks the city. Every fault is told
    with file, row, heading, value and what to do; with errors nothing is written and the exit code
    is 2.
    """
    from mucktrack.city_new import new, sources_of, write_example
    from producers.city_import.build import Plan

    if example:
        write_example(folder)
        return
    if name is None or not districts:
        missing = "--name" if name is None else "--districts"
        raise click.UsageError(f"{missing} is missing; a city has a name and districts")
    given = sources_of(
        {
            "districts": districts,
            "sites": sites,
            "routes": routes,
            "zones": zones,
            "trucks": trucks,
            "permits": permits,
        },
        datum,
    )
    new(folder, Plan(name, admin_code, timezone, speed_limit_kmh, radius_m, given))


@city_group.command("picture")
@click.argument("folder", metavar="DIR", type=FilePath())
@click.option(
    "--to", "target", type=FilePath(), metavar="FILE", show_default="DIR/city.svg",
    help="Where the picture goes.",
)  # fmt: skip
def city_picture(folder: Path, target: Path | None) -> None:
    """Draw a city as SVG, for a browser: districts, zones, routes with corridors, sites."""
    from mucktrack.city_new import picture

    picture(folder, target)


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


@click.group("checkpoints")
def checkpoints_group() -> None:
    """What workers have saved in Redis."""


@checkpoints_group.command("list")
@with_settings("redis")
def list_checkpoints(settings: Settings) -> None:
    """List where each partition goes on."""
    required(settings, "redis")
    from mucktrack.access import redis_url
    from mucktrack.checkpoints import print_checkpoints

    print_checkpoints(redis_url(settings) or "")


@checkpoints_group.command("forget")
@click.argument("partitions", metavar="[PARTITION…]", nargs=-1, type=click.IntRange(0))
@with_settings("redis")
def forget_checkpoints(settings: Settings, partitions: tuple[int, ...]) -> None:
    """Forget the state of partitions, or of all.

    For a Kafka that was made anew, and where a worker says that it cannot go on with a checkpoint.
    Stop the workers first. They begin at the log's start then, which repeats, under the same ids,
    and loses nothing that Kafka still has.
    """
    required(settings, "redis")
    from mucktrack.access import redis_url
    from mucktrack.checkpoints import forget

    forget(redis_url(settings) or "", partitions)


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
