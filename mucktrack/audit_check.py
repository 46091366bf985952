"""`mucktrack audit check`: whether the audit trail is whole, and cases are as it says."""

import re
from collections.abc import Iterable

import click

from enforcement.audit import Known, check, end_of
from enforcement.audit_match import differences
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
        faults = _told(check(session, known))
        # A trail that is not whole says nothing about cases.
        others = 0 if faults else _told(differences(session))
        end = end_of(session)
    if faults:
        raise WorkFailedError(f"the audit trail is not whole: {faults} faults")
    if others:
        raise WorkFailedError(f"cases are not as the audit trail says: {others} differences")
    click.echo(f"{end.seq} entries, whole; the last is {end.seq}:{end.hash}")


def _told(lines: Iterable[str]) -> int:
    """How many there were."""
    count = 0
    for count, line in enumerate(lines, 1):  # noqa: B007 - counted on
        click.echo(line)
    return count


def _known(text: str | None) -> Known | None:
    if text is None:
        return None
    found = KNOWN.fullmatch(text)
    if found is None:
        raise BadInputError(f"--known {text}: not SEQ:HASH as this command prints it")
    return Known(int(found[1]), found[2])
