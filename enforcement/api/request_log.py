"""A line of the log for each request, and an id by which all lines of one are found.

ASGI middleware, put around everything by `enforcement.api.app`. The id goes back to whoever asked,
in the header `X-Request-ID`: told to operators, it leads to what happened. Queries and bodies are
not written: people are named there.
"""

import secrets
import time
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.logs import Level, get_log, said_with

log = get_log(__name__)

HEADER: Final = "X-Request-ID"
READS: Final = ("GET", "HEAD", "OPTIONS")
LONGEST_PATH: Final = 200


class RequestLog:
    """Says what was asked and answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Not one that came with the request: whoever asks could make it anything.
        request_id = secrets.token_hex(8)
        started_s = time.perf_counter()
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with said_with(request_id=request_id):
            try:
                await self._app(scope, receive, named)
            except Exception as error:
                log.bug("request_failed", error)
                raise
            finally:
                log.at(
                    _level(scope["method"], status),
                    "request_answered",
                    method=scope["method"],
                    path=scope["path"][:LONGEST_PATH],
                    status=status,
                    milliseconds=round((time.perf_counter() - started_s) * 1000, 1),
                    address=scope["client"][0] if scope.get("client") else None,
                )


def _level(method: str, status: int) -> Level:
    """What only reads comes every few seconds from each map."""
    if status >= 500 or not status:
        return "warning"
    return "debug" if method in READS else "info"
