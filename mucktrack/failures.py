"""How a command ends when it cannot do its work: one line on standard error and an exit code.

Raised by the commands' bodies, printed by `mucktrack.cli.main` (design section 8).
"""

import click


class BadInputError(click.ClickException):
    """What was given cannot be used: exit code 2."""

    exit_code = 2


class WorkFailedError(click.ClickException):
    """The input was right and the work failed all the same: exit code 1."""

    exit_code = 1
