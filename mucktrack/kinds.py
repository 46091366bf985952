"""How settings are written: each kind reads its text and says what is allowed.

Used by `mucktrack.settings`, which says what there is of which kind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from enforcement.console import tiles

MASK = "***"


@dataclass(frozen=True, slots=True)
class Kind:
    """How a setting is written."""

    form: str
    """For help texts: `PORT`, `HOST:PORT,…`."""
    parse: Callable[[str], Any]
    """Raises ValueError, saying what is allowed."""
    mask: Callable[[str], str] = lambda _: MASK
    """How it is shown where it is secret."""


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


def _database(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError(
            "not the address of a database; write e.g. sqlite:///cases.db or "
            "postgresql://user@host/name"
        )
    return text


def whole(form: str, lowest: int, highest: int) -> Kind:
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


def choice(*allowed: str) -> Kind:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"not one of {', '.join(allowed)}")
        return text

    return Kind("|".join(allowed), parse)


def _without_password(text: str) -> str:
    """A URL without its password, which may stand before the host or in the query."""
    parts = urlsplit(text)
    account, at, place = parts.netloc.rpartition("@")
    user = account.partition(":")[0]
    netloc = f"{user}:{MASK}@{place}" if at else parts.netloc
    return urlunsplit(parts._replace(netloc=netloc, query=MASK if parts.query else ""))


NAME = Kind("NAME", _name)
HOSTS = Kind("HOST:PORT,…", _hosts)
REDIS = Kind("URL", _redis, _without_password)
DATABASE = Kind("URL", _database, _without_password)
TILES = Kind("URL", tiles.checked)
PASSWORD = Kind("PASSWORD", str)
FILE = Kind("FILE", Path)
FOLDER = Kind("DIR", _folder)
HOST = Kind("HOST", _host)
PORT = whole("PORT", 0, 65_535)
