"""From the start of a gateway's process to the signal, or the bug, that ends it.

Used by the gateways' `…app` modules, which say what is started.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Final, Protocol

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class End(Protocol):
    """Ends the process: as asked, or by the bug."""

    def __call__(self, bug: BaseException | None = None) -> None: ...


async def run_until_signal(start: Callable[[End, AsyncExitStack], Awaitable[object]]) -> None:
    """Run what `start` starts until a signal comes; what it pushes onto the stack ends it.

    A signal ends the start too: Kafka may be away for long. Raises what `start` raises, and bugs.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    for number in SIGNALS:
        loop.add_signal_handler(number, _end, ended)
    async with AsyncExitStack() as parts:
        starting = asyncio.ensure_future(start(partial(_end, ended), parts))
        await asyncio.wait((starting, ended), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return
        starting.result()
        await ended


def _end(ended: asyncio.Future[None], bug: BaseException | None = None) -> None:
    if ended.done():
        return
    if bug is None:
        ended.set_result(None)
    else:
        ended.set_exception(bug)
