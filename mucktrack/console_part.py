"""The console of `mucktrack up`: `mucktrack console` as a child, and somebody who may log in.

Like the parts of `mucktrack.parts`, it is the command that anyone can run alone.
"""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from enforcement.access.identity import COMMAND_LINE
from enforcement.access.passwords import made_up
from enforcement.access.users import add_user, has_users
from mucktrack.access import database_address
from mucktrack.children import Child
from mucktrack.database import opened
from mucktrack.part_checks import port_in
from mucktrack.parts import Servers, child_command, child_environment
from mucktrack.settings import SETTINGS, Settings

GRACE_S = 20.0
"""Its threads finish what they are at (`mucktrack.console`)."""
ADMIN = "admin"
PASSED_ON = (
    *("console_host", "console_port", "console_cert_file", "console_key_file"),
    *("console_behind_https", "metrics_host", "office", "webhooks"),
)


class Console:
    """`mucktrack console`, until `stack` ends it."""

    def __init__(
        self,
        settings: Settings,
        servers: Servers,
        city: Path,
        archive: Path | None,
        folder: Path,
        stack: ExitStack,
    ) -> None:
        """Its cases are in the database given, else in one of this run's own. Raises
        `BadInputError`, `WorkFailedError`."""
        self._settings = settings
        self._port_file = folder / "console.port"
        self._metrics_port_file = folder / "console-metrics.port"
        if settings.database is None:
            address = f"sqlite:///{folder / 'cases.db'}"
        else:
            address = database_address(settings)
        self.password = _first_password(address)
        """Of `ADMIN`, who has been made; None = there are people already."""
        environment = child_environment(
            **servers.kafka_variables,
            **_told(settings),
            redis=servers.redis,
            city=str(city),
            database=address,
            console_metrics_port="0",
            **({} if archive is None else {"archive": str(archive)}),
        )
        command = child_command(
            *("console", "--any-port", "--port-file", str(self._port_file)),
            *("--metrics-port-file", str(self._metrics_port_file)),
        )
        self.child = Child(
            "console", command, folder / "console.log", environment=environment, grace_s=GRACE_S
        )
        stack.callback(self.child.stop)

    def wait_until_ready(self) -> None:
        """Raises `BadInputError`, `WorkFailedError`."""
        self._port()

    def metrics_port(self) -> int:
        """Raises `WorkFailedError`."""
        return port_in(self._metrics_port_file, self.child)

    def heading(self) -> str:
        """Where it is, and who may log in. Said once: nobody can look it up later."""
        scheme = "http" if self._settings.console_cert_file is None else "https"
        where = f"console {scheme}://{self._settings.console_host}:{self._port()}"
        if self.password is None:
            return where
        return f"{where} · log in as {ADMIN} with {self.password}, then choose a password"

    def _port(self) -> int:
        return port_in(self._port_file, self.child)


def _first_password(address: str) -> str | None:
    with opened(address, to_begin=True) as database:
        with database.read() as session:
            if has_users(session):
                return None
        password = made_up()
        now_ms = time.time_ns() // 1_000_000
        add_user(database, COMMAND_LINE, now_ms, ADMIN, "admin", None, password)
    return password


def _told(settings: Settings) -> Mapping[str, str]:
    values = {name: getattr(settings, name) for name in PASSED_ON}
    return {
        name: str(value)
        for name, value in values.items()
        if value is not None and value != SETTINGS[name].default
    }
