"""`mucktrack audit check`: whether the audit trail is whole."""

import re

import click

from enforcement.audit import Known, check, end_of
from mucktrack.database import opened
from mucktrack.failures import BadInputError, WorkFailedError

KNOWN = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


def check_trail(address: str, known_text: str | None) -> None:
    """Print what is wrong, then the last entry.

    Raises `BadInputError` where the database or `known_text` cannot be used, `WorkFailedError`
    where something is wrong.
    """
    known = _known(known_text)
    with opened(address) as database, database.read() as session:
        faults = 0
        for line in check(session, known):
            click.echo(line)
            faults += 1
        end = end_of(session)
    if faults:
        raise WorkFailedError(f"the audit trail is not whole: {faults} faults")
    click.echo(f"{end.seq} entries, whole; the last is {end.seq}:{end.hash}")


def _known(text: str | None) -> Known | None:
    if text is None:
        return None
    found = KNOWN.fullmatch(text)
    if found is None:
        raise BadInputError(f"--known {text}: not SEQ:HASH as this command prints it")
    return Known(int(found[1]), found[2])
