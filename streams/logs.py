"""What the processes say: one line an event, with a name that stays, and fields for machines.

Every module that has something to say asks for a `Log` of its own:

    log = get_log(__name__)
    log.warning("kafka_away", kafka=hosts, error=error)

The names are those of `streams.log_events`, from which `docs/logs.md` is written. Where the lines
go is set up once a process (`streams.log_setup`). An event that nobody wants costs one look at a
level, so fields should be at hand and not made for it. What the lines look like, and what is kept
out of them, is in `streams.log_lines`.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal, get_args

from streams.log_lines import Event

Form = Literal["auto", "json", "text"]
Level = Literal["debug", "info", "warning", "error"]
FORMS: Final = get_args(Form)
LEVELS: Final = get_args(Level)

_context: ContextVar[dict[str, object]] = ContextVar(
    "log context",
    default={},  # noqa: B039 - replaced, never changed
)


class Log:
    """Says what happens, as one module sees it."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    @property
    def tells_debug(self) -> bool:
        """Whether it is worth going over many things to say something of each."""
        return self._logger.isEnabledFor(logging.DEBUG)

    def debug(self, event: str, **fields: object) -> None:
        """For whoever looks for a fault: single violations, requests, ends of connections."""
        self._say(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """The course of things, which nobody needs to do anything about."""
        self._say(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Nothing is lost, but somebody should know if it goes on."""
        self._say(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Somebody has to do something."""
        self._say(logging.ERROR, event, fields)

    def at(self, level: Level, event: str, **fields: object) -> None:
        """At a level that depends."""
        self._say(logging.getLevelNamesMapping()[level.upper()], event, fields)

    def bug(self, event: str, error: BaseException, **fields: object) -> None:
        """An error that should not be, with its traceback."""
        self._say(logging.ERROR, event, fields, error)

    def _say(
        self,
        level: int,
        event: str,
        fields: dict[str, object],
        error: BaseException | None = None,
    ) -> None:
        if self._logger.isEnabledFor(level):
            told = Event(event, {**_context.get(), **fields})
            self._logger.log(level, told, exc_info=error)


def get_log(name: str) -> Log:
    """The log of a module; `name` is its `__name__`."""
    return Log(name)


@contextmanager
def said_with(**fields: object) -> Iterator[None]:
    """Puts these fields on every event of this thread or task, such as the id of a request."""
    before = _context.set({**_context.get(), **fields})
    try:
        yield
    finally:
        _context.reset(before)
