"""Logging in and what follows: a session is a random secret in a cookie, of which only the SHA-256
is kept; it ends after some idle hours, at the latest after a long shift.

Used by the API. Who is disabled, or has been changed, has no session any more.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from enforcement.access.identity import (
    AccessError,
    Identity,
    WrongPasswordError,
    read_districts,
)
from enforcement.access.passwords import (
    LONGEST,
    BusyError,
    check_new,
    hashed,
    is_outdated,
    matches,
)
from enforcement.access.throttle import Throttle
from enforcement.access.users import change_password
from enforcement.audit import SYSTEM, Entry, append
from enforcement.database import Database
from enforcement.tables import SessionRow, UserRow
from streams.shown import shown

IDLE_MS: Final = 2 * 3_600_000
LONGEST_MS: Final = 14 * 3_600_000
SEEN_MS: Final = 60_000
"""A request is noted no oftener, since noting is a change of the database."""
LONGEST_NAME: Final = 64


class LoginError(AccessError):
    """Name or password is wrong; which of them is not said."""


class TooOftenError(AccessError):
    """Too many attempts; `after_s` says when the next one may be made."""

    def __init__(self, after_s: int) -> None:
        self.after_s = after_s
        super().__init__(f"too many attempts to log in; try again in {after_s} s")


@dataclass(frozen=True, slots=True)
class Login:
    """What somebody who has logged in is given."""

    secret: str
    identity: Identity


class Sessions:
    """All of them."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        self._throttle = Throttle(now_ms)

    def login(self, name: str, password: str, address: str) -> Login:
        """Raises `LoginError` and `TooOftenError`."""
        after_s = self._throttle.try_again_s(name[:LONGEST_NAME], address)
        if after_s:
            raise TooOftenError(after_s)
        with self._database.read() as session:
            row = session.get(UserRow, name)
            kept = None if row is None or row.disabled else row.password
        try:
            right = matches(kept, password[: LONGEST + 1])
        except BusyError:
            self._throttle.not_made(name[:LONGEST_NAME], address)
            raise
        if not right:
            self._note_failure(name, address)
            raise LoginError("name or password is wrong")
        renewed = hashed(password) if kept is not None and is_outdated(kept) else None
        self._throttle.succeeded(name[:LONGEST_NAME], address)
        return self._open(name, kept, renewed, address)

    def choose_password(self, identity: Identity, old: str, new: str, address: str) -> None:
        """Change his own; his other sessions end. Who has only found his browser open guesses no
        oftener than who logs in. Raises `AccessError` and `TooOftenError`."""
        check_new(identity.name, new)
        after_s = self._throttle.try_again_s(identity.name, address)
        if after_s:
            raise TooOftenError(after_s)
        try:
            change_password(self._database, identity, self._now_ms(), old, new)
        except WrongPasswordError:
            raise
        except BusyError:
            self._throttle.not_made(identity.name, address)
            raise
        except AccessError:
            self._throttle.succeeded(identity.name, address)
            raise
        self._throttle.succeeded(identity.name, address)

    def _open(self, name: str, kept: str | None, renewed: str | None, address: str) -> Login:
        secret, now_ms = secrets.token_urlsafe(32), self._now_ms()
        with self._database.change() as (session, head):
            row = session.get(UserRow, name)
            if row is None or row.disabled or row.password != kept:
                raise LoginError("name or password is wrong")
            row.password = renewed or row.password
            session.execute(delete(SessionRow).where(SessionRow.created_ms < now_ms - LONGEST_MS))
            entry = Entry(now_ms, name, "login", details={"address": address})
            append(session, head, entry)
            session.add(
                SessionRow(
                    secret_sha256=sha256(secret), name=name, created_ms=now_ms, seen_ms=now_ms
                )
            )
            return Login(secret, _identity(row, secret))

    def _note_failure(self, name: str, address: str) -> None:
        said = {"name": shown(name, LONGEST_NAME), "address": address}
        with self._database.change() as (session, head):
            append(session, head, Entry(self._now_ms(), SYSTEM, "login_failed", details=said))

    def find(self, secret: str, *, is_request: bool = True) -> Identity | None:
        """Whose session it is; None = nobody's, or it has ended."""
        now_ms = self._now_ms()
        with self._database.read() as session:
            row = session.get(SessionRow, sha256(secret))
            if row is None or not _lasts(row, now_ms):
                return None
            user = session.get(UserRow, row.name)
            if user is None or user.disabled:
                return None
            identity, seen_ms = _identity(user, secret), row.seen_ms
        if is_request and now_ms - seen_ms >= SEEN_MS:
            with self._database.change() as (session, _):
                self._note_seen(session, secret, now_ms)
        return identity

    def _note_seen(self, session: Session, secret: str, now_ms: int) -> None:
        row = session.get(SessionRow, sha256(secret))
        if row is not None:
            row.seen_ms = max(row.seen_ms, now_ms)

    def end(self, identity: Identity) -> None:
        """Log out."""
        with self._database.change() as (session, head):
            this = SessionRow.secret_sha256 == identity.secret_sha256
            session.execute(delete(SessionRow).where(this))
            append(session, head, Entry(self._now_ms(), identity.name, "logout"))


def sha256(secret: str) -> str:
    """Enough for what is random: nobody guesses 256 bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_of(secret: str) -> str:
    """What only pages of the console can know: another site sees neither cookie nor answer."""
    return hmac.new(secret.encode(), b"mucktrack csrf", hashlib.sha256).hexdigest()


def _lasts(row: SessionRow, now_ms: int) -> bool:
    return now_ms - row.seen_ms < IDLE_MS and now_ms - row.created_ms < LONGEST_MS


def _identity(row: UserRow, secret: str) -> Identity:
    return Identity(
        row.name,
        row.role,  # type: ignore[arg-type]
        read_districts(row.districts),
        row.must_change,
        sha256(secret),
        csrf_of(secret),
    )
