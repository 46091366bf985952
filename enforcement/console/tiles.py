"""The address of map tiles, where a city has a server of its own for them. Pure."""

import re
from typing import Final
from urllib.parse import urlsplit

ALLOWED: Final = re.compile(r"[\x21-\x7e]+")
UNSAFE: Final = re.compile(r"[\s;,'\"<>\\]")
"""None of these may come into the policy that browsers follow."""
EXAMPLE: Final = "https://tiles.example/{z}/{x}/{y}.png"


def checked(tiles: str) -> str:
    """The address as it is. Raises `ValueError`, saying what is allowed."""
    try:
        parts = urlsplit(tiles)
        _ = parts.port
    except ValueError:
        raise ValueError(f"not the address of map tiles; write e.g. {EXAMPLE}") from None
    host = parts.netloc
    if parts.scheme not in ("http", "https") or not host or re.search(r"[{}@]", host):
        raise ValueError(f"not the address of map tiles; write e.g. {EXAMPLE}")
    if not ALLOWED.fullmatch(tiles) or UNSAFE.search(tiles):
        raise ValueError(f"blanks, quotes and the like stand in the address; write e.g. {EXAMPLE}")
    for name in ("{z}", "{x}", "{y}"):
        if name not in tiles:
            raise ValueError(f"{name} is missing; write e.g. {EXAMPLE}")
    return tiles


def source(tiles: str | None) -> tuple[str, ...]:
    """Where images come from then, beside the console itself."""
    if tiles is None:
        return ()
    parts = urlsplit(tiles)
    return (f"{parts.scheme}://{parts.netloc}",)
