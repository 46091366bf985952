"""The settings: each declared once, here, and read from a flag, else from `MUCKTRACK_…`, else its
default.

`mucktrack.options` makes the flags from them and `mucktrack settings` prints them. A setting is
what differs between installations; what a single run is about (files, trucks, speed) is an
argument of its command. Nothing here knows what the settings are used for.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

PREFIX = "MUCKTRACK_"
UNSET = ""
"""An empty variable counts as unset."""
MASK = "***"


class SettingError(Exception):
    """A value that the setting cannot have; the message names both and what is allowed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a setting is written."""

    form: str
    """For help texts: `PORT`, `HOST:PORT,…`."""
    parse: Callable[[str], Any]
    """Raises ValueError, saying what is allowed."""


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    default: Any
    kind: Kind
    help: str
    secret: bool

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def parse(self, text: str, origin: str) -> Any:
        """The value `text` stands for; `origin` (variable or flag) is named in the error."""
        try:
            return self.kind.parse(text)
        except ValueError as error:
            # What cannot be read cannot be masked in parts.
            shown = MASK if self.secret else text
            raise SettingError(f"{origin}={shown}: {error}") from None

    def shown(self, value: object) -> str:
        """The value for people; what is secret in it is masked."""
        if value is None:
            return UNSET
        return _masked(str(value)) if self.secret else str(value)


def _digits(text: str) -> bool:
    """Python's own test takes the digits of every script."""
    return text.isascii() and text.isdecimal()


def _hosts(text: str) -> str:
    hosts = [part.strip() for part in text.split(",")]
    for host in hosts:
        name, _, port = host.rpartition(":")
        if not name or not _digits(port) or not 0 < int(port) < 65_536:
            raise ValueError(
                f"{host!r} is not host:port; write e.g. 127.0.0.1:9092, several joined by commas"
            )
    return ",".join(hosts)


def _redis(text: str) -> str:
    parts = urlsplit(text)
    complete = parts.hostname if parts.scheme in ("redis", "rediss") else parts.path
    if parts.scheme not in ("redis", "rediss", "unix") or not complete:
        raise ValueError("not the URL of a Redis; write e.g. redis://127.0.0.1:6379/0")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("the port is not a number from 0 to 65535") from None
    return text


def _whole(form: str, lowest: int, highest: int) -> Kind:
    def parse(text: str) -> int:
        if not _digits(text) or not lowest <= int(text) <= highest:
            raise ValueError(f"not a whole number from {lowest} to {highest}")
        return int(text)

    return Kind(form, parse)


def _host(text: str) -> str:
    if not text or any(character in text for character in " /,"):
        raise ValueError("not the name or address of a host; write e.g. 127.0.0.1")
    return text


def _name(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("not a name: it holds blanks at its ends, or what cannot be printed")
    return text


def _folder(text: str) -> Path:
    if not text:
        raise ValueError("the path is empty; name a directory")
    return Path(text)


NAME = Kind("NAME", _name)
HOSTS = Kind("HOST:PORT,…", _hosts)
REDIS = Kind("URL", _redis)
FOLDER = Kind("DIR", _folder)
HOST = Kind("HOST", _host)
PORT = _whole("PORT", 0, 65_535)


def _about(kind: Kind, help_text: str, *, secret: bool = False) -> dict[str, Any]:
    return {"kind": kind, "help": help_text, "secret": secret}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their values; None = unset."""

    kafka: str | None = field(
        default=None,
        metadata=_about(HOSTS, "Kafka brokers (`up` starts one where none are given)."),
    )
    redis: str | None = field(
        default=None,
        metadata=_about(REDIS, "Redis (`up` starts one where none is given).", secret=True),
    )
    city: Path | None = field(
        default=None,
        metadata=_about(FOLDER, "City directory (`up` and `simulate` bring one along)."),
    )
    state_dir: Path = field(
        default=Path(".mucktrack"),
        metadata=_about(FOLDER, "Folder for logs and for data that is of no use elsewhere."),
    )
    partitions: int = field(
        default=12,
        metadata=_about(
            _whole("N", 1, 10_000), "Partitions of gps.positions; fixed once the topic is made."
        ),
    )
    replication: int = field(
        default=1,
        metadata=_about(_whole("N", 1, 100), "Replicas of each topic that is made."),
    )
    group: str = field(
        default="mucktrack-worker",
        metadata=_about(NAME, "Consumer group; the workers of a group share the partitions."),
    )
    metrics_host: str = field(
        default="127.0.0.1",
        metadata=_about(HOST, "Address on which metrics and health pages are served."),
    )
    metrics_port: int = field(
        default=9464,
        metadata=_about(PORT, "Port on which a worker serves its metrics; 0 = a free one."),
    )
    archive: Path | None = field(
        default=None,
        metadata=_about(
            FOLDER,
            "Folder of the archive (`up` keeps one in the folder of its run where it starts Kafka, "
            "whose records end with it).",
        ),
    )
    archive_roll_s: int = field(
        default=600,
        metadata=_about(
            _whole("SECONDS", 1, 86_400),
            "An archive's file is finished, and can be read, so long after it was begun.",
        ),
    )
    archive_days: int = field(
        default=730,
        metadata=_about(
            _whole("DAYS", 1, 36_500),
            "How long positions are archived; by default two years.",
        ),
    )
    archive_metrics_port: int = field(
        default=9465,
        metadata=_about(PORT, "Port on which an archiver serves its metrics; 0 = a free one."),
    )
    session_timeout_s: int = field(
        default=6,
        metadata=_about(
            _whole("SECONDS", 1, 1_800),
            "Silence after which a worker's partitions go to the others; brokers have limits for "
            "it, Kafka's own from 6 to 1800.",
        ),
    )
    checkpoint_s: int = field(
        default=5,
        metadata=_about(
            _whole("SECONDS", 1, 3_600),
            "How often a worker saves the state of a partition in Redis, and so how much it "
            "repeats after a crash; less often where that were more than a twentieth of its work.",
        ),
    )
    trucks_a_partition: int = field(
        default=200_000,
        metadata=_about(
            _whole("N", 1, 100_000_000),
            "Trucks that a worker remembers of each partition; positions of others are rejected.",
        ),
    )
    kafka_port: int = field(
        default=0, metadata=_about(PORT, "Port of the broker that `up` starts; 0 = a free one.")
    )
    redis_port: int = field(
        default=0, metadata=_about(PORT, "Port of the Redis that `up` starts; 0 = a free one.")
    )


SETTINGS: Mapping[str, Setting] = {
    one.name: Setting(
        one.name, one.default, one.metadata["kind"], one.metadata["help"], one.metadata["secret"]
    )
    for one in fields(Settings)
}


def load_settings(
    given: Mapping[str, Any] | None = None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings: what is `given` (by flags; None = not given), else the environment's.

    Raises `SettingError`.
    """
    values = {name: value for name, value in (given or {}).items() if value is not None}
    for setting in SETTINGS.values():
        text = environment.get(setting.variable, UNSET)
        if setting.name not in values and text != UNSET:
            values[setting.name] = setting.parse(text, setting.variable)
    return Settings(**values)


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that look like settings and are none: most likely a slip of the pen."""
    known = {setting.variable for setting in SETTINGS.values()}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def _masked(text: str) -> str:
    """A URL without its password, which may stand before the host or in the query."""
    parts = urlsplit(text)
    account, at, place = parts.netloc.rpartition("@")
    user = account.partition(":")[0]
    netloc = f"{user}:{MASK}@{place}" if at else parts.netloc
    return urlunsplit(parts._replace(netloc=netloc, query=MASK if parts.query else ""))
