"""`mucktrack city publish`, `versions` and `export`: what the workers judge by, and from when.

What is stored where is `streams.cities`' business.
"""

import time
from pathlib import Path
from typing import Final

import click

from geofences.check import check_city
from geofences.city import City
from geofences.loader import city_version, parse_city, read_files
from mucktrack import city_check
from mucktrack.failures import BadInputError, WorkFailedError
from mucktrack.moments import moment_ms, shown
from streams.access import AccessRefusedError
from streams.checkpoint import StoreAwayError
from streams.cities import (
    LEAD_MS,
    BrokenVersionError,
    CityStore,
    RedisCities,
)
from streams.redis_admission import check_redis

MINUTE_MS: Final = 60_000


def publish(folder: Path, redis_url: str, from_text: str | None) -> None:
    """Store the city in `folder` to be in force from a time on, and say so.

    Raises `BadInputError` for a city with errors or a time that cannot be, `WorkFailedError` where
    Redis does not answer.
    """
    city_check.load(folder)
    files = read_files(folder)
    city, _ = parse_city(files)
    if city is None:
        raise BadInputError(f"the city {folder} has just been changed; try again")
    errors = [finding for finding in check_city(city) if finding.severity == "error"]
    if errors:
        raise BadInputError(f"{folder}: {errors[0].render()}; see mucktrack city check {folder}")
    store = _store(redis_url)
    try:
        from_ms = _from_ms(from_text, city)
        stored = store.publish(files, from_ms)
    except StoreAwayError as error:
        raise WorkFailedError(f"Redis does not answer: {error}") from None
    if not stored:
        raise BadInputError(
            f"another city is published from {shown(from_ms, city.timezone)} on already; choose "
            "another time (see mucktrack city versions)"
        )
    click.echo(f"{city_version(files)} in force from {shown(from_ms, city.timezone)}")


def list_versions(redis_url: str) -> None:
    """Print the published versions, a line each, in the order in which they come into force."""
    store = _store(redis_url)
    now_ms = time.time_ns() // 1_000_000
    try:
        entries = store.versions()
        current = max((entry for entry in entries if entry.from_ms <= now_ms), default=None)
        for entry in entries:
            try:
                city, _ = parse_city(store.files(entry.version))
            except BrokenVersionError as error:
                click.echo(f"{entry.version} {entry.from_ms} {error}")
                continue
            timezone = "UTC" if city is None else city.timezone
            what = "does not load" if city is None else city_check.describe(city)
            now = " (now)" if entry == current else ""
            click.echo(f"{entry.version} from {shown(entry.from_ms, timezone)}{now}: {what}")
    except StoreAwayError as error:
        raise WorkFailedError(f"Redis does not answer: {error}") from None
    if not entries:
        click.echo("no city is published: workers judge by their own city directory", err=True)


def export(version: str, folder: Path, redis_url: str) -> None:
    """Write the files of a published version, which `version` begins, into the new `folder`.

    Raises `BadInputError` for a version that is not published or a folder that is there already,
    `WorkFailedError` where Redis does not answer or the folder cannot be written.
    """
    store = _store(redis_url)
    try:
        known = {one.version for one in store.versions() if one.version.startswith(version)}
        if len(known) != 1:
            raise BadInputError(
                f"{version!r} begins {len(known)} published versions; `mucktrack city versions` "
                "lists them"
            )
        (whole,) = known
        files = store.files(whole)
    except BrokenVersionError as error:
        raise WorkFailedError(str(error)) from None
    except StoreAwayError as error:
        raise WorkFailedError(f"Redis does not answer: {error}") from None
    try:
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except FileExistsError:
        raise BadInputError(f"{folder} is there already; name a new folder") from None
    except OSError as error:
        raise WorkFailedError(f"{folder}: {error.strerror}") from None
    click.echo(f"{whole} in {folder}")


def _store(redis_url: str) -> CityStore:
    """Raises `WorkFailedError` where Redis does not let in or does not answer."""
    try:
        check_redis(redis_url)
    except AccessRefusedError as error:
        raise WorkFailedError(str(error)) from None
    except StoreAwayError as error:
        raise WorkFailedError(f"Redis does not answer: {error}") from None
    return RedisCities(redis_url)


def _from_ms(text: str | None, city: City) -> int:
    earliest_ms = time.time_ns() // 1_000_000 + LEAD_MS
    if text is None:
        return -(-earliest_ms // MINUTE_MS) * MINUTE_MS
    from_ms = moment_ms(text, city.timezone, "--from")
    if from_ms < earliest_ms:
        raise BadInputError(
            f"--from {text}: too soon; workers need {LEAD_MS // 60_000} minutes to take a city up, "
            f"so the earliest is {shown(earliest_ms, city.timezone)}"
        )
    return from_ms
