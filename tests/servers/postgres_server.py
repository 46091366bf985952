"""A PostgreSQL of the tests' own, from the programs of the system's packages, that can be killed
and started again on its data.

    with PostgresServer() as server:
        address = server.new_database()
        server.kill()
        server.start()

PostgreSQL refuses to run as root; where the tests do, it runs as another user.
"""

import itertools
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import psycopg

from mucktrack.embedded import HOST
from servers.programs import MissingProgramError, find
from servers.server_process import ServerProcess, quiet_port

PACKAGES = Path("/usr/lib/postgresql")
"""Debian keeps the programs of each version in a folder of its own, which is on no search path."""
USERS = ("postgres", "nobody")
READY_S = 30.0
POLL_S = 0.05


def postgres_programs() -> Path:
    """The folder of `initdb` and `postgres`. Raises `MissingProgramError`."""
    versions = (path for path in PACKAGES.glob("*/bin") if (path / "initdb").exists())
    newest = max(versions, key=lambda path: float(re.sub(r"[^\d.]", "", path.parent.name) or 0),
                 default=None)  # fmt: skip
    if newest is not None:
        return newest
    folder = Path(find("initdb", "a PostgreSQL of the tests' own")).parent
    if not (folder / "postgres").exists():
        raise MissingProgramError(f"{folder} has initdb and no postgres")
    return folder


class PostgresServer:
    """One server; nothing of it is left when it ends. Raises `MissingProgramError`,
    `ServerFailedError`."""

    def __init__(self) -> None:
        programs = postgres_programs()
        # The folders of pytest are root's alone.
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.port = quiet_port()
        self._numbers = itertools.count()
        self._as_user = _as_user(self._folder)
        data = self._folder / "data"
        subprocess.run(
            [
                *(*self._as_user, programs / "initdb", "--pgdata", data, "--username", "tests"),
                *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=self._folder,
        )
        self._command = [
            *(*self._as_user, str(programs / "postgres"), "-D", str(data), "-p", str(self.port)),
            *("-c", f"listen_addresses={HOST}", "-c", "unix_socket_directories="),
            # It is killed, and the machine is not.
            *("-c", "fsync=off", "-c", "max_connections=60"),
        ]
        self._process: ServerProcess | None = None

    def new_database(self) -> str:
        """The address of a database that nobody else has."""
        name = f"cases{next(self._numbers)}"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://tests@{HOST}:{self.port}/{name}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        process = ServerProcess("PostgreSQL", self._command, self._folder / "log")
        self._process = process
        deadline = time.monotonic() + READY_S
        while not self._answers():
            process.check()
            if time.monotonic() > deadline:
                raise process.failed(f"it was not ready within {READY_S:g} s")
            time.sleep(POLL_S)

    def kill(self) -> None:
        """SIGKILL of its first process; the others notice and end."""
        self._running().kill()
        self._process = None

    def shut_down(self) -> None:
        """As an administrator would: connections are ended."""
        self._running().signal(signal.SIGINT)
        self._running().wait(READY_S)
        self._process = None

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()
        shutil.rmtree(self._folder, ignore_errors=True)

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

    def _dsn(self, database: str) -> str:
        return f"host={HOST} port={self.port} user=tests dbname={database} connect_timeout=2"

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self._dsn("postgres")):
                return True
        except psycopg.OperationalError:
            return False


def _as_user(folder: Path) -> list[str]:
    """What to put before a command, so that it runs as somebody who may write to `folder`."""
    if os.getuid() != 0:
        return []
    setpriv = find("setpriv", "PostgreSQL where the tests run as root")
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = next((known[name] for name in USERS if name in known), None)
    if user is None:
        raise MissingProgramError(f"PostgreSQL does not run as root, and there is no user {USERS}")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
