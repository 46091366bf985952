"""The file that says which platforms may log in to `mucktrack gateway809`, and with what.

`load_platforms` is called once, at the start. A TOML file with a table `[[platform]]` each:
docs/connect.md tells its keys. Every fault is named. Knows nothing of connections.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Final, get_args

from geofences.findings import Finding, Report
from geofences.records import decode
from producers.jt809.cipher import Cipher
from producers.jt809.fields import TEXT
from producers.jt809.header import Version
from producers.profiles.profile import Profile, Profiles
from producers.toml_table import Table
from streams.log_lines import hide

KEYS: Final = (
    "name",
    "centre_id",
    "user_id",
    "password",
    "password_file",
    "version",
    "m1",
    "ia1",
    "ic1",
    "profile",
    "addresses",
)
LARGEST: Final = 0xFFFF_FFFF
PASSWORD_BYTES: Final = 8
"""What a login has room for."""
NO_SENSORS: Final = "no-sensors-2013"
"""What is known of loads and lifts where no profile is named: nothing."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_VERSIONS: Final[tuple[Version, ...]] = get_args(Version)

Networks = tuple[IPv4Network | IPv6Network, ...]


class PlatformFileError(ValueError):
    """The file cannot be used; its text has one line a fault."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(finding.render() for finding in findings))


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform that may log in."""

    name: str
    """Ours for it; key of its frames, and the `terminal_id` of its positions."""
    centre_id: int
    """Its access code (MSG_GNSSCENTERID)."""
    user_id: int
    password: str = field(repr=False)
    version: Version | None
    """None = what its login says."""
    cipher: Cipher | None = field(repr=False)
    profile: Profile
    addresses: Networks
    """Where it may come from; none = anywhere."""

    def may_come_from(self, host: str) -> bool:
        if not self.addresses:
            return True
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self.addresses)


def load_platforms(path: Path, profiles: Profiles) -> dict[int, Platform]:
    """By access code. Raises `PlatformFileError`."""
    report = Report()
    platforms = _read(path, profiles, report)
    if report.findings:
        raise PlatformFileError(report.findings)
    return {platform.centre_id: platform for platform in platforms}


def _read(path: Path, profiles: Profiles, report: Report) -> list[Platform]:
    file = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        report.error(file, f"cannot be read: {error.strerror}")
        return []
    text = decode(content, file, report)
    if text is None:
        return []
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        report.error(file, f"is not TOML: {error}; repair it")
        return []
    Table(values, report, file, None).refuse_unknown(("platform",))
    tables = values.get("platform", [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        report.error(file, "is no list of tables; head each with [[platform]]", field="platform")
        return []
    if not tables:
        report.error(file, "has no platform; write a table [[platform]] for each")
    seen: dict[tuple[str, object], int] = {}
    platforms = []
    for number, table in enumerate(tables, 1):
        reader = Table(table, report, file, f"platform {number}")
        platform = _platform(reader, table, path.parent, profiles)
        if platform is not None:
            _refuse_twice(reader, platform, number, seen)
            platforms.append(platform)
    return platforms


def _platform(
    table: Table, values: dict[str, Any], folder: Path, profiles: Profiles
) -> Platform | None:
    table.refuse_unknown(KEYS)
    platform = Platform(
        name=_name(table),
        centre_id=_number(table, "centre_id"),
        user_id=_number(table, "user_id"),
        password=_password(table, folder),
        version=table.choice("version", _VERSIONS, None) if table.has("version") else None,
        cipher=_cipher(table),
        profile=_profile(table, profiles),
        addresses=_addresses(table),
    )
    return None if table.has_fault(*KEYS, *map(repr, values)) else platform


def _refuse_twice(
    table: Table, platform: Platform, number: int, seen: dict[tuple[str, object], int]
) -> None:
    for key, value in (("name", platform.name), ("centre_id", platform.centre_id)):
        first = seen.setdefault((key, value), number)
        if first != number:
            table.fault(key, f"is that of platform {first} too; give each its own", value)


def _name(table: Table) -> str:
    name = table.text("name", None) or ""
    if name and not _NAME.fullmatch(name):
        message = "is no name; allowed are 1 to 40 of letters, digits, '.', '_' and '-'"
        table.fault("name", message, name)
    return name


def _number(table: Table, key: str) -> int:
    if not table.has(key):
        table.fault(key, "is missing; fill it in")
        return 0
    return table.whole(key, 0, 0, LARGEST) or 0


def _password(table: Table, folder: Path) -> str:
    if table.has("password") == table.has("password_file"):
        table.fault("password", "or password_file: give one of them")
        return ""
    if table.has("password"):
        key, password = "password", table.text("password", None) or ""
    else:
        key, password = "password_file", _from_file(table, folder)
    if not table.has_fault(key) and not 1 <= len(password.encode(TEXT)) <= PASSWORD_BYTES:
        # It is a secret: what is wrong with it is told without it.
        table.fault(key, f"has a password that is not of 1 to {PASSWORD_BYTES} bytes")
    hide(password)
    return password


def _from_file(table: Table, folder: Path) -> str:
    named = table.text("password_file", None)
    if named is None:
        return ""
    try:
        return (folder / named).read_text("utf-8").strip()
    except OSError as error:
        table.fault("password_file", f"cannot be read: {error.strerror}", named)
    except UnicodeDecodeError:
        table.fault("password_file", "is not UTF-8", named)
    return ""


def _cipher(table: Table) -> Cipher | None:
    keys = ("m1", "ia1", "ic1")
    given = [key for key in keys if table.has(key)]
    if not given:
        return None
    for key in keys:
        if key not in given:
            table.fault(key, f"is missing beside {' and '.join(given)}; a cipher needs all three")
    m1, ia1, ic1 = (table.whole(key, 0, 0, LARGEST) or 0 for key in keys)
    return Cipher(m1, ia1, ic1)


def _profile(table: Table, profiles: Profiles) -> Profile:
    unknown = profiles.named(NO_SENSORS)
    if unknown is None:
        raise RuntimeError(f"the profile {NO_SENSORS} is not shipped")
    if not table.has("profile"):
        return unknown
    name = table.text("profile", None)
    profile = profiles.named(name) if name is not None else None
    if profile is None and name is not None:
        table.fault("profile", f"is not known; there are {', '.join(profiles.names)}", name)
    return profile or unknown


def _addresses(table: Table) -> Networks:
    networks: list[IPv4Network | IPv6Network] = []
    for text in table.list_of("addresses", str):
        try:
            networks.append(ip_network(text))
        except ValueError:
            message = "is no address or network; write 10.1.2.3 or 10.1.2.0/24"
            table.fault("addresses", message, text)
    return tuple(networks)
