"""`mucktrack city check`, and loading a city for the commands that need one."""

from pathlib import Path

import click

from geofences.check import check_city
from geofences.city import City
from geofences.loader import CityError, load_city, read_city
from mucktrack.failures import BadInputError
from streams.thresholds import resolve


def check(folder: Path) -> None:
    """Print every fault, then what the city holds. Raises `BadInputError` where it has errors."""
    city, findings = read_city(folder)
    if city is not None:
        findings = [*findings, *resolve(city)[1], *check_city(city)]
    for finding in findings:
        click.echo(f"{finding.severity}: {finding.render()}")
    warnings = sum(finding.severity == "warning" for finding in findings)
    errors = len(findings) - warnings
    if city is None or errors:
        raise BadInputError(f"{folder}: {count(errors, 'error')}, {count(warnings, 'warning')}")
    click.echo(f"{folder}: {describe(city)}; {count(warnings, 'warning')}")


def load(folder: Path) -> City:
    """The city in `folder`; an error that `city check` would find is a `BadInputError` here."""
    try:
        city = load_city(folder)
    except CityError as error:
        faults = [finding for finding in error.findings if finding.severity == "error"]
    else:
        faults = resolve(city)[1]
        if not faults:
            return city
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    raise BadInputError(
        f"the city {folder} does not load: {faults[0].render()}{more}; "
        f"see mucktrack city check {folder}"
    )


def describe(city: City) -> str:
    counts = (
        (len(city.districts), "district"),
        (len(city.sites), "site"),
        (len(city.routes), "route"),
        (len(city.zones), "zone"),
        (len(city.trucks), "truck"),
        (len(city.permits), "permit"),
    )
    return f"{city.name}: " + ", ".join(count(number, noun) for number, noun in counts)


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
