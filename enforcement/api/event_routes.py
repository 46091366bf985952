"""/events: server-sent events of violations and cases (HTML Living Standard, section 9.2).

Each listener holds a number and nothing else: who reads slowly is told more at a time, and who does
not read at all is let go.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from enforcement.access.identity import Identity
from enforcement.api.guard import Caller, PartsOf, anybody, caller
from enforcement.api.parts import Parts
from enforcement.api.problems import Problem
from enforcement.database import DatabaseAwayError
from enforcement.feed import Feed, FeedEvent

router: Final = APIRouter(tags=["events"])

LOOK_S: Final = 0.5
SEND_S: Final = 30.0
"""Who takes nothing for so long is gone."""
MOST_BEHIND: Final = 50_000
"""Entries of the trail; who has missed more looks at everything anew."""
MOST_OF_ONE: Final = 20
MOST_OF_ALL: Final = 1_000
RETRY_MS: Final = 2_000
LARGEST: Final = 2**53

_GIVES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "`hello` (its id is where one begins: load lists now), `violation`, `case`, "
        "`reset` (too much was missed: load lists anew); data is JSON with seq, at_ms, who, "
        "action, case and violation",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


class Stream(StreamingResponse):
    """Lets go of who does not read."""

    media_type = "text/event-stream"

    async def stream_response(self, send: Send) -> None:
        async def send_soon(message: Message) -> None:
            async with asyncio.timeout(SEND_S):
                await send(message)

        try:
            await super().stream_response(send_soon)
        except TimeoutError:
            return


@router.get("/events", response_class=Stream, responses=_GIVES)
async def listen(
    identity: Caller,
    request: Request,
    parts: PartsOf,
    last_event_id: Annotated[
        str | None, Header(max_length=20, description="what browsers say when they come back")
    ] = None,
    after: Annotated[int | None, Query(ge=0, le=LARGEST, description="likewise, by hand")] = None,
) -> Stream:
    """What is new in the caller's districts, as it happens."""
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit():
        after = int(last_event_id)
    listeners: Counter[str] = request.app.state.listeners
    if listeners[identity.name] >= MOST_OF_ONE or listeners.total() >= MOST_OF_ALL:
        raise Problem(429, "too many listen already", {"Retry-After": "60"})
    feed: Feed = request.app.state.feed
    seq, first = await _begin(feed, after, parts.now_ms())
    events = _events(request, parts, feed, identity, seq, first, listeners)
    return Stream(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def _events(
    request: Request,
    parts: Parts,
    feed: Feed,
    identity: Identity,
    seq: int,
    first: str,
    listeners: Counter[str],
) -> AsyncIterator[str]:
    name = identity.name
    listeners[name] += 1
    try:
        yield first
        heard_s = time.monotonic()
        while not feed.ended:
            page, seq, away = await _page(feed, seq)
            said = "".join(_text(one) for one in page if identity.actor.sees(set(one.districts)))
            if said:
                yield said
            elif page:
                # Nothing of it is for him; there may be more.
                continue
            elif time.monotonic() - heard_s >= parts.heartbeat_s and not away:
                # Browsers remember the id, and tell nobody.
                yield f"id: {seq}\n\n"
            else:
                await asyncio.sleep(LOOK_S)
                continue
            if time.monotonic() - heard_s >= parts.heartbeat_s:
                heard_s = time.monotonic()
                still = await asyncio.to_thread(_still, request, parts)
                if still is None:
                    return
                identity = still
    finally:
        listeners[name] -= 1
        if not listeners[name]:
            del listeners[name]


async def _begin(feed: Feed, after: int | None, now_ms: int) -> tuple[int, str]:
    """Where to go on, and what is said first."""
    newest = await asyncio.to_thread(feed.newest)
    kind = "hello"
    if after is not None:
        if newest - MOST_BEHIND <= after <= newest:
            newest = after
        else:
            kind = "reset"
    data = json.dumps({"at_ms": now_ms})
    return newest, f"retry: {RETRY_MS}\nevent: {kind}\nid: {newest}\ndata: {data}\n\n"


async def _page(feed: Feed, seq: int) -> tuple[list[FeedEvent], int, bool]:
    """Database away: nothing, and what happened meanwhile is told when it is back."""
    try:
        page, seq = await asyncio.to_thread(feed.after, seq)
    except DatabaseAwayError:
        return [], seq, True
    return list(page), seq, False


def _still(request: Request, parts: Parts) -> Identity | None:
    """Who listens, as he is now; None = he has been logged out."""
    try:
        return caller(anybody(request, parts))
    except Problem:
        return None
    except DatabaseAwayError:
        return None


def _text(event: FeedEvent) -> str:
    return f"event: {event.kind}\nid: {event.seq}\ndata: {event.data}\n\n"
