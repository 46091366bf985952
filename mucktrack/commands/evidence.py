"""`mucktrack evidence`: what proves a violation, as one file."""

from pathlib import Path
from typing import Literal

import click

from mucktrack.options import FilePath, with_settings
from mucktrack.settings import Settings


@click.group("evidence")
def evidence_group() -> None:
    """Pack the evidence of a violation, and check a package."""


@evidence_group.command("export")
@click.argument("wanted", metavar="ID")
@click.option(
    "--to", "target", type=FilePath(), metavar="FILE", show_default="evidence-<case>.zip",
    help="Where the package goes.",
)  # fmt: skip
@click.option(
    "--city", "cities", multiple=True, type=FilePath(), metavar="DIR[@TIME]",
    help="City directories that judged, as for `mucktrack detect`; published ones are known.  "
    "[MUCKTRACK_CITY]",
)  # fmt: skip
@click.option(
    "--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True,
    help="Of the report.",
)  # fmt: skip
@with_settings("database", "state_dir", "archive", "kafka", "redis")
def export_evidence(
    settings: Settings,
    wanted: str,
    target: Path | None,
    cities: tuple[Path, ...],
    language: Literal["zh", "en"],
) -> None:
    """Pack all that proves a violation or a case.

    ID is the id of a violation, or the id or number of a case. The package holds the truck's
    positions as received, back to where they alone give the same verdict, frames of its terminal,
    the records of the queue, case and audit trail, the city and rules that judged, and a report to
    print. It is checked before it is written, and its hash goes into the audit trail.
    """
    from mucktrack.access import database_address
    from mucktrack.evidence import export

    export(settings, database_address(settings), wanted, target, cities, language)


@evidence_group.command("verify")
@click.argument("file", metavar="FILE", type=FilePath())
@click.option(
    "--manifest", metavar="SHA256", help="The hash that the audit trail holds; it must be this one."
)
def verify_evidence(file: Path, manifest: str | None) -> None:
    """Check a package, and judge it again.

    Every byte, the entries of the audit trail, and the verdict. Needs the file alone. Ends with
    exit code 1 where something does not hold, and 2 for a file that is no package.
    """
    from mucktrack.evidence import verify

    verify(file, manifest)
