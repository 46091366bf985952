"""Around every request: how much may come in, and the headers that keep browsers from harm.

ASGI middleware, put around the app by `enforcement.api.app`.
"""

from collections.abc import Iterable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enforcement.api.problems import Problem, answer

MOST_BYTES: Final = 64 * 1024
"""Of a request's body."""
MOST_ATTACHED_BYTES: Final = 10 * 1024 * 1024
"""Of a file that is added to a case."""
POLICY: Final = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": POLICY,
}


class Armour:
    """Limits bodies, adds headers."""

    def __init__(self, app: ASGIApp, image_sources: Iterable[str] = ()) -> None:
        """`image_sources`: where map tiles may come from, beside here, e.g.
        `https://tiles.example`."""
        self._app = app
        more = "".join(f" {source}" for source in image_sources)
        self._headers = HEADERS | {
            "Content-Security-Policy": POLICY.replace("data: blob:", f"data: blob:{more}")
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def armoured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        most = MOST_ATTACHED_BYTES if scope["path"].endswith("/attachments") else MOST_BYTES
        if _declared(scope) > most:
            await _too_much(most)(scope, receive, armoured)
            return
        await self._app(scope, _counted(receive, most), armoured)


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:18])
    return 0


def _counted(receive: Receive, most: int) -> Receive:
    """Who does not declare what he sends is stopped while he sends it."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise Problem(413, _words(most))
        return message

    return counted


def _too_much(most: int) -> ASGIApp:
    return answer(413, _words(most), {"Connection": "close"})


def _words(most: int) -> str:
    return f"the body is too large; allowed are {most:,} bytes"
