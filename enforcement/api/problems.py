"""Errors as RFC 9457 tells them: `application/problem+json`, for everything that can go wrong.

`install` is called by `enforcement.api.app`. A bug is told without its innards, which are in the
log. Routes raise `Problem`, or let errors of `enforcement` pass.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from enforcement.access.identity import AccessError, OutdatedError, TakenError, UnknownError
from enforcement.access.passwords import BusyError
from enforcement.access.sessions import LoginError, TooOftenError
from enforcement.actions import (
    ActionError,
    ConflictError,
    NotAllowedError,
    StaleError,
    UnknownCaseError,
)
from enforcement.cursors import CursorError
from enforcement.database import DatabaseAwayError
from enforcement.evidence import export as evidence
from enforcement.live import LiveAwayError
from streams.logs import get_log
from streams.shown import shown

log = get_log(__name__)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_S: Final = 5
MOST_FAULTS: Final = 20
TITLES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}
"""Which Python's versions call differently."""

STATUS: Final[Sequence[tuple[type[Exception], int]]] = (
    (BusyError, 503),
    (LoginError, 401),
    (UnknownError, 404),
    (OutdatedError, 412),
    (TakenError, 409),
    (AccessError, 422),
    (UnknownCaseError, 404),
    (NotAllowedError, 403),
    (StaleError, 412),
    (ConflictError, 409),
    (ActionError, 422),
    (CursorError, 422),
    (LiveAwayError, 503),
    (evidence.UnknownError, 404),
    (evidence.NotReproducedError, 409),
    (evidence.EvidenceError, 503),
)
"""The first that fits counts."""


class Problem(HTTPException):
    """An error to be told. Of this kind FastAPI lets it pass while it reads a body."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)


def install(app: FastAPI) -> None:
    """Make everything that fails a problem."""

    @app.exception_handler(HTTPException)
    def _http(_: Request, error: HTTPException) -> Response:
        return answer(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, error: RequestValidationError) -> Response:
        faults = [
            {"field": ".".join(map(str, one["loc"])), "message": shown(one["msg"], 300)}
            for one in error.errors()[:MOST_FAULTS]
        ]
        detail = "; ".join(f"{one['field']}: {one['message']}" for one in faults[:3])
        return answer(422, shown(detail, 1_000), errors=faults)

    @app.exception_handler(DatabaseAwayError)
    def _away(_: Request, error: DatabaseAwayError) -> Response:
        log.warning("database_away", purpose="to answer a request", error=error)
        headers = {"Retry-After": str(RETRY_S)}
        return answer(503, "the database does not answer at present; try again", headers)

    @app.exception_handler(TooOftenError)
    def _too_often(_: Request, error: TooOftenError) -> Response:
        return answer(429, str(error), {"Retry-After": str(error.after_s)})

    @app.exception_handler(Exception)
    def _bug(_: Request, __: Exception) -> Response:
        # Starlette raises it again, for `enforcement.api.request_log`.
        return answer(500, "this program has a fault; the log of the server tells which")

    for kind, status in STATUS:
        app.add_exception_handler(kind, _teller(status))


def _teller(status: int) -> Any:
    def tell(_: Request, error: Exception) -> Response:
        return answer(status, str(error))

    return tell


def answer(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
) -> Response:
    title = TITLES.get(status) or HTTPStatus(status).phrase
    said: dict[str, Any] = {
        "type": f"urn:mucktrack:problem:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if errors:
        said["errors"] = list(errors)
    return JSONResponse(said, status, dict(headers or {}), MEDIA_TYPE)
