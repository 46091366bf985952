"""The settings: each declared once, here, and read from a flag, else from `MUCKTRACK_…`, else its
default.

`mucktrack.options` makes the flags from them and `mucktrack settings` prints them. A setting is
what differs between installations; what a single run is about (files, trucks, speed) is an
argument of its command. Nothing here knows what the settings are used for.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mucktrack.kinds import (
    DATABASE,
    FILE,
    FOLDER,
    HOST,
    HOSTS,
    MASK,
    NAME,
    PASSWORD,
    PORT,
    REDIS,
    TILES,
    Kind,
    choice,
    whole,
)
from streams.access import MECHANISMS, PLAINTEXT, SCRAM_SHA_512, SECURITIES
from streams.logs import FORMS, LEVELS, Form, Level

PREFIX = "MUCKTRACK_"
FILE_SUFFIX = "_FILE"
"""`MUCKTRACK_X_FILE` names a file that holds the secret setting X, as containers are given them."""
REQUIRED, NONE = "required", "none"
UNSET = ""
"""An empty variable counts as unset."""


class SettingError(Exception):
    """A value that the setting cannot have; the message names both and what is allowed."""


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    default: Any
    kind: Kind
    help: str
    secret: bool
    by_flag: bool
    """Whether commands take it as a flag too."""

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    @property
    def file_variable(self) -> str | None:
        """Names a file that holds the value; None where it is no secret."""
        return self.variable + FILE_SUFFIX if self.secret else None

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
        return self.kind.mask(str(value)) if self.secret else str(value)


def _about(
    kind: Kind, help_text: str, *, secret: bool = False, by_flag: bool = True
) -> dict[str, Any]:
    return {"kind": kind, "help": help_text, "secret": secret, "by_flag": by_flag}


def _access(kind: Kind, help_text: str, *, secret: bool = False) -> dict[str, Any]:
    """By variable alone: the same for all commands, and flags show in lists of processes."""
    return _about(kind, help_text, secret=secret, by_flag=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their values; None = unset."""

    kafka: str | None = field(
        default=None,
        metadata=_about(HOSTS, "Kafka brokers (`up` starts one where none are given)."),
    )
    kafka_security: str = field(
        default=PLAINTEXT,
        metadata=_access(choice(*SECURITIES), "How the brokers are spoken to: TLS, login, both."),
    )
    kafka_ca_file: Path | None = field(
        default=None,
        metadata=_access(
            FILE, "PEM: who signed the brokers' certificates; unset = whom the system trusts."
        ),
    )
    kafka_cert_file: Path | None = field(
        default=None, metadata=_access(FILE, "PEM: certificate for brokers that want one.")
    )
    kafka_key_file: Path | None = field(
        default=None,
        metadata=_access(FILE, "PEM: its key, without a password; unset = in the same file."),
    )
    kafka_sasl_mechanism: str = field(
        default=SCRAM_SHA_512, metadata=_access(choice(*MECHANISMS), "How one logs in to Kafka.")
    )
    kafka_user: str | None = field(
        default=None, metadata=_access(NAME, "User that logs in to Kafka.")
    )
    kafka_password: str | None = field(
        default=None, repr=False, metadata=_access(PASSWORD, "Its password.", secret=True)
    )
    redis: str | None = field(
        default=None,
        repr=False,
        metadata=_about(REDIS, "Redis (`up` starts one where none is given).", secret=True),
    )
    redis_password: str | None = field(
        default=None,
        repr=False,
        metadata=_access(PASSWORD, "Password of Redis or of the user in its URL.", secret=True),
    )
    redis_ca_file: Path | None = field(
        default=None,
        metadata=_access(
            FILE,
            "PEM: who signed the certificate of a rediss:// Redis; unset = whom the system trusts.",
        ),
    )
    redis_cert_file: Path | None = field(
        default=None, metadata=_access(FILE, "PEM: certificate for a Redis that wants one.")
    )
    redis_key_file: Path | None = field(
        default=None,
        metadata=_access(FILE, "PEM: its key, without a password; unset = in the same file."),
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
            whole("N", 1, 10_000), "Partitions of gps.positions; fixed once the topic is made."
        ),
    )
    replication: int = field(
        default=1,
        metadata=_about(whole("N", 1, 100), "Replicas of each topic that is made."),
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
            whole("SECONDS", 1, 86_400),
            "An archive's file is finished, and can be read, so long after it was begun.",
        ),
    )
    archive_days: int = field(
        default=730,
        metadata=_about(
            whole("DAYS", 1, 36_500),
            "How long positions are archived; by default two years.",
        ),
    )
    archive_metrics_port: int = field(
        default=9465,
        metadata=_about(PORT, "Port on which an archiver serves its metrics; 0 = a free one."),
    )
    gateway_host: str = field(
        default="127.0.0.1",
        metadata=_about(HOST, "Address on which a gateway awaits terminals."),
    )
    gateway_port: int = field(
        default=7611,
        metadata=_about(PORT, "Port on which a gateway awaits terminals; 0 = a free one."),
    )
    gateway_idle_s: int = field(
        default=300,
        metadata=_about(
            whole("SECONDS", 1, 86_400),
            "A terminal that sends nothing for so long is gone; above its heartbeat's interval.",
        ),
    )
    gateway_connections: int = field(
        default=20_000,
        metadata=_about(whole("N", 1, 1_000_000), "Connections of terminals at a time."),
    )
    gateway_connections_an_address: int = field(
        default=2_000,
        metadata=_about(
            whole("N", 1, 1_000_000),
            "And from one address: mobile networks put many terminals behind one.",
        ),
    )
    gateway_phones: int = field(
        default=1_000,
        metadata=_about(
            whole("N", 1, 1_000_000),
            "Terminals on one connection, as a forwarder has them.",
        ),
    )
    gateway_authentication: str = field(
        default=REQUIRED,
        metadata=_about(
            choice(REQUIRED, NONE),
            "Whether terminals must register and authenticate; none lets in whatever names a "
            "terminal of trucks.csv.",
        ),
    )
    gateway_profile: str | None = field(
        default=None,
        metadata=_about(
            NAME,
            "Profile of terminals whose model none is for; unset = the standard's own.",
        ),
    )
    gateway_profiles: Path | None = field(
        default=None,
        metadata=_about(FOLDER, "Folder of profiles of one's own, beside those shipped."),
    )
    gateway_ask_location: str = field(
        default="no",
        metadata=_about(
            choice("no", "yes"), "Whether a terminal that comes in is asked where it is (0x8201)."
        ),
    )
    gateway_tick_s: int = field(
        default=30,
        metadata=_about(
            whole("SECONDS", 0, 3_600),
            "How often the clock's time goes to all partitions, so that silence is noticed; 0 = "
            "never, for terminals whose time is not the clock's, such as simulated ones.",
        ),
    )
    gateway_cert_file: Path | None = field(
        default=None,
        metadata=_about(FILE, "PEM: certificate of the gateway; with it terminals need TLS."),
    )
    gateway_key_file: Path | None = field(
        default=None,
        metadata=_about(FILE, "PEM: its key, without a password; unset = in the same file."),
    )
    gateway_metrics_port: int = field(
        default=9466,
        metadata=_about(PORT, "Port on which a gateway serves its metrics; 0 = a free one."),
    )
    gateway809_host: str = field(
        default="127.0.0.1",
        metadata=_about(HOST, "Address on which a gateway awaits platforms."),
    )
    gateway809_port: int = field(
        default=7809,
        metadata=_about(PORT, "Port on which a gateway awaits platforms; 0 = a free one."),
    )
    gateway809_idle_s: int = field(
        default=180,
        metadata=_about(
            whole("SECONDS", 1, 86_400),
            "A platform that sends nothing for so long is gone; it keeps alive every minute.",
        ),
    )
    gateway809_connections: int = field(
        default=200,
        metadata=_about(whole("N", 1, 100_000), "Connections of platforms at a time."),
    )
    gateway809_frame_bytes: int = field(
        default=262_144,
        metadata=_about(
            whole("BYTES", 1_024, 16_777_216), "The longest frame of a platform; photos are."
        ),
    )
    gateway809_cert_file: Path | None = field(
        default=None,
        metadata=_about(FILE, "PEM: certificate of the gateway; with it platforms need TLS."),
    )
    gateway809_key_file: Path | None = field(
        default=None,
        metadata=_about(FILE, "PEM: its key, without a password; unset = in the same file."),
    )
    gateway809_metrics_port: int = field(
        default=9467,
        metadata=_about(PORT, "Port on which this gateway serves its metrics; 0 = a free one."),
    )
    database: str | None = field(
        default=None,
        repr=False,
        metadata=_about(
            DATABASE,
            "Database of cases: SQLite or PostgreSQL; unset = cases.db in the state folder.",
            secret=True,
        ),
    )
    database_password: str | None = field(
        default=None,
        repr=False,
        metadata=_access(PASSWORD, "Password of the user in its address.", secret=True),
    )
    office: Path | None = field(
        default=None,
        metadata=_about(
            FILE,
            "TOML: working hours, holidays and time limits (docs/enforcement.md); unset = "
            "Monday to Friday.",
        ),
    )
    console_host: str = field(
        default="127.0.0.1",
        metadata=_about(HOST, "Address on which console and API are served."),
    )
    console_port: int = field(
        default=8080,
        metadata=_about(PORT, "Port on which console and API are served; 0 = a free one."),
    )
    console_cert_file: Path | None = field(
        default=None,
        metadata=_about(FILE, "PEM: certificate of the console; with it browsers need https."),
    )
    console_key_file: Path | None = field(
        default=None,
        metadata=_about(FILE, "PEM: its key, without a password; unset = in the same file."),
    )
    console_behind_https: str = field(
        default="no",
        metadata=_about(
            choice("no", "yes"),
            "Whether a proxy in front of the console speaks HTTPS, so that cookies go no other "
            "way.",
        ),
    )
    console_tiles: str | None = field(
        default=None,
        metadata=_about(
            TILES,
            "Address of map tiles with {z}, {x} and {y}; unset = the city's own shapes are the "
            "map, and browsers ask nobody else.",
        ),
    )
    console_metrics_port: int = field(
        default=9468,
        metadata=_about(PORT, "Port on which a console serves its metrics; 0 = a free one."),
    )
    webhooks: Path | None = field(
        default=None,
        metadata=_about(FILE, "TOML: who is told of new and changed cases (docs/enforcement.md)."),
    )
    session_timeout_s: int = field(
        default=6,
        metadata=_about(
            whole("SECONDS", 1, 1_800),
            "Silence after which a worker's partitions go to the others; brokers have limits for "
            "it, Kafka's own from 6 to 1800.",
        ),
    )
    checkpoint_s: int = field(
        default=5,
        metadata=_about(
            whole("SECONDS", 1, 3_600),
            "How often a worker saves the state of a partition in Redis, and so how much it "
            "repeats after a crash; less often where that were more than a twentieth of its work.",
        ),
    )
    trucks_a_partition: int = field(
        default=200_000,
        metadata=_about(
            whole("N", 1, 100_000_000),
            "Trucks that a worker remembers of each partition; positions of others are rejected.",
        ),
    )
    log: Form = field(
        default="auto",
        metadata=_access(
            choice(*FORMS), "Lines of the log: text on a terminal and else JSON, or always one."
        ),
    )
    log_level: Level = field(
        default="info",
        metadata=_access(choice(*LEVELS), "What is worth a line of the log (docs/logs.md)."),
    )
    kafka_port: int = field(
        default=0, metadata=_about(PORT, "Port of the broker that `up` starts; 0 = a free one.")
    )
    redis_port: int = field(
        default=0, metadata=_about(PORT, "Port of the Redis that `up` starts; 0 = a free one.")
    )


SETTINGS: Mapping[str, Setting] = {
    one.name: Setting(
        one.name,
        one.default,
        one.metadata["kind"],
        one.metadata["help"],
        one.metadata["secret"],
        one.metadata["by_flag"],
    )
    for one in fields(Settings)
}


def load_settings(
    given: Mapping[str, Any] | None = None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings: what is `given` (by flags; None = not given), else the environment's, where
    that of secrets may name files.

    Raises `SettingError`.
    """
    values = {name: value for name, value in (given or {}).items() if value is not None}
    for setting in SETTINGS.values():
        if setting.name not in values and (told := _told(setting, environment)) is not None:
            values[setting.name] = setting.parse(*told)
    return Settings(**values)


def _told(setting: Setting, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """What the environment says of it, and the variable that says so; None = nothing."""
    text = environment.get(setting.variable, UNSET)
    file_variable = setting.file_variable
    file = environment.get(file_variable, UNSET) if file_variable else UNSET
    if file_variable is None or file == UNSET:
        return None if text == UNSET else (text, setting.variable)
    if text != UNSET:
        raise SettingError(f"{setting.variable} and {file_variable} are both set; leave one out")
    return _content(file_variable, Path(file)), file_variable


def _content(variable: str, file: Path) -> str:
    """A line break at the file's end is none of it."""
    try:
        text = file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise SettingError(f"{variable}: {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingError(f"{variable}: {file} is no text in UTF-8") from None
    if not text or "\n" in text:
        raise SettingError(f"{variable}: {file} must hold the value and nothing else, on one line")
    return text


def variables() -> set[str]:
    """All that settings are read from."""
    both = [(setting.variable, setting.file_variable) for setting in SETTINGS.values()]
    return {name for pair in both for name in pair if name is not None}


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that look like settings and are none: most likely a slip of the pen."""
    known = variables()
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
