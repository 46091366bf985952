"""`mucktrack profiles`: terminal profiles checked, and told in words."""

from collections.abc import Sequence
from pathlib import Path

import click

from mucktrack.failures import BadInputError
from producers.profiles.profile import ProfileError, check_profiles, load_profiles
from producers.profiles.words import describe
from streams.shown import shown

LONGEST_LINE = 1000


def print_shipped() -> None:
    for profile in load_profiles():
        for line in describe(profile):
            click.echo(line)


def check(places: Sequence[Path]) -> None:
    """Print what the profiles mean. Raises `BadInputError` where one cannot be used, after its
    faults."""
    try:
        profiles = check_profiles(places)
    except ProfileError as error:
        for finding in error.findings:
            click.echo(f"error: {shown(finding.render(), LONGEST_LINE)}")
        count = len(error.findings)
        raise BadInputError(f"{count} error{'s' * (count > 1)}") from None
    for profile in profiles:
        for line in describe(profile):
            click.echo(shown(line, LONGEST_LINE))
