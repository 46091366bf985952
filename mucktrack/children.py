"""Child processes that cannot outlive this one.

Called by `mucktrack.embedded` (servers) and `mucktrack.up` (worker, fleet). Each child runs under
`mucktrack.leash` in a session of its own, so that Ctrl-C reaches only the parent, which then stops
its children in the right order. It knows nothing of what the commands are.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mucktrack import leash
from streams.shown import shown

GRACE_S = 10.0
"""From SIGTERM to SIGKILL."""
TAIL_LINES = 20
LONGEST_LINE = 2_000
"""Characters."""
TERMINATED = 128 + 15


class Child:
    """A command under way; its standard output and error go to `log`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        log: Path,
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.name = name
        self.log = log
        self._grace_s = grace_s
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", leash.__file__),
                    *("--grace", str(grace_s), "--"),
                    *command,
                ],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )

    @property
    def leash_pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; 128 + signal number where a signal ended it."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, or None where it still runs after `timeout_s`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> bool:
        """SIGTERM, SIGKILL after the grace time; whether the child ended as it should.

        That is: with exit code 0, or by the SIGTERM. Calling it again changes nothing.
        """
        self.begin_stop()
        code = self.wait(self._grace_s + 5)
        if code is None:
            self._process.kill()
            code = self._process.wait()
        return code in (0, TERMINATED)

    def begin_stop(self) -> None:
        """Send the SIGTERM and return at once; `stop` then waits."""
        assert self._process.stdin is not None  # noqa: S101 - PIPE above
        self._process.stdin.close()

    def tail(self) -> str:
        """The last lines of the log, for an error message."""
        return tail_of(self.log)


def tail_of(log: Path, lines: int = TAIL_LINES) -> str:
    """The last `lines` lines of a log file, indented."""
    if not log.exists():
        return "  (no log was written)"
    text = log.read_bytes()[-16_384:].decode(errors="replace")
    kept = text.splitlines()[-lines:]
    return "\n".join(f"  {shown(line, LONGEST_LINE)}" for line in kept) or "  (the log is empty)"
