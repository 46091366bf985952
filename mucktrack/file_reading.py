"""How the files that a command is given are to be read, and what is odd about one.

Used by `mucktrack detect` and `replay`.
"""

from pathlib import Path

import click

from mucktrack.failures import BadInputError
from producers.chunk import InputFileError
from producers.exports.parse import load_columns
from producers.exports.reading import AS_OURS, Reading
from streams.position import MAX_ID
from streams.shown import shown

LONGEST_LINE = 1000
"""Characters."""


def reading_of(columns: Path | None, truck_id: str | None) -> Reading:
    """By the mapping in the file `columns`. Raises `BadInputError` where it cannot be used."""
    if columns is None and truck_id is None:
        return AS_OURS
    if truck_id is not None and not 1 <= len(truck_id) <= MAX_ID:
        raise BadInputError(f"--truck={truck_id!r}: allowed are 1 to {MAX_ID} characters")
    try:
        return Reading(None if columns is None else load_columns(columns), truck_id)
    except InputFileError as error:
        raise BadInputError(str(error)) from None


def say_hint(hint: str) -> None:
    click.echo(f"hint: {shown(hint, LONGEST_LINE)}", err=True)
