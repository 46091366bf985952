"""The command line (design section 8): names, flags and help; the work is done elsewhere.

`mucktrack.commands` declares the commands; their bodies are imported when they run, so that
`--help` is quick. `main` is the program's entry point: it turns what stops a command into one line
on standard error and an exit code (0 done, 1 the work failed, 2 wrong usage or bad input).
"""

import os
import signal
import sys

import click

from mucktrack.commands import (
    archiving,
    enforcing,
    evidence,
    frames,
    judging,
    producing,
    receiving,
    reference,
    running,
    sizing,
)
from streams.log_setup import say_last
from streams.shown import shown

LONGEST_LINE = 10_000
"""Characters of what went wrong: a path, and whatever a library quotes from a file."""


def main() -> None:
    """Run the command line and end the process."""
    # A signal ends the process at once, quietly, until a command has something to put in order
    # and says so. (Python's KeyboardInterrupt would come out of the middle of an import.)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        cli.main(prog_name="mucktrack", standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as error:
        _say(error)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("mucktrack: interrupted\n")
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read the output has had enough, as `head` does. What is left is not written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _say(error: click.ClickException) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "mucktrack"
    hint = f" (see {command} --help)" if isinstance(error, click.UsageError) else ""
    # A log's end may follow the line that says what happened.
    first, _, rest = error.format_message().partition("\n")
    first = shown(first.rstrip("."), LONGEST_LINE)
    if not say_last(command, "\n".join(filter(None, (first, rest)))):
        sys.stderr.write(f"{command}: {first}{hint}\n" + (f"{rest}\n" if rest else ""))


def _version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from streams.version import version

        click.echo(f"mucktrack {version()}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
    help="Print the version and end.",
)  # fmt: skip
def cli() -> None:
    """Watch muck trucks and put violations on the enforcement queue within a second.

    To see it work: `mucktrack up`. For verdicts over files: `mucktrack detect`.
    """


for command in (
    running.up,
    judging.detect,
    judging.worker,
    judging.score,
    archiving.archive,
    receiving.gateway,
    receiving.gateway809,
    enforcing.console,
    enforcing.users_group,
    enforcing.webhooks_group,
    enforcing.audit_group,
    evidence.evidence_group,
    producing.replay,
    producing.simulate,
    frames.jt808_group,
    frames.jt809_group,
    reference.city_group,
    reference.profiles_group,
    reference.topics_group,
    reference.checkpoints_group,
    reference.print_settings,
    sizing.size,
):
    cli.add_command(command)
