"""Whether the children of `mucktrack up` do what they should, in words for who started it.

Called by `mucktrack.parts`, `mucktrack.console_part` and `mucktrack.up`. A child ends, fails, or
says its port in a file; what it is for is not known here.
"""

import time
from pathlib import Path

from mucktrack.children import Child, tail_of
from mucktrack.failures import BadInputError, WorkFailedError

PORT_S = 60.0
"""Until a part says which port it has."""
POLL_S = 0.1


def port_in(file: Path, child: Child) -> int:
    """The port that the child says it has. Raises `WorkFailedError`."""
    deadline = time.monotonic() + PORT_S
    while not (file.exists() and (port := file.read_text().strip())):
        check(child)
        if time.monotonic() > deadline:
            raise WorkFailedError(
                f"{child.name}: not ready within {PORT_S:g} s; the end of {child.log}:\n"
                f"{child.tail()}"
            )
        time.sleep(POLL_S)
    return int(port)


def check(child: Child) -> None:
    """Raises `WorkFailedError` where the child has failed, with the end of its log, and
    `BadInputError`, with its own words, where it was given what it cannot use."""
    code = child.exit_code()
    if code == BadInputError.exit_code:
        words = tail_of(child.log, lines=1).strip().removeprefix("mucktrack: ")
        raise BadInputError(f"{child.name}: {words}")
    if code not in (None, 0):
        raise WorkFailedError(
            f"{child.name}: ended with exit code {code}; the end of {child.log}:\n{child.tail()}"
        )


def stop(child: Child) -> None:
    """End the child. Raises `WorkFailedError` where it did not end as it should."""
    if not child.stop():
        raise WorkFailedError(
            f"{child.name}: failed while it was stopped (exit code {child.exit_code()}); the end "
            f"of {child.log}:\n{child.tail()}"
        )
