"""Server processes that are killed, frozen and restarted on the same port."""

import os
import random
import signal
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

from mucktrack.children import Child
from mucktrack.embedded import HOST

PORTS = range(15_000, 32_000)
"""Below those that systems give to outgoing connections: while a server is down, a client that
tries to reach it must not be given, and so take, its port."""
GRACE_S = 2.0
"""The servers' data is nobody's: no need to wait long for an end in good order."""
POLL_S = 0.02
STARTED_WITHIN_S = 10.0


class ServerFailedError(Exception):
    """A server did not come up; the message ends with the end of its log."""


def quiet_port() -> int:
    """A port that nobody listens on, and that no outgoing connection takes."""
    while True:
        port = random.choice(PORTS)
        with closing(socket.socket()) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port


class ServerProcess:
    """One run of a server, which ends with this process however that ends."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self._said_before = log.stat().st_size if log.exists() else 0
        self._child = Child(name, command, log, grace_s=GRACE_S)
        self._pid = 0

    @property
    def pid(self) -> int:
        """Of the server itself, which the leash has started."""
        deadline = time.monotonic() + STARTED_WITHIN_S
        while not self._pid:
            children = children_of(self._child.leash_pid)
            if children:
                self._pid = children[0]
            elif time.monotonic() > deadline:
                raise self.failed("it did not start")
            else:
                time.sleep(POLL_S)
        return self._pid

    def said(self) -> str:
        """What this run has logged."""
        with self._child.log.open("rb") as log:
            log.seek(self._said_before)
            return log.read().decode(errors="replace")

    def wait(self, limit_s: float) -> int | None:
        """Its exit code; None where it still runs after `limit_s`."""
        return self._child.wait(limit_s)

    def check(self) -> None:
        """Raise where the server has ended by itself."""
        if (code := self._child.exit_code()) is not None:
            raise self.failed(f"it ended with exit code {code}")

    def failed(self, why: str) -> ServerFailedError:
        tail = self._child.tail()
        return ServerFailedError(f"{self.name}: {why}; the end of {self._child.log}:\n{tail}")

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.check()
        self.signal(signal.SIGKILL)
        self._child.wait(STARTED_WITHIN_S)

    def end(self) -> None:
        """SIGKILL where it still runs, frozen or not."""
        if self._child.exit_code() is None:
            self.kill()
        self._child.stop()


def children_of(pid: int) -> list[int]:
    """The processes that `pid` has started."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = (map(int, line.split()) for line in listed.splitlines())
    return [child for child, parent in pairs if parent == pid]
