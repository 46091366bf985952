"""`mucktrack console` and `audit`: what people do about violations."""

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
    "metrics_host",
    "console_metrics_port",
)
@click.option("--port-file", type=FilePath(), hidden=True)
@click.option("--metrics-port-file", type=FilePath(), hidden=True)
def console(settings: Settings, port_file: Path | None, metrics_port_file: Path | None) -> None:
    """Turn violations into cases, and serve them to people.

    Reads enforcement.violations, keeps cases in the database, puts those that are overdue under
    supervision, and serves the console and its API. Works until Ctrl-C or SIGTERM. What has been
    read stands in the database together with what was made of it, so that nothing is lost or comes
    twice, however it ends.
    """
    required(settings, "kafka")
    from mucktrack.access import database_address, kafka_access
    from mucktrack.console import PortFiles
    from mucktrack.console import console as serve

    address = database_address(settings)
    serve(settings, kafka_access(settings), address, PortFiles(port_file, metrics_port_file))


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
    elsewhere can show later that the trail has only grown. Ends with exit code 1 where something is
    wrong.
    """
    from mucktrack.access import database_address
    from mucktrack.audit_check import check_trail

    check_trail(database_address(settings), known)
