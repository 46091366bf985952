"""Who asks, for each endpoint: a session's cookie or a machine's token, and what it may do.

Dependencies of the routes. A cookie alone changes nothing: the request has to say the session's
CSRF token too. Districts are the business of `enforcement.queries` and `enforcement.actions`.
"""

import hmac
from typing import Annotated, Any, Final, cast

from fastapi import Depends, Request

from enforcement.access.identity import Identity
from enforcement.api.parts import Parts
from enforcement.api.problems import Problem
from enforcement.steps import Role

COOKIE: Final = "mucktrack_session"
SECURE_COOKIE: Final = "__Host-mucktrack_session"
"""Browsers take a cookie of such a name only by HTTPS and from the host itself."""
CSRF_HEADER: Final = "X-CSRF-Token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER: Final = "bearer "


def parts_of(request: Request) -> Parts:
    return cast("Parts", request.app.state.parts)


PartsOf = Annotated[Parts, Depends(parts_of)]


def cookie_name(parts: Parts) -> str:
    return SECURE_COOKIE if parts.secure_cookies else COOKIE


def anybody(request: Request, parts: PartsOf) -> Identity:
    """Somebody who is known, even if he has to change his password first."""
    said = request.headers.get("authorization", "")
    if said[: len(BEARER)].lower() == BEARER:
        identity = parts.tokens.find(said[len(BEARER) :].strip())
    else:
        secret = request.cookies.get(cookie_name(parts))
        identity = None if secret is None else parts.sessions.find(secret)
        if identity is not None and request.method not in SAFE:
            _check_csrf(request, identity)
    if identity is None:
        raise Problem(
            401, "log in first, or send a token that is valid", {"WWW-Authenticate": "Bearer"}
        )
    return identity


def _check_csrf(request: Request, identity: Identity) -> None:
    said = request.headers.get(CSRF_HEADER, "").encode("latin-1", "replace")
    if identity.csrf is None or not hmac.compare_digest(said, identity.csrf.encode()):
        raise Problem(403, f"{CSRF_HEADER} is missing or not that of this session (GET /session)")


def caller(identity: Annotated[Identity, Depends(anybody)]) -> Identity:
    """Somebody who may work."""
    if identity.must_change:
        raise Problem(403, "choose a password of your own first (PUT /api/v1/session/password)")
    return identity


Anybody = Annotated[Identity, Depends(anybody)]
Caller = Annotated[Identity, Depends(caller)]


def only(*roles: Role) -> Any:
    """A dependency: the caller, who has one of these roles or is an administrator."""

    def check(identity: Caller) -> Identity:
        if identity.role != "admin" and identity.role not in roles:
            names = ", ".join(sorted({*roles, "admin"}))
            raise Problem(403, f"this is for {names}; {identity.name} is {identity.role}")
        return identity

    return Depends(check)


def _person(identity: Annotated[Identity, only("admin")]) -> Identity:
    if identity.secret_sha256 is None:
        raise Problem(403, "users and tokens are managed by people who have logged in")
    return identity


Admin = Annotated[Identity, only("admin")]
AdminHimself = Annotated[Identity, Depends(_person)]
"""Not a token, which would make itself others that outlast it."""
