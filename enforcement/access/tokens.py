"""Tokens for machines: a name, a role, districts, an end. Shown once; only the SHA-256 is kept.

Used by the API. In the audit trail a machine is called `token:NAME`.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from enforcement.access.identity import (
    AccessError,
    Districts,
    Identity,
    TakenError,
    UnknownError,
    read_districts,
    stored,
)
from enforcement.access.sessions import sha256
from enforcement.access.users import NAME
from enforcement.audit import Entry, append
from enforcement.database import Database
from enforcement.steps import Role
from enforcement.tables import TokenRow

PREFIX: Final = "mt_"
"""By which a token that was published by mistake is found."""
LONGEST_MS: Final = 366 * 86_400_000


@dataclass(frozen=True, slots=True)
class Token:
    token_id: str
    name: str
    role: Role
    districts: Districts
    created_by: str
    created_ms: int
    expires_ms: int
    revoked_ms: int | None


class Tokens:
    """All of them."""

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms

    def add(
        self, by: Identity, name: str, role: Role, districts: Districts, expires_ms: int
    ) -> tuple[str, Token]:
        """The secret, and what is kept of it. Raises `AccessError`."""
        now_ms, secret = self._now_ms(), PREFIX + secrets.token_urlsafe(32)
        if not NAME.fullmatch(name):
            raise AccessError(
                "a token's name has up to 40 letters, digits and . _ - @, and begins with a letter "
                "or digit"
            )
        if not by.may_grant(districts):
            raise AccessError("these districts are not yours to give")
        if not now_ms < expires_ms <= now_ms + LONGEST_MS:
            raise AccessError("expires_ms: a token ends in the future, within 366 days")
        with self._database.change() as (session, head):
            lasting = (TokenRow.revoked_ms.is_(None), TokenRow.expires_ms > now_ms)
            if session.scalars(select(TokenRow).where(TokenRow.name == name, *lasting)).first():
                raise TakenError(f"there is a token {name!r} already; revoke it first")
            row = TokenRow(
                token_id=str(uuid4()),
                secret_sha256=sha256(secret),
                name=name,
                role=role,
                districts=stored(districts),
                created_by=by.name,
                created_ms=now_ms,
                expires_ms=expires_ms,
            )
            session.add(row)
            said = {
                "token": name, "role": role, "districts": stored(districts),
                "expires_ms": expires_ms,
            }  # fmt: skip
            append(session, head, Entry(now_ms, by.name, "token_added", details=said))
            return secret, _token(row)

    def revoke(self, by: Identity, token_id: str) -> None:
        """Raises `UnknownError`; again: without effect."""
        with self._database.change() as (session, head):
            row = session.get(TokenRow, token_id)
            if row is None or not by.may_grant(read_districts(row.districts)):
                raise UnknownError(f"no token {token_id}")
            if row.revoked_ms is None:
                row.revoked_ms = self._now_ms()
                entry = Entry(row.revoked_ms, by.name, "token_revoked", details={"token": row.name})
                append(session, head, entry)

    def find(self, secret: str) -> Identity | None:
        """Whose token it is; None = nobody's, or it has ended."""
        if not secret.startswith(PREFIX):
            return None
        with self._database.read() as session:
            of_secret = TokenRow.secret_sha256 == sha256(secret)
            row = session.scalars(select(TokenRow).where(of_secret)).first()
            if row is None or row.revoked_ms is not None or row.expires_ms <= self._now_ms():
                return None
            return Identity(
                f"token:{row.name}",
                row.role,  # type: ignore[arg-type]
                read_districts(row.districts),
            )


def list_tokens(session: Session, by: Identity) -> Sequence[Token]:
    """Those that he may manage, the newest first."""
    rows = session.scalars(select(TokenRow).order_by(TokenRow.created_ms.desc()))
    return [token for token in map(_token, rows) if by.may_grant(token.districts)]


def _token(row: TokenRow) -> Token:
    return Token(
        row.token_id,
        row.name,
        row.role,  # type: ignore[arg-type]
        read_districts(row.districts),
        row.created_by,
        row.created_ms,
        row.expires_ms,
        row.revoked_ms,
    )
