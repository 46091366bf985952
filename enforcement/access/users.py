"""The people who may log in: added, changed, listed; each change in the audit trail.

Used by the API's users pages and by `mucktrack users`. Everything takes the `Identity` on whose
behalf it is done, and refuses what is beyond it. Knows nothing of sessions but that they end.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from enforcement.access.identity import (
    AccessError,
    Districts,
    Identity,
    OutdatedError,
    TakenError,
    UnknownError,
    WrongPasswordError,
    read_districts,
    stored,
)
from enforcement.access.passwords import check_new, hashed, matches
from enforcement.audit import Entry, append
from enforcement.database import Database
from enforcement.steps import ROLES, Role
from enforcement.tables import SessionRow, UserRow

NAME: Final = re.compile(r"[\w][\w.@-]{0,39}")
RESERVED: Final = frozenset({"system"})
"""Who did what nobody did, in the audit trail."""


@dataclass(frozen=True, slots=True)
class User:
    name: str
    role: Role
    districts: Districts
    disabled: bool
    must_change: bool
    created_ms: int
    version: int


@dataclass(frozen=True, slots=True)
class UserChange:
    """What is to be different; None = stays. `all_districts` takes away the limit."""

    role: Role | None = None
    districts: Districts = None
    all_districts: bool = False
    disabled: bool | None = None
    password: str | None = None
    """A new one, which he has to replace."""


def add_user(
    database: Database,
    by: Identity,
    now_ms: int,
    name: str,
    role: Role,
    districts: Districts,
    password: str,
    *,
    must_change: bool = True,
) -> User:
    """Raises `AccessError`."""
    if not NAME.fullmatch(name) or name in RESERVED:
        raise AccessError(
            "a name has up to 40 letters, digits and . _ - @, begins with a letter or digit, and "
            "is not 'system'"
        )
    if role not in ROLES:
        raise AccessError(f"no role {role!r}; there are {', '.join(ROLES)}")
    check_new(name, password)
    if not by.may_grant(districts):
        raise AccessError("these districts are not yours to give")
    kept = hashed(password)
    with database.change() as (session, head):
        if session.get(UserRow, name) is not None:
            raise TakenError(f"there is a user {name!r} already")
        row = UserRow(
            name=name,
            password=kept,
            role=role,
            districts=stored(districts),
            disabled=False,
            must_change=must_change,
            created_ms=now_ms,
            version=1,
        )
        session.add(row)
        said = {"user": name, "role": role, "districts": stored(districts)}
        append(session, head, Entry(now_ms, by.name, "user_added", details=said))
        return _user(row)


def change_user(
    database: Database,
    by: Identity,
    now_ms: int,
    name: str,
    change: UserChange,
    version: int | None = None,
) -> User:
    """`version`: that of the user as it was seen; None = whatever it is. Raises `AccessError`."""
    if change.password is not None:
        check_new(name, change.password)
    kept = None if change.password is None else hashed(change.password)
    with database.change() as (session, head):
        row = session.get(UserRow, name)
        if row is None or not by.may_grant(read_districts(row.districts)):
            raise UnknownError(f"no user {name!r}")
        if version is not None and version != row.version:
            raise OutdatedError(f"user {name!r} has changed since you looked at it")
        was_admin = _is_admin_of_all(row)
        said = _apply(row, by, change, kept)
        session.flush()
        if was_admin and not any(map(_is_admin_of_all, session.scalars(select(UserRow)))):
            raise TakenError(f"{name!r} is the last administrator of everything")
        row.version += 1
        session.execute(delete(SessionRow).where(SessionRow.name == name))
        details = {"user": name, **said}
        append(session, head, Entry(now_ms, by.name, "user_changed", details=details))
        return _user(row)


def _apply(row: UserRow, by: Identity, change: UserChange, kept: str | None) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if change.role is not None:
        if change.role not in ROLES:
            raise AccessError(f"no role {change.role!r}; there are {', '.join(ROLES)}")
        row.role = said["role"] = change.role
    if change.all_districts or change.districts is not None:
        districts = None if change.all_districts else change.districts
        if not by.may_grant(districts):
            raise AccessError("these districts are not yours to give")
        row.districts = said["districts"] = stored(districts)
    if change.disabled is not None:
        row.disabled = said["disabled"] = change.disabled
    if kept is not None:
        row.password, row.must_change, said["password"] = kept, True, "set anew"
    return said


def change_password(database: Database, by: Identity, now_ms: int, old: str, new: str) -> None:
    """One's own. Ends his other sessions. Raises `AccessError`."""
    check_new(by.name, new)
    with database.read() as session:
        row = session.get(UserRow, by.name)
        kept = None if row is None or row.disabled else row.password
    if not matches(kept, old):
        raise WrongPasswordError("the old password is not right")
    if old == new:
        raise AccessError("the new password is the old one")
    renewed = hashed(new)
    with database.change() as (session, head):
        row = session.get(UserRow, by.name)
        if row is None or row.disabled or row.password != kept:
            raise TakenError("the password has been changed meanwhile")
        row.password, row.must_change = renewed, False
        row.version += 1
        others = SessionRow.secret_sha256 != by.secret_sha256
        session.execute(delete(SessionRow).where(SessionRow.name == by.name, others))
        append(session, head, Entry(now_ms, by.name, "password_changed"))


def list_users(session: Session, by: Identity) -> Sequence[User]:
    """Those whom he may manage."""
    users = map(_user, session.scalars(select(UserRow).order_by(UserRow.name)))
    return [user for user in users if by.may_grant(user.districts)]


def get_user(session: Session, by: Identity, name: str) -> User:
    """Raises `UnknownError`."""
    row = session.get(UserRow, name)
    if row is None or not by.may_grant(read_districts(row.districts)):
        raise UnknownError(f"no user {name!r}")
    return _user(row)


def has_users(session: Session) -> bool:
    return session.scalars(select(UserRow.name).limit(1)).first() is not None


def _user(row: UserRow) -> User:
    return User(
        row.name,
        row.role,  # type: ignore[arg-type]
        read_districts(row.districts),
        row.disabled,
        row.must_change,
        row.created_ms,
        row.version,
    )


def _is_admin_of_all(row: UserRow) -> bool:
    return row.role == "admin" and not row.disabled and row.districts is None
