"""`mucktrack city publish` and `city versions`: what the workers judge by, and from when.

What is stored where is `streams.cities`' business.
"""

import time
from pathlib import Path

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
    FROM_THE_BEGINNING_MS,
    LEAD_MS,
    BrokenVersionError,
    CityStore,
    RedisCities,
)
from streams.redis_admission import check_redis


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
        from_ms = _from_ms(from_text, city, store)
        stored = store.publish(files, from_ms)
    except StoreAwayError as error:
        raise WorkFailedError(f"Redis does not answer: {error}") from None
    if not stored:
        raise BadInputError(
            f"another city is published from {shown(from_ms, city.timezone)} on already; choose "
            "another time (see mucktrack city versions)"
        )
    click.echo(f"{city_version(files)} in force {_since(from_ms, city.timezone)}")


def list_versions(redis_url: str) -> None:
    """Print the published versions, a line each, in the order in which they come into force."""
    store = _store(redis_url)
    try:
        for entry in store.versions():
            try:
                city, _ = parse_city(store.files(entry.version))
            except BrokenVersionError as error:
                click.echo(f"{entry.version} {entry.from_ms} {error}")
                continue
            timezone = "UTC" if city is None else city.timezone
            what = "does not load" if city is None else city_check.describe(city)
            click.echo(f"{entry.version} in force {_since(entry.from_ms, timezone)}: {what}")
    except StoreAwayError as error:
        raise WorkFailedError(f"Redis does not answer: {error}") from None


def _store(redis_url: str) -> CityStore:
    """Raises `WorkFailedError` where Redis does not let in or does not answer."""
    try:
        check_redis(redis_url)
    except AccessRefusedError as error:
        raise WorkFailedError(str(error)) from None
    except StoreAwayError as error:
        raise WorkFailedError(f"Redis does not answer: {error}") from None
    return RedisCities(redis_url)


def _from_ms(text: str | None, city: City, store: CityStore) -> int:
    if text is None:
        if store.versions():
            raise BadInputError("there are published cities already: say from when with --from")
        return FROM_THE_BEGINNING_MS
    from_ms = moment_ms(text, city.timezone, "--from")
    earliest_ms = time.time_ns() // 1_000_000 + LEAD_MS
    if from_ms < earliest_ms:
        raise BadInputError(
            f"--from {text}: too soon; workers need {LEAD_MS // 60_000} minutes to take a city up, "
            f"so the earliest is {shown(earliest_ms, city.timezone)}"
        )
    return from_ms


def _since(from_ms: int, timezone: str) -> str:
    if from_ms == FROM_THE_BEGINNING_MS:
        return "from the beginning"
    return f"from {shown(from_ms, timezone)}"
