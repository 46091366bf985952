"""/session: logging in and out, who one is, one's password."""

from typing import Final

from fastapi import APIRouter, Request, Response

from enforcement.access.sessions import LONGEST_MS
from enforcement.api import shapes
from enforcement.api.guard import Anybody, PartsOf, cookie_name
from enforcement.api.models import LoginTaken, Me, PasswordTaken
from enforcement.api.problems import Problem

router: Final = APIRouter(tags=["session"])


@router.post("/session")
def log_in(taken: LoginTaken, request: Request, response: Response, parts: PartsOf) -> Me:
    """Log in: a cookie, and the CSRF token that goes with it."""
    login = parts.sessions.login(taken.name, taken.password, _address(request))
    response.set_cookie(
        cookie_name(parts),
        login.secret,
        max_age=LONGEST_MS // 1_000,
        httponly=True,
        samesite="strict",
        secure=parts.secure_cookies,
        path="/",
    )
    return shapes.me(login.identity)


@router.get("/session")
def who_am_i(identity: Anybody) -> Me:
    """Who is logged in."""
    return shapes.me(identity)


@router.delete("/session", status_code=204)
def log_out(identity: Anybody, response: Response, parts: PartsOf) -> None:
    """End the session."""
    _need_session(identity.secret_sha256)
    parts.sessions.end(identity)
    response.delete_cookie(
        cookie_name(parts), httponly=True, samesite="strict", secure=parts.secure_cookies
    )


@router.put("/session/password", status_code=204)
def choose_password(
    taken: PasswordTaken, identity: Anybody, request: Request, parts: PartsOf
) -> None:
    """Change one's password; other sessions of oneself end."""
    _need_session(identity.secret_sha256)
    parts.sessions.choose_password(identity, taken.old, taken.new, _address(request))


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _need_session(secret_sha256: str | None) -> None:
    if secret_sha256 is None:
        raise Problem(403, "a token has no session and no password")
