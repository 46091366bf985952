"""`mucktrack webhooks`: who is told of cases, and what they have not taken."""

from collections.abc import Sequence
from pathlib import Path

import click
from sqlalchemy import select, update

from enforcement.tables import DeadLetterRow, HeadRow, WebhookRow
from enforcement.webhooks.receivers import ReceiversError, read_receivers
from mucktrack.database import opened
from mucktrack.failures import BadInputError
from streams.shown import shown


def check(file: Path) -> None:
    """Raises `BadInputError`."""
    try:
        receivers = read_receivers(file)
    except ReceiversError as error:
        raise BadInputError(str(error)) from None
    for one in receivers:
        limits = [
            f"{key} {', '.join(sorted(values))}"
            for key, values in (
                ("rules", one.rules),
                ("severities", one.severities),
                ("districts", one.districts),
            )
            if values is not None
        ]
        signed = "signed" if one.secret else "not signed"
        words = [one.name, f"{one.format} to {one.host}", signed, *limits]
        click.echo(" · ".join([*words, f"{len(one.events)} kinds of events"]))


def print_receivers(address: str) -> None:
    with opened(address) as database, database.read() as session:
        end = session.scalars(select(HeadRow.seq)).one()
        rows = session.scalars(select(WebhookRow).order_by(WebhookRow.receiver)).all()
        if not rows:
            click.echo(
                "nobody is told of cases yet: a console that is given a file of receivers "
                "(MUCKTRACK_WEBHOOKS) begins with those in it",
                err=True,
            )
        for row in rows:
            why = f" · {row.failures} failures: {shown(row.error)}" if row.error else ""
            click.echo(f"{row.receiver} · {end + 1 - row.next_seq} entries behind{why}")
        letters = select(DeadLetterRow).order_by(DeadLetterRow.receiver, DeadLetterRow.seq)
        for letter in session.scalars(letters):
            again = " · to be sent again" if letter.again else ""
            click.echo(
                f"{letter.receiver} · dead letter {letter.seq} after {letter.tries} tries: "
                f"{shown(letter.error)}{again}"
            )


def send_again(address: str, receiver: str, seqs: Sequence[int]) -> None:
    """Raises `BadInputError` where there is no such letter."""
    wanted = update(DeadLetterRow).where(DeadLetterRow.receiver == receiver)
    if seqs:
        wanted = wanted.where(DeadLetterRow.seq.in_(seqs))
    with opened(address) as database, database.change() as (session, _):
        found = session.scalars(wanted.values(again=True).returning(DeadLetterRow.seq)).all()
        missing = sorted(set(seqs) - set(found))
        if missing or not found:
            which = f" {missing[0]}" if missing else ""
            raise BadInputError(f"{receiver} has no dead letter{which}")
    click.echo(f"{len(found)} to be sent again")
