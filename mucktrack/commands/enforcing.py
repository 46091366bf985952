"""`mucktrack console`, `users`, `webhooks` and `audit`: what people do about violations."""

from pathlib import Path

import click

from mucktrack.options import FilePath, required, with_settings
from mucktrack.settings import Settings


@click.command("console")
@with_settings(
    "kafka",
    "redis",
    "city",
    "database",
    "office",
    "webhooks",
    "archive",
    "state_dir",
    "console_host",
    "console_port",
    "console_cert_file",
    "console_key_file",
    "console_behind_https",
    "console_tiles",
    "metrics_host",
    "console_metrics_port",
)
@click.option("--any-port", is_flag=True, hidden=True)
@click.option("--port-file", type=FilePath(), hidden=True)
@click.option("--metrics-port-file", type=FilePath(), hidden=True)
def console(
    settings: Settings, any_port: bool, port_file: Path | None, metrics_port_file: Path | None
) -> None:
    """Turn violations into cases, and serve them to people.

    Reads enforcement.violations, keeps cases in the database, puts those that are overdue under
    supervision, and serves the console and its API. Works until Ctrl-C or SIGTERM. What has been
    read stands in the database together with what was made of it, so that nothing is lost or comes
    twice, however it ends.
    """
    required(settings, "kafka")
    required(settings, "city")
    from mucktrack.access import database_address, kafka_access
    from mucktrack.console import Ports
    from mucktrack.console import console as serve

    address = database_address(settings)
    ports = Ports(port_file, metrics_port_file, any_port=any_port)
    serve(settings, kafka_access(settings), address, ports)


@click.group("audit")
def audit_group() -> None:
    """Check the audit trail of cases."""


@audit_group.command("check")
@with_settings("database", "state_dir")
@click.option(
    "--known",
    metavar="SEQ:HASH",
    help="An entry that this command has told earlier; it must still be there. Without one, "
    "entries cut off the end would not show.",
)
def check_audit(settings: Settings, known: str | None) -> None:
    """Check that no entry was changed, removed or added.

    Every entry carries a hash over itself and the one before. Prints the last one; who keeps it
    elsewhere can show later that the trail has only grown. Checks too that cases, records and
    attachments are as the trail says. Ends with exit code 1 where something is wrong.
    """
    from mucktrack.access import database_address
    from mucktrack.audit_check import check_trail

    check_trail(database_address(settings), known)


@click.group("users")
def users_group() -> None:
    """Who may log in to the console."""


ROLE = click.option(
    "--role",
    type=click.Choice(["viewer", "dispatcher", "officer", "reviewer", "admin"]),
    help="What he may do (docs/enforcement.md).",
)
DISTRICTS = click.option(
    "--districts",
    metavar="CODE,…",
    help="The districts that he sees, joined by commas; all = no limit.",
)


@users_group.command("add")
@click.argument("name", metavar="NAME")
@ROLE
@DISTRICTS
@with_settings("database", "state_dir", "city")
def add_user(settings: Settings, name: str, role: str | None, districts: str | None) -> None:
    """Add somebody.

    Prints a password that is made up; he has to choose his own when he logs in. The first one is
    most likely an administrator: --role admin --districts all. Where the city is given, districts
    that it has not are refused.
    """
    from mucktrack.access import database_address
    from mucktrack.users import add

    add(database_address(settings), name, role, districts, settings.city)


@users_group.command("change")
@click.argument("name", metavar="NAME")
@ROLE
@DISTRICTS
@click.option("--disable/--enable", "disabled", default=None, help="Whether he may log in.")
@click.option("--new-password", is_flag=True, help="Make up a password and print it.")
@with_settings("database", "state_dir", "city")
def change_user(
    settings: Settings,
    name: str,
    role: str | None,
    districts: str | None,
    disabled: bool | None,
    new_password: bool,
) -> None:
    """Change what somebody may do; he has to log in again."""
    from mucktrack.access import database_address
    from mucktrack.users import change

    change(
        *(database_address(settings), name, role, districts, disabled, settings.city),
        new_password=new_password,
    )


@users_group.command("list")
@with_settings("database", "state_dir")
def list_users(settings: Settings) -> None:
    """List who may log in."""
    from mucktrack.access import database_address
    from mucktrack.users import print_users

    print_users(database_address(settings))


@click.group("webhooks")
def webhooks_group() -> None:
    """Who is told of cases, and what they have not taken."""


@webhooks_group.command("check")
@click.argument("file", metavar="FILE", type=FilePath())
def check_webhooks(file: Path) -> None:
    """Check a file of receivers, and print them without their secrets."""
    from mucktrack.webhooks import check

    check(file)


@webhooks_group.command("list")
@with_settings("database", "state_dir")
def list_webhooks(settings: Settings) -> None:
    """List how far each receiver has been told, and its dead letters."""
    from mucktrack.access import database_address
    from mucktrack.webhooks import print_receivers

    print_receivers(database_address(settings))


@webhooks_group.command("again")
@click.argument("receiver", metavar="RECEIVER")
@click.argument("seqs", metavar="SEQ…", nargs=-1, type=click.IntRange(1))
@with_settings("database", "state_dir")
def again(settings: Settings, receiver: str, seqs: tuple[int, ...]) -> None:
    """Have dead letters of a receiver sent once more.

    SEQ is an entry as `mucktrack webhooks list` shows it; without one, all of them. The console
    sends them.
    """
    from mucktrack.access import database_address
    from mucktrack.webhooks import send_again

    send_again(database_address(settings), receiver, seqs)
