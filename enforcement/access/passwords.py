"""Passwords: which are good enough, and their argon2id hashes.

Used by `enforcement.access.users` and `sessions`. One check takes 64 MiB and some 50 ms, by design;
few run at a time, so that many who knock do not exhaust the machine.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from enforcement.access.identity import AccessError

SHORTEST: Final = 10
LONGEST: Final = 128
AT_A_TIME: Final = 2
WAITING: Final = 8
"""More are sent away, or those who knock would take all threads of those who work."""
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are taken for one another."""

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_turn = threading.BoundedSemaphore(AT_A_TIME)
_waiting = threading.BoundedSemaphore(WAITING)


class BusyError(AccessError):
    """Too many passwords are being checked at present."""


@contextmanager
def _in_turn() -> Iterator[None]:
    if not _waiting.acquire(blocking=False):
        raise BusyError("too many log in at this moment; try again")
    try:
        with _turn:
            yield
    finally:
        _waiting.release()


def hashed(password: str) -> str:
    """What is kept instead of it."""
    with _in_turn():
        return _hasher.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Takes the same time where there is nobody (None) of that name."""
    with _in_turn():
        try:
            _hasher.verify(kept or _NOBODYS, password)
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Its parameters are not those of today."""
    return _hasher.check_needs_rehash(kept)


def check_new(name: str, password: str) -> None:
    """Raises `AccessError` for what nobody should choose."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccessError(
            f"a password has {SHORTEST} to {LONGEST} characters, this one {len(password)}"
        )
    if name.casefold() in password.casefold() or len(set(password)) < SHORTEST // 2:
        raise AccessError("the password is too easy to guess; choose several words")


def made_up() -> str:
    """A password that nobody has used, to be read from a screen; 79 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


_NOBODYS: Final = hashed(secrets.token_urlsafe())
