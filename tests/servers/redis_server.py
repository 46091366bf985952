"""A server of the Redis protocol that can be killed and started again, on the port and the data it
had: the program that `mucktrack up` starts, from its wheel.

    with RedisServer(folder, append_only=True) as server:
        ...  # clients use server.url
        server.kill()
        server.start()
"""

import signal
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

import redis

from mucktrack.embedded import HOST, valkey_program
from servers.server_process import ServerProcess, quiet_port

READY_S = 15.0
POLL_S = 0.02


class RedisServer:
    """One server with its data in `folder`.

    With `append_only` what it has acknowledged survives `kill`; without, nothing does. `options`
    are added to its command line, such as `("--requirepass", "…")`; `url` is for clients that need
    none of them. `program` is another server of that protocol. Raises `ServerFailedError` where
    it does not come up.
    """

    def __init__(
        self,
        folder: Path,
        *,
        append_only: bool = True,
        options: Sequence[str] = (),
        program: str | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = quiet_port()
        self.log = folder / "log"
        self._command = [
            *(program or valkey_program(), "--bind", HOST, "--port", str(self.port)),
            *("--dir", str(folder.resolve()), "--save", "", "--daemonize", "no", "--logfile", ""),
            *("--appendonly", "yes" if append_only else "no", "--appendfsync", "always"),
            *options,
        ]
        self._process: ServerProcess | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self) -> None:
        """Start it, and wait until it has read its data."""
        assert self._process is None, "the server runs already"
        process = self._process = ServerProcess("redis server", self._command, self.log)
        deadline = time.monotonic() + READY_S
        while not self._answers():
            process.check()
            if time.monotonic() > deadline:
                raise process.failed(f"it was not ready within {READY_S:g} s")
            time.sleep(POLL_S)

    def kill(self) -> None:
        """SIGKILL."""
        self._running().kill()
        self._process = None

    def freeze(self) -> None:
        """SIGSTOP."""
        self._running().signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._running().signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it where it runs, as `kill` does."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _running(self) -> ServerProcess:
        assert self._process is not None, "the server does not run"
        return self._process

    def _answers(self) -> bool:
        """Also where it answers that a password is wanted."""
        try:
            with closing(redis.Redis(HOST, self.port, socket_timeout=1)) as client:
                return bool(client.ping())
        except redis.AuthenticationError:
            return True
        except (redis.ConnectionError, redis.TimeoutError):
            return False
