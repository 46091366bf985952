"""Who is told of new and changed cases: receivers, read from a TOML file (docs/enforcement.md).

Read by `mucktrack.console`; `enforcement.webhooks.sender` sends to them. It connects nowhere.
"""

import base64
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from enforcement.severities import SEVERITIES
from enforcement.webhooks.events import EVENTS
from streams.catalogue import CATALOGUE
from streams.log_lines import hide

Format = Literal["cloudevents", "wecom", "dingtalk"]
Language = Literal["zh", "en"]
KEYS: Final = {
    *("name", "address", "format", "secret", "secret_file", "language", "link", "tries"),
    *("events", "rules", "severities", "districts"),
}
TRIES: Final = 20
MOST_TRIES: Final = 1_000
ENCODED: Final = "whsec_"
"""Of secrets as Standard Webhooks writes them, in Base64."""
LONGEST_NAME: Final = 64
LONGEST_PLAIN: Final = 24
"""Characters of an address's path that hardly has a key in it."""


class ReceiversError(Exception):
    """A file that cannot be used; one line that names receiver, key and what is allowed."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One address that is told."""

    name: str
    """By which it is remembered how far it has been told."""
    address: str = field(repr=False)
    """Secret: robots have their key in it."""
    format: Format = "cloudevents"
    secret: bytes | None = field(default=None, repr=False)
    language: Language = "zh"
    link: str | None = None
    """Address of a case's page, with `{case_id}` in it."""
    tries: int = TRIES
    events: frozenset[str] = frozenset(EVENTS)
    rules: frozenset[str] | None = None
    """None = all, here and below."""
    severities: frozenset[str] | None = None
    districts: frozenset[str] | None = None

    @property
    def host(self) -> str:
        """For logs."""
        return urlsplit(self.address).hostname or ""

    def wants(
        self, event: str, rules: Collection[str], severity: str, districts: Collection[str]
    ) -> bool:
        """Whether it is told of this event of a case."""
        return (
            event in self.events
            and (self.rules is None or not self.rules.isdisjoint(rules))
            and (self.severities is None or severity in self.severities)
            and (self.districts is None or not self.districts.isdisjoint(districts))
        )


def read_receivers(path: Path) -> list[Receiver]:
    """Raises `ReceiversError`."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReceiversError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReceiversError(f"{path}: no TOML: {error}") from None
    try:
        return _receivers(said, path.parent)
    except ValueError as error:
        raise ReceiversError(f"{path}: {error}") from None


def _receivers(said: Mapping[str, Any], folder: Path) -> list[Receiver]:
    tables = said.get("receiver")
    if set(said) != {"receiver"} or not isinstance(tables, list):
        raise ValueError("write a table [[receiver]] for each receiver, and nothing else")
    receivers = []
    for number, table in enumerate(tables, 1):
        name = table.get("name") if isinstance(table, dict) else None
        try:
            receivers.append(_receiver(table, folder))
        except ValueError as error:
            raise ValueError(f"receiver {name or number}: {error}") from None
    names = [receiver.name for receiver in receivers]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"receiver {name}: there are two of that name")
    return receivers


def _receiver(table: Any, folder: Path) -> Receiver:
    if not isinstance(table, dict):
        raise ValueError("write a table [[receiver]]")
    for key in table:
        if key not in KEYS:
            raise ValueError(f"{key} is unknown; allowed are {', '.join(sorted(KEYS))}")
    form = _one_of(table, "format", get_args(Format), "cloudevents")
    secret = _secret(table, folder)
    hide(secret)
    if form == "wecom" and secret is not None:
        raise ValueError("secret: robots of WeCom have none; their key is in the address")
    rules = {rule.id for rule in CATALOGUE}
    address = _address(table, "address")
    _hide(address)
    return Receiver(
        name=_name(table),
        address=address,
        format=form,
        secret=secret,
        language=_one_of(table, "language", get_args(Language), "zh"),
        link=_link(table),
        tries=_tries(table),
        events=_set(table, "events", EVENTS) or frozenset(EVENTS),
        rules=_set(table, "rules", rules),
        severities=_set(table, "severities", SEVERITIES),
        districts=_set(table, "districts", None),
    )


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError(f"{key} = {value!r}; it is missing, or no text")
    return value


def _name(table: Mapping[str, Any]) -> str:
    name = _text(table, "name")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"name has {len(name)} characters; allowed are {LONGEST_NAME}")
    return name


def _address(table: Mapping[str, Any], key: str) -> str:
    address = table.get(key)
    if not isinstance(address, str) or not _is_address(address):
        # The value itself may hold a robot's key.
        raise ValueError(f"{key}: no address; write e.g. https://example.org/cases")
    return address


def _hide(address: str) -> None:
    """The keys of robots, wherever they stand in their addresses."""
    parts = urlsplit(address)
    hide(parts.path.rpartition("/")[2] if len(parts.path) > LONGEST_PLAIN else None)
    hide(*(value for _, value in parse_qsl(parts.query)))


def _is_address(text: str) -> bool:
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _link(table: Mapping[str, Any]) -> str | None:
    if "link" not in table:
        return None
    link = _address(table, "link")
    if link.count("{case_id}") != 1:
        raise ValueError(f"link = {link!r}; it needs {{case_id}} once")
    return link


def _one_of(table: Mapping[str, Any], key: str, allowed: tuple[Any, ...], default: str) -> Any:
    value = table.get(key, default)
    if value not in allowed:
        raise ValueError(f"{key} = {value!r}; allowed are {', '.join(allowed)}")
    return value


def _tries(table: Mapping[str, Any]) -> int:
    tries = table.get("tries", TRIES)
    if type(tries) is not int or not 0 < tries <= MOST_TRIES:
        raise ValueError(f"tries = {tries!r}; allowed are 1 to {MOST_TRIES}")
    return tries


def _set(
    table: Mapping[str, Any], key: str, allowed: Collection[str] | None
) -> frozenset[str] | None:
    if key not in table:
        return None
    values = table[key]
    if not isinstance(values, list) or not values or not all(type(one) is str for one in values):
        raise ValueError(f"{key} = {values!r}; write a list of texts, or leave it out for all")
    for value in values:
        if allowed is not None and value not in allowed:
            raise ValueError(f"{key}: {value!r} is unknown; allowed are {', '.join(allowed)}")
    return frozenset(values)


def _secret(table: Mapping[str, Any], folder: Path) -> bytes | None:
    if "secret_file" in table:
        if "secret" in table:
            raise ValueError("secret and secret_file are both given; leave one out")
        file = folder / _text(table, "secret_file")
        try:
            text = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ValueError(f"secret_file: {file}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError(f"secret_file: {file} is no text in UTF-8") from None
    elif "secret" in table:
        text = table["secret"]
    else:
        return None
    if not isinstance(text, str) or not text.strip():
        raise ValueError("secret: it is empty, or no text")
    hide(text)
    if not text.startswith(ENCODED):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(ENCODED), validate=True)
    except ValueError:
        raise ValueError(f"secret: what follows {ENCODED} is no Base64") from None
