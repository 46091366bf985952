"""A fleet of terminals as a sink of positions: each truck's go to a gateway over TCP.

Called by `mucktrack simulate --jt808` in place of the publisher. The terminals live on an event
loop in a thread of its own; the calls come from the thread that simulates. Positions have arrived
when the gateway has acknowledged them, so `flush` waits for that. A terminal cannot send ticks.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Self

from producers.terminals.line import Line
from producers.terminals.tally import Tally
from streams.position import Position

LOOK_AFTER_S: Final = 0.25
STUCK_S: Final = 20.0
"""Without any acknowledgement; then what is left is left."""
CLOSE_S: Final = 10.0
MOST_OPEN: Final = 20_000
"""Positions made and not acknowledged, where the fleet goes as fast as it can."""
WAIT_S: Final = 0.01


class NotAcknowledgedError(Exception):
    """The gateway did not acknowledge all; one line."""


class TerminalFleet:
    """A `PositionSink`. `line_of` makes a truck's line from its first position, on the loop; what
    it raises, `publish` raises. `most_open`: `publish` blocks while so many await acknowledgement;
    None = never, since trucks that go by the clock do not wait for a network."""

    def __init__(
        self, line_of: Callable[[Position], Line], tally: Tally, most_open: int | None = None
    ) -> None:
        self._line_of, self._tally, self._most_open = line_of, tally, most_open
        self._lines: dict[str, Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._given: list[Position] = []
        self._giving = threading.Lock()
        self._failure: BaseException | None = None
        self._told = False
        """Whether it has been raised."""
        self._published = 0
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._note_exception)
        self._thread = threading.Thread(target=self._run, name="terminals", daemon=True)

    @property
    def terminals(self) -> int:
        return len(self._lines)

    @property
    def open(self) -> int:
        """Positions that the gateway has not acknowledged."""
        tally = self._tally
        return self._published - tally.no_room - tally.acknowledged - tally.refused

    def problems(self) -> list[str]:
        """Why terminals are not connected, each reason once."""
        reasons = {line.problem for line in list(self._lines.values())}
        return sorted(reason for reason in reasons if reason is not None)

    def publish(self, position: Position) -> None:
        """To the truck's terminal, which reports it when it can."""
        self._raise_failure()
        while self._most_open is not None and self.open >= self._most_open:
            time.sleep(WAIT_S)
            self._raise_failure()
        with self._giving:
            self._given.append(position)
            first = len(self._given) == 1
        self._published += 1
        if first:
            self._loop.call_soon_threadsafe(self._guarded, self._take_given)

    def publish_raw(self, value: bytes, truck_id: str | None, timestamp_ms: int | None) -> None:
        """Nothing: a terminal says what its protocol has words for."""

    def tick(self, tick_ms: int) -> None:
        """Nothing: a terminal knows only of itself."""

    def flush(self, stuck_s: float = STUCK_S) -> None:
        """Bring all trucks into reach and wait until everything is acknowledged.

        Raises `NotAcknowledgedError` where nothing has been for `stuck_s`.
        """
        self._raise_failure()
        self._loop.call_soon_threadsafe(self._guarded, self._bring_into_reach)
        last, deadline = self.open, time.monotonic() + stuck_s
        while (now := self.open) > 0:
            self._raise_failure()
            if now != last:
                last, deadline = now, time.monotonic() + stuck_s
            elif time.monotonic() > deadline:
                why = "; ".join(self.problems()) or "the gateway does not acknowledge them"
                raise NotAcknowledgedError(
                    f"{now} positions are left with the terminals, none acknowledged for "
                    f"{stuck_s:g} s: {why}"
                )
            time.sleep(WAIT_S)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S)
        if error is None and not self._told:
            self._raise_failure()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._start(self._look_after())
        try:
            self._loop.run_forever()
            for task in self._tasks:
                task.cancel()
            self._loop.run_until_complete(self._ended())
            self._guarded(self._tally.flush)
        finally:
            self._loop.close()

    async def _ended(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # Transports close in the loop's next turn.

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._note_failure)

    def _note_failure(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error

    def _note_exception(self, _loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
        """What a connection's callbacks raise: a full disk under the files, or a bug."""
        error = told.get("exception") or RuntimeError(told["message"])
        self._failure = self._failure or error

    def _guarded(self, act: Callable[[], None]) -> None:
        """What goes wrong on the loop is raised where the fleet is."""
        try:
            act()
        except BaseException as error:
            self._failure = self._failure or error

    def _take_given(self) -> None:
        with self._giving:
            given, self._given = self._given, []
        for position in given:
            line = self._lines.get(position.truck_id)
            if line is None:
                line = self._lines[position.truck_id] = self._line_of(position)
                self._start(line.live())
            line.report(position)

    def _bring_into_reach(self) -> None:
        for line in self._lines.values():
            line.come_into_reach()

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AFTER_S)
            for line in list(self._lines.values()):
                line.look_after()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            self._told = True
            raise self._failure
