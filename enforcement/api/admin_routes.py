"""/users, /tokens and /audit: for administrators.

An administrator who is limited to districts manages who is limited to these, and sees what was done
to their cases.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from enforcement import cursors, queries
from enforcement.access import tokens, users
from enforcement.access.identity import read_districts
from enforcement.access.users import UserChange
from enforcement.api import shapes
from enforcement.api.asked import After, IfMatch, Limit, etag_of, version_of
from enforcement.api.case_routes import Id
from enforcement.api.guard import Admin, AdminHimself, PartsOf
from enforcement.api.models import (
    LINE,
    EntryPage,
    TokenDone,
    Tokens,
    TokenTaken,
    UserChangeTaken,
    UserGiven,
    Users,
    UserTaken,
)

router: Final = APIRouter(tags=["administration"])

UserName = Annotated[str, Path(max_length=64, pattern=LINE)]


@router.get("/users")
def list_users(admin: Admin, parts: PartsOf) -> Users:
    """The people who may log in."""
    with parts.database.read() as session:
        return Users(items=[shapes.user(one) for one in users.list_users(session, admin)])


@router.post("/users", status_code=201)
def add_user(
    taken: UserTaken, admin: AdminHimself, parts: PartsOf, response: Response
) -> UserGiven:
    """Add somebody, who has to choose a password of his own when he first logs in."""
    made = users.add_user(
        parts.database,
        admin,
        parts.now_ms(),
        taken.name,
        taken.role,
        read_districts(taken.districts),
        taken.password,
    )
    response.headers["ETag"] = etag_of(made.version)
    return shapes.user(made)


@router.patch("/users/{name}")
def change_user(
    name: UserName,
    taken: UserChangeTaken,
    admin: AdminHimself,
    parts: PartsOf,
    response: Response,
    if_match: IfMatch = None,
) -> UserGiven:
    """Change role, districts or password, or disable; the user's sessions end."""
    change = UserChange(
        taken.role,
        read_districts(taken.districts),
        taken.all_districts is True,
        taken.disabled,
        taken.password,
    )
    version = version_of(if_match)
    made = users.change_user(parts.database, admin, parts.now_ms(), name, change, version)
    response.headers["ETag"] = etag_of(made.version)
    return shapes.user(made)


@router.get("/tokens")
def list_tokens(admin: Admin, parts: PartsOf) -> Tokens:
    """The machines that may ask, and those that might."""
    with parts.database.read() as session:
        return Tokens(items=[shapes.token(one) for one in tokens.list_tokens(session, admin)])


@router.post("/tokens", status_code=201)
def add_token(taken: TokenTaken, admin: AdminHimself, parts: PartsOf) -> TokenDone:
    """A token for a machine, which is shown this once."""
    secret, made = parts.tokens.add(
        admin, taken.name, taken.role, read_districts(taken.districts), taken.expires_ms
    )
    return TokenDone(**shapes.token(made).model_dump(), token=secret)


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: Id, admin: Admin, parts: PartsOf) -> None:
    """The token is good for nothing any more."""
    parts.tokens.revoke(admin, token_id)


@router.get("/audit")
def list_trail(admin: Admin, parts: PartsOf, after: After = None, limit: Limit = 50) -> EntryPage:
    """The audit trail, the latest entries first."""
    place = None if after is None else cursors.read(after, "audit", 1)
    with parts.database.read() as session:
        rows = queries.trail(session, admin.actor, place, limit + 1)
        more = len(rows) > limit
        return EntryPage(
            items=[shapes.entry(row) for row in rows[:limit]],
            next=cursors.write("audit", (rows[limit - 1].seq,)) if more else None,
        )
